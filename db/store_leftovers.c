#include "db/store_leftovers.h"

#include "broker/base/clock.h"
#include "db/batch.h"
#include "db/state.h"
#include "db/store_thread.h"

int store_leftovers_apply(struct store_thread *thread, const struct op *op)
{
	if (op->type == OP_MESSAGE_SAVE)
		leftovers_forget(&thread->leftovers, op->u.message->id);
	/* While the disk is full each row that goes is room for another. */
	else if (op->type == OP_MESSAGE_REMOVE &&
		 !atomic_load(&thread->degraded) &&
		 leftovers_add(&thread->leftovers, op->u.key.session,
			       clock_ms()) == 0)
		return 0;

	return state_apply(thread->state, op);
}

static int remove_block(struct store_thread *thread, size_t n)
{
	uint64_t first = 0;
	uint64_t last;
	int r = 0;

	while (!r && leftovers_run(&thread->leftovers, n, &first, &last)) {
		r = state_messages_remove(thread->state, first, last);
		first = last + 1;
	}

	return r;
}

int store_leftovers_remove(struct store_thread *thread)
{
	int r = 0;

	for (size_t n = 0; !r && n < thread->leftovers.count; n++)
		r = remove_block(thread, n);

	return r;
}

void store_leftovers_forget(struct store_thread *thread)
{
	leftovers_clear(&thread->leftovers);
}

uint64_t store_leftovers_due(const struct store_thread *thread)
{
	uint64_t since;

	if (!thread->leftovers.count)
		return UINT64_MAX;
	leftovers_oldest(&thread->leftovers, &since);

	return since + STORE_LEFTOVERS_MS;
}

int store_leftovers_write(struct store_thread *thread)
{
	uint64_t since;
	size_t n = leftovers_oldest(&thread->leftovers, &since);
	int r = state_begin(thread->state);

	if (!r)
		r = remove_block(thread, n);
	if (!r)
		r = state_commit(thread->state);
	if (r)
		state_rollback(thread->state);
	else
		leftovers_drop(&thread->leftovers, n);

	return r;
}

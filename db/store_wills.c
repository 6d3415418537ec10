#include "db/store_wills.h"

#include "broker/base/clock.h"
#include "broker/base/log.h"
#include "db/batch.h"
#include "db/state.h"
#include "db/store_thread.h"

/* Of one transaction: it must not hold up what is waited for. */
#define ROWS 500

void store_wills_take(struct store_thread *thread, const struct op *op)
{
	if (op->type == OP_WILL_REMOVE)
		wills_remove(&thread->wills, op->u.key.session);
	else if (wills_put(&thread->wills, &op->u.will, clock_ms()))
		log_warn("state.db", "a will is not kept: out of memory");
}

uint64_t store_wills_due(const struct store_thread *thread)
{
	const struct wills_entry *first = wills_first(&thread->wills);

	return first ? first->since + WILLS_MS : UINT64_MAX;
}

int store_wills_write(struct store_thread *thread)
{
	const uint64_t last = wills_first(&thread->wills)->since + WILLS_MS / 2;
	int r = state_begin(thread->state);
	struct list *after;
	struct list *at;
	size_t n = 0;

	list_for_each (at, after, &thread->wills.order) {
		const struct wills_entry *entry =
			list_entry(at, struct wills_entry, link);

		if (r || n == ROWS || entry->since > last)
			break;
		r = state_will_save(thread->state, &entry->will);
		n++;
	}
	if (!r)
		r = state_commit(thread->state);
	if (r)
		state_rollback(thread->state);
	else
		wills_drop(&thread->wills, n);

	return r;
}

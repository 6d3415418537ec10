#include "db/store_lazy.h"

#include "db/state.h"
#include "db/store_thread.h"

/* Values of one transaction: it must not hold up what is waited for. */
#define ROWS 500

int store_lazy_write(struct store_thread *thread)
{
	int r = state_begin(thread->state);
	struct list *after;
	struct list *at;
	size_t n = 0;

	list_for_each (at, after, &thread->lazy.order) {
		const struct lazy_entry *entry =
			list_entry(at, struct lazy_entry, link);

		if (r || n == ROWS)
			break;
		r = state_retained_save(thread->state, entry->message);
		n++;
	}
	if (!r)
		r = state_commit(thread->state);
	if (r) {
		state_rollback(thread->state);
		return r;
	}

	lazy_drop(&thread->lazy, n);
	thread->lazy_left -= n < thread->lazy_left ? n : thread->lazy_left;
	return 0;
}

bool store_lazy_due(struct store_thread *thread, uint64_t now)
{
	if (!lazy_count(&thread->lazy)) {
		thread->lazy_left = 0;
		return false;
	}
	if (now >= thread->lazy_at) {
		thread->lazy_left = lazy_count(&thread->lazy);
		thread->lazy_at = now + thread->options.lazy_ms;
	}

	return thread->lazy_left > 0;
}

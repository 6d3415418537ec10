#include "db/store_history.h"

#include <string.h>

#include "broker/base/clock.h"
#include "broker/base/log.h"
#include "db/history_write.h"

/* While the budget is used up: how often it is asked again, since the wall clock
 * may be put right. */
#define WAIT_MAX_MS 10000

static void take_rules(struct store_thread *thread)
{
	struct history_rules *rules =
		atomic_exchange(&thread->shown.rules, NULL);

	if (!rules)
		return;
	history_writer_set_rules(thread->history, rules);
	history_rules_unref(rules);
}

static void show(struct store_thread *thread)
{
	struct store_history *shown = &thread->shown;
	struct history_counts counts;

	history_writer_counts(thread->history, &counts);
	atomic_store(&shown->written, counts.written);
	atomic_store(&shown->budget, counts.budget);
	atomic_store(&shown->waiting, history_writer_rows(thread->history));
	atomic_store(&shown->lost, counts.lost);
	atomic_store(&shown->thinned, counts.thinned);
	atomic_store(&shown->failing, thread->history_failing);
}

/* Once for each commit that some are missing from. */
static void tell_missing(struct store_thread *thread)
{
	struct history_counts counts;

	history_writer_counts(thread->history, &counts);
	if (counts.lost > thread->history_lost)
		log_warn("history.db", "%llu messages were not kept",
			 (unsigned long long)(counts.lost -
					      thread->history_lost));
	if (counts.thinned > thread->history_thinned)
		log_warn("history.db",
			 "%llu messages were left out: the budget of %llu MB a "
			 "day does not allow more",
			 (unsigned long long)(counts.thinned -
					      thread->history_thinned),
			 (unsigned long long)(counts.budget >> 20));
	thread->history_lost = counts.lost;
	thread->history_thinned = counts.thinned;
}

void store_history_put(struct store_thread *thread, struct message *message)
{
	take_rules(thread);
	if (!history_writer_rows(thread->history))
		thread->history_at = clock_ms() + thread->options.history_ms;
	history_writer_put(thread->history, message);
	atomic_store(&thread->shown.waiting,
		     history_writer_rows(thread->history));
}

/* The history may be lost without harm: its troubles are told and not waited
 * for. */
int store_history_write(struct store_thread *thread)
{
	int r = history_writer_flush(thread->history, clock_wall_ms());

	if (r && !thread->history_failing)
		log_error("history.db", "cannot be written: %s",
			  strerrordesc_np(-r));
	else if (!r && thread->history_failing)
		log_info("history.db", "is written again");
	thread->history_failing = r != 0;

	tell_missing(thread);
	show(thread);
	thread->busy_at = clock_ms();
	thread->untidy = true;

	return r;
}

void store_history_step(struct store_thread *thread, uint64_t now)
{
	uint64_t wait;

	take_rules(thread);
	if (!history_writer_rows(thread->history))
		return;
	if (now < thread->history_at &&
	    (thread->history_failing || !history_writer_full(thread->history)))
		return;
	wait = history_writer_wait(thread->history, clock_wall_ms());
	if (wait) {
		thread->history_at =
			now + (wait < WAIT_MAX_MS ? wait : WAIT_MAX_MS);
		return;
	}
	thread->history_at = now + thread->options.history_ms;

	store_history_write(thread);
}

int store_history_tidy(struct store_thread *thread)
{
	int r = history_writer_tidy(thread->history, clock_wall_ms());

	if (r < 0)
		log_warn("history.db", "tidying up: %s", strerrordesc_np(-r));
	show(thread);

	return r;
}

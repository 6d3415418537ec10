#include "db/store_thread.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "broker/base/clock.h"
#include "broker/base/log.h"
#include "broker/base/mailbox.h"
#include "db/batch.h"
#include "db/db.h"
#include "db/elide.h"
#include "db/history_write.h"
#include "db/state.h"
#include "db/store_history.h"
#include "db/store_lazy.h"
#include "db/store_leftovers.h"
#include "db/store_wills.h"

#define LAZY_MS 60000
#define HISTORY_MS 30000

/* Nothing to write for so long: time to copy the WAL back. */
#define IDLE_MS 1000

/* After a commit has failed. */
#define RETRY_FIRST_MS 100
#define RETRY_MAX_MS 5000

static uint32_t or_default(uint32_t value, uint32_t otherwise)
{
	return value ? value : otherwise;
}

static int open_files(struct store_thread *thread, struct db *db)
{
	const struct history_writer_options history = {
		.bytes = db_history_bytes(db),
	};
	int r = state_open(db, &thread->state);

	return r ? r : history_writer_open(db, &history, &thread->history);
}

int store_thread_init(struct store_thread *thread, struct db *db,
		      size_t batches, const struct db_store_options *options)
{
	int r;

	memset(thread, 0, sizeof(*thread));
	thread->options = *options;
	thread->options.lazy_ms = or_default(options->lazy_ms, LAZY_MS);
	thread->options.history_ms =
		or_default(options->history_ms, HISTORY_MS);
	list_init(&thread->txn);
	list_init(&thread->lazy.order);
	thread->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	thread->stop_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	r = thread->fd < 0 || thread->stop_fd < 0 ? -errno : 0;
	if (!r) {
		thread->mailbox = mailbox_new(batches);
		r = thread->mailbox ? lazy_init(&thread->lazy) : -errno;
		if (!r)
			r = wills_init(&thread->wills);
	}
	if (!r)
		r = open_files(thread, db);
	if (!r)
		refusal_init(&thread->refusal, db_dir_fd(db),
			     (uint64_t)options->ballast_mb << 20,
			     db_stand_in(db));
	if (r)
		store_thread_free(thread);

	return r;
}

static void drop_txn(struct store_thread *thread)
{
	struct list *after;
	struct list *at;

	list_for_each (at, after, &thread->txn) {
		list_remove(at);
		batch_free(list_entry(at, struct batch, link));
	}
	thread->txn_ops = 0;
	thread->txn_bytes = 0;
	thread->txn_promised = 0;
	thread->txn_urgent = 0;
	thread->elided = false;
}

void store_thread_free(struct store_thread *thread)
{
	struct batch *batch;

	drop_txn(thread);
	while (thread->mailbox && (batch = mailbox_take(thread->mailbox)))
		batch_free(batch);
	mailbox_free(thread->mailbox);
	if (thread->lazy.topics.slots)
		lazy_free(&thread->lazy);
	wills_free(&thread->wills);
	leftovers_clear(&thread->leftovers);
	history_writer_close(thread->history);
	history_rules_unref(atomic_load(&thread->shown.rules));
	state_close(thread->state);
	if (thread->fd >= 0)
		close(thread->fd);
	if (thread->stop_fd >= 0)
		close(thread->stop_fd);
}

static void signal_fd(int fd)
{
	const uint64_t one = 1;

	/* Cannot fail but for a counter at its end, and then it is readable. */
	if (write(fd, &one, sizeof(one)) < 0)
		return;
}

void store_thread_stop(struct store_thread *thread)
{
	signal_fd(thread->stop_fd);
}

static bool stopping(const struct store_thread *thread)
{
	struct pollfd fd = { .fd = thread->stop_fd, .events = POLLIN };

	return poll(&fd, 1, 0) > 0;
}

/* Values and rows that may wait leave the batch for where they wait. When memory
 * is short a lazy value is lost: nobody was promised it. */
static void keep_lazily(struct store_thread *thread, struct op *op)
{
	switch (op->type) {
	case OP_RETAINED_LAZY:
		if (!lazy_count(&thread->lazy))
			thread->lazy_at = clock_ms() + thread->options.lazy_ms;
		if (lazy_put(&thread->lazy, op->u.message))
			log_warn("state.db",
				 "a retained value is not kept: out of memory");
		break;
	case OP_RETAINED_SAVE:
		lazy_remove(&thread->lazy, message_topic(op->u.message));
		break;
	case OP_RETAINED_REMOVE:
		lazy_remove(&thread->lazy, op->u.topic);
		break;
	case OP_WILL_SAVE:
	case OP_WILL_REMOVE:
		store_wills_take(thread, op);
		break;
	case OP_HISTORY:
		store_history_put(thread, op->u.message);
		break;
	case OP_HISTORY_MARK:
		thread->marked(thread->marked_arg, op->u.request,
			       thread->history);
		op->u.request = NULL;
		break;
	case OP_SESSION_SAVE:
	case OP_SESSION_REMOVE:
	case OP_SUBSCRIPTION_SAVE:
	case OP_SUBSCRIPTION_REMOVE:
	case OP_MESSAGE_SAVE:
	case OP_MESSAGE_REMOVE:
	case OP_QUEUE_SAVE:
	case OP_QUEUE_REMOVE:
	case OP_INBOUND_ADD:
	case OP_INBOUND_REMOVE:
	case OP_TYPES:
		break;
	}
}

static void take(struct store_thread *thread, struct batch *batch)
{
	for (struct op *op = batch->first; op; op = op->next)
		keep_lazily(thread, op);

	if (list_empty(&thread->txn))
		gather_begin(&thread->gather, clock_ns());
	list_append(&thread->txn, &batch->link);
	thread->txn_promised += batch->promised;
	thread->txn_urgent += batch->urgent;
	thread->txn_ops += batch->ops;
	thread->txn_bytes += batch->bytes;
}

static bool txn_full(const struct store_thread *thread)
{
	return thread->txn_ops >= DB_STORE_TXN_OPS ||
	       thread->txn_bytes >= DB_STORE_TXN_BYTES;
}

/* Nanoseconds for which the transaction need not be written: it only removes. */
static uint64_t txn_left(const struct store_thread *thread)
{
	if (!thread->txn_promised || thread->txn_urgent || txn_full(thread) ||
	    atomic_load(&thread->degraded))
		return 0;

	return gather_removals_left(&thread->gather, clock_ns());
}

/* After a failure everything that waits joins the transaction: what has been
 * undone meanwhile need not find room on a full disk. */
static void gather(struct store_thread *thread)
{
	bool all = atomic_load(&thread->degraded);
	struct batch *batch;

	while ((all || !txn_full(thread)) &&
	       (batch = mailbox_take(thread->mailbox))) {
		take(thread, batch);
		thread->elided = false;
	}
}

static int apply_txn(struct store_thread *thread)
{
	struct list *after;
	struct list *at;
	int r = 0;

	if (atomic_load(&thread->degraded))
		r = store_leftovers_remove(thread);
	list_for_each (at, after, &thread->txn) {
		struct batch *batch = list_entry(at, struct batch, link);
		struct op *op = batch->first;

		for (; op && !r; op = op->next) {
			if (!op->dead)
				r = store_leftovers_apply(thread, op);
		}
	}

	return r;
}

/* The highest number of the transaction; 0: nothing in it was promised. */
static uint64_t txn_number(const struct store_thread *thread)
{
	uint64_t number = 0;
	struct list *after;
	struct list *at;

	list_for_each (at, after, &thread->txn) {
		struct batch *batch = list_entry(at, struct batch, link);

		if (batch->number)
			number = batch->number;
	}

	return number;
}

static void report(struct store_thread *thread, uint64_t number)
{
	atomic_fetch_sub(&thread->pending_ops, thread->txn_ops);
	atomic_fetch_sub(&thread->pending_bytes, thread->txn_bytes);
	if (number) {
		atomic_store(&thread->committed, number);
		signal_fd(thread->fd);
	}
}

/* Said once, however often it fails. */
static void failed(struct store_thread *thread, int error)
{
	const uint64_t now = clock_ms();

	if (!atomic_load(&thread->degraded)) {
		log_error("state.db",
			  "cannot be written: %s; acknowledgements wait",
			  strerrordesc_np(-error));
		atomic_store(&thread->degraded, true);
		thread->retry_ms = RETRY_FIRST_MS;
	} else {
		thread->retry_ms *= 2;
		if (thread->retry_ms > RETRY_MAX_MS)
			thread->retry_ms = RETRY_MAX_MS;
	}
	thread->retry_at = now + thread->retry_ms;
	if (refusal_failed(&thread->refusal, error, now) == REFUSAL_RETRY)
		thread->retry_at = now;
	signal_fd(thread->fd);
}

static void succeeded(struct store_thread *thread)
{
	const bool degraded = atomic_load(&thread->degraded);
	const bool crowded =
		state_crowded(thread->state, thread->refusal.crowded);
	int why;

	thread->retry_at = 0;
	thread->busy_at = clock_ms();
	thread->untidy = true;
	why = atomic_load(&thread->refusal.why);
	if (degraded)
		log_info("state.db", "is written again");
	atomic_store(&thread->degraded, false);
	if (degraded || why || crowded)
		refusal_succeeded(&thread->refusal, crowded, thread->busy_at);
	if (degraded || atomic_load(&thread->refusal.why) != why)
		signal_fd(thread->fd);
}

static int write_txn(struct store_thread *thread)
{
	uint64_t number = txn_number(thread);
	uint64_t begun = clock_ns();
	int r = 0;

	if (list_empty(&thread->txn))
		return 0;
	if (number) {
		if (!thread->elided)
			elide(&thread->txn);
		thread->elided = true;
		r = state_begin(thread->state);
		if (!r)
			r = apply_txn(thread);
		if (!r)
			r = state_commit(thread->state);
		if (r) {
			state_rollback(thread->state);
			failed(thread, r);
			return r;
		}
		if (atomic_load(&thread->degraded))
			store_leftovers_forget(thread);
		succeeded(thread);
		gather_expect(&thread->gather,
			      atomic_load(&thread->pending_ops), begun,
			      clock_ns());
	}

	report(thread, number);
	drop_txn(thread);
	return 0;
}

/* Tells how a transaction went that nobody waits for. */
static int told(struct store_thread *thread, int r)
{
	if (r)
		failed(thread, r);
	else
		succeeded(thread);

	return r;
}

/* One of the things that nobody was promised, if it is due. */
static int later_step(struct store_thread *thread, uint64_t now)
{
	int (*write)(struct store_thread *) = NULL;

	if (store_lazy_due(thread, now))
		write = store_lazy_write;
	else if (now >= store_wills_due(thread))
		write = store_wills_write;
	else if (now >= store_leftovers_due(thread))
		write = store_leftovers_write;

	return write ? told(thread, write(thread)) : 0;
}

static void checkpoint(struct store_thread *thread, bool hard)
{
	int r = state_checkpoint(thread->state, hard);

	/* The WAL keeps everything; it is tried again with the next commit. */
	if (r && r != -EAGAIN && !atomic_load(&thread->degraded))
		log_warn("state.db", "checkpoint: %s", strerrordesc_np(-r));
}

static void checkpoint_if_large(struct store_thread *thread)
{
	size_t wal = state_wal_bytes(thread->state);

	if (wal > DB_STORE_WAL_SOFT)
		checkpoint(thread, wal > DB_STORE_WAL_HARD);
}

static void tidy_step(struct store_thread *thread, uint64_t now)
{
	int r;

	if (!thread->untidy)
		return;
	checkpoint_if_large(thread);
	if (now < thread->busy_at + IDLE_MS)
		return;

	checkpoint(thread, false);
	r = store_history_tidy(thread);
	thread->untidy = r > 0;
}

static uint64_t sooner(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Milliseconds until something is due without a new batch; -1: nothing is. */
static int time_left(const struct store_thread *thread, uint64_t now)
{
	const bool refuses = atomic_load(&thread->refusal.why);
	uint64_t due = UINT64_MAX;

	if (thread->retry_at)
		due = thread->retry_at;
	else if (refuses)
		due = thread->refusal.look_at ? thread->refusal.look_at : due;
	else if (thread->lazy_left)
		due = now;
	else if (lazy_count(&thread->lazy))
		due = thread->lazy_at;
	if (!list_empty(&thread->txn) && !thread->retry_at)
		due = sooner(due, now + txn_left(thread) / 1000000 + 1);
	if (!thread->retry_at && !refuses)
		due = sooner(due, sooner(store_leftovers_due(thread),
					 store_wills_due(thread)));
	if (!thread->retry_at && refuses && thread->leftovers.count)
		due = now;
	if (history_writer_rows(thread->history) && !refuses)
		due = sooner(due, thread->history_at);
	if (thread->untidy && !refuses)
		due = sooner(due, thread->busy_at + IDLE_MS);

	if (due == UINT64_MAX)
		return -1;
	if (due <= now)
		return 0;

	return due - now > 60000 ? 60000 : (int)(due - now);
}

static void wait_for_work(struct store_thread *thread)
{
	struct pollfd fds[] = {
		{ .fd = thread->stop_fd, .events = POLLIN },
		{ .fd = mailbox_fd(thread->mailbox), .events = POLLIN },
	};

	/* While a transaction waits for its next try the mailbox is not taken
	 * from, and must not wake us. */
	poll(fds, thread->retry_at ? 1 : 2, time_left(thread, clock_ms()));
}

/* Something may have come: it may be worth while to wait for more. */
static void let_gather(struct store_thread *thread)
{
	struct pollfd fds[] = {
		{ .fd = thread->stop_fd, .events = POLLIN },
		{ .fd = mailbox_fd(thread->mailbox), .events = POLLIN },
	};
	struct timespec left = { 0 };

	while (!thread->retry_at) {
		gather(thread);
		if (list_empty(&thread->txn) || txn_full(thread))
			return;
		left.tv_nsec = (long)gather_left(&thread->gather,
						 thread->txn_ops, clock_ns());
		if (!left.tv_nsec ||
		    (ppoll(fds, 2, &left, NULL) > 0 && fds[0].revents))
			return;
	}
}

/* What may wait, or be lost, takes no room from what was promised. */
static void make_room(struct store_thread *thread, uint64_t now)
{
	checkpoint_if_large(thread);
	if (refusal_look(&thread->refusal, now)) {
		int r = history_writer_shrink(thread->history);

		if (r > 0)
			log_warn("history.db", "its oldest day is given up: "
					       "the disk is full");
	}
	if (thread->leftovers.count)
		(void)told(thread, store_leftovers_write(thread));
	if (!atomic_load(&thread->refusal.why))
		signal_fd(thread->fd);
}

void store_thread_turn(struct store_thread *thread)
{
	uint64_t now;

	if (thread->retry_at) {
		if (clock_ms() < thread->retry_at)
			return;
		thread->retry_at = 0;
	}
	gather(thread);
	if (!txn_left(thread) && write_txn(thread))
		return;

	now = clock_ms();
	if (atomic_load(&thread->refusal.why)) {
		make_room(thread, now);
		return;
	}
	if (later_step(thread, now))
		return;
	store_history_step(thread, now);
	tidy_step(thread, now);
}

/* Everything, with one try each. */
static void finish(struct store_thread *thread)
{
	int r = 0;

	do {
		thread->retry_at = 0;
		gather(thread);
		if (list_empty(&thread->txn))
			break;
		r = write_txn(thread);
	} while (!r);
	while (!r && lazy_count(&thread->lazy))
		r = store_lazy_write(thread);
	while (!r && wills_first(&thread->wills))
		r = store_wills_write(thread);
	while (!r && thread->leftovers.count)
		r = store_leftovers_write(thread);
	if (r)
		log_error("state.db", "what was not acknowledged is lost: %s",
			  strerrordesc_np(-r));
	else
		checkpoint(thread, false);
	thread->error = r;

	if (history_writer_rows(thread->history)) {
		r = store_history_write(thread);
		if (!thread->error)
			thread->error = r;
	}
}

void *store_thread_run(void *arg)
{
	struct store_thread *thread = arg;

	while (!stopping(thread)) {
		wait_for_work(thread);
		let_gather(thread);
		store_thread_turn(thread);
	}
	finish(thread);

	return NULL;
}

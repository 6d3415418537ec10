/*
 * The store's own thread: takes batches out of the mailbox, writes them in
 * transactions, reports. The atomics are what the broker thread sees of it.
 */
#ifndef DB_STORE_THREAD_H
#define DB_STORE_THREAD_H

#include <stdatomic.h>

#include "broker/base/list.h"
#include "db/gather.h"
#include "db/lazy.h"
#include "db/leftovers.h"
#include "db/refusal.h"
#include "db/store.h"
#include "db/wills.h"

struct db;
struct history_rules;
struct history_writer;
struct mailbox;
struct state;

/* What other threads see of the history, and tell it. */
struct store_history {
	/* To go by from now on; NULL: as before. Whoever takes it has its
	 * reference. */
	_Atomic(struct history_rules *) rules;
	atomic_uint_least64_t written;
	atomic_uint_least64_t budget;
	atomic_uint_least64_t waiting;
	atomic_uint_least64_t lost;
	atomic_uint_least64_t thinned;
	atomic_bool failing;
};

struct store_thread {
	struct mailbox *mailbox; /* of struct batch */
	int fd; /* eventfd: committed or degraded has changed */
	int stop_fd; /* eventfd: readable for good once it is to stop */
	atomic_uint_least64_t committed;
	atomic_bool degraded;
	atomic_size_t pending_ops; /* put in and not yet written */
	atomic_size_t pending_bytes;

	struct store_history shown;

	/* From here on the thread's own; main's before and after it runs. */
	struct db_store_options options;
	struct refusal refusal; /* its why is for all */
	struct state *state;
	struct history_writer *history;
	db_store_marked_fn *marked;
	void *marked_arg;
	struct lazy lazy;
	struct wills wills;
	struct leftovers leftovers;
	struct list txn; /* batches of the transaction being written */
	size_t txn_ops;
	size_t txn_bytes;
	size_t txn_promised; /* of its operations */
	size_t txn_urgent;
	bool elided;
	struct gather gather;
	uint64_t retry_at; /* clock_ms(); 0: nothing has failed */
	uint64_t retry_ms;
	uint64_t lazy_at; /* when they are due */
	size_t lazy_left; /* of those that were due */
	uint64_t history_at;
	uint64_t busy_at; /* when something was written last */
	bool untidy; /* not checkpointed since */
	bool history_failing;
	uint64_t history_lost; /* told in the log so far */
	uint64_t history_thinned;
	int error; /* something was not written at the stop */
};

int store_thread_init(struct store_thread *thread, struct db *db,
		      size_t batches, const struct db_store_options *options);
void store_thread_free(struct store_thread *thread);

/* For pthread_create(); arg is the struct. */
void *store_thread_run(void *arg);
/* What there is to do now, once. */
void store_thread_turn(struct store_thread *thread);
/* From any thread: write what is in the mailbox and return. */
void store_thread_stop(struct store_thread *thread);

#endif

/*
 * The broker's store on SQLite: fills in broker/store.h. Its thread is the only
 * one that writes state.db and history.db.
 *
 * Group commit: while one transaction is being synced the next batches gather,
 * and go into the following one together, at most DB_STORE_TXN_OPS operations or
 * DB_STORE_TXN_BYTES. What a transaction would insert and delete again is left
 * out. When a commit fails (disk full, I/O error) its batches are kept and tried
 * again together with those that came since, at first after 100 ms, later every
 * 5 s, and none of them is reported as committed before. A full disk makes it give
 * up its ballast, so that what was taken in can still be written, and refuse more
 * (refuses()) until there is room for a new one; other errors do so after 5 s.
 *
 * Messages whose retained value is lazy and rows of the history wait in memory
 * and are written together: a house full of chatty sensors must not wear out
 * the card.
 */
#ifndef DB_STORE_H
#define DB_STORE_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/store.h"

struct db;
struct db_store;
struct history_request;
struct history_writer;

/* One transaction: enough rows that a hundred publishers with twenty messages each
 * need one sync, few enough that it lasts some tens of milliseconds on a card. */
#define DB_STORE_TXN_OPS 4000
#define DB_STORE_TXN_BYTES ((size_t)1024 * 1024)

/* congested(): so much may wait for the disk before publishers' sockets are read
 * no more, and at most so much can be put in before -ENOMEM. */
#define DB_STORE_PENDING_OPS 20000
#define DB_STORE_PENDING_BYTES ((size_t)4 * 1024 * 1024)
#define DB_STORE_HARD_BYTES ((size_t)64 * 1024 * 1024)

/* The WAL is copied back when nothing happens for a second, or at this size; at
 * the hard size even a reader is waited for. */
#define DB_STORE_WAL_SOFT ((size_t)8 * 1024 * 1024)
#define DB_STORE_WAL_HARD ((size_t)32 * 1024 * 1024)

/* Zero means the default given. */
struct db_store_options {
	uint32_t lazy_ms; /* between writes of lazy retained values: 60000 */
	uint32_t history_ms; /* between commits of the history: 30000 */
	uint32_t ballast_mb; /* space.h: 0, none */
};

/* options NULL: all defaults. Returns 0 or a negative errno. */
int db_store_open(struct db *db, const struct db_store_options *options,
		  struct db_store **out);
/* Start the thread; before that only load() may be called. */
int db_store_start(struct db_store *store);
/*
 * For a replay (history_door.h): called by the store's thread when it has taken
 * everything that was put in before the mark, and nothing that was put in later;
 * the request is on's from then on. replays: how many are under way. Before the
 * start.
 */
typedef void db_store_marked_fn(void *arg, struct history_request *request,
				struct history_writer *writer);
void db_store_watch_replays(struct db_store *store, db_store_marked_fn *on,
			    void *arg, const atomic_uint *replays);
/* By the broker's thread. The request is taken; -ENOMEM: it is not. */
int db_store_mark(struct db_store *store, struct history_request *request);

/* In its place, where time must stand still between two steps (tests/crash): what
 * the thread would do now. */
void db_store_turn(struct db_store *store);
/* Write all that was flushed, all lazy values and the history, and end the
 * thread. 0, or the negative errno for which something could not be written
 * (logged). */
int db_store_stop(struct db_store *store);
/* After the stop. NULL does nothing. */
void db_store_free(struct db_store *store);

/* Of the history, from any thread. */
struct db_store_history {
	uint64_t written; /* bytes, today (UTC) */
	uint64_t budget; /* bytes of a day; 0: no limit */
	uint64_t waiting; /* messages in memory */
	uint64_t lost; /* could not be written, since the start */
	uint64_t thinned; /* left out to keep the budget, since the start */
	bool failing; /* it cannot be written at the moment */
};

void db_store_history(const struct db_store *store,
		      struct db_store_history *out);

/* What the broker is given; valid until db_store_free(). */
struct store *db_store_door(struct db_store *store);

#endif

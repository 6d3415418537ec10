/*
 * Numbers of rows in history.db: the time they came, then a number within the
 * millisecond. While something is replayed (broker/history.h) they only ever rise,
 * whatever the clock does: so what was stored before a replay began is known by its
 * number.
 *
 * Belongs to the store's thread, but for the counter of replays.
 */
#ifndef DB_HISTORY_IDS_H
#define DB_HISTORY_IDS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct sqlite3;

struct history_ids {
	const atomic_uint *replays; /* under way; NULL: there never are any */
	int64_t highest; /* used; -1: none */
	bool known; /* also of those before the start */
};

void history_ids_init(struct history_ids *ids);

/* The time, not negative, under which a message of this time goes. */
int64_t history_ids_time(const struct history_ids *ids, int64_t time);
/* The first id to try for a row of such a time; the next ones follow. */
int64_t history_ids_first(const struct history_ids *ids, int64_t time);
/* This one is taken. */
void history_ids_use(struct history_ids *ids, int64_t id);

/* A replay begins: *end is the highest so far, and rows from now on get higher
 * ones, until no replay is under way. Returns 0 or a negative errno. */
int history_ids_mark(struct history_ids *ids, struct sqlite3 *sqlite,
		     int64_t *end);

#endif

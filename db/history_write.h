/*
 * Messages on their way into history.db: gathered in memory, written together,
 * into one table for each day, as the policies (broker/history_rules.h) want it
 * and the day's budget (history_budget.h) allows. Belongs to the store's thread.
 */
#ifndef DB_HISTORY_WRITE_H
#define DB_HISTORY_WRITE_H

#include <stdatomic.h>

#include "broker/history_rules.h"
#include "broker/message.h"
#include "db/history_queue.h"

struct db;
struct history_writer;

/* A commit is due at so many rows or bytes, whatever the clock says. */
#define HISTORY_ROWS 2000
#define HISTORY_BYTES ((size_t)1024 * 1024)

/* Topics of which the number is remembered between commits. */
#define HISTORY_TOPICS_MAX 10000

struct history_writer_options {
	struct history_rules *rules; /* a reference is taken; NULL: keep all */
	uint64_t bytes; /* of the file; then what is oldest goes */
};

int history_writer_open(struct db *db,
			const struct history_writer_options *options,
			struct history_writer **out);
/* How many replays are under way is counted there from now on. */
void history_writer_watch(struct history_writer *writer,
			  const atomic_uint *replays);
/* What has not been written is lost. NULL does nothing. */
void history_writer_close(struct history_writer *writer);

/* From now on; a reference is taken. NULL: keep all, within the usual limits. */
void history_writer_set_rules(struct history_writer *writer,
			      struct history_rules *rules);

/* A reference is taken if it is kept. */
void history_writer_put(struct history_writer *writer, struct message *message);

size_t history_writer_rows(const struct history_writer *writer);
bool history_writer_full(const struct history_writer *writer);

/* Milliseconds until the day's budget allows a flush; 0: now. now, here and
 * below: the wall clock, ms since 1970 UTC. */
uint64_t history_writer_wait(struct history_writer *writer, int64_t now);

/* One transaction with all rows, and once an hour what retention asks for. 0, or
 * a negative errno: then the rows still wait. The budget is not asked. */
int history_writer_flush(struct history_writer *writer, int64_t now);

/* Average an hour or index a day that is over, copy the WAL into the file: when
 * there is time. 1: there is more to do, 0: all done, or a negative errno. */
int history_writer_tidy(struct history_writer *writer, int64_t now);

struct history_counts {
	uint64_t lost; /* rows that could not be written, since the start */
	uint64_t
		thinned; /* rows left out to keep the budget, since the start */
	uint64_t written; /* bytes, today */
	uint64_t budget; /* bytes of a day; 0: no limit */
};

/* Rows go to the file and are copied there, which is counted when they are
 * written to the WAL: a page twice, and what stands around it. */
void history_writer_counts(const struct history_writer *writer,
			   struct history_counts *out);

/*
 * For a replay. Rows from now on, as long as *replays (as open) is not 0, get
 * higher ids than all before, whatever the clock does: *end is the highest so far.
 * Returns 0 or a negative errno. And the messages that wait to be written, in
 * order: valid until something else is called.
 */
int history_writer_mark(struct history_writer *writer, int64_t *end);
struct message *const *
history_writer_waiting(const struct history_writer *writer, size_t *count);

/* Give up the oldest day but the present one, and its room to the disk. 1: done,
 * 0: there is none, or a negative errno. */
int history_writer_shrink(struct history_writer *writer);

#endif

/*
 * Messages on their way into history.db: gathered in memory, written together,
 * into one table for each day. Belongs to the store's thread.
 *
 * Which messages come here is the broker's matter (history_filters); left out
 * are commands and their results, whose topics end in /set and /result, for the
 * state that follows tells the same.
 */
#ifndef DB_HISTORY_WRITE_H
#define DB_HISTORY_WRITE_H

#include "broker/message.h"

struct db;
struct history_writer;

/* A commit is due at so many rows or bytes, whatever the clock says. */
#define HISTORY_ROWS 2000
#define HISTORY_BYTES ((size_t)1024 * 1024)

/* While history.db cannot be written at most so many rows wait; then the oldest
 * are lost. */
#define HISTORY_ROWS_MAX 8000
#define HISTORY_BYTES_MAX ((size_t)4 * 1024 * 1024)

/* Topics of which the number is remembered between commits. */
#define HISTORY_TOPICS_MAX 10000

struct history_policy {
	uint32_t days; /* with a table; the one being written not counted */
	uint64_t bytes; /* of the file; then the oldest day goes */
	uint32_t min_interval_ms; /* of one topic */
	bool on_change;
};

int history_writer_open(struct db *db, const struct history_policy *policy,
			struct history_writer **out);
/* What has not been written is lost. NULL does nothing. */
void history_writer_close(struct history_writer *writer);

/* A reference is taken if it is kept. */
void history_writer_put(struct history_writer *writer, struct message *message);

size_t history_writer_rows(const struct history_writer *writer);
bool history_writer_full(const struct history_writer *writer);

/* One transaction with all rows. 0, or a negative errno: then they still wait. */
int history_writer_flush(struct history_writer *writer);

/* Index a day that is over by topic, copy the WAL into the file: when there is
 * time. 1: there is more to do, 0: all done, or a negative errno. */
int history_writer_tidy(struct history_writer *writer);

/* Rows lost because they could not be written, since the last call. */
uint64_t history_writer_lost(struct history_writer *writer);

/* Where a row of this time goes: YYYYMMDD in UTC, and its name h_YYYYMMDD. */
#define HISTORY_TABLE_SIZE 16
uint32_t history_day(int64_t time);
void history_table(uint32_t day, char out[HISTORY_TABLE_SIZE]);

/* Ids within a table: time in ms, then a number within it. */
#define HISTORY_ID_SHIFT 12

#endif

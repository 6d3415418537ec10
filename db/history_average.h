/*
 * Averages of numbers, made of the rows of each hour once it is over: every 5
 * minutes into a table of the day, the hour into one of the month. Rows that come
 * late, because the clock was put back, have their hour averaged again.
 */
#ifndef DB_HISTORY_AVERAGE_H
#define DB_HISTORY_AVERAGE_H

#include <stdint.h>

#include "db/statement.h"

struct history_rules;
struct sqlite3;

#define HISTORY_HOUR_MS INT64_C(3600000)
#define HISTORY_FIVE_MS INT64_C(300000)

/* Below the seconds of an average's id; later topics have none. */
#define HISTORY_AVERAGE_SHIFT 24
#define HISTORY_AVERAGE_TOPICS (INT64_C(1) << HISTORY_AVERAGE_SHIFT)

struct history_average {
	struct sqlite3 *sqlite;
	const struct history_rules *rules; /* borrowed; NULL: all topics */
	struct statement name; /* of a topic */
	int64_t marked; /* the hour that was marked last; -1: none */
};

/* The struct must not move from then on. Returns 0 or a negative errno; then it
 * may be freed, as may one that is all zero. */
int history_average_init(struct history_average *a, struct sqlite3 *sqlite);
void history_average_free(struct history_average *a);

/* A row of this time comes (in the transaction it is in). */
int history_average_mark(struct history_average *a, int64_t time);
/* That transaction was undone. */
void history_average_forget(struct history_average *a);

/* Average the oldest hour that is marked, and over before the time given. In a
 * transaction of the caller's. 1: done, 0: there is none. */
int history_average_next(struct history_average *a, int64_t before);

/* history_value(payload), db_history_value() for SQL. 0 or a negative errno. */
int history_average_functions(struct sqlite3 *sqlite);

/* YYYYMM in UTC of a time. */
uint32_t history_month(int64_t time);

#endif

/*
 * The tables of the history: making, indexing and dropping them. What exists is
 * what the schema says, so nothing can disagree with it. Rows have one table for
 * each day (h_YYYYMMDD), averages of 5 minutes too (five_YYYYMMDD), those of an
 * hour one for each month (hour_YYYYMM).
 */
#ifndef DB_HISTORY_DAYS_H
#define DB_HISTORY_DAYS_H

#include <stddef.h>
#include <stdint.h>

struct sqlite3;

/* How long averages stay. 5 minutes of 100 sensors are 1.5 MB a day, hours
 * 100 KB; a chart of a year shows hours. */
#define HISTORY_FIVE_DAYS 92
#define HISTORY_HOUR_MONTHS 61

/* Make the day's table if it is not there. */
int history_days_add(struct sqlite3 *sqlite, uint32_t day);

/* The days that have rows, the newest first; *out is freed by free(). */
int history_days_list(struct sqlite3 *sqlite, uint32_t **out, size_t *count);

/*
 * Drop a day's rows. Topics that nothing is known of any more and the day's
 * origins go too, and their numbers may be given to others.
 */
int history_days_drop(struct sqlite3 *sqlite, uint32_t day);

/*
 * Drop what is oldest, rows first, then averages, until what is in use of the
 * file is below max_bytes; the day given stays. 1: something was dropped, 0:
 * nothing.
 */
int history_days_fit(struct sqlite3 *sqlite, uint32_t day, uint64_t max_bytes);

/* Drop averages that are older than they should get. 1, 0 as above. */
int history_days_drop_averages(struct sqlite3 *sqlite);

/* Index the oldest table by topic that has no index and is over: not of the day
 * given. 1: done, 0: there is none. rows: about how many are to be indexed, asked
 * before by history_days_unindexed(). */
int history_days_index_one(struct sqlite3 *sqlite, uint32_t day);
int history_days_unindexed(struct sqlite3 *sqlite, uint32_t day,
			   uint64_t *rows);

/* Bytes of the file but for its free pages. */
int history_days_used(struct sqlite3 *sqlite, uint64_t *out);

/* A number that a question gives, 0 if there is no row. */
int history_days_ask(struct sqlite3 *sqlite, const char *sql, int64_t *out);

#endif

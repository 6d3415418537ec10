/*
 * The tables of the history, one for each day: making, indexing and dropping
 * them. What exists is what the schema says, so nothing can disagree with it.
 */
#ifndef DB_HISTORY_DAYS_H
#define DB_HISTORY_DAYS_H

#include <stdint.h>

struct sqlite3;

/* Make the day's table if it is not there. */
int history_days_add(struct sqlite3 *sqlite, uint32_t day);

/*
 * Drop the oldest days until at most max_days besides the one given are left,
 * and until what is in use of the file is below max_bytes. The one given stays.
 * Days are counted, not compared with today: a wrong clock drops nothing else.
 * Topics and origins that no day has any more go too, and their numbers may be
 * given to others. 1: something was dropped, 0: nothing.
 */
int history_days_retain(struct sqlite3 *sqlite, uint32_t day, uint32_t max_days,
			uint64_t max_bytes);

/* Index the oldest day that has no index and is not the one given. 1: done, 0:
 * there is none. */
int history_days_index_one(struct sqlite3 *sqlite, uint32_t day);

#endif

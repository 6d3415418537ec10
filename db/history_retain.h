/*
 * Retention: how long, and how many, messages of each topic stay by its policy.
 * What is over is taken out of the directory at once; a day's table is dropped
 * when nothing of it is wanted, and written anew without the rest when less than
 * half of it is. Days are counted, not compared with today: a wrong clock drops
 * nothing.
 */
#ifndef DB_HISTORY_RETAIN_H
#define DB_HISTORY_RETAIN_H

#include <stdint.h>

struct history_budget;
struct history_rules;
struct sqlite3;

/* In a transaction of the caller's; the day given stays. 1: something was
 * dropped, so that numbers of topics may be given to others; 0: nothing. */
int history_retain(struct sqlite3 *sqlite, const struct history_rules *rules,
		   const struct history_budget *budget, uint32_t day);

#endif

/*
 * What the history may write in a day, so that a card lasts. Rows are put off
 * rather than dropped: written less often they cost less, and only when more
 * wait than may they are thinned out. Time is passed in and is the wall clock's,
 * because a day is.
 */
#ifndef DB_HISTORY_BUDGET_H
#define DB_HISTORY_BUDGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct history_budget {
	uint64_t limit; /* bytes of a day; 0: none */
	uint32_t day; /* YYYYMMDD of what follows */
	uint64_t rows; /* bytes written for rows */
	uint64_t rest; /* and for averages, indexes and what is dropped */
	unsigned int thin; /* how much rows are thinned out */
};

/* The day begins, of which so much is known to be written. */
void history_budget_day(struct history_budget *b, uint32_t day, uint64_t rows,
			uint64_t rest);

/* Milliseconds until rows that take about so many bytes may be written; 0: now.
 * They may use five eighths of the day's bytes, one eighth of these at once, the
 * others as the day goes on; the day's first are always let through. */
uint64_t history_budget_wait(const struct history_budget *b, int64_t now,
			     uint64_t bytes);

/* May so much more be written for the rest? */
bool history_budget_rest(const struct history_budget *b, uint64_t bytes);

/* So many rows were written together: whether to thin out more or less. */
void history_budget_wrote(struct history_budget *b, size_t rows);

/* The interval that rows of one topic must keep while so many wait, ms. */
uint32_t history_budget_interval(const struct history_budget *b, size_t rows);

#endif

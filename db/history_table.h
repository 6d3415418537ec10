/* Where rows of history.db are: a table for each day, and in it by an id that begins
 * with the time. */
#ifndef DB_HISTORY_TABLE_H
#define DB_HISTORY_TABLE_H

#include <stdint.h>

/* Where a row of this time goes: YYYYMMDD in UTC, and its name h_YYYYMMDD. */
#define HISTORY_TABLE_SIZE 16
uint32_t history_day(int64_t time);
void history_table(uint32_t day, char out[HISTORY_TABLE_SIZE]);

/* Ids within a table: time in ms, then a number within it. */
#define HISTORY_ID_SHIFT 12

#endif

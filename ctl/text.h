/*
 * Text from the hub, for a person's terminal. What devices publish and are
 * called is anybody's: control characters, and bytes that are no UTF-8, are
 * shown as \xNN, so that they cannot move the cursor or forge a line.
 */
#ifndef CTL_TEXT_H
#define CTL_TEXT_H

#include <stddef.h>
#include <stdio.h>

void text_print(FILE *out, const char *text, size_t len);

/* Columns of a terminal that text_print() fills; a character counts as one. */
size_t text_width(const char *text, size_t len);

/* ms since 1970 UTC as 2026-11-21T09:00:00.123Z. */
#define TEXT_TIME_SIZE 32
void text_time(char out[TEXT_TIME_SIZE], long long ms);

/*
 * A point in time as a person writes it: "90s", "15m", "2h", "7d" before now;
 * "2026-11-21", "2026-11-21T09:00:00" and "...Z" in UTC. now and *out are ms since
 * 1970. Returns 0 or -EINVAL.
 */
int text_parse_time(const char *text, long long now, long long *out);

/* Rows of cells, printed with every column as wide as its widest cell. */
#define TABLE_COLUMNS_MAX 10

struct table;

/* The first row; NULL ends it. Returns NULL when out of memory. */
struct table *table_new(const char *const *head);
/* As many cells as the head has; copied. Returns 0 or -ENOMEM. */
int table_add(struct table *table, const char *const *cells);
void table_print(const struct table *table, FILE *out);
/* NULL does nothing. */
void table_free(struct table *table);

#endif

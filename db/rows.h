/*
 * What a query finds, as an array.
 */
#ifndef DB_ROWS_H
#define DB_ROWS_H

#include "db/statement.h"

/* What one row is read into, and by what: *out is all zero before. Returns 0 or
 * a negative errno, with which the whole query ends. */
struct rows_kind {
	size_t size;
	int (*read)(const struct statement *s, void *out);
};

/*
 * Runs the statement, which is bound, and closes it. *(void **)out becomes an
 * array of its first rows, max at most; to be freed, also when *count is 0.
 * Returns 0 or a negative errno, then neither is set.
 */
int rows_list(struct statement *s, const struct rows_kind *kind, size_t max,
	      void *out, size_t *count);

#endif

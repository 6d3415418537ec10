/*
 * A prepared statement whose parameters are bound in order. The first error
 * sticks and is returned by the next step, so that a caller checks once.
 *
 *	statement_open(&s, sqlite, "DELETE FROM t WHERE a = ? AND b = ?");
 *	statement_text(&s, name);
 *	statement_int(&s, 7);
 *	r = statement_finish(&s);
 *
 * Bound memory is borrowed until the statement has been run. Results are valid
 * until the next step, reset or close.
 */
#ifndef DB_STATEMENT_H
#define DB_STATEMENT_H

#include "broker/base/slice.h"

struct sqlite3;
struct sqlite3_stmt;

struct statement {
	struct sqlite3_stmt *stmt;
	int bound;
	int error;
};

/* For one use. The error, if any, is kept for the step. */
void statement_open(struct statement *s, struct sqlite3 *sqlite,
		    const char *sql);
/* To be kept. Returns 0 or a negative errno; on error *s may be closed. */
int statement_keep(struct statement *s, struct sqlite3 *sqlite,
		   const char *sql);
/* A statement that is all zero is closed already. */
void statement_close(struct statement *s);

void statement_int(struct statement *s, int64_t value);
void statement_null(struct statement *s);
void statement_text(struct statement *s, const char *text);
void statement_text_slice(struct statement *s, struct slice text);
void statement_blob(struct statement *s, struct slice bytes);

/* 1: a row is there, 0: no more, or a negative errno. */
int statement_step(struct statement *s);
/* Ready to be bound and run again. */
void statement_reset(struct statement *s);
/* Step to the end and reset. Returns 0 or a negative errno. */
int statement_run(struct statement *s);
/* Step to the end and close. */
int statement_finish(struct statement *s);
/* The same of a change with RETURNING. -ENOENT: it returned no row. */
int statement_finish_found(struct statement *s);
/* The same of what gives one number; 0 if it gives no row. On error *out is as it
 * was. */
int statement_finish_int(struct statement *s, int64_t *out);

/* Column n of the row, from 0. Bytes: never NULL data. */
int64_t statement_int_at(const struct statement *s, int n);
bool statement_null_at(const struct statement *s, int n);
bool statement_text_at(const struct statement *s, int n);
struct slice statement_bytes_at(const struct statement *s, int n);
/* Copy with a NUL; false if it does not fit. */
bool statement_copy_at(const struct statement *s, int n, char *out,
		       size_t size);

#endif

/*
 * A data directory of its own for each test, removed afterwards, and a log that
 * is kept instead of printed.
 */
#ifndef TESTS_DB_SCRATCH_H
#define TESTS_DB_SCRATCH_H

#include <stdbool.h>
#include <stddef.h>

struct db;
struct sqlite3;

/* The directory under which db_open() makes data/; NULL never comes back. */
const char *scratch_make(void);
void scratch_remove(void);

/* <scratch>/data/<name>, in one of four static buffers. */
const char *scratch_path(const char *name);

/* db_open() of <scratch>/data with defaults; fails the test. */
struct db *scratch_open(void);
int scratch_try(struct db **db);

/* Run SQL on a file by a plain connection; fails the test. */
void scratch_sql(const char *name, const char *sql);
/* The first column of the first row, "" if there is none; static. */
const char *scratch_ask(const char *name, const char *sql);

/* Overwrite bytes in the middle of a file. */
void scratch_damage(const char *name, long offset, size_t len);

/* What has been logged since scratch_make(). */
bool scratch_logged(const char *text);

#endif

/*
 * Is what a file has of tables, indexes, views and triggers what our steps make?
 * Asked of what is restored from a backup, and answered with what is wrong; at each
 * start inspect_schema() asks less, and faster.
 */
#ifndef DB_SCHEMA_COMPARE_H
#define DB_SCHEMA_COMPARE_H

#include <stdbool.h>

#include "db/db.h"

struct sqlite3;

/* One that is in one file and not in the other, as SQLite says it. */
struct schema_object {
	char type[16]; /* "table", "index", "view", "trigger" */
	char name[64]; /* cut, if it is longer */
};

/* A new database in memory, of the newest version. Returns 0 or a negative errno. */
int schema_make(enum db_file file, struct sqlite3 **out);

/* 1: sqlite has not all that right has, *out is the first; 0: it has; or a negative
 * errno. */
int schema_lacks(struct sqlite3 *sqlite, struct sqlite3 *right,
		 struct schema_object *out);

/* 1: it has what right has not. days: it may have tables and indexes of its own,
 * as history.db has for each day. Same answers. */
int schema_has_more(struct sqlite3 *sqlite, struct sqlite3 *right, bool days,
		    struct schema_object *out);

#endif

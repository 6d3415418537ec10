/*
 * Is what lies in a database file's place ours, whole, and of a version we know?
 * Nothing is changed by asking. Main only, before anybody else has it open.
 */
#ifndef DB_INSPECT_H
#define DB_INSPECT_H

#include <stdbool.h>

#include "db/db.h"

struct sqlite3;

/*
 * Before SQLite opens it, which would delete the WAL of a file that is gone.
 * expected: the file was there once. Returns 0: SQLite may have it, or may make
 * it; 1: it must go, *why says for what; or a negative errno.
 */
int inspect_place(int dir_fd, enum db_file file, bool expected,
		  enum db_why *why);

/* Before it is migrated. As inspect_place(). */
int inspect_identity(struct sqlite3 *sqlite, enum db_file file,
		     enum db_why *why);

/* Page by page. Returns 0, -EBADMSG: damaged, or another negative errno. */
int inspect_pages(struct sqlite3 *sqlite);

/* After it was migrated: every table and index there as we make it? Returns 0,
 * -EBADMSG: not so, or another negative errno. */
int inspect_schema(struct sqlite3 *sqlite, enum db_file file);

#endif

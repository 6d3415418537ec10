/*
 * Bring a database up to the present schema. The version is SQLite's
 * user_version: the number of steps that have been taken.
 */
#ifndef DB_MIGRATE_H
#define DB_MIGRATE_H

#include <stddef.h>

struct sqlite3;

/*
 * Run steps[version..count-1], SQL scripts, in one transaction. Returns 0;
 * -ENOTSUP when the version is beyond count (a newer hearthd wrote the file);
 * or what db_error() makes of the failure. On error nothing has changed.
 */
int migrate(struct sqlite3 *sqlite, const char *const *steps, size_t count);

#endif

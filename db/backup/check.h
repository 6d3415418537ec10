/*
 * Is this file one of ours, and whole? For files that come out of a backup, and
 * that go into one.
 */
#ifndef DB_BACKUP_CHECK_H
#define DB_BACKUP_CHECK_H

#include "db/backup/reason.h"
#include "db/db.h"

/* A history larger than this is looked through less closely. */
#define CHECK_HISTORY_MAX ((int64_t)64 * 1024 * 1024)

/* Read the file through, and change nothing: a copy that nobody else has open.
 * Returns 0, -EBADMSG or another negative errno. */
int check_copy(const char *path, enum db_file file, struct reason *reason);

/*
 * Read it through, bring it to the present schema, and compare that with what it
 * must be: no table, index, view or trigger of somebody else. On return it is in
 * one file, synced. Returns 0 or an error of reason.h.
 */
int check_restored(const char *path, enum db_file file, struct reason *reason);

#endif

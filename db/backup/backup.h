/*
 * What others need of the backups: the newest good copy of a database that was
 * found damaged.
 */
#ifndef DB_BACKUP_BACKUP_H
#define DB_BACKUP_BACKUP_H

#include "db/backup/reason.h"
#include "db/db.h"

/* Strings are borrowed. */
struct backup_place {
	const char *dir; /* the data directory, and */
	int dir_fd; /* its descriptor */
	const char *path; /* of the backups; NULL: <dir>/backups */
	const char *passphrase; /* of the kept ones; NULL: none */
};

/*
 * Put file in place out of the newest generation that has it and is sound, at the
 * present schema; a damaged generation is logged and the one before is tried.
 * There must be no such file, and no WAL of it, and nobody may have opened one.
 * Returns 0 and when that backup was made (ms since 1970 UTC); -ENOENT: there is
 * none that serves; -EEXIST, or another negative errno.
 */
int backup_newest(const struct backup_place *place, enum db_file file,
		  int64_t *time);

#endif

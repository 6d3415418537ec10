/*
 * Makes a database file usable, whatever lies in its place. What is damaged,
 * another program's, a newer hearthd's, not for us to read, or gone, is set aside
 * (quarantine.h); the newest good backup takes its place, or else a fresh file. A transient error of the disk
 * condemns nothing: what looks damaged is looked at twice.
 *
 * Main only, before anybody else has the file open.
 */
#ifndef DB_RECOVER_H
#define DB_RECOVER_H

#include <stdbool.h>

#include "db/backup/backup.h"

/*
 * Leaves the file present, whole, private and at the present version of its
 * schema. expected: it was there once, so it is told if it is gone. Returns 0 or a
 * negative errno; what was set aside is logged, an error is not.
 */
int recover_file(struct db *db, enum db_file file, bool expected,
		 const struct backup_place *backups);

#endif

/*
 * A passphrase in a file of its own: the first line of it.
 */
#ifndef DB_BACKUP_PASSPHRASE_H
#define DB_BACKUP_PASSPHRASE_H

#include "db/backup/reason.h"
#include "db/backup/seal.h"

#define PASSPHRASE_SIZE (SEAL_PASSPHRASE_MAX + 1)

/* Returns 0; -EINVAL: too short, too long, or with a NUL; or why the file cannot
 * be read. The words name the file. */
int passphrase_read(const char *path, char out[PASSPHRASE_SIZE],
		    struct reason *reason);

#endif

/*
 * Make a backup: every database as all were at one instant (snapshot.h), the
 * board's outputs (gpio.state), hearth.conf and the certificates and keys it
 * names, in one sealed file (archive.h).
 *
 * It is made of copies below <data>/snapshot, removed afterwards: until then it
 * takes the databases' size on the disk twice.
 *
 * Any one thread at a time.
 */
#ifndef DB_BACKUP_CREATE_H
#define DB_BACKUP_CREATE_H

#include <stdatomic.h>

#include "db/backup/archive.h"
#include "db/db.h"

/* Strings and arrays are borrowed. */
struct backup_source {
	struct db *db;
	const char *node;
	const char *conf; /* the path of hearth.conf; NULL: there is none */
	const char *const *tls; /* paths; what cannot be read is left out, and
				   logged */
	size_t tls_count; /* at most ARCHIVE_TLS_MAX are taken */
};

struct backup_options {
	const char *passphrase; /* NULL: not encrypted */
	bool history;
	const atomic_bool *stop; /* NULL, or give up when it becomes true */
};

/*
 * Write one to fd and sync it. Returns 0; -EBADMSG: a database is damaged;
 * -ENOSPC, checked before; -EINVAL: a passphrase too short or too long;
 * -ECANCELED; or another negative errno. fd then has a part of it.
 */
int backup_create(const struct backup_source *source,
		  const struct backup_options *options, int fd,
		  struct archive_info *info, struct reason *reason);

#endif

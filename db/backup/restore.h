/*
 * Take a backup back. First everything is unpacked beside the data and checked
 * (restore_stage()), by a running hub if need be; when somebody has agreed it is
 * laid ready (restore_commit()); then, before the databases are opened, the data is
 * replaced and the old kept aside (restore_apply()). A cut of the power leaves the
 * old data or, after the next start, the new.
 *
 *	<data>/restore-new/	being unpacked, or checked; worth nothing
 *	<data>/restore-ready/	agreed to; the next start takes it
 *	<data>/before-restore-20261121T033000Z/	the data as it was before
 *
 * Files of the archive are told apart by kind: no name in it is used. hearth.conf
 * and TLS files are not put in place, because where they lie is the machine's
 * business: they are left in the last directory, restored-hearth.conf,
 * restored-tls-01.pem..., restored-tls.txt says what each was. gpio.state is put
 * in place where there is none; the present one knows more.
 */
#ifndef DB_BACKUP_RESTORE_H
#define DB_BACKUP_RESTORE_H

#include <stdbool.h>

#include "db/backup/archive.h"

struct restore_info {
	struct archive_info archive;
	uint64_t sizes[ARCHIVE_KINDS]; /* of TLS files: all together */
	bool has[ARCHIVE_KINDS];
	unsigned int tls;
};

/* What to restore from. */
struct restore_source {
	int fd; /* the backup, read from where it is */
	const char *passphrase; /* NULL: none */
};

/*
 * Unpack a backup and check all of it: whole, ours, not of the future, each
 * database sound and of our schema (older ones are migrated). dir is the data
 * directory's path, dir_fd its descriptor. Returns 0, and it may be laid ready, or
 * an error of reason.h: then nothing has changed. What was staged before is gone
 * in any case.
 */
int restore_stage(const char *dir, int dir_fd,
		  const struct restore_source *source,
		  struct restore_info *info, struct reason *reason);

/* Lay ready what restore_stage() has checked. On the disk when it returns 0, or a
 * negative errno: -ENOENT: nothing was. */
int restore_commit(int dir_fd);
/* Forget what was staged or laid ready. Returns 0 or a negative errno. */
int restore_forget(int dir_fd);

#define RESTORE_ASIDE_SIZE 40

/*
 * Replace the data by what was laid ready, if something was: 1, and the name of
 * the directory with the old; 0: there was nothing; or a negative errno: it goes
 * on when called again. Nobody may have a database open.
 */
int restore_apply(int dir_fd, char aside[RESTORE_ASIDE_SIZE]);

/*
 * Put one database's file in place as restore_stage() would make it, out of a
 * backup that must be whole. -EEXIST if there is a file already, -ENOENT if it is
 * not in the backup; else as restore_stage().
 */
int restore_one(const char *dir, int dir_fd,
		const struct restore_source *source, enum archive_kind kind,
		struct restore_info *info, struct reason *reason);

#endif

/*
 * The backups that are kept: backup-000012-20261121T033000Z.hearth in one
 * directory, <data>/backups unless hearth.conf names another. The number grows
 * and says which is newer, because a board without a clock may not know the time.
 */
#ifndef DB_BACKUP_GENERATIONS_H
#define DB_BACKUP_GENERATIONS_H

#include "db/backup/create.h"

#define GENERATIONS_MAX 400 /* a year of nights */
#define GENERATION_NAME_SIZE 48

struct generation {
	unsigned int number;
	int64_t time; /* of its name, ms since 1970 UTC */
	uint64_t bytes;
	char name[GENERATION_NAME_SIZE];
};

/* path NULL: <data>/backups, made if missing; another is not made. Returns a
 * descriptor or a negative errno. */
int generations_dir(int data, const char *path);

/* The newest first, at most max of them. Returns their number or a negative
 * errno. */
int generations_list(int dir, struct generation *out, size_t max);

/* For reading: a descriptor, -ENOENT or another negative errno. */
int generations_open(int dir, unsigned int number);

/*
 * Make the next one, and remove the oldest so that keep remain (keep 0: all);
 * none is removed when it fails. It is on the disk when this returns. Errors of
 * backup_create().
 */
int generations_make(int dir, const struct backup_source *source,
		     const struct backup_options *options, unsigned int keep,
		     struct generation *out, struct reason *reason);

#endif

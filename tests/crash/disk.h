/*
 * What a program does to the files of a directory, as a recorder tells it.
 */
#ifndef TESTS_CRASH_DISK_H
#define TESTS_CRASH_DISK_H

#include <stddef.h>
#include <stdint.h>

enum disk_op_type {
	DISK_CREATE, /* an empty file under this name */
	DISK_DELETE,
	DISK_RENAME, /* to, replacing what was there */
	DISK_LINK, /* to is a second name */
	DISK_WRITE,
	DISK_TRUNCATE, /* to at bytes */
	DISK_SYNC,
	DISK_SYNC_FAILED, /* some of what was not synced never will be */
	DISK_SYNC_NAMES, /* of the directory name; "": the one watched */
};

/* Names are paths below the directory that is watched. */
struct disk_op {
	enum disk_op_type type;
	const char *name;
	const char *to; /* of RENAME and LINK, else NULL */
	size_t at;
	size_t len;
	const uint8_t *data; /* borrowed */
};

#endif

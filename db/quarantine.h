/*
 * Files of the data directory that cannot be used, set aside under their date:
 * state.db becomes state.db.corrupt-20261121T090000Z, with its WAL beside it, and
 * a note of what took its place. Nothing is deleted: somebody may still read
 * most of it. Of a file that is gone an empty one tells that it was there.
 */
#ifndef DB_QUARANTINE_H
#define DB_QUARANTINE_H

#include "db/db.h"

/* Returns 0 and the notice, or a negative errno. On disk when it returns. */
int quarantine(int dir_fd, enum db_file file, enum db_why why, int64_t now_ms,
	       struct db_notice *out);

/* Write down notice->instead and ->backup_time. 0 or a negative errno. */
int quarantine_note(int dir_fd, const struct db_notice *notice);

/* The files set aside in the directory, oldest first, at most max of them; their
 * number or a negative errno. */
int quarantine_list(int dir_fd, struct db_notice *out, size_t max);

/* Delete one, with what is beside it. -ENOENT; -ENOTEMPTY: a
 * directory with something in it; or another negative errno. */
int quarantine_remove(int dir_fd, const char *name);

#endif

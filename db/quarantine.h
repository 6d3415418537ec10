/*
 * Damaged database files, set aside under their date: state.db becomes
 * state.db.corrupt-20261121T090000Z, with its WAL beside it. Nothing is deleted:
 * somebody may still read most of it.
 */
#ifndef DB_QUARANTINE_H
#define DB_QUARANTINE_H

#include "db/db.h"

/* Returns 0 and the new name, or a negative errno. On disk when it returns. */
int quarantine(int dir_fd, const char *name, int64_t now_ms,
	       char out[sizeof(((struct db_notice *)0)->name)]);

/* The files set aside in the directory, oldest first, at most max of them; their
 * number or a negative errno. */
int quarantine_list(int dir_fd, struct db_notice *out, size_t max);

#endif

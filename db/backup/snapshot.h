/*
 * Copies of the databases as they all were at one instant, made while they are
 * used: a read transaction is begun on each, then one after the other is copied
 * page by page and its transaction ended. Nobody waits for it; but while state.db
 * is held its WAL cannot begin anew, and so grows.
 *
 * Any one thread at a time.
 */
#ifndef DB_BACKUP_SNAPSHOT_H
#define DB_BACKUP_SNAPSHOT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "db/backup/reason.h"
#include "db/db.h"

struct snapshot;

/* state.db-wal may become so large meanwhile; then the copy is given up
 * (-EAGAIN): the disk is too slow for both. */
#define SNAPSHOT_WAL_MAX ((int64_t)192 * 1024 * 1024)

/* history false: without it. Returns 0 or a negative errno. */
int snapshot_pin(struct db *db, bool history, struct snapshot **out);
/* Ends what is still held. NULL does nothing. */
void snapshot_free(struct snapshot *snapshot);

/* Bytes of all that is held. */
uint64_t snapshot_bytes(const struct snapshot *snapshot);

/*
 * Copy one to a new file at path and let go of it. *schema: its version. Returns
 * 0; -EBADMSG: it is damaged; -ECANCELED: *stop became true; -EAGAIN or another
 * negative errno. On error nothing is left at path.
 */
int snapshot_copy(struct snapshot *snapshot, enum db_file file,
		  const char *path, const atomic_bool *stop, uint16_t *schema,
		  struct reason *reason);

#endif

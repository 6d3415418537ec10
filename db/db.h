/*
 * The data directory: its lock, and the three SQLite files in it. Opening it
 * leaves every file present, whole, private and at the present schema version,
 * or says why not.
 *
 *	config.db	users, rules, pins, settings	(config.h)
 *	state.db	sessions, queues, retained	(store.h)
 *	history.db	what was said and when		(history.h)
 *
 * A damaged file is set aside as <name>.corrupt-<UTC time> and a fresh one is
 * made, so that the house has a broker; the notice stays until somebody removes
 * that file.
 *
 * db_open() and db_close() are called by main; the functions between by any
 * thread.
 */
#ifndef DB_DB_H
#define DB_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db;
struct sqlite3;

enum db_file { DB_CONFIG, DB_STATE, DB_HISTORY, DB_FILES };

struct db_options {
	const char *dir; /* made with mode 0700 if missing; not its parent */
	const char *vfs; /* SQLite VFS; NULL: the system's own. For tests */
	uint32_t max_state_mb; /* 0: DB_MAX_STATE_MB */
	uint32_t max_history_mb; /* 0: DB_MAX_HISTORY_MB */
};

/* No file grows past this. State is also held in memory, whose limits
 * (broker/limits.h) keep it well below; history drops its oldest day first. */
#define DB_MAX_CONFIG_MB 64
#define DB_MAX_STATE_MB 512
#define DB_MAX_HISTORY_MB 256

/*
 * Returns 0 and the directory, or, after logging which file and why:
 * -EBUSY: another hearthd holds it; -ENOTSUP: a file was written by a newer
 * hearthd; -ENOENT, -EACCES, -ENOTDIR, -EROFS, -ENOSPC, -EIO, -ENOMEM.
 */
int db_open(const struct db_options *options, struct db **out);
/* The directory and its lock alone: for who replaces the files. The same errors. */
int db_lock(const struct db_options *options, struct db **out);
/* After all connections are closed. NULL does nothing. */
void db_close(struct db *db);

/* Absolute or as given in the options; as long as db. */
const char *db_dir(const struct db *db);
int db_dir_fd(const struct db *db);

/* How large the history may be before its oldest day is dropped. */
uint64_t db_history_bytes(const struct db *db);

/* A file found set aside in the directory, now or at an earlier start. */
struct db_notice {
	enum db_file file; /* what it was */
	int64_t time; /* when it was set aside, ms since 1970 UTC */
	char name[64]; /* of the file set aside */
};

#define DB_NOTICES_MAX 16

/* Valid as long as db. */
size_t db_notices(const struct db *db, const struct db_notice **out);

/* "config.db" and so on. */
const char *db_file_name(enum db_file file);

/* The steps of its schema (migrate.h); their number. */
size_t db_schema(enum db_file file, const char *const **steps);

/* A reader holds state.db as it is (db/backup/snapshot.h): its WAL can only grow,
 * and to wait for it would be to wait for the reader. Nests. */
void db_hold(struct db *db, bool held);
bool db_held(const struct db *db);

/*
 * A connection, with all pragmas set; for the modules of this folder. It belongs
 * to one thread; close it by sqlite3_close(). read_only: never waits for the
 * writer, never writes. Returns 0 or a negative errno, not logged.
 */
int db_connect(struct db *db, enum db_file file, bool read_only,
	       struct sqlite3 **out);

/* What a SQLite result code means: 0 or a negative errno. -EBADMSG: damaged. */
int db_error(int sqlite_code);

#endif

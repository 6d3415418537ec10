/*
 * The data directory: its lock, and the three SQLite files in it. Opening it
 * leaves every file present, whole, private and at the present schema version,
 * or says why not.
 *
 *	config.db	users, rules, pins, settings	(config.h)
 *	state.db	sessions, queues, retained	(store.h)
 *	history.db	what was said and when		(history.h)
 *
 * Whatever is found there, the house gets a broker (recover.h): what cannot be
 * used is set aside under its date, and a fresh file takes its place. The notice
 * stays until somebody removes what was set aside. Where nothing can be written
 * at all (a disk that is read-only, full, or fails) a copy in memory stands in
 * for the directory until the next start (stand_in.h).
 *
 * db_open() and db_close() are called by main, db_notices() and
 * db_notice_remove() by main and then by one thread; the others by any.
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
	/* Where the newest good copy of a file that cannot be used is looked for;
	 * see struct backup_place. */
	const char *backups;
	const char *backup_passphrase;
};

/* No file grows past this. State is also held in memory, whose limits
 * (broker/limits.h) keep it well below; history drops its oldest day first. */
#define DB_MAX_CONFIG_MB 64
#define DB_MAX_STATE_MB 512
#define DB_MAX_HISTORY_MB 256

/*
 * Returns 0 and the directory, or, after logging which file and why:
 * -EBUSY: another hearthd holds it; -ENOENT, -EACCES, -ENOTDIR: there is no such
 * directory, or it is not ours; -EMFILE; -ENOMEM. -EROFS, -ENOSPC, -EIO: it cannot
 * be written, and nothing could stand in for it.
 */
int db_open(const struct db_options *options, struct db **out);
/* The directory and its lock alone: for who replaces the files. The same errors. */
int db_lock(const struct db_options *options, struct db **out);
/* After all connections are closed. NULL does nothing. */
void db_close(struct db *db);

/* Why a copy in memory stands in for the data directory: the negative errno for
 * which that cannot be written; 0: it can. What is changed meanwhile is not kept,
 * so config.db can only be read (-EROFS), and nothing durable may be promised. */
int db_stand_in(const struct db *db);

/* Where the files are, absolute or as given in the options; as long as db. */
const char *db_dir(const struct db *db);
int db_dir_fd(const struct db *db);

/* How large the history may be before its oldest day is dropped. */
uint64_t db_history_bytes(const struct db *db);

/* What was wrong with a file that is set aside. */
enum db_why {
	DB_DAMAGED,
	DB_FOREIGN, /* not ours: another program's, a directory, a link */
	DB_NEWER, /* a newer hearthd's: it may hold what we do not understand */
	DB_UNREADABLE, /* somebody else's, and not for us to open */
	DB_MISSING, /* lost, or empty; an empty file tells when */
	DB_WHYS
};

/* What took its place. */
enum db_instead {
	DB_INSTEAD_UNKNOWN, /* cut off before it was noted */
	DB_INSTEAD_EMPTY,
	DB_INSTEAD_BACKUP,
};

/* A file found set aside in the directory, now or at an earlier start. */
struct db_notice {
	enum db_file file; /* what it was */
	enum db_why why;
	enum db_instead instead;
	int64_t time; /* when it was set aside, ms since 1970 UTC */
	int64_t backup_time; /* of the backup that took its place */
	char name[64]; /* of the file set aside */
};

#define DB_NOTICES_MAX 16

/* Oldest first; valid until the next db_notice_remove(). */
size_t db_notices(const struct db *db, const struct db_notice **out);
/* Delete what was set aside under this name. -ENOENT: there is no such notice;
 * -ENOTEMPTY: a directory with something in it; or another negative errno. */
int db_notice_remove(struct db *db, const char *name);

/* "damaged", "foreign" and so on. */
const char *db_why_name(enum db_why why);

/* "config.db" and so on. */
const char *db_file_name(enum db_file file);
/* What PRAGMA application_id says in a file of ours. */
int32_t db_file_application(enum db_file file);

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

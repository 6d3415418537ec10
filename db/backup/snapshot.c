#include "db/backup/snapshot.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "db/backup/check.h"
#include "db/statement.h"

/* One step: half a megabyte at most, some milliseconds on a card. */
#define STEP_PAGES 128

/* After each step of the history, the largest and the one that nobody waits for:
 * the card is free for others. */
#define HISTORY_PAUSE_NS 4000000

struct snapshot {
	struct db *db;
	struct sqlite3 *sources[DB_FILES]; /* NULL: not held */
	uint64_t bytes;
};

static int64_t pragma(struct sqlite3 *sqlite, const char *sql)
{
	struct statement s;
	int64_t value = 0;

	statement_open(&s, sqlite, sql);
	if (statement_step(&s) > 0)
		value = statement_int_at(&s, 0);
	statement_close(&s);

	return value;
}

static int hold(struct snapshot *snapshot, enum db_file file)
{
	struct sqlite3 *sqlite;
	int r = db_connect(snapshot->db, file, true, &sqlite);

	if (r)
		return r;
	/* It begins with the first read. */
	r = db_error(sqlite3_exec(sqlite,
				  "BEGIN; SELECT count(*) FROM sqlite_schema;",
				  NULL, NULL, NULL));
	if (r) {
		sqlite3_close(sqlite);
		return r;
	}
	snapshot->sources[file] = sqlite;
	snapshot->bytes += (uint64_t)pragma(sqlite, "PRAGMA page_count") *
			   (uint64_t)pragma(sqlite, "PRAGMA page_size");
	if (file == DB_STATE)
		db_hold(snapshot->db, true);

	return 0;
}

static void let_go(struct snapshot *snapshot, enum db_file file)
{
	if (!snapshot->sources[file])
		return;
	sqlite3_close(snapshot->sources[file]);
	snapshot->sources[file] = NULL;
	if (file == DB_STATE)
		db_hold(snapshot->db, false);
}

int snapshot_pin(struct db *db, bool history, struct snapshot **out)
{
	struct snapshot *snapshot = calloc(1, sizeof(*snapshot));
	int r;

	if (!snapshot)
		return -ENOMEM;
	snapshot->db = db;
	/* Whoever is in a session must be a user: users last. */
	r = history ? hold(snapshot, DB_HISTORY) : 0;
	if (!r)
		r = hold(snapshot, DB_STATE);
	if (!r)
		r = hold(snapshot, DB_CONFIG);
	if (r) {
		snapshot_free(snapshot);
		return r;
	}
	*out = snapshot;

	return 0;
}

void snapshot_free(struct snapshot *snapshot)
{
	if (!snapshot)
		return;
	for (int file = 0; file < DB_FILES; file++)
		let_go(snapshot, (enum db_file)file);
	free(snapshot);
}

uint64_t snapshot_bytes(const struct snapshot *snapshot)
{
	return snapshot->bytes;
}

static bool wal_too_large(const struct snapshot *snapshot)
{
	struct stat st;

	return snapshot->sources[DB_STATE] &&
	       !fstatat(db_dir_fd(snapshot->db), "state.db-wal", &st, 0) &&
	       st.st_size > SNAPSHOT_WAL_MAX;
}

/* The copy is nobody's yet, and read through before anybody relies on it: it
 * needs neither journal nor sync. */
static int open_copy(const char *path, struct sqlite3 **out)
{
	int rc = sqlite3_open_v2(path, out,
				 SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
					 SQLITE_OPEN_NOMUTEX |
					 SQLITE_OPEN_EXRESCODE,
				 NULL);

	if (!rc)
		rc = sqlite3_exec(*out,
				  "PRAGMA locking_mode = EXCLUSIVE;"
				  "PRAGMA journal_mode = OFF;"
				  "PRAGMA synchronous = OFF;"
				  "PRAGMA mmap_size = 0;",
				  NULL, NULL, NULL);
	if (rc) {
		sqlite3_close(*out);
		*out = NULL;
	}

	return db_error(rc);
}

static int copy_pages(struct snapshot *snapshot, enum db_file file,
		      struct sqlite3_backup *backup, const atomic_bool *stop,
		      struct reason *reason)
{
	const struct timespec pause = { .tv_nsec = HISTORY_PAUSE_NS };

	for (;;) {
		int rc = sqlite3_backup_step(backup, STEP_PAGES);

		if (rc == SQLITE_DONE)
			return 0;
		if (rc != SQLITE_OK)
			return db_error(rc);
		if (stop && atomic_load(stop))
			return -ECANCELED;
		if (wal_too_large(snapshot))
			return reason_set(reason, -EAGAIN,
					  "the disk is too busy: state.db was"
					  " written faster than copied");
		if (file == DB_HISTORY)
			nanosleep(&pause, NULL);
	}
}

static int copy(struct snapshot *snapshot, enum db_file file, const char *path,
		const atomic_bool *stop, struct reason *reason)
{
	struct sqlite3_backup *backup;
	struct sqlite3 *to;
	int rc;
	int r = open_copy(path, &to);

	if (r)
		return r;
	backup = sqlite3_backup_init(to, "main", snapshot->sources[file],
				     "main");
	if (backup) {
		r = copy_pages(snapshot, file, backup, stop, reason);
		rc = sqlite3_backup_finish(backup);
		if (!r)
			r = db_error(rc);
	} else {
		r = db_error(sqlite3_extended_errcode(to));
	}
	rc = sqlite3_close(to);

	return r ? r : db_error(rc);
}

int snapshot_copy(struct snapshot *snapshot, enum db_file file,
		  const char *path, const atomic_bool *stop, uint16_t *schema,
		  struct reason *reason)
{
	struct reason damage = { 0 };
	int r = copy(snapshot, file, path, stop, reason);

	*schema = (uint16_t)pragma(snapshot->sources[file],
				   "PRAGMA user_version");
	let_go(snapshot, file);
	if (!r) {
		r = check_copy(path, file, &damage);
		if (r == -EBADMSG)
			reason_set(reason, r, "%s is damaged",
				   db_file_name(file));
	}
	if (r)
		(void)unlink(path);

	return r;
}

#include "db/backup/check.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "db/migrate.h"
#include "db/schema_compare.h"
#include "db/statement.h"

/* Nothing in the file is trusted before it has been read through. Exclusive: no
 * index of its WAL is made beside it. */
#define PRAGMAS                            \
	"PRAGMA locking_mode = EXCLUSIVE;" \
	"PRAGMA trusted_schema = OFF;"     \
	"PRAGMA cell_size_check = ON;"     \
	"PRAGMA mmap_size = 0;"            \
	"PRAGMA temp_store = MEMORY;"

static int damaged(struct reason *reason, enum db_file file)
{
	return reason_set(reason, -EBADMSG, "%s in it is damaged",
			  db_file_name(file));
}

static int open_file(const char *name, int flags, struct sqlite3 **out)
{
	int rc = sqlite3_open_v2(
		name, out, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
		NULL);

	if (!rc)
		rc = sqlite3_exec(*out, PRAGMAS, NULL, NULL, NULL);
	if (rc) {
		sqlite3_close(*out);
		*out = NULL;
	}

	return db_error(rc);
}

static int run_check(struct sqlite3 *sqlite, const char *sql)
{
	struct statement s;
	int r;

	statement_open(&s, sqlite, sql);
	r = statement_step(&s);
	if (r > 0 && !slice_equal(statement_bytes_at(&s, 0), slice_str("ok")))
		r = -EBADMSG;
	statement_close(&s);

	return r < 0 ? r : 0;
}

/* Indexes are compared with their tables only where that is quick. */
static int read_through(struct sqlite3 *sqlite, const char *path,
			enum db_file file)
{
	struct stat st;

	if (stat(path, &st))
		return -errno;
	return run_check(sqlite,
			 file == DB_HISTORY && st.st_size > CHECK_HISTORY_MAX
				 ? "PRAGMA quick_check(1)"
				 : "PRAGMA integrity_check(1)");
}

int check_copy(const char *path, enum db_file file, struct reason *reason)
{
	struct sqlite3 *sqlite;
	int r = open_file(path, SQLITE_OPEN_READWRITE, &sqlite);

	if (!r) {
		r = read_through(sqlite, path, file);
		sqlite3_close(sqlite);
	}

	return r == -EBADMSG ? damaged(reason, file) : r;
}

/* ---- what the schema must be --------------------------------------------- */

static int check_schema(struct sqlite3 *sqlite, enum db_file file,
			struct reason *reason)
{
	struct schema_object object;
	struct sqlite3 *right;
	int r = schema_make(file, &right);

	if (r)
		return r;
	r = schema_has_more(sqlite, right, file == DB_HISTORY, &object);
	if (r > 0) {
		r = reason_set(reason, -EBADMSG,
			       "%s in it is not hearth's: it has a %s"
			       " \"%.40s\"",
			       db_file_name(file), object.type, object.name);
		goto out;
	}
	if (!r)
		r = schema_lacks(sqlite, right, &object);
	if (r > 0)
		r = reason_set(reason, -EBADMSG,
			       "%s in it is not hearth's: it has no \"%.40s\"",
			       db_file_name(file), object.name);
out:
	sqlite3_close(right);

	return r;
}

/* ---- all of it ------------------------------------------------------------ */

static int bring_up(struct sqlite3 *sqlite, enum db_file file,
		    struct reason *reason)
{
	const char *const *steps;
	size_t count = db_schema(file, &steps);
	int r = migrate(sqlite, steps, count);

	if (r == -ENOTSUP)
		return reason_set(reason, r,
				  "%s in it was written by a newer hearth",
				  db_file_name(file));
	/* A schema that our steps do not fit. */
	if (r == -EIO || r == -EEXIST)
		return damaged(reason, file);

	return r;
}

static int sync_path(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	int r;

	if (fd < 0)
		return -errno;
	r = fsync(fd) ? -errno : 0;
	close(fd);

	return r;
}

/* Beside it, unless the last connection could not be closed well. */
static int no_wal(const char *path)
{
	char *wal;
	int r;

	if (asprintf(&wal, "%s-wal", path) < 0)
		return -ENOMEM;
	r = access(wal, F_OK) ? 0 : -EIO;
	free(wal);

	return r;
}

int check_restored(const char *path, enum db_file file, struct reason *reason)
{
	struct sqlite3 *sqlite;
	int r = open_file(path, SQLITE_OPEN_READWRITE, &sqlite);

	if (!r) {
		r = read_through(sqlite, path, file);
		if (!r)
			r = bring_up(sqlite, file, reason);
		if (!r)
			r = check_schema(sqlite, file, reason);
		if (sqlite3_close(sqlite) && !r)
			r = -EIO;
	}
	if (r == -EBADMSG)
		return damaged(reason, file);
	if (!r)
		r = no_wal(path);

	return r ? r : sync_path(path);
}

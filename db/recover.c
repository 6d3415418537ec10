#include "db/recover.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "broker/base/clock.h"
#include "broker/base/log.h"
#include "db/inspect.h"
#include "db/migrate.h"
#include "db/quarantine.h"
#include "db/reread.h"

/* A history larger than this is not read through at start: it would take seconds
 * on a card, and its damage harms nobody. */
#define HISTORY_CHECK_MAX ((off_t)64 * 1024 * 1024)

/* A bus, a cable or a bit of memory may fail once; what is damaged stays so, and
 * a disk that fails goes on failing. */
#define LOOKS 2

/* Made by us, not by SQLite, so that nobody else can ever read it; the WAL gets
 * the same mode from SQLite. */
static int make_file(int dir_fd, const char *name)
{
	int fd = openat(dir_fd, name,
			O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC,
			0600);
	int r = 0;

	if (fd < 0)
		return -errno;
	/* Another's, for us to write: better used than not. */
	if (fchmod(fd, 0600)) {
		if (errno == EPERM)
			log_warn(name, "belongs to another user; make it "
				       "hearthd's own (chown)");
		else
			r = -errno;
	}
	if (!r && fsync(dir_fd))
		r = -errno;
	close(fd);

	return r;
}

static bool too_large_to_check(int dir_fd, enum db_file file)
{
	struct stat st;

	return file == DB_HISTORY &&
	       !fstatat(dir_fd, db_file_name(file), &st, 0) &&
	       st.st_size > HISTORY_CHECK_MAX;
}

static int sign(struct sqlite3 *sqlite, enum db_file file)
{
	char sql[64];

	(void)snprintf(sql, sizeof(sql), "PRAGMA application_id = %ld",
		       (long)db_file_application(file));
	return db_error(sqlite3_exec(sqlite, sql, NULL, NULL, NULL));
}

static int make_current(struct sqlite3 *sqlite, enum db_file file)
{
	const char *const *steps;
	size_t count;
	int r;

	count = db_schema(file, &steps);
	r = migrate(sqlite, steps, count);
	if (!r)
		r = inspect_schema(sqlite, file);

	return r ? r : sign(sqlite, file);
}

/* 0: good and current; 1: it must go; or a negative errno. */
static int try_file(struct db *db, enum db_file file, enum db_why *why)
{
	const int dir_fd = db_dir_fd(db);
	struct sqlite3 *sqlite;
	int r;

	reread_log(dir_fd, db_file_name(file));
	r = make_file(dir_fd, db_file_name(file));
	if (!r)
		r = db_connect(db, file, false, &sqlite);
	if (!r) {
		r = inspect_identity(sqlite, file, why);
		if (!r && !too_large_to_check(dir_fd, file))
			r = inspect_pages(sqlite);
		if (!r)
			r = make_current(sqlite, file);
		sqlite3_close(sqlite);
	}
	if (r == -EBADMSG) {
		*why = DB_DAMAGED;
		return 1;
	}

	return r;
}

static int examine(struct db *db, enum db_file file, bool expected,
		   enum db_why *why)
{
	int r = inspect_place(db_dir_fd(db), file, expected, why);

	for (int i = 0; i < LOOKS && !r; i++) {
		r = try_file(db, file, why);
		if (r <= 0 && r != -EIO)
			return r;
		if (i < LOOKS - 1)
			r = 0;
	}

	return r;
}

static const char *const reasons[DB_WHYS] = {
	[DB_DAMAGED] = "is damaged",
	[DB_FOREIGN] = "is not ours",
	[DB_NEWER] = "was written by a newer hearthd",
	[DB_UNREADABLE] = "may not be read by us",
	[DB_MISSING] = "is gone",
};

static int start_empty(struct db *db, enum db_file file,
		       struct db_notice *notice)
{
	enum db_why why;
	int r;

	notice->instead = DB_INSTEAD_EMPTY;
	log_error(db_file_name(file),
		  "%s: set aside as %s, starting with an empty one",
		  reasons[notice->why], notice->name);
	r = try_file(db, file, &why);

	return r > 0 ? -EIO : r;
}

/* It was checked when it was put in place; should it not do all the same, what is
 * lost by its removal is in the backup still. */
static int try_backup(struct db *db, enum db_file file, int64_t time,
		      struct db_notice *notice)
{
	char text[32] = "";
	enum db_why why;
	time_t seconds = (time_t)(time / 1000);
	struct tm tm;
	int r;

	r = try_file(db, file, &why);
	if (r > 0) {
		unlinkat(db_dir_fd(db), db_file_name(file), 0);
		return start_empty(db, file, notice);
	}
	if (r)
		return r;

	notice->instead = DB_INSTEAD_BACKUP;
	notice->backup_time = time;
	if (gmtime_r(&seconds, &tm))
		(void)strftime(text, sizeof(text), "%Y-%m-%d %H:%M", &tm);
	log_error(db_file_name(file),
		  "%s: set aside as %s, starting with the backup of %s UTC",
		  reasons[notice->why], notice->name, text);

	return 0;
}

int recover_file(struct db *db, enum db_file file, bool expected,
		 const struct backup_place *backups)
{
	struct db_notice notice;
	enum db_why why;
	int64_t time;
	int r;

	r = examine(db, file, expected, &why);
	if (r <= 0)
		return r;

	r = quarantine(db_dir_fd(db), file, why, clock_wall_ms(), &notice);
	if (r)
		return r;
	r = backup_newest(backups, file, &time);
	/* It is there still: the next start finds the file gone, and looks again. */
	if (r == -ENOMEM || r == -EMFILE || r == -ENFILE)
		return r;
	r = r ? start_empty(db, file, &notice)
	      : try_backup(db, file, time, &notice);

	return r ? r : quarantine_note(db_dir_fd(db), &notice);
}

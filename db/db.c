#include "db/db.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "broker/base/log.h"
#include "db/backup/restore.h"
#include "db/quarantine.h"
#include "db/recover.h"
#include "db/schema/schema.h"
#include "db/stand_in.h"

/* Somebody looks at the file with the sqlite3 program: wait for him so long. */
#define BUSY_MS 5000

struct db {
	char *dir; /* the stand-in's if there is one */
	char *home; /* as given */
	int stand_in; /* why there is one; 0: there is none */
	bool sealed; /* config.db can only be read */
	char *vfs;
	int dir_fd;
	int lock_fd;
	int home_fd; /* while something stands in for it; else -1 */
	int home_lock_fd;
	uint32_t max_mb[DB_FILES];
	uint32_t history_mb;
	atomic_int holders; /* of state.db as it is */
	size_t notice_count;
	struct db_notice notices[DB_NOTICES_MAX];
};

static const char *const config_steps[] = {
	schema_config_001, schema_config_002, schema_config_003,
	schema_config_004, schema_config_005, schema_config_006,
	schema_config_007, schema_config_008, schema_config_009,
};
static const char *const state_steps[] = { schema_state_001, schema_state_002,
					   schema_state_003, schema_state_004 };
static const char *const history_steps[] = { schema_history_001,
					     schema_history_002 };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/*
 * WAL in all. mmap off: an I/O error would be a SIGBUS. Schema and cells are
 * not trusted: the file may be damaged or somebody else's. secure_delete, on in
 * Debian's build, is for passwords; elsewhere it would cost writes.
 */
#define PRAGMAS_COMMON                          \
	"PRAGMA journal_mode = WAL;"            \
	"PRAGMA journal_size_limit = 16777216;" \
	"PRAGMA mmap_size = 0;"                 \
	"PRAGMA temp_store = MEMORY;"           \
	"PRAGMA trusted_schema = OFF;"          \
	"PRAGMA cell_size_check = ON;"

static const struct {
	const char *name;
	int32_t application; /* "Hcfg" and so on: what file(1) could tell */
	unsigned int page_size;
	const char *pragmas;
	const char *const *steps;
	size_t step_count;
} files[DB_FILES] = {
	[DB_CONFIG] = { "config.db", 0x48636667, 4096,
			"PRAGMA page_size = 4096;" PRAGMAS_COMMON
			"PRAGMA synchronous = FULL;"
			"PRAGMA secure_delete = ON;",
			config_steps, COUNT(config_steps) },
	/* Small pages: a commit of one row writes two or three of them. The
	 * store checkpoints when it has time (store.h). */
	[DB_STATE] = { "state.db", 0x48737461, 2048,
		       "PRAGMA page_size = 2048;" PRAGMAS_COMMON
		       "PRAGMA synchronous = FULL;"
		       "PRAGMA wal_autocheckpoint = 0;"
		       "PRAGMA secure_delete = FAST;",
		       state_steps, COUNT(state_steps) },
	[DB_HISTORY] = { "history.db", 0x48686973, 4096,
			 "PRAGMA page_size = 4096;"
			 "PRAGMA auto_vacuum = INCREMENTAL;" PRAGMAS_COMMON
			 "PRAGMA synchronous = NORMAL;"
			 "PRAGMA wal_autocheckpoint = 0;"
			 "PRAGMA secure_delete = OFF;",
			 history_steps, COUNT(history_steps) },
};

const char *db_file_name(enum db_file file)
{
	return files[file].name;
}

size_t db_schema(enum db_file file, const char *const **steps)
{
	*steps = files[file].steps;
	return files[file].step_count;
}

void db_hold(struct db *db, bool held)
{
	atomic_fetch_add(&db->holders, held ? 1 : -1);
}

bool db_held(const struct db *db)
{
	return atomic_load(&db->holders) > 0;
}

int32_t db_file_application(enum db_file file)
{
	return files[file].application;
}

const char *db_why_name(enum db_why why)
{
	static const char *const names[DB_WHYS] = {
		[DB_DAMAGED] = "damaged", [DB_FOREIGN] = "foreign",
		[DB_NEWER] = "newer",	  [DB_UNREADABLE] = "unreadable",
		[DB_MISSING] = "missing",
	};

	return names[why];
}

int db_stand_in(const struct db *db)
{
	return db->stand_in;
}

const char *db_dir(const struct db *db)
{
	return db->dir;
}

int db_dir_fd(const struct db *db)
{
	return db->dir_fd;
}

uint64_t db_history_bytes(const struct db *db)
{
	return (uint64_t)db->history_mb << 20;
}

size_t db_notices(const struct db *db, const struct db_notice **out)
{
	*out = db->notices;
	return db->notice_count;
}

int db_notice_remove(struct db *db, const char *name)
{
	size_t i = 0;
	int r;

	while (i < db->notice_count && strcmp(db->notices[i].name, name) != 0)
		i++;
	if (i == db->notice_count)
		return -ENOENT;
	r = quarantine_remove(db->dir_fd, name);
	if (r && r != -ENOENT)
		return r;

	db->notice_count--;
	memmove(&db->notices[i], &db->notices[i + 1],
		(db->notice_count - i) * sizeof(db->notices[0]));
	return 0;
}

int db_error(int sqlite_code)
{
	switch (sqlite_code) {
	case SQLITE_IOERR_READ:
	case SQLITE_IOERR_SHORT_READ:
	case SQLITE_IOERR_DATA:
	case SQLITE_IOERR_CORRUPTFS:
		return -EBADMSG;
	case SQLITE_IOERR_NOMEM:
		return -ENOMEM;
	/* The index of the WAL found no room to grow. */
	case SQLITE_IOERR_SHMSIZE:
		return -ENOSPC;
	default:
		break;
	}

	switch (sqlite_code & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return 0;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return -EBADMSG;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EAGAIN;
	case SQLITE_READONLY:
		return -EROFS;
	case SQLITE_PERM:
	case SQLITE_CANTOPEN:
		return -EACCES;
	case SQLITE_CONSTRAINT:
		return -EEXIST;
	case SQLITE_TOOBIG:
		return -EMSGSIZE;
	default:
		return -EIO;
	}
}

static int set_pragmas(const struct db *db, enum db_file file, bool read_only,
		       struct sqlite3 *sqlite)
{
	uint64_t pages =
		((uint64_t)db->max_mb[file] << 20) / files[file].page_size;
	char sql[96];
	int r;

	(void)snprintf(sql, sizeof(sql), "PRAGMA max_page_count = %llu;",
		       (unsigned long long)pages);
	r = sqlite3_exec(sqlite,
			 read_only ? "PRAGMA trusted_schema = OFF;"
				     "PRAGMA mmap_size = 0;"
				     "PRAGMA cell_size_check = ON;"
				   : files[file].pragmas,
			 NULL, NULL, NULL);
	if (!r && !read_only)
		r = sqlite3_exec(sqlite, sql, NULL, NULL, NULL);
	if (!r && file == DB_CONFIG && db->sealed)
		r = sqlite3_exec(sqlite, "PRAGMA query_only = ON", NULL, NULL,
				 NULL);

	return r;
}

/* Why it could not be opened SQLite only tells on the side. */
static int open_error(struct sqlite3 *sqlite, int rc)
{
	const int error = sqlite ? sqlite3_system_errno(sqlite) : 0;

	if ((rc & 0xff) == SQLITE_CANTOPEN && error > 0)
		return -error;
	return db_error(rc);
}

int db_connect(struct db *db, enum db_file file, bool read_only,
	       struct sqlite3 **out)
{
	int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
	struct sqlite3 *sqlite = NULL;
	char *path;
	int r;

	if (asprintf(&path, "%s/%s", db->dir, files[file].name) < 0)
		return -ENOMEM;

	flags |= read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
	r = sqlite3_open_v2(path, &sqlite, flags, db->vfs);
	free(path);
	if (r)
		goto err_close;
	sqlite3_busy_timeout(sqlite, BUSY_MS);
	r = set_pragmas(db, file, read_only, sqlite);
	if (r)
		goto err_close;

	*out = sqlite;
	return 0;

err_close:
	r = open_error(sqlite, r);
	sqlite3_close(sqlite);
	return r;
}

static void log_file(const struct db *db, enum db_file file, int error)
{
	log_error(files[file].name, "cannot be used in %s: %s", db->dir,
		  strerrordesc_np(-error));
}

static int open_dir(const char *dir)
{
	struct stat st;
	int parent;
	int fd;

	if (mkdir(dir, 0700) && errno != EEXIST)
		return -errno;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	/* A disk that is read-only is nobody else's to write either. */
	if (fstat(fd, &st) ||
	    ((st.st_mode & 077) && fchmod(fd, 0700) && errno != EROFS)) {
		int r = -errno;

		close(fd);
		return r;
	}

	/* The directory's own name must survive a power cut too; where the
	 * parent may not be opened it was not made by us. */
	parent = openat(fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (parent >= 0) {
		fsync(parent);
		close(parent);
	}

	return fd;
}

/* What more memory, or somebody's mistyped name, would not mend. */
static bool disk_says_no(int error)
{
	return error == -EROFS || error == -ENOSPC || error == -EDQUOT ||
	       error == -EIO || error == -EACCES || error == -EPERM;
}

/* Released by the kernel, however the process ends. */
static int take_lock(int dir_fd)
{
	int fd = openat(dir_fd, "lock",
			O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	int r;

	/* On a disk that takes nothing what is there must do. */
	if (fd < 0 && disk_says_no(-errno))
		fd = openat(dir_fd, "lock", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (!flock(fd, LOCK_EX | LOCK_NB))
		return fd;

	r = errno == EWOULDBLOCK ? -EBUSY : -errno;
	close(fd);
	return r;
}

static int lock_dir(struct db *db)
{
	db->dir_fd = open_dir(db->dir);
	if (db->dir_fd < 0) {
		log_error(db->dir, "cannot be the data directory: %s",
			  strerrordesc_np(-db->dir_fd));
		return db->dir_fd;
	}
	db->lock_fd = take_lock(db->dir_fd);
	if (db->lock_fd == -EBUSY)
		log_error(db->dir, "is in use by another hearthd");
	else if (db->lock_fd < 0)
		log_error(db->dir, "cannot be locked: %s",
			  strerrordesc_np(-db->lock_fd));

	return db->lock_fd < 0 ? db->lock_fd : 0;
}

static struct db *db_new(const struct db_options *options)
{
	struct db *db = calloc(1, sizeof(*db));

	if (!db)
		return NULL;
	db->dir_fd = -1;
	db->lock_fd = -1;
	db->home_fd = -1;
	db->home_lock_fd = -1;
	db->dir = strdup(options->dir);
	db->home = strdup(options->dir);
	db->vfs = options->vfs ? strdup(options->vfs) : NULL;
	if (!db->dir || !db->home || (options->vfs && !db->vfs)) {
		db_close(db);
		return NULL;
	}
	db->max_mb[DB_CONFIG] = DB_MAX_CONFIG_MB;
	db->max_mb[DB_STATE] =
		options->max_state_mb ? options->max_state_mb : DB_MAX_STATE_MB;
	db->history_mb = options->max_history_mb ? options->max_history_mb
						 : DB_MAX_HISTORY_MB;
	/* The last day may grow past the cap before the first is dropped. */
	db->max_mb[DB_HISTORY] = db->history_mb + db->history_mb / 4 + 1;

	return db;
}

/* Told at every start, until somebody has looked at them. */
static void find_notices(struct db *db)
{
	int count = quarantine_list(db->dir_fd, db->notices, DB_NOTICES_MAX);

	db->notice_count = count > 0 ? (size_t)count : 0;
	for (size_t i = 0; i < db->notice_count; i++)
		log_warn(db->notices[i].name,
			 "%s file, set aside in %s; remove it when it is not "
			 "needed any more",
			 db_why_name(db->notices[i].why), db->dir);
}

/* Something was written into it: all files have been there once. */
static bool was_complete(const struct db *db)
{
	struct stat st;

	return !fstat(db->lock_fd, &st) && S_ISREG(st.st_mode) &&
	       st.st_size > 0;
}

static int note_complete(const struct db *db)
{
	if (was_complete(db))
		return 0;
	if (pwrite(db->lock_fd, "complete\n", 9, 0) != 9)
		return -EIO;

	return fsync(db->lock_fd) ? -errno : 0;
}

static int prepare_files(struct db *db, const struct db_options *options)
{
	const struct backup_place backups = {
		.dir = db->dir,
		.dir_fd = db->dir_fd,
		.path = options->backups,
		.passphrase = options->backup_passphrase,
	};
	const bool expected = was_complete(db);
	int r = 0;

	for (int file = 0; !r && file < DB_FILES; file++) {
		r = recover_file(db, (enum db_file)file, expected, &backups);
		if (r)
			log_file(db, (enum db_file)file, r);
	}

	return r ? r : note_complete(db);
}

static void close_dir(struct db *db)
{
	if (db->lock_fd >= 0)
		close(db->lock_fd);
	if (db->dir_fd >= 0)
		close(db->dir_fd);
	db->lock_fd = -1;
	db->dir_fd = -1;
}

/* The lock on the directory itself is kept: it is still ours. */
static int move_into_memory(struct db *db, const struct db_options *options,
			    int error)
{
	char path[STAND_IN_PATH_SIZE];
	char *dir;
	int r;

	r = stand_in_make(db->dir_fd, path);
	if (r)
		return error;
	dir = strdup(path);
	if (!dir) {
		stand_in_remove(path);
		return -ENOMEM;
	}
	db->home_fd = db->dir_fd;
	db->home_lock_fd = db->lock_fd;
	db->dir_fd = -1;
	db->lock_fd = -1;
	free(db->dir);
	db->dir = dir;
	db->stand_in = error;
	log_error(db->home,
		  "cannot be written: %s; serving from memory, nothing is kept "
		  "until the next start",
		  strerrordesc_np(-error));

	r = lock_dir(db);
	return r ? r : prepare_files(db, options);
}

/* A backup that was laid ready while the hub ran, or by 'hearthd --restore'. */
static int take_restored(const struct db *db)
{
	char aside[RESTORE_ASIDE_SIZE];
	int r = restore_apply(db->dir_fd, aside);

	if (r > 0)
		log_warn(db->dir,
			 "is restored from a backup; as it was before it is in"
			 " %s there: remove that when it is not needed any"
			 " more",
			 aside);
	else if (r < 0)
		log_error(db->dir, "the backup cannot be put in place: %s",
			  strerrordesc_np(-r));

	return r < 0 ? r : 0;
}

int db_lock(const struct db_options *options, struct db **out)
{
	struct db *db = db_new(options);
	int r;

	if (!db)
		return -ENOMEM;
	r = lock_dir(db);
	if (r) {
		db_close(db);
		return r;
	}

	*out = db;
	return 0;
}

int db_open(const struct db_options *options, struct db **out)
{
	struct db *db;
	int r = db_lock(options, &db);

	if (r)
		return r;

	r = take_restored(db);
	if (r)
		goto err_close;
	r = prepare_files(db, options);
	if (disk_says_no(r))
		r = move_into_memory(db, options, r);
	if (r)
		goto err_close;
	db->sealed = db->stand_in != 0;

	find_notices(db);

	*out = db;
	return 0;

err_close:
	db_close(db);
	return r;
}

void db_close(struct db *db)
{
	if (!db)
		return;
	close_dir(db);
	if (db->stand_in)
		stand_in_remove(db->dir);
	if (db->home_lock_fd >= 0)
		close(db->home_lock_fd);
	if (db->home_fd >= 0)
		close(db->home_fd);
	free(db->vfs);
	free(db->home);
	free(db->dir);
	free(db);
}

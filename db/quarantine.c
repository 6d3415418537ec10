#include "db/quarantine.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define STAMP "%Y%m%dT%H%M%SZ"
#define NAME_SIZE sizeof(((struct db_notice *)0)->name)

/* Names in one second are a loop of failures, not a library of evidence. */
#define TRIES 60

/* As they stand in the names of files. */
static const char *const words[DB_WHYS] = {
	[DB_DAMAGED] = "corrupt", [DB_FOREIGN] = "foreign",
	[DB_NEWER] = "newer",	  [DB_UNREADABLE] = "unreadable",
	[DB_MISSING] = "missing",
};

static int stamped_name(enum db_file file, enum db_why why, time_t when,
			char *out)
{
	char stamp[32];
	struct tm tm;
	int len;

	if (!gmtime_r(&when, &tm) ||
	    !strftime(stamp, sizeof(stamp), STAMP, &tm))
		return -ERANGE;
	len = snprintf(out, NAME_SIZE, "%s.%s-%s", db_file_name(file),
		       words[why], stamp);
	if (len < 0 || (size_t)len >= NAME_SIZE)
		return -ENAMETOOLONG;

	return 0;
}

/* Nothing there to be moved: a name for the notice. */
static int make_empty(int dir_fd, const char *name)
{
	int fd = openat(dir_fd, name,
			O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			0600);

	if (fd < 0)
		return -errno;
	close(fd);

	return 0;
}

static int move_beside(int dir_fd, const char *name, const char *to,
		       const char *suffix)
{
	char from[NAME_SIZE + 8];
	char into[NAME_SIZE + 8];

	(void)snprintf(from, sizeof(from), "%s%s", name, suffix);
	(void)snprintf(into, sizeof(into), "%s%s", to, suffix);
	if (renameat(dir_fd, from, dir_fd, into) && errno != ENOENT)
		return -errno;

	return 0;
}

/* The WAL goes along, the shared-memory index is worthless without locks. The
 * file first: a WAL that stays behind is found at the next start, a file without
 * its WAL would look whole and be old. */
static int move(int dir_fd, const char *name, const char *to)
{
	char shm[NAME_SIZE + 8];
	int r = 0;

	if (renameat2(dir_fd, name, dir_fd, to, RENAME_NOREPLACE))
		r = errno == ENOENT ? make_empty(dir_fd, to) : -errno;
	if (!r)
		r = move_beside(dir_fd, name, to, "-wal");
	if (r)
		return r;

	(void)snprintf(shm, sizeof(shm), "%s-shm", name);
	if (unlinkat(dir_fd, shm, 0) && errno == EISDIR)
		r = move_beside(dir_fd, name, to, "-shm");

	return r ? r : fsync(dir_fd) ? -errno : 0;
}

int quarantine(int dir_fd, enum db_file file, enum db_why why, int64_t now_ms,
	       struct db_notice *out)
{
	time_t when = (time_t)(now_ms / 1000);
	int r = -EEXIST;

	*out = (struct db_notice){ .file = file, .why = why };
	for (int i = 0; r == -EEXIST && i < TRIES; i++) {
		out->time = (int64_t)(when + i) * 1000;
		r = stamped_name(file, why, when + i, out->name);
		if (!r)
			r = move(dir_fd, db_file_name(file), out->name);
	}

	return r;
}

static void note_name(const char *name, char out[NAME_SIZE + 8])
{
	(void)snprintf(out, NAME_SIZE + 8, "%s.note", name);
}

int quarantine_note(int dir_fd, const struct db_notice *notice)
{
	char name[NAME_SIZE + 8];
	int r = 0;
	int fd;

	note_name(notice->name, name);
	fd = openat(dir_fd, name,
		    O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
		    0600);
	if (fd < 0)
		return -errno;
	if (notice->instead == DB_INSTEAD_BACKUP)
		r = dprintf(fd, "backup %" PRId64 "\n", notice->backup_time);
	else
		r = dprintf(fd, "empty\n");
	r = r < 0 || fsync(fd) ? -errno : 0;
	close(fd);
	if (!r && fsync(dir_fd))
		r = -errno;

	return r;
}

/* None, or one that is torn: it is not known. */
static void read_note(int dir_fd, struct db_notice *notice)
{
	char name[NAME_SIZE + 8];
	char text[64];
	ssize_t len;
	char *end;
	int fd;

	note_name(notice->name, name);
	fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return;
	len = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[len > 0 ? len : 0] = '\0';
	if (strcmp(text, "empty\n") == 0) {
		notice->instead = DB_INSTEAD_EMPTY;
	} else if (strncmp(text, "backup ", 7) == 0) {
		notice->backup_time = strtoll(text + 7, &end, 10);
		if (strcmp(end, "\n") == 0)
			notice->instead = DB_INSTEAD_BACKUP;
	}
}

/* A directory only when there is nothing in it. */
static int remove_one(int dir_fd, const char *name)
{
	if (!unlinkat(dir_fd, name, 0))
		return 0;
	if (errno == EISDIR && !unlinkat(dir_fd, name, AT_REMOVEDIR))
		return 0;

	return -errno;
}

int quarantine_remove(int dir_fd, const char *name)
{
	static const char *const beside[] = { "-wal", "-shm", ".note" };
	char other[NAME_SIZE + 8];
	int r;

	/* The notice goes last: what is left of it can be removed again. */
	for (size_t i = 0; i < sizeof(beside) / sizeof(*beside); i++) {
		(void)snprintf(other, sizeof(other), "%s%s", name, beside[i]);
		r = remove_one(dir_fd, other);
		if (r && r != -ENOENT)
			return r;
	}
	r = remove_one(dir_fd, name);
	if (r)
		return r;

	return fsync(dir_fd) ? -errno : 0;
}

/* What follows the name of the file, as ".corrupt-20261121T090000Z". */
static bool parse_suffix(const char *text, struct db_notice *out)
{
	for (int why = 0; why < DB_WHYS; why++) {
		size_t len = strlen(words[why]);
		struct tm tm = { 0 };
		const char *end;

		if (text[0] != '.' || strncmp(text + 1, words[why], len) != 0 ||
		    text[1 + len] != '-')
			continue;
		end = strptime(text + len + 2, STAMP, &tm);
		if (!end || *end)
			return false;
		out->why = (enum db_why)why;
		out->time = (int64_t)timegm(&tm) * 1000;
		return true;
	}

	return false;
}

static bool notice_parse(const char *name, struct db_notice *out)
{
	for (int file = 0; file < DB_FILES; file++) {
		const char *stem = db_file_name((enum db_file)file);
		size_t len = strlen(stem);

		if (strncmp(name, stem, len) != 0)
			continue;
		if (strlen(name) >= sizeof(out->name))
			return false;
		*out = (struct db_notice){ .file = (enum db_file)file };
		if (!parse_suffix(name + len, out))
			return false;
		memcpy(out->name, name, strlen(name) + 1);
		return true;
	}

	return false;
}

static int by_time(const void *a, const void *b)
{
	const struct db_notice *x = a;
	const struct db_notice *y = b;

	return (x->time > y->time) - (x->time < y->time);
}

int quarantine_list(int dir_fd, struct db_notice *out, size_t max)
{
	struct dirent *entry;
	size_t count = 0;
	DIR *dir;
	int fd;

	fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return -ENOMEM;
	}

	/* The stream is ours alone. NOLINTNEXTLINE(concurrency-mt-unsafe) */
	while (count < max && (entry = readdir(dir)) != NULL) {
		if (notice_parse(entry->d_name, &out[count]))
			read_note(dir_fd, &out[count++]);
	}
	closedir(dir);
	qsort(out, count, sizeof(*out), by_time);

	return (int)count;
}

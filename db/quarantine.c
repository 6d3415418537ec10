#include "db/quarantine.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define STAMP "%Y%m%dT%H%M%SZ"
#define NAME_SIZE sizeof(((struct db_notice *)0)->name)

/* Names in one second are a loop of failures, not a library of evidence. */
#define TRIES 60

static int stamped_name(const char *name, time_t when, char *out)
{
	char stamp[32];
	struct tm tm;
	int len;

	if (!gmtime_r(&when, &tm) ||
	    !strftime(stamp, sizeof(stamp), STAMP, &tm))
		return -ERANGE;
	len = snprintf(out, NAME_SIZE, "%s.corrupt-%s", name, stamp);
	if (len < 0 || (size_t)len >= NAME_SIZE)
		return -ENAMETOOLONG;

	return 0;
}

/* The WAL goes along, the shared-memory index is worthless without locks. The
 * file first: a WAL beside an empty file is ignored by SQLite, a file without
 * its WAL would look whole and be old. */
static int move(int dir_fd, const char *name, const char *to)
{
	char from_wal[NAME_SIZE + 8];
	char to_wal[NAME_SIZE + 8];

	if (renameat2(dir_fd, name, dir_fd, to, RENAME_NOREPLACE))
		return -errno;

	(void)snprintf(from_wal, sizeof(from_wal), "%s-wal", name);
	(void)snprintf(to_wal, sizeof(to_wal), "%s-wal", to);
	if (renameat(dir_fd, from_wal, dir_fd, to_wal) && errno != ENOENT)
		return -errno;
	(void)snprintf(from_wal, sizeof(from_wal), "%s-shm", name);
	if (unlinkat(dir_fd, from_wal, 0) && errno != ENOENT)
		return -errno;

	return fsync(dir_fd) ? -errno : 0;
}

int quarantine(int dir_fd, const char *name, int64_t now_ms,
	       char out[NAME_SIZE])
{
	time_t when = (time_t)(now_ms / 1000);
	int r;

	for (int i = 0; i < TRIES; i++) {
		r = stamped_name(name, when + i, out);
		if (r)
			return r;
		r = move(dir_fd, name, out);
		if (r != -EEXIST)
			return r;
	}

	return -EEXIST;
}

static bool notice_parse(const char *name, struct db_notice *out)
{
	for (int file = 0; file < DB_FILES; file++) {
		const char *stem = db_file_name((enum db_file)file);
		size_t len = strlen(stem);
		struct tm tm = { 0 };
		const char *end;

		if (strncmp(name, stem, len) != 0 ||
		    strncmp(name + len, ".corrupt-", 9) != 0)
			continue;
		end = strptime(name + len + 9, STAMP, &tm);
		if (!end || *end || strlen(name) >= sizeof(out->name))
			return false;

		out->file = (enum db_file)file;
		out->time = (int64_t)timegm(&tm) * 1000;
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
			count++;
	}
	closedir(dir);
	qsort(out, count, sizeof(*out), by_time);

	return (int)count;
}

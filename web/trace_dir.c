#include "web/trace_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "broker/base/clock.h"
#include "broker/limits.h"
#include "db/db.h"

static int open_dir(const struct db *db)
{
	int fd;

	if (mkdirat(db_dir_fd(db), "trace", 0700) < 0 && errno != EEXIST)
		return -errno;
	fd = openat(db_dir_fd(db), "trace",
		    O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? -errno : fd;
}

/* Ours, and nothing that somebody has put there. */
static bool is_trace(const char *name)
{
	const size_t len = strlen(name);

	return len > 10 && strncmp(name, "trace-", 6) == 0 &&
	       strcmp(name + len - 4, ".log") == 0;
}

/* Their names sort by time; the clock may have been wrong, so the one in use is
 * left out. Returns how many others there are. */
static size_t oldest(int dir, const char *in_use, char name[256])
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *listing = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	size_t count = 0;

	name[0] = '\0';
	if (!listing) {
		if (fd >= 0)
			close(fd);
		return 0;
	}
	/* The stream is ours alone. NOLINTNEXTLINE(concurrency-mt-unsafe) */
	while ((entry = readdir(listing))) {
		if (!is_trace(entry->d_name) ||
		    strcmp(entry->d_name, in_use) == 0)
			continue;
		count++;
		if (!name[0] || strcmp(entry->d_name, name) < 0)
			snprintf(name, 256, "%s", entry->d_name);
	}
	closedir(listing);
	return count;
}

int trace_dir_new(const struct db *db, char name[TRACE_NAME_SIZE])
{
	const int64_t now = clock_wall_ms();
	const time_t seconds = (time_t)(now / 1000);
	const int dir = open_dir(db);
	struct tm tm = { 0 };
	char stamp[20];
	int fd;

	if (dir < 0)
		return dir;
	gmtime_r(&seconds, &tm);
	strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%S", &tm);
	snprintf(name, TRACE_NAME_SIZE, "trace-%s.%03d.log", stamp,
		 (int)(now % 1000));
	fd = openat(dir, name,
		    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		fd = -errno;
	close(dir);
	return fd;
}

void trace_dir_trim(const struct db *db, const char *name)
{
	const int dir = open_dir(db);
	char old[256];

	if (dir < 0)
		return;
	while (oldest(dir, name, old) >= LIMIT_TRACE_FILES)
		if (unlinkat(dir, old, 0) < 0)
			break;
	close(dir);
}

void trace_dir_remove(const struct db *db, const char *name)
{
	const int dir = open_dir(db);

	if (dir < 0)
		return;
	unlinkat(dir, name, 0);
	close(dir);
}

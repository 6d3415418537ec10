#include "db/backup/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#define STAMP "%Y%m%dT%H%M%SZ"
#define DEPTH_MAX 3

/* Root restores for the user that the service runs as. */
static int give(int dir, int fd)
{
	struct stat st;

	if (geteuid() != 0)
		return fd;
	if (fstat(dir, &st) || fchown(fd, st.st_uid, st.st_gid)) {
		int r = -errno;

		close(fd);
		return r;
	}
	return fd;
}

int files_open_dir(int dir, const char *name)
{
	int made = mkdirat(dir, name, 0700);
	int fd;

	if (made && errno != EEXIST)
		return -errno;
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;

	return made ? fd : give(dir, fd);
}

int files_create(int dir, const char *name)
{
	int fd = openat(dir, name,
			O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
			0600);

	return fd < 0 ? -errno : give(dir, fd);
}

static int remove_at(int dir, const char *name, unsigned int depth);

static int remove_contents(int fd, unsigned int depth)
{
	DIR *listing = fdopendir(fd);
	struct dirent *entry;
	int r = 0;

	if (!listing) {
		close(fd);
		return -ENOMEM;
	}
	/* The stream is ours alone. NOLINTNEXTLINE(concurrency-mt-unsafe) */
	while (!r && (entry = readdir(listing))) {
		if (strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0)
			continue;
		r = remove_at(dirfd(listing), entry->d_name, depth);
	}
	closedir(listing);

	return r;
}

/* Bounded by DEPTH_MAX. NOLINTNEXTLINE(misc-no-recursion) */
static int remove_at(int dir, const char *name, unsigned int depth)
{
	int fd;
	int r;

	if (!unlinkat(dir, name, 0) || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -errno;
	if (depth == 0)
		return -ELOOP;
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = remove_contents(fd, depth - 1);
	if (!r && unlinkat(dir, name, AT_REMOVEDIR))
		r = -errno;

	return r;
}

int files_remove_tree(int dir, const char *name)
{
	return remove_at(dir, name, DEPTH_MAX);
}

int files_space(int dir, uint64_t bytes, uint64_t *free)
{
	struct statvfs vfs;

	if (fstatvfs(dir, &vfs))
		return -errno;
	*free = (uint64_t)vfs.f_bavail * vfs.f_frsize;

	return *free < bytes + FILES_SPARE ? -ENOSPC : 0;
}

void files_stamp(int64_t ms, char out[FILES_STAMP_SIZE])
{
	const time_t seconds = (time_t)(ms / 1000);
	struct tm tm = { 0 };

	gmtime_r(&seconds, &tm);
	if (!strftime(out, FILES_STAMP_SIZE, STAMP, &tm))
		memcpy(out, "19700101T000000Z", 17);
}

int64_t files_stamp_parse(const char *text)
{
	struct tm tm = { 0 };
	const char *end = strptime(text, STAMP, &tm);

	return end && !*end ? (int64_t)timegm(&tm) * 1000 : -1;
}

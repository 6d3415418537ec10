#include "db/stand_in.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "broker/base/environment.h"
#include "broker/base/log.h"
#include "db/db.h"

#define CHUNK ((size_t)1024 * 1024)

/* Where memory is to be had as files, the most private first. NULL: what systemd
 * gives us by RuntimeDirectory=. */
static const char *const places[] = { NULL, "/dev/shm", "/run", "/tmp" };

static bool in_memory(const char *path)
{
	struct statfs fs;
	uint32_t type;

	if (statfs(path, &fs))
		return false;
	type = (uint32_t)fs.f_type; /* A signed int where long is one. */
	return type == TMPFS_MAGIC || type == RAMFS_MAGIC;
}

static int make_dir(char path[STAND_IN_PATH_SIZE])
{
	const char *ours = environment_text("RUNTIME_DIRECTORY");

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		const char *place = places[i] ? places[i] : ours;
		int len;

		if (!place || place[0] != '/' || !in_memory(place))
			continue;
		len = snprintf(path, STAND_IN_PATH_SIZE, "%s/hearthd-XXXXXX",
			       place);
		if (len > 0 && len < STAND_IN_PATH_SIZE && mkdtemp(path))
			return 0;
	}

	return -ENOSPC;
}

static int copy_bytes(int from, int to, off_t size)
{
	while (size > 0) {
		ssize_t n =
			sendfile(to, from, NULL,
				 size > (off_t)CHUNK ? CHUNK : (size_t)size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		size -= n;
	}

	return 0;
}

/* -ENOENT: there is none; -EFBIG: larger than max. */
static int copy_file(int from_dir, int to_dir, const char *name, off_t max)
{
	struct stat st;
	int from;
	int to;
	int r;

	from = openat(from_dir, name,
		      O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (from < 0)
		return -errno;
	r = fstat(from, &st) ? -errno : !S_ISREG(st.st_mode) ? -ENOENT : 0;
	if (!r && st.st_size > max)
		r = -EFBIG;
	if (r)
		goto out_from;
	to = openat(to_dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
		    0600);
	if (to < 0) {
		r = -errno;
		goto out_from;
	}
	r = copy_bytes(from, to, st.st_size);
	close(to);
	if (r)
		unlinkat(to_dir, name, 0);
out_from:
	close(from);
	return r;
}

/* The file without its WAL would be an old state of it: both or none. */
static int copy_database(int from_dir, int to_dir, enum db_file file, off_t max)
{
	const char *name = db_file_name(file);
	char wal[32];
	int r;

	(void)snprintf(wal, sizeof(wal), "%s-wal", name);
	r = copy_file(from_dir, to_dir, name, max);
	if (r)
		return r == -ENOENT ? 0 : r;
	r = copy_file(from_dir, to_dir, wal, max);
	if (r == -ENOENT)
		return 0;
	if (r)
		unlinkat(to_dir, name, 0);

	return r;
}

static int copy_all(int home_fd, int fd)
{
	const off_t max = (off_t)STAND_IN_COPY_MAX;
	int r;

	r = copy_database(home_fd, fd, DB_CONFIG, max);
	if (r) {
		log_error(db_file_name(DB_CONFIG), "cannot be read: %s",
			  strerrordesc_np(-r));
		return r;
	}
	r = copy_database(home_fd, fd, DB_STATE, max);
	if (r)
		log_error(db_file_name(DB_STATE),
			  "cannot be read, sessions and retained messages are "
			  "not there for now: %s",
			  strerrordesc_np(-r));

	return 0;
}

int stand_in_make(int home_fd, char path[STAND_IN_PATH_SIZE])
{
	int fd;
	int r;

	r = make_dir(path);
	if (r)
		return r;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = fd < 0 ? -errno : copy_all(home_fd, fd);
	if (fd >= 0)
		close(fd);
	if (r)
		stand_in_remove(path);

	return r;
}

static int remove_one(const char *path, const struct stat *st, int type,
		      struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	/* What stays is memory lost until the next boot, no more. */
	(void)remove(path);
	return 0;
}

void stand_in_remove(const char *path)
{
	/* Threads have ended. NOLINTNEXTLINE(concurrency-mt-unsafe) */
	nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

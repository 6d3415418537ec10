#include "db/space.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define BALLAST "ballast"
#define BALLAST_NEW "ballast.new"

/* Without a ballast so much must be free before the disk counts as usable. */
#define SPACE_LEAST ((uint64_t)8 * 1024 * 1024)

int space_of(int dir_fd, uint64_t *available, uint64_t *size)
{
	struct statvfs fs;

	if (fstatvfs(dir_fd, &fs))
		return -errno;
	*available = (uint64_t)fs.f_bavail * fs.f_frsize;
	*size = (uint64_t)fs.f_blocks * fs.f_frsize;

	return 0;
}

static bool there(const struct space *space)
{
	struct stat st;

	return !fstatat(space->dir_fd, BALLAST, &st, AT_SYMLINK_NOFOLLOW) &&
	       S_ISREG(st.st_mode) && (uint64_t)st.st_size == space->bytes;
}

/* Under another name until all of it is there. */
static bool make(struct space *space)
{
	const int flags = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(space->dir_fd, BALLAST_NEW, flags, 0600);
	bool ok;

	if (fd < 0)
		return false;
	/* Not written, only kept: it costs a card nothing. Where that cannot be
	 * (an old file system) there is no ballast. */
	ok = !fallocate(fd, 0, 0, (off_t)space->bytes) && !fsync(fd);
	close(fd);
	ok = ok &&
	     !renameat(space->dir_fd, BALLAST_NEW, space->dir_fd, BALLAST);
	if (!ok)
		unlinkat(space->dir_fd, BALLAST_NEW, 0);

	return ok;
}

bool space_release(struct space *space)
{
	bool was = !unlinkat(space->dir_fd, BALLAST, 0);

	space->whole = false;
	/* Some file systems give the room back with their next commit. */
	if (was)
		(void)fsync(space->dir_fd);

	return was;
}

bool space_enough(struct space *space)
{
	uint64_t available = 0;
	uint64_t size;

	if (space->whole)
		return true;
	if (space_of(space->dir_fd, &available, &size))
		return false;
	if (!space->bytes)
		return available >= SPACE_LEAST;
	if (available < space->bytes + space->bytes / 2)
		return false;
	space->whole = make(space);

	return true;
}

void space_init(struct space *space, int dir_fd, uint64_t bytes)
{
	*space = (struct space){ .dir_fd = dir_fd, .bytes = bytes };
	space->whole = bytes && there(space);
	/* Another size was asked for, or none. */
	if (!space->whole)
		(void)space_release(space);
	if (bytes)
		(void)space_enough(space);
}

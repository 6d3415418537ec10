/* Files of the recorded program's data directory; recorder.h. */
#undef _FILE_OFFSET_BITS
#undef _TIME_BITS
#undef _FORTIFY_SOURCE
#include "tests/crash_daemon/recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Room for a path and what /proc says of one that is deleted. */
#define PATH_SIZE (PATH_MAX + 16)

/* Changes of files, one at a time. */
static pthread_mutex_t files = PTHREAD_MUTEX_INITIALIZER;

static void begin(void)
{
	pthread_mutex_lock(&files);
}

static void end(void)
{
	const int error = errno;

	pthread_mutex_unlock(&files);
	errno = error;
}

/* The part of a path below the data directory, "" for that itself; NULL: it lies
 * elsewhere, or its changes are of no account (the index of a WAL is made anew). */
static const char *below(const char *path)
{
	const char *dir = recorder_dir();
	const size_t len = dir ? strlen(dir) : 0;
	const char *dash;

	if (!dir || strncmp(path, dir, len) != 0 ||
	    (path[len] != '/' && path[len] != '\0'))
		return NULL;
	path += len + (path[len] == '/');
	dash = strrchr(path, '-');
	if (dash && strcmp(dash, "-shm") == 0)
		return NULL;
	return path;
}

/* What an open file is called now. */
static const char *name_of(int fd, char path[PATH_SIZE])
{
	static const char gone[] = " (deleted)";
	const size_t gone_len = sizeof(gone) - 1;
	const int error = errno;
	char link[32];
	ssize_t len;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, path, PATH_SIZE - 1);
	errno = error;
	if (len <= 0)
		return NULL;
	path[len] = '\0';
	if ((size_t)len > gone_len &&
	    strcmp(path + (size_t)len - gone_len, gone) == 0)
		return NULL;
	return below(path);
}

/* What a path means that is taken from a directory. */
static const char *name_at(int at, const char *name, char path[PATH_SIZE])
{
	char dir[PATH_SIZE];
	const char *found;

	if (name[0] == '/') {
		(void)snprintf(path, PATH_SIZE, "%s", name);
		return below(path);
	}
	if (at == AT_FDCWD) {
		if (!getcwd(dir, sizeof(dir)))
			return NULL;
		(void)snprintf(path, PATH_SIZE, "%.*s/%.*s", PATH_MAX / 2, dir,
			       PATH_MAX / 2, name);
		return below(path);
	}
	found = name_of(at, dir);
	if (!found)
		return NULL;
	(void)snprintf(path, PATH_SIZE, "%.*s%s%.*s", PATH_MAX / 2, found,
		       found[0] ? "/" : "", PATH_MAX / 2, name);
	return path;
}

static void tell(enum record_type type, const char *name, const char *to,
		 uint64_t at)
{
	const struct record record = {
		.type = type,
		.fd = -1,
		.at = at,
		.name = name,
		.to = to,
	};

	recorder_lock();
	recorder_add(&record);
	recorder_unlock();
}

/* ---- opening ------------------------------------------------------------ */

typedef int open_fn(int at, const char *name, int flags, mode_t mode);

static int next_openat(int at, const char *name, int flags, mode_t mode)
{
	return NEXT(openat)(at, name, flags, mode);
}

static int next_openat64(int at, const char *name, int flags, mode_t mode)
{
	return NEXT(openat64)(at, name, flags, mode);
}

static int do_open(open_fn *next, int at, const char *name, int flags,
		   mode_t mode)
{
	char path[PATH_SIZE];
	const char *file;
	bool there;
	int fd;

	if (!recorder_dir() || !(flags & (O_CREAT | O_TRUNC)))
		return next(at, name, flags, mode);
	begin();
	there = faccessat(at, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	errno = 0;
	fd = next(at, name, flags, mode);
	file = fd >= 0 ? name_of(fd, path) : NULL;
	if (file && !there)
		tell(RECORD_CREATE, file, NULL, 0);
	else if (file && (flags & O_TRUNC))
		tell(RECORD_TRUNCATE, file, NULL, 0);
	end();
	return fd;
}

#define OPEN(next, at)                                             \
	do {                                                       \
		va_list more;                                      \
		mode_t mode;                                       \
                                                                   \
		va_start(more, flags);                             \
		mode = flags & O_CREAT ? va_arg(more, mode_t) : 0; \
		va_end(more);                                      \
		return do_open(next, at, name, flags, mode);       \
	} while (0)

int open(const char *name, int flags, ...)
{
	/* It is. NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized) */
	OPEN(next_openat, AT_FDCWD);
}

int open64(const char *name, int flags, ...)
{
	/* It is. NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized) */
	OPEN(next_openat64, AT_FDCWD);
}

int openat(int at, const char *name, int flags, ...)
{
	/* It is. NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized) */
	OPEN(next_openat, at);
}

int openat64(int at, const char *name, int flags, ...)
{
	/* It is. NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized) */
	OPEN(next_openat64, at);
}

/* ---- writing ------------------------------------------------------------ */

static void tell_write(const char *file, uint64_t at, const void *data,
		       ssize_t n)
{
	const struct iovec bytes = {
		.iov_base = (void *)(uintptr_t)data,
		.iov_len = (size_t)n,
	};
	const struct record record = {
		.type = RECORD_WRITE,
		.fd = -1,
		.at = at,
		.name = file,
		.data = &bytes,
		.data_count = 1,
		.data_len = (size_t)n,
	};

	recorder_lock();
	recorder_add(&record);
	recorder_unlock();
}

ssize_t pwrite64(int fd, const void *data, size_t len, off64_t at)
{
	char path[PATH_SIZE];
	const char *file = name_of(fd, path);
	ssize_t n;

	if (!file)
		return NEXT(pwrite64)(fd, data, len, at);
	begin();
	n = NEXT(pwrite64)(fd, data, len, at);
	if (n > 0)
		tell_write(file, (uint64_t)at, data, n);
	end();
	return n;
}

ssize_t pwrite(int fd, const void *data, size_t len, off_t at)
{
	return pwrite64(fd, data, len, at);
}

ssize_t pwritev(int fd, const struct iovec *data, int count, off_t at)
{
	ssize_t done = 0;

	for (int i = 0; i < count; i++) {
		ssize_t n = pwrite64(fd, data[i].iov_base, data[i].iov_len,
				     at + done);

		if (n < 0)
			return done ? done : n;
		done += n;
		if ((size_t)n < data[i].iov_len)
			break;
	}
	return done;
}

/* A socket's, too; recorder_sockets.c. */
ssize_t write(int fd, const void *data, size_t len)
{
	char path[PATH_SIZE];
	const char *file = name_of(fd, path);
	ssize_t n;

	if (!file) {
		const struct iovec bytes = {
			.iov_base = (void *)(uintptr_t)data,
			.iov_len = len,
		};

		return recorder_is_socket(fd) ? writev(fd, &bytes, 1)
					      : NEXT(write)(fd, data, len);
	}
	begin();
	n = NEXT(write)(fd, data, len);
	/* With O_APPEND, too, it now stands behind what it has written. */
	if (n > 0)
		tell_write(file, (uint64_t)(lseek64(fd, 0, SEEK_CUR) - n), data,
			   n);
	end();
	return n;
}

int ftruncate64(int fd, off64_t size)
{
	char path[PATH_SIZE];
	const char *file = name_of(fd, path);
	int r;

	if (!file)
		return NEXT(ftruncate64)(fd, size);
	begin();
	r = NEXT(ftruncate64)(fd, size);
	if (r == 0)
		tell(RECORD_TRUNCATE, file, NULL, (uint64_t)size);
	end();
	return r;
}

int ftruncate(int fd, off_t size)
{
	return ftruncate64(fd, size);
}

/* Only as a file is made larger: what else it can do is noticed when at the end
 * the files are compared. */
static void tell_allocated(int fd)
{
	char path[PATH_SIZE];
	const char *file = name_of(fd, path);
	struct stat st;

	if (file && fstat(fd, &st) == 0)
		tell(RECORD_TRUNCATE, file, NULL, (uint64_t)st.st_size);
}

int fallocate64(int fd, int mode, off64_t at, off64_t len)
{
	int r;

	begin();
	r = NEXT(fallocate64)(fd, mode, at, len);
	tell_allocated(fd);
	end();
	return r;
}

int posix_fallocate64(int fd, off64_t at, off64_t len)
{
	int r;

	begin();
	r = NEXT(posix_fallocate64)(fd, at, len);
	tell_allocated(fd);
	end();
	return r;
}

/* ---- syncing ------------------------------------------------------------ */

static int do_sync(int fd, int (*next)(int))
{
	char path[PATH_SIZE];
	const char *file = name_of(fd, path);
	struct stat st;
	int r;

	if (!file || fstat(fd, &st))
		return next(fd);
	begin();
	recorder_dawdle();
	r = next(fd);
	if (r == 0)
		tell(S_ISDIR(st.st_mode) ? RECORD_SYNC_NAMES : RECORD_SYNC,
		     file, NULL, 0);
	end();
	return r;
}

int fsync(int fd)
{
	return do_sync(fd, NEXT(fsync));
}

int fdatasync(int fd)
{
	return do_sync(fd, NEXT(fdatasync));
}

/* ---- names -------------------------------------------------------------- */

int renameat2(int from_at, const char *from, int to_at, const char *to,
	      unsigned int flags)
{
	char from_path[PATH_SIZE];
	char to_path[PATH_SIZE];
	const char *old = name_at(from_at, from, from_path);
	const char *new = name_at(to_at, to, to_path);
	int r;

	begin();
	r = NEXT(renameat2)(from_at, from, to_at, to, flags);
	if (r == 0 && old && new)
		tell(RECORD_RENAME, old, new, 0);
	end();
	return r;
}

int renameat(int from_at, const char *from, int to_at, const char *to)
{
	return renameat2(from_at, from, to_at, to, 0);
}

int rename(const char *from, const char *to)
{
	return renameat2(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int unlinkat(int at, const char *name, int flags)
{
	char path[PATH_SIZE];
	const char *file = name_at(at, name, path);
	int r;

	begin();
	r = NEXT(unlinkat)(at, name, flags);
	if (r == 0 && file && !(flags & AT_REMOVEDIR))
		tell(RECORD_DELETE, file, NULL, 0);
	end();
	return r;
}

int unlink(const char *name)
{
	return unlinkat(AT_FDCWD, name, 0);
}

int linkat(int from_at, const char *from, int to_at, const char *to, int flags)
{
	char from_path[PATH_SIZE];
	char to_path[PATH_SIZE];
	const char *old = name_at(from_at, from, from_path);
	const char *new = name_at(to_at, to, to_path);
	int r;

	begin();
	r = NEXT(linkat)(from_at, from, to_at, to, flags);
	if (r == 0 && old && new)
		tell(RECORD_LINK, old, new, 0);
	end();
	return r;
}

int link(const char *from, const char *to)
{
	return linkat(AT_FDCWD, from, AT_FDCWD, to, 0);
}

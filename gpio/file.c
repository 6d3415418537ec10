#include "gpio/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int open_directory(const char *directory)
{
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* Reads all of it; -EFBIG past size. */
static ssize_t read_all(int fd, char *out, size_t size)
{
	size_t len = 0;

	for (;;) {
		ssize_t n = read(fd, out + len, size - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return (ssize_t)len;
		len += (size_t)n;
		if (len == size)
			return -EFBIG;
	}
}

char *file_load(const char *directory, const char *name, size_t *len,
		int *error)
{
	size_t size = FILE_SIZE_MAX + 1;
	int dir = open_directory(directory);
	char *bytes = NULL;
	ssize_t n;
	int fd;

	*error = dir;
	if (dir < 0)
		return NULL;
	fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	*error = -errno;
	if (fd < 0)
		goto out_dir;

	*error = -ENOMEM;
	bytes = malloc(size);
	if (!bytes)
		goto out_file;
	n = read_all(fd, bytes, size);
	if (n < 0) {
		*error = (int)n;
		free(bytes);
		bytes = NULL;
		goto out_file;
	}
	*len = (size_t)n;

out_file:
	(void)close(fd);
out_dir:
	(void)close(dir);
	return bytes;
}

static int write_all(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, bytes, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		bytes += n;
		len -= (size_t)n;
	}
	return 0;
}

static int write_new(int dir, const char *name, struct slice bytes, bool sync)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
			0640);
	int r;

	if (fd < 0)
		return -errno;
	r = write_all(fd, (const char *)bytes.data, bytes.len);
	if (!r && sync && fsync(fd))
		r = -errno;
	if (close(fd) && !r)
		r = -errno;
	return r;
}

int file_replace(const char *directory, const char *name, struct slice bytes,
		 bool sync)
{
	char temporary[FILE_NAME_SIZE];
	int dir = open_directory(directory);
	int r;

	if (dir < 0)
		return dir;

	(void)snprintf(temporary, sizeof(temporary), "%s.new", name);
	r = write_new(dir, temporary, bytes, sync);
	if (!r && renameat(dir, temporary, dir, name))
		r = -errno;
	if (!r && sync && fsync(dir))
		r = -errno;
	if (r)
		(void)unlinkat(dir, temporary, 0);
	(void)close(dir);
	return r;
}

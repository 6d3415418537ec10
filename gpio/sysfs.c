#include "gpio/sysfs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

__attribute__((format(printf, 3, 0))) static int
make_path(char out[SYSFS_PATH_SIZE], const char *root, const char *path,
	  va_list args)
{
	int at = snprintf(out, SYSFS_PATH_SIZE, "%s/", root);
	int len;

	if (at < 0 || (size_t)at >= SYSFS_PATH_SIZE)
		return -ENAMETOOLONG;
	len = vsnprintf(out + at, SYSFS_PATH_SIZE - (size_t)at, path, args);
	if (len < 0 || (size_t)at + (size_t)len >= SYSFS_PATH_SIZE)
		return -ENAMETOOLONG;
	return 0;
}

static ssize_t read_once(int fd, void *out, size_t size)
{
	ssize_t n;

	do {
		n = read(fd, out, size);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

/* As sysfs_bytes(). */
static int read_bytes(const char *path, void *out, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read_once(fd, out, size);
	(void)close(fd);
	return (int)n;
}

static int read_text(const char *path, char out[SYSFS_TEXT_SIZE])
{
	int n = read_bytes(path, out, SYSFS_TEXT_SIZE - 1);

	out[n > 0 ? n : 0] = '\0';
	if (n < 0)
		return n;
	if (n > 0 && out[n - 1] == '\n')
		out[n - 1] = '\0';
	return 0;
}

int sysfs_read(const char *root, char out[SYSFS_TEXT_SIZE], const char *path,
	       ...)
{
	char whole[SYSFS_PATH_SIZE];
	va_list args;
	int r;

	va_start(args, path);
	r = make_path(whole, root, path, args);
	va_end(args);
	out[0] = '\0';
	return r ? r : read_text(whole, out);
}

int sysfs_number(const char *root, double *out, const char *path, ...)
{
	char whole[SYSFS_PATH_SIZE];
	char text[SYSFS_TEXT_SIZE];
	double number;
	va_list args;
	char *end;
	int r;

	va_start(args, path);
	r = make_path(whole, root, path, args);
	va_end(args);
	if (!r)
		r = read_text(whole, text);
	if (r)
		return r;
	number = strtod(text, &end);
	if (end == text || *end || !isfinite(number))
		return -EINVAL;
	*out = number;
	return 0;
}

int sysfs_bytes(const char *root, void *out, size_t size, const char *path, ...)
{
	char whole[SYSFS_PATH_SIZE];
	va_list args;
	int r;

	va_start(args, path);
	r = make_path(whole, root, path, args);
	va_end(args);
	return r ? r : read_bytes(whole, out, size);
}

int sysfs_write(const char *root, const char *text, const char *path, ...)
{
	char whole[SYSFS_PATH_SIZE];
	size_t len = strlen(text);
	va_list args;
	int fd, r;

	va_start(args, path);
	r = make_path(whole, root, path, args);
	va_end(args);
	if (r)
		return r;
	fd = open(whole, O_WRONLY | O_TRUNC | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, text, len) != (ssize_t)len)
		r = -errno;
	(void)close(fd);
	return r;
}

int sysfs_open(const char *root, const char *path, ...)
{
	char whole[SYSFS_PATH_SIZE];
	va_list args;
	int fd, r;

	va_start(args, path);
	r = make_path(whole, root, path, args);
	va_end(args);
	if (r)
		return r;
	fd = open(whole, O_RDWR | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

bool sysfs_there(const char *root, const char *path)
{
	char whole[SYSFS_PATH_SIZE];

	(void)snprintf(whole, sizeof(whole), "%s/%s", root, path);
	return access(whole, F_OK) == 0;
}

bool sysfs_each(const char *root, const char *directory, const char *prefix,
		sysfs_entry_fn *each, void *arg)
{
	char path[SYSFS_PATH_SIZE];
	const struct dirent *entry;
	unsigned int seen = 0;
	bool done = false;
	DIR *dir;

	(void)snprintf(path, sizeof(path), "%s/%s", root, directory);
	dir = opendir(path);
	if (!dir)
		return false;
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): a stream of our own. */
	while (!done && seen++ < SYSFS_ENTRIES_MAX && (entry = readdir(dir)))
		if (entry->d_name[0] != '.' &&
		    strncmp(entry->d_name, prefix, strlen(prefix)) == 0)
			done = each(entry->d_name, arg);
	(void)closedir(dir);
	return done;
}

static bool has_part(const char *path, const char *name)
{
	size_t len = strlen(name);

	while (*path) {
		size_t part;

		path += *path == '/';
		part = strcspn(path, "/");
		if (part == len && memcmp(path, name, len) == 0)
			return true;
		path += part;
	}
	return false;
}

bool sysfs_leads(const char *root, const char *name, const char *path, ...)
{
	char whole[SYSFS_PATH_SIZE];
	bool leads = false;
	char *real = NULL;
	va_list args;
	int r;

	va_start(args, path);
	r = make_path(whole, root, path, args);
	va_end(args);
	if (!r)
		real = realpath(whole, NULL);
	if (real)
		leads = has_part(real, name);
	free(real);
	return leads;
}

static void cut_last(char *path)
{
	char *slash = strrchr(path, '/');

	if (slash)
		*slash = '\0';
}

int sysfs_device(const char *root, char out[SYSFS_TEXT_SIZE], const char *path)
{
	char whole[SYSFS_PATH_SIZE];
	const char *slash;
	char *real;

	(void)snprintf(whole, sizeof(whole), "%s/%s", root, path);
	real = realpath(whole, NULL);
	if (!real)
		return -errno;
	cut_last(real);
	cut_last(real);
	slash = strrchr(real, '/');
	(void)snprintf(out, SYSFS_TEXT_SIZE, "%s", slash ? slash + 1 : "");
	free(real);
	return 0;
}

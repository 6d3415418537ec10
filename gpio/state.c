#include "gpio/state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gpio/json_text.h"

#define STATE_TEMPORARY STATE_FILE ".new"

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

/* The file's bytes, to be freed, or NULL and *error. */
static char *load_file(const char *directory, size_t *len, int *error)
{
	size_t size = PINS_JSON_MAX + 1;
	int dir = open_directory(directory);
	char *bytes = NULL;
	ssize_t n;
	int fd;

	*error = dir;
	if (dir < 0)
		return NULL;
	fd = openat(dir, STATE_FILE, O_RDONLY | O_CLOEXEC);
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

int state_load(const char *directory, struct pins *out,
	       struct pin_errors *errors)
{
	size_t len = 0;
	int r;
	char *bytes = load_file(directory, &len, &r);

	if (!bytes)
		return r;

	r = pins_parse(slice_of(bytes, len), out, errors);
	free(bytes);
	return r;
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

static int write_synced(int dir, const char *bytes, size_t len)
{
	int fd = openat(dir, STATE_TEMPORARY,
			O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	int r;

	if (fd < 0)
		return -errno;
	r = write_all(fd, bytes, len);
	if (!r && fsync(fd))
		r = -errno;
	if (close(fd) && !r)
		r = -errno;
	return r;
}

static int replace_file(const char *directory, const char *bytes, size_t len)
{
	int dir = open_directory(directory);
	int r;

	if (dir < 0)
		return dir;

	r = write_synced(dir, bytes, len);
	if (!r && renameat(dir, STATE_TEMPORARY, dir, STATE_FILE))
		r = -errno;
	if (!r && fsync(dir))
		r = -errno;
	if (r)
		(void)unlinkat(dir, STATE_TEMPORARY, 0);
	(void)close(dir);
	return r;
}

static bool file_is(const char *directory, const char *bytes, size_t len)
{
	size_t there = 0;
	int error;
	char *old = load_file(directory, &there, &error);
	bool same = old && there == len && memcmp(old, bytes, len) == 0;

	free(old);
	return same;
}

int state_save(const char *directory, const struct pins *pins)
{
	json_t *document = pins_to_json(pins);
	char *text;
	int r;

	/* It changes at every start of the hub; the pins do not. */
	(void)json_object_del(document, "revision");
	text = document ? json_text(document, JSON_INDENT(1)) : NULL;
	r = text ? 0 : -ENOMEM;

	json_decref(document);
	/* A card wears out by writing. */
	if (text && !file_is(directory, text, strlen(text)))
		r = replace_file(directory, text, strlen(text));
	free(text);
	return r;
}

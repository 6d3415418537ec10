#include "tests/crash_daemon/files.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_MAX_LEN 255
#define FILES 64

struct content {
	uint8_t *data;
	size_t len;
};

/* nftw() has no argument to hand on. */
static struct {
	size_t dir_len;
	char names[FILES][NAME_MAX_LEN + 1];
	size_t count;
} walk;

static bool ignored(const char *name)
{
	const char *dash = strrchr(name, '-');

	return dash && strcmp(dash, "-shm") == 0;
}

static int note(const char *path, const struct stat *st, int type,
		struct FTW *ftw)
{
	const char *name = path + walk.dir_len + 1;

	(void)st;
	(void)ftw;
	if (type != FTW_F || ignored(name))
		return 0;
	if (walk.count == FILES || strlen(name) > NAME_MAX_LEN)
		abort();
	(void)snprintf(walk.names[walk.count++], NAME_MAX_LEN + 1, "%s", name);
	return 0;
}

static void list(const char *dir)
{
	walk.count = 0;
	walk.dir_len = strlen(dir);
	if (nftw(dir, note, 8, FTW_PHYS))
		abort();
}

static void path_of(const char *dir, const char *name, char out[512])
{
	(void)snprintf(out, 512, "%s/%s", dir, name);
}

static struct content content_of(const char *dir, const char *name)
{
	struct content c = { 0 };
	struct stat st;
	char path[512];
	int fd;

	path_of(dir, name, path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st))
		abort();
	c.len = (size_t)st.st_size;
	c.data = malloc(c.len + 1);
	if (!c.data || read(fd, c.data, c.len) != (ssize_t)c.len)
		abort();
	close(fd);
	return c;
}

void files_record(const char *dir, struct record_log *log)
{
	list(dir);
	for (size_t i = 0; i < walk.count; i++) {
		struct content c = content_of(dir, walk.names[i]);

		record_log_add_file(log, walk.names[i], c.data, c.len);
		free(c.data);
	}
}

static void put(void *arg, const char *name, const uint8_t *data, size_t len)
{
	char path[512];
	int fd;

	path_of(arg, name, path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 || (len && write(fd, data, len) != (ssize_t)len))
		abort();
	close(fd);
}

static int remove_file(const char *path, const struct stat *st, int type,
		       struct FTW *ftw)
{
	(void)st;
	(void)ftw;
	return type == FTW_F ? remove(path) : 0;
}

/* Folders stay: none is made for anything that was promised. */
void files_put(const char *dir, const struct card *card)
{
	struct rng unused = { 0 };

	if (nftw(dir, remove_file, 8, FTW_PHYS))
		abort();
	card_image(card, CARD_KEPT, &unused, put, (char *)(uintptr_t)dir);
}

struct comparison {
	const char *dir;
	size_t found;
	bool equal;
};

static bool is_listed(const char *name)
{
	for (size_t i = 0; i < walk.count; i++)
		if (strcmp(walk.names[i], name) == 0)
			return true;
	return false;
}

static void compare(void *arg, const char *name, const uint8_t *data,
		    size_t len)
{
	struct comparison *c = arg;
	struct content content;

	if (!is_listed(name)) {
		printf("%s is on record, but not there\n", name);
		c->equal = false;
		return;
	}
	c->found++;
	content = content_of(c->dir, name);
	if (content.len != len ||
	    (len && memcmp(content.data, data, len) != 0)) {
		printf("%s has %zu bytes, on record are other %zu\n", name,
		       content.len, len);
		c->equal = false;
	}
	free(content.data);
}

bool files_equal(const char *dir, const struct card *card)
{
	struct comparison c = { .dir = dir, .equal = true };
	struct rng unused = { 0 };

	list(dir);
	card_image(card, CARD_KEPT, &unused, compare, &c);
	if (c.found != walk.count) {
		printf("%zu files are not on record\n", walk.count - c.found);
		c.equal = false;
	}
	return c.equal;
}

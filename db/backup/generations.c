#include "db/backup/generations.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "broker/base/clock.h"
#include "broker/base/log.h"
#include "db/backup/files.h"

#define PREFIX "backup-"
#define SUFFIX ".hearth"
#define NEW_FILE "backup.new"
#define NUMBER_MAX 999999

int generations_dir(int data, const char *path)
{
	int fd;

	if (!path)
		return files_open_dir(data, "backups");
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static bool parse(const char *name, struct generation *out)
{
	size_t len = strlen(name);
	char stamp[FILES_STAMP_SIZE];
	unsigned int number = 0;
	const char *p = name + strlen(PREFIX);

	if (len != strlen(PREFIX "000000-20261121T033000Z" SUFFIX) ||
	    strncmp(name, PREFIX, strlen(PREFIX)) != 0 ||
	    strcmp(name + len - strlen(SUFFIX), SUFFIX) != 0)
		return false;
	for (int i = 0; i < 6; i++, p++) {
		if (*p < '0' || *p > '9')
			return false;
		number = number * 10 + (unsigned int)(*p - '0');
	}
	if (*p++ != '-')
		return false;
	(void)snprintf(stamp, sizeof(stamp), "%.*s",
		       (int)(name + len - strlen(SUFFIX) - p), p);
	*out = (struct generation){ .number = number,
				    .time = files_stamp_parse(stamp) };
	(void)snprintf(out->name, sizeof(out->name), "%s", name);

	return out->time >= 0;
}

static int newest_first(const void *a, const void *b)
{
	const struct generation *x = a;
	const struct generation *y = b;

	return (x->number < y->number) - (x->number > y->number);
}

static bool size_of(int dir, struct generation *generation)
{
	struct stat st;

	if (fstatat(dir, generation->name, &st, AT_SYMLINK_NOFOLLOW) ||
	    !S_ISREG(st.st_mode))
		return false;
	generation->bytes = (uint64_t)st.st_size;
	return true;
}

/* When there are more than fit, the oldest stay out. */
static void insert(struct generation *out, size_t max, size_t *count,
		   const struct generation *one)
{
	size_t oldest = 0;

	if (*count < max) {
		out[(*count)++] = *one;
		return;
	}
	for (size_t i = 1; i < max; i++)
		if (out[i].number < out[oldest].number)
			oldest = i;
	if (one->number > out[oldest].number)
		out[oldest] = *one;
}

int generations_list(int dir, struct generation *out, size_t max)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *listing = fd < 0 ? NULL : fdopendir(fd);
	struct generation one;
	struct dirent *entry;
	size_t count = 0;
	int r = -errno;

	if (!listing) {
		if (fd >= 0)
			close(fd);
		return r;
	}
	/* The stream is ours alone. NOLINTNEXTLINE(concurrency-mt-unsafe) */
	while (max > 0 && (entry = readdir(listing)))
		if (parse(entry->d_name, &one) && size_of(dir, &one))
			insert(out, max, &count, &one);
	closedir(listing);
	qsort(out, count, sizeof(*out), newest_first);

	return (int)count;
}

/* In memory the caller frees. Returns their number or a negative errno. */
static int list_all(int dir, struct generation **out)
{
	int count;

	*out = calloc(GENERATIONS_MAX, sizeof(**out));
	if (!*out)
		return -ENOMEM;
	count = generations_list(dir, *out, GENERATIONS_MAX);
	if (count < 0)
		free(*out);

	return count;
}

int generations_open(int dir, unsigned int number)
{
	struct generation *list;
	int count = list_all(dir, &list);
	int fd = -ENOENT;

	if (count < 0)
		return count;
	for (int i = 0; i < count; i++) {
		if (list[i].number != number)
			continue;
		fd = openat(dir, list[i].name,
			    O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
		fd = fd < 0 ? -errno : fd;
		break;
	}
	free(list);

	return fd;
}

static void prune(int dir, unsigned int keep)
{
	struct generation *list;
	int count = list_all(dir, &list);

	if (count < 0)
		return;
	for (int i = count - 1; keep > 0 && i >= (int)keep; i--)
		if (unlinkat(dir, list[i].name, 0))
			log_warn("backup", "%s cannot be removed: %s",
				 list[i].name, strerrordesc_np(errno));
	free(list);
}

static int next_name(int dir, int64_t time, struct generation *out)
{
	struct generation newest = { 0 };
	char stamp[FILES_STAMP_SIZE];
	int count = generations_list(dir, &newest, 1);

	if (count < 0)
		return count;
	if (newest.number == NUMBER_MAX)
		return -EOVERFLOW;
	files_stamp(time, stamp);
	*out = (struct generation){ .number = newest.number + 1, .time = time };
	(void)snprintf(out->name, sizeof(out->name), PREFIX "%06u-%s" SUFFIX,
		       out->number, stamp);

	return 0;
}

/* The new one gets its name when all of it is on the disk. */
static int give_name(int dir, int fd, const struct archive_info *info,
		     struct generation *out)
{
	int r = next_name(dir, info->time, out);

	if (!r && (fsync(fd) || renameat(dir, NEW_FILE, dir, out->name) ||
		   fsync(dir)))
		r = -errno;
	if (!r && !size_of(dir, out))
		r = -EIO;

	return r;
}

int generations_make(int dir, const struct backup_source *source,
		     const struct backup_options *options, unsigned int keep,
		     struct generation *out, struct reason *reason)
{
	struct archive_info info;
	int fd = files_create(dir, NEW_FILE);
	int r;

	if (fd < 0)
		return fd;
	r = backup_create(source, options, fd, &info, reason);
	if (!r)
		r = give_name(dir, fd, &info, out);
	close(fd);
	if (r)
		(void)unlinkat(dir, NEW_FILE, 0);
	else
		prune(dir, keep);

	return r;
}

#include "db/backup/restore.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "db/backup/check.h"
#include "db/backup/files.h"

#define STAGE "restore-new"
#define READY "restore-ready"
#define NEW "new" /* within: what will be put in place */
#define TLS_LIST "restored-tls.txt"

/* Where the unpacking is. */
struct stage {
	const char *dir; /* the data directory */
	int fd; /* of STAGE */
	int new_fd; /* of NEW in it */
	int list_fd; /* of TLS_LIST, once there is one */
	struct archive_reader archive;
	struct restore_info *info;
	struct reason *reason;
};

static int database_of(enum archive_kind kind)
{
	switch (kind) {
	case ARCHIVE_CONFIG_DB:
		return DB_CONFIG;
	case ARCHIVE_STATE_DB:
		return DB_STATE;
	case ARCHIVE_HISTORY_DB:
		return DB_HISTORY;
	case ARCHIVE_GPIO_STATE:
	case ARCHIVE_HEARTH_CONF:
	case ARCHIVE_TLS:
	case ARCHIVE_KINDS:
		break;
	}
	return -1;
}

/* A line for people: what would be another line, or worse at a terminal, is
 * shown as a question mark. */
static int list_tls(struct stage *stage, const char *name, const char *label)
{
	char text[ARCHIVE_LABEL_MAX + 1];
	size_t i;

	if (stage->list_fd < 0)
		stage->list_fd = files_create(stage->fd, TLS_LIST);
	if (stage->list_fd < 0)
		return stage->list_fd;
	for (i = 0; label[i]; i++) {
		text[i] = label[i];
		if ((unsigned char)label[i] < ' ' || label[i] == 127)
			text[i] = '?';
	}
	text[i] = '\0';

	return dprintf(stage->list_fd, "%s %s\n", name, text) < 0 ? -errno : 0;
}

/* The file that an entry becomes, by its kind alone. */
static int make_file(struct stage *stage, const struct archive_entry *entry)
{
	char name[32];
	int r;

	switch (entry->kind) {
	case ARCHIVE_HEARTH_CONF:
		return files_create(stage->fd, "restored-hearth.conf");
	case ARCHIVE_TLS:
		(void)snprintf(name, sizeof(name), "restored-tls-%02u.pem",
			       stage->info->tls);
		r = list_tls(stage, name, entry->label);
		return r ? r : files_create(stage->fd, name);
	case ARCHIVE_CONFIG_DB:
	case ARCHIVE_STATE_DB:
	case ARCHIVE_HISTORY_DB:
	case ARCHIVE_GPIO_STATE:
	case ARCHIVE_KINDS:
		break;
	}

	return files_create(stage->new_fd, archive_kind_name(entry->kind));
}

static int check_space(const struct stage *stage, uint64_t bytes)
{
	uint64_t available;
	int r = files_space(stage->fd, bytes, &available);

	if (r == -ENOSPC)
		reason_set(stage->reason, r,
			   "it needs %llu MB of the disk, %llu MB are free",
			   (unsigned long long)((bytes + FILES_SPARE) >> 20),
			   (unsigned long long)(available >> 20));
	return r;
}

static int take_entry(struct stage *stage, const struct archive_entry *entry)
{
	int fd;
	int r = check_space(stage, entry->size);

	if (r)
		return r;
	stage->info->has[entry->kind] = true;
	stage->info->sizes[entry->kind] += entry->size;
	if (entry->kind == ARCHIVE_TLS)
		stage->info->tls++;
	fd = make_file(stage, entry);
	if (fd < 0)
		return fd;
	r = archive_take(&stage->archive, entry, fd, stage->reason);
	if (!r && fsync(fd))
		r = -errno;
	close(fd);

	return r;
}

/* only: a kind, or ARCHIVE_KINDS for all. */
static int unpack(struct stage *stage, struct seal_reader *reader,
		  enum archive_kind only)
{
	struct archive_entry entry;
	int r = archive_open(&stage->archive, reader, stage->reason);

	if (r)
		return r;
	stage->info->archive = stage->archive.info;
	while ((r = archive_next(&stage->archive, &entry, stage->reason)) > 0) {
		if (only == ARCHIVE_KINDS || only == entry.kind)
			r = take_entry(stage, &entry);
		else
			r = archive_take(&stage->archive, &entry, -1,
					 stage->reason);
		if (r)
			return r;
	}

	return r;
}

static int check_databases(const struct stage *stage)
{
	for (int kind = 0; kind < ARCHIVE_KINDS; kind++) {
		int file = database_of((enum archive_kind)kind);
		char *path;
		int r;

		if (file < 0 || !stage->info->has[kind])
			continue;
		if (asprintf(&path, "%s/" STAGE "/" NEW "/%s", stage->dir,
			     archive_kind_name((enum archive_kind)kind)) < 0)
			return -ENOMEM;
		r = check_restored(path, (enum db_file)file, stage->reason);
		free(path);
		if (r)
			return r;
	}

	return 0;
}

static int stage_open(struct stage *stage, int dir_fd)
{
	int r = files_remove_tree(dir_fd, STAGE);

	if (r)
		return r;
	stage->fd = files_open_dir(dir_fd, STAGE);
	if (stage->fd < 0)
		return stage->fd;
	stage->new_fd = files_open_dir(stage->fd, NEW);

	return stage->new_fd < 0 ? stage->new_fd : 0;
}

/* All of it on the disk, or r as it was. */
static int stage_close(struct stage *stage, int r)
{
	if (!r && stage->list_fd >= 0 && fsync(stage->list_fd))
		r = -errno;
	if (!r && (fsync(stage->new_fd) || fsync(stage->fd)))
		r = -errno;
	if (stage->list_fd >= 0)
		close(stage->list_fd);
	if (stage->new_fd >= 0)
		close(stage->new_fd);
	if (stage->fd >= 0)
		close(stage->fd);

	return r;
}

/* Into STAGE, checked. */
static int prepare(struct stage *stage, int dir_fd,
		   const struct restore_source *source, enum archive_kind only)
{
	struct seal_reader *reader;
	int fd = source->fd;
	int r;

	*stage->info = (struct restore_info){ 0 };
	r = seal_reader_new(seal_read_fd, &fd, source->passphrase, &reader,
			    stage->reason);
	if (r)
		return r;
	r = stage_open(stage, dir_fd);
	if (!r)
		r = unpack(stage, reader, only);
	if (!r)
		r = check_databases(stage);
	seal_reader_free(reader);

	return stage_close(stage, r);
}

int restore_commit(int dir_fd)
{
	int r;

	if (faccessat(dir_fd, STAGE, F_OK, AT_SYMLINK_NOFOLLOW))
		return -errno;
	r = files_remove_tree(dir_fd, READY);
	if (!r && (renameat(dir_fd, STAGE, dir_fd, READY) || fsync(dir_fd)))
		r = -errno;

	return r;
}

int restore_forget(int dir_fd)
{
	int r = files_remove_tree(dir_fd, STAGE);

	if (!r)
		r = files_remove_tree(dir_fd, READY);

	return !r && fsync(dir_fd) ? -errno : r;
}

int restore_stage(const char *dir, int dir_fd,
		  const struct restore_source *source,
		  struct restore_info *info, struct reason *reason)
{
	struct stage stage = { .dir = dir,
			       .fd = -1,
			       .new_fd = -1,
			       .list_fd = -1,
			       .info = info,
			       .reason = reason };
	int r = prepare(&stage, dir_fd, source, ARCHIVE_KINDS);

	if (r)
		(void)files_remove_tree(dir_fd, STAGE);

	return r;
}

int restore_one(const char *dir, int dir_fd,
		const struct restore_source *source, enum archive_kind kind,
		struct restore_info *info, struct reason *reason)
{
	struct stage stage = { .dir = dir,
			       .fd = -1,
			       .new_fd = -1,
			       .list_fd = -1,
			       .info = info,
			       .reason = reason };
	const char *name = archive_kind_name(kind);
	int r = prepare(&stage, dir_fd, source, kind);
	char from[64];

	if (!r && !info->has[kind])
		r = -ENOENT;
	(void)snprintf(from, sizeof(from), STAGE "/" NEW "/%s", name);
	if (!r && (renameat2(dir_fd, from, dir_fd, name, RENAME_NOREPLACE) ||
		   fsync(dir_fd)))
		r = -errno;
	(void)files_remove_tree(dir_fd, STAGE);

	return r;
}

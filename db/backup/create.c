#include "db/backup/create.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "broker/base/clock.h"
#include "broker/base/log.h"
#include "broker/wire/utf8.h"
#include "db/backup/files.h"
#include "db/backup/snapshot.h"

#define SNAPSHOT "snapshot"

/* What goes in, opened. */
struct part {
	struct archive_entry entry;
	int fd;
};

struct parts {
	struct part parts[ARCHIVE_ENTRIES_MAX];
	unsigned int count;
};

static const struct {
	enum db_file file;
	enum archive_kind kind;
} databases[] = {
	{ DB_CONFIG, ARCHIVE_CONFIG_DB },
	{ DB_STATE, ARCHIVE_STATE_DB },
	{ DB_HISTORY, ARCHIVE_HISTORY_DB },
};

static void close_parts(struct parts *parts)
{
	for (unsigned int i = 0; i < parts->count; i++)
		close(parts->parts[i].fd);
	free(parts);
}

/* fd is taken. */
static int add_part(struct parts *parts, enum archive_kind kind, int fd)
{
	struct part *part = &parts->parts[parts->count];
	struct stat st;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode) ||
	    (uint64_t)st.st_size > archive_size_max(kind)) {
		close(fd);
		return -EFBIG;
	}
	*part = (struct part){
		.entry = { .kind = kind, .size = (uint64_t)st.st_size },
		.fd = fd,
	};
	parts->count++;

	return 0;
}

/* The copy has no name once it is open: nothing is left of it whatever happens. */
static int add_database(struct parts *parts, struct snapshot *snapshot,
			size_t which, const struct backup_options *options,
			const char *dir, struct reason *reason)
{
	enum db_file file = databases[which].file;
	uint16_t schema;
	char *path;
	int fd = -1;
	int r;

	if (asprintf(&path, "%s/" SNAPSHOT "/%s", dir, db_file_name(file)) < 0)
		return -ENOMEM;
	r = snapshot_copy(snapshot, file, path, options->stop, &schema, reason);
	if (!r) {
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
		r = fd < 0 ? -errno : 0;
		(void)unlink(path);
	}
	free(path);
	if (!r)
		r = add_part(parts, databases[which].kind, fd);
	if (!r)
		parts->parts[parts->count - 1].entry.schema = schema;

	return r;
}

/* The largest and the one in use first to be let go of: state.db. */
static int add_databases(struct parts *parts, struct snapshot *snapshot,
			 const struct backup_source *source,
			 const struct backup_options *options,
			 struct reason *reason)
{
	size_t count = options->history ? 3 : 2;
	int r = 0;

	for (size_t i = 0; !r && i < count; i++)
		r = add_database(parts, snapshot, i, options,
				 db_dir(source->db), reason);

	return r;
}

static bool add_file(struct parts *parts, enum archive_kind kind, int dir,
		     const char *path)
{
	int fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int r = fd < 0 ? -errno : add_part(parts, kind, fd);

	if (r && (r != -ENOENT || kind != ARCHIVE_GPIO_STATE))
		log_warn("backup", "%s is left out: %s", path,
			 strerrordesc_np(-r));
	return !r;
}

static void label_part(struct parts *parts, const char *path)
{
	char *label = parts->parts[parts->count - 1].entry.label;

	if (strlen(path) > ARCHIVE_LABEL_MAX || !utf8_valid(slice_str(path)))
		path = "?";
	(void)snprintf(label, ARCHIVE_LABEL_MAX + 1, "%s", path);
}

static void add_files(struct parts *parts, const struct backup_source *source)
{
	size_t count = source->tls_count;

	add_file(parts, ARCHIVE_GPIO_STATE, db_dir_fd(source->db),
		 "gpio.state");
	if (source->conf &&
	    add_file(parts, ARCHIVE_HEARTH_CONF, AT_FDCWD, source->conf))
		label_part(parts, source->conf);
	if (count > ARCHIVE_TLS_MAX)
		count = ARCHIVE_TLS_MAX;
	for (size_t i = 0; i < count; i++)
		if (add_file(parts, ARCHIVE_TLS, AT_FDCWD, source->tls[i]))
			label_part(parts, source->tls[i]);
}

static int write_archive(const struct parts *parts, const char *passphrase,
			 int fd, const struct archive_info *info)
{
	struct seal_writer *writer = seal_writer_new(fd, passphrase);
	int r;

	if (!writer)
		return -errno;
	r = archive_write_info(writer, info);
	for (unsigned int i = 0; !r && i < parts->count; i++)
		r = archive_write_entry(writer, &parts->parts[i].entry,
					parts->parts[i].fd);
	if (!r)
		r = seal_writer_end(writer);
	seal_writer_free(writer);

	return r;
}

static int check_space(const struct backup_source *source,
		       const struct snapshot *snapshot, struct reason *reason)
{
	uint64_t bytes = 2 * snapshot_bytes(snapshot);
	uint64_t available;
	int r = files_space(db_dir_fd(source->db), bytes, &available);

	if (r == -ENOSPC)
		reason_set(reason, r,
			   "it needs %llu MB of the disk for a while, %llu MB"
			   " are free",
			   (unsigned long long)((bytes + FILES_SPARE) >> 20),
			   (unsigned long long)(available >> 20));
	return r;
}

static int collect(struct parts *parts, const struct backup_source *source,
		   const struct backup_options *options,
		   struct archive_info *info, struct reason *reason)
{
	struct snapshot *snapshot;
	int r = snapshot_pin(source->db, options->history, &snapshot);

	if (r)
		return r;
	info->time = clock_wall_ms();
	r = check_space(source, snapshot, reason);
	if (!r)
		r = add_databases(parts, snapshot, source, options, reason);
	snapshot_free(snapshot);
	if (!r)
		add_files(parts, source);

	return r;
}

static int make_snapshot_dir(int dir)
{
	int r = files_remove_tree(dir, SNAPSHOT);
	int fd;

	if (r)
		return r;
	fd = files_open_dir(dir, SNAPSHOT);
	if (fd < 0)
		return fd;
	close(fd);

	return 0;
}

static bool passphrase_fits(const char *passphrase)
{
	size_t len = passphrase ? strlen(passphrase) : SEAL_PASSPHRASE_MIN;

	return len >= SEAL_PASSPHRASE_MIN && len <= SEAL_PASSPHRASE_MAX;
}

int backup_create(const struct backup_source *source,
		  const struct backup_options *options, int fd,
		  struct archive_info *info, struct reason *reason)
{
	int dir = db_dir_fd(source->db);
	struct parts *parts;
	int r;

	if (!passphrase_fits(options->passphrase))
		return reason_set(reason, -EINVAL,
				  "a passphrase has %d to %d bytes",
				  SEAL_PASSPHRASE_MIN, SEAL_PASSPHRASE_MAX);
	parts = calloc(1, sizeof(*parts));
	if (!parts)
		return -ENOMEM;
	*info = (struct archive_info){ 0 };
	(void)snprintf(info->version, sizeof(info->version), "%s",
		       HEARTH_VERSION);
	(void)snprintf(info->node, sizeof(info->node), "%s", source->node);
	r = make_snapshot_dir(dir);
	if (!r)
		r = collect(parts, source, options, info, reason);
	info->entries = parts->count;
	if (!r)
		r = write_archive(parts, options->passphrase, fd, info);
	close_parts(parts);
	(void)files_remove_tree(dir, SNAPSHOT);

	return r;
}

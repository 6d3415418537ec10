#include "tests/crash_daemon/record_log.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

struct record_log {
	int fd;
	off_t at;
	uint8_t *data;
	size_t cap;
};

struct record_log *record_log_open(const char *path, bool make)
{
	struct record_log *log = calloc(1, sizeof(*log));

	if (!log)
		abort();
	log->fd = open(path,
		       make ? O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC
			    : O_RDONLY | O_CLOEXEC,
		       0600);
	if (log->fd < 0) {
		free(log);
		return NULL;
	}
	return log;
}

void record_log_close(struct record_log *log)
{
	if (!log)
		return;
	close(log->fd);
	free(log->data);
	free(log);
}

static bool read_at(const struct record_log *log, off_t at, void *to,
		    size_t len)
{
	return pread(log->fd, to, len, at) == (ssize_t)len;
}

static void make_room(struct record_log *log, size_t len)
{
	if (len <= log->cap)
		return;
	log->cap = len * 2;
	log->data = realloc(log->data, log->cap);
	if (!log->data)
		abort();
}

bool record_log_next(struct record_log *log, struct record_read *out)
{
	struct record_head head;
	off_t at = log->at;

	if (!read_at(log, at, &head, sizeof(head)))
		return false;
	at += (off_t)sizeof(head);
	make_room(log, head.data_len + 1);
	if (!read_at(log, at, out->name, head.name_len) ||
	    !read_at(log, at + head.name_len, out->to, head.to_len) ||
	    !read_at(log, at + head.name_len + head.to_len, log->data,
		     head.data_len))
		return false;
	out->name[head.name_len] = '\0';
	out->to[head.to_len] = '\0';
	out->type = (enum record_type)head.type;
	out->fd = head.fd;
	out->at = head.at;
	out->now = head.now;
	out->data = log->data;
	out->len = head.data_len;
	log->at = at + head.name_len + head.to_len + (off_t)head.data_len;
	return true;
}

/* In one piece, as what it is of writes at the same time. */
static void add(struct record_log *log, const struct record_head *head,
		const char *name, const uint8_t *data)
{
	struct record_head whole = *head;
	struct iovec parts[3] = { { .iov_base = &whole,
				    .iov_len = sizeof(whole) } };

	whole.name_len = name ? (uint8_t)strlen(name) : 0;
	parts[1].iov_base = (void *)(uintptr_t)name;
	parts[1].iov_len = whole.name_len;
	parts[2].iov_base = (void *)(uintptr_t)data;
	parts[2].iov_len = whole.data_len;
	if (writev(log->fd, parts, 3) !=
	    (ssize_t)(sizeof(whole) + whole.name_len + whole.data_len))
		abort();
}

void record_log_mend(struct record_log *log)
{
	static struct record_read record;

	while (record_log_next(log, &record))
		;
	if (ftruncate(log->fd, log->at) < 0)
		abort();
}

void record_log_add(struct record_log *log, enum record_type type, uint64_t at)
{
	const struct record_head head = { .type = (uint8_t)type, .at = at };

	add(log, &head, NULL, NULL);
}

void record_log_add_file(struct record_log *log, const char *name,
			 const uint8_t *data, size_t len)
{
	const char *slash = strrchr(name, '/');
	char dir[256] = "";

	if (slash)
		memcpy(dir, name, (size_t)(slash - name));
	add(log, &(struct record_head){ .type = RECORD_CREATE }, name, NULL);
	if (len)
		add(log,
		    &(struct record_head){ .type = RECORD_WRITE,
					   .data_len = (uint32_t)len },
		    name, data);
	add(log, &(struct record_head){ .type = RECORD_SYNC }, name, NULL);
	add(log, &(struct record_head){ .type = RECORD_SYNC_NAMES }, dir, NULL);
}

static bool disk_type(enum record_type type, enum disk_op_type *out)
{
	switch ((int)type) {
	case RECORD_CREATE:
		*out = DISK_CREATE;
		return true;
	case RECORD_DELETE:
		*out = DISK_DELETE;
		return true;
	case RECORD_RENAME:
		*out = DISK_RENAME;
		return true;
	case RECORD_LINK:
		*out = DISK_LINK;
		return true;
	case RECORD_WRITE:
		*out = DISK_WRITE;
		return true;
	case RECORD_TRUNCATE:
		*out = DISK_TRUNCATE;
		return true;
	case RECORD_SYNC:
		*out = DISK_SYNC;
		return true;
	case RECORD_SYNC_NAMES:
		*out = DISK_SYNC_NAMES;
		return true;
	default:
		return false;
	}
}

bool record_log_disk_op(const struct record_read *record, struct disk_op *out)
{
	if (!disk_type(record->type, &out->type))
		return false;
	out->name = record->name;
	out->to = record->to[0] ? record->to : NULL;
	out->at = record->at;
	out->len = record->len;
	out->data = record->data;
	return true;
}

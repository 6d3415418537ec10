/*
 * What is in a backup: a manifest, then entries of a fixed set in a fixed order,
 * within a sealed stream (seal.h). No entry says where it goes: that is for who
 * restores to know, from its kind. The label of a TLS file is told to people only.
 *
 *	manifest	1 format (1), 8 time, 1+n version, 1+n node, 1 entries
 *	entry		1 kind, 2 schema, 2+n label, 8 size, size bytes,
 *			32 their SHA-256
 *
 * Kinds come in the order of the enum, each at most once, but for TLS files.
 */
#ifndef DB_BACKUP_ARCHIVE_H
#define DB_BACKUP_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "db/backup/seal.h"

enum archive_kind {
	ARCHIVE_CONFIG_DB, /* the only one that must be there */
	ARCHIVE_STATE_DB,
	ARCHIVE_HISTORY_DB,
	ARCHIVE_GPIO_STATE,
	ARCHIVE_HEARTH_CONF,
	ARCHIVE_TLS,
	ARCHIVE_KINDS
};

#define ARCHIVE_VERSION_MAX 31 /* bytes of text */
#define ARCHIVE_NODE_MAX 64
#define ARCHIVE_LABEL_MAX 255 /* longer paths are shortened by their writer */
#define ARCHIVE_TLS_MAX 64 /* certificates, keys and lists of 16 listeners */
#define ARCHIVE_ENTRIES_MAX (ARCHIVE_KINDS - 1 + ARCHIVE_TLS_MAX)

/* The largest entry of a kind: what its owner lets it grow to, or more. */
uint64_t archive_size_max(enum archive_kind kind);
/* "config.db" and so on; "tls". */
const char *archive_kind_name(enum archive_kind kind);

struct archive_info {
	int64_t time; /* when it was made, ms since 1970 UTC */
	char version[ARCHIVE_VERSION_MAX + 1]; /* of the hearth that made it */
	char node[ARCHIVE_NODE_MAX + 1];
	unsigned int entries;
};

struct archive_entry {
	enum archive_kind kind;
	uint16_t schema; /* of a database */
	char label[ARCHIVE_LABEL_MAX + 1];
	uint64_t size;
};

/* info and entries must be within the limits above (asserted). */
int archive_write_info(struct seal_writer *writer,
		       const struct archive_info *info);
/*
 * entry->size bytes of fd, from where it stands. Returns 0; -EBADMSG when there
 * are fewer (the file has shrunk meanwhile); or a negative errno.
 */
int archive_write_entry(struct seal_writer *writer,
			const struct archive_entry *entry, int fd);

struct archive_reader {
	struct seal_reader *reader;
	struct archive_info info;
	unsigned int read; /* entries begun */
	unsigned int tls;
	int kind; /* of the last; -1 */
};

/* reader is borrowed. Errors as in reason.h, for all that follow. */
int archive_open(struct archive_reader *archive, struct seal_reader *reader,
		 struct reason *reason);
/* 1: the next entry, whose bytes must be taken by archive_take(); 0: that was
 * all, and the whole stream is as it was written. */
int archive_next(struct archive_reader *archive, struct archive_entry *entry,
		 struct reason *reason);
/* The entry's bytes to fd, negative: nowhere; checked against their digest. */
int archive_take(struct archive_reader *archive,
		 const struct archive_entry *entry, int fd,
		 struct reason *reason);

#endif

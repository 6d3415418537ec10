#include "db/backup/archive.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <openssl/evp.h>
#include <string.h>
#include <unistd.h>

#include "broker/wire/utf8.h"

#define FORMAT 1
#define DIGEST 32
#define BLOCK 16384

static const struct {
	const char *name;
	uint64_t max;
} kinds[ARCHIVE_KINDS] = {
	[ARCHIVE_CONFIG_DB] = { "config.db", UINT64_C(1) << 28 },
	[ARCHIVE_STATE_DB] = { "state.db", UINT64_C(1) << 32 },
	[ARCHIVE_HISTORY_DB] = { "history.db", UINT64_C(1) << 36 },
	[ARCHIVE_GPIO_STATE] = { "gpio.state", 1 << 20 },
	[ARCHIVE_HEARTH_CONF] = { "hearth.conf", 1 << 20 },
	[ARCHIVE_TLS] = { "tls", 4 << 20 },
};

uint64_t archive_size_max(enum archive_kind kind)
{
	return kinds[kind].max;
}

const char *archive_kind_name(enum archive_kind kind)
{
	return kinds[kind].name;
}

/* ---- writing ------------------------------------------------------------ */

static int write_text(struct seal_writer *writer, const char *text, size_t max)
{
	uint8_t len = (uint8_t)strlen(text);
	int r;

	assert(strlen(text) <= max && max <= 255);
	r = seal_write(writer, &len, 1);
	return r ? r : seal_write(writer, text, len);
}

int archive_write_info(struct seal_writer *writer,
		       const struct archive_info *info)
{
	uint8_t count = (uint8_t)info->entries;
	uint8_t head[9] = { FORMAT };
	uint64_t time = htobe64((uint64_t)info->time);
	int r;

	assert(info->entries <= ARCHIVE_ENTRIES_MAX);
	memcpy(head + 1, &time, sizeof(time));
	r = seal_write(writer, head, sizeof(head));
	if (!r)
		r = write_text(writer, info->version, ARCHIVE_VERSION_MAX);
	if (!r)
		r = write_text(writer, info->node, ARCHIVE_NODE_MAX);
	return r ? r : seal_write(writer, &count, 1);
}

static int write_entry_head(struct seal_writer *writer,
			    const struct archive_entry *entry)
{
	uint8_t head[3] = { (uint8_t)entry->kind };
	uint16_t schema = htobe16(entry->schema);
	uint64_t size = htobe64(entry->size);
	int r;

	assert(entry->kind < ARCHIVE_KINDS);
	assert(entry->size <= kinds[entry->kind].max);
	memcpy(head + 1, &schema, sizeof(schema));
	r = seal_write(writer, head, sizeof(head));
	if (!r)
		r = write_text(writer, entry->label, ARCHIVE_LABEL_MAX);
	return r ? r : seal_write(writer, &size, sizeof(size));
}

static int copy_in(struct seal_writer *writer, uint64_t size, int fd,
		   EVP_MD_CTX *sha)
{
	uint8_t block[BLOCK];

	while (size > 0) {
		size_t want = size < BLOCK ? (size_t)size : BLOCK;
		ssize_t n = seal_read_fd(&fd, block, want);
		int r;

		if (n <= 0)
			return n < 0 ? (int)n : -EBADMSG;
		if (EVP_DigestUpdate(sha, block, (size_t)n) != 1)
			return -ENOMEM;
		r = seal_write(writer, block, (size_t)n);
		if (r)
			return r;
		size -= (uint64_t)n;
	}
	return 0;
}

/* A digest that begins; NULL when out of memory. */
static EVP_MD_CTX *sha_new(void)
{
	EVP_MD_CTX *sha = EVP_MD_CTX_new();

	if (sha && EVP_DigestInit_ex(sha, EVP_sha256(), NULL) != 1) {
		EVP_MD_CTX_free(sha);
		return NULL;
	}
	return sha;
}

int archive_write_entry(struct seal_writer *writer,
			const struct archive_entry *entry, int fd)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	EVP_MD_CTX *sha = sha_new();
	int r;

	if (!sha)
		return -ENOMEM;
	r = write_entry_head(writer, entry);
	if (!r)
		r = copy_in(writer, entry->size, fd, sha);
	if (!r && EVP_DigestFinal_ex(sha, digest, NULL) != 1)
		r = -ENOMEM;
	if (!r)
		r = seal_write(writer, digest, DIGEST);
	EVP_MD_CTX_free(sha);

	return r;
}

/* ---- reading ------------------------------------------------------------ */

static int wrong(struct reason *reason)
{
	return reason_set(reason, -EBADMSG,
			  "its contents are not what hearth"
			  " writes");
}

static int read_text(struct archive_reader *archive, char *out, size_t max,
		     struct reason *reason)
{
	uint8_t len;
	int r = seal_read(archive->reader, &len, 1, reason);

	if (r)
		return r;
	if (len > max)
		return wrong(reason);
	r = seal_read(archive->reader, out, len, reason);
	if (r)
		return r;
	out[len] = '\0';
	return utf8_valid(slice_of(out, len)) ? 0 : wrong(reason);
}

int archive_open(struct archive_reader *archive, struct seal_reader *reader,
		 struct reason *reason)
{
	struct archive_info *info = &archive->info;
	uint8_t head[9];
	uint64_t time;
	uint8_t count;
	int r;

	*archive = (struct archive_reader){ .reader = reader, .kind = -1 };
	r = seal_read(reader, head, sizeof(head), reason);
	if (r)
		return r;
	if (head[0] != FORMAT)
		return reason_set(reason, -ENOTSUP,
				  "it was written by a newer hearth"
				  " (contents %u, this one knows %d)",
				  head[0], FORMAT);
	memcpy(&time, head + 1, sizeof(time));
	info->time = (int64_t)be64toh(time);
	r = read_text(archive, info->version, ARCHIVE_VERSION_MAX, reason);
	if (!r)
		r = read_text(archive, info->node, ARCHIVE_NODE_MAX, reason);
	if (!r)
		r = seal_read(reader, &count, 1, reason);
	if (r)
		return r;
	if (count == 0 || count > ARCHIVE_ENTRIES_MAX)
		return wrong(reason);
	info->entries = count;

	return 0;
}

/* In order, each once; the first is config.db. */
static bool in_order(struct archive_reader *archive, int kind)
{
	if (kind >= ARCHIVE_KINDS)
		return false;
	if (archive->kind < 0)
		return kind == ARCHIVE_CONFIG_DB;
	if (kind == ARCHIVE_TLS && ++archive->tls > ARCHIVE_TLS_MAX)
		return false;
	return kind > archive->kind ||
	       (kind == ARCHIVE_TLS && archive->kind == ARCHIVE_TLS);
}

int archive_next(struct archive_reader *archive, struct archive_entry *entry,
		 struct reason *reason)
{
	uint8_t head[3];
	uint16_t schema;
	uint64_t size;
	int r;

	if (archive->read == archive->info.entries)
		return seal_reader_end(archive->reader, reason);
	r = seal_read(archive->reader, head, sizeof(head), reason);
	if (!r)
		r = read_text(archive, entry->label, ARCHIVE_LABEL_MAX, reason);
	if (!r)
		r = seal_read(archive->reader, &size, sizeof(size), reason);
	if (r)
		return r;
	memcpy(&schema, head + 1, sizeof(schema));
	if (!in_order(archive, head[0]))
		return wrong(reason);
	entry->kind = (enum archive_kind)head[0];
	entry->schema = be16toh(schema);
	entry->size = be64toh(size);
	if (entry->size > kinds[entry->kind].max)
		return wrong(reason);
	archive->kind = head[0];
	archive->read++;

	return 1;
}

static int write_out(int fd, const uint8_t *bytes, size_t len)
{
	while (fd >= 0 && len > 0) {
		ssize_t n = write(fd, bytes, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		bytes += n;
		len -= (size_t)n;
	}
	return 0;
}

static int copy_out(struct archive_reader *archive, uint64_t size, int fd,
		    EVP_MD_CTX *sha, struct reason *reason)
{
	uint8_t block[BLOCK];

	while (size > 0) {
		size_t n = size < BLOCK ? (size_t)size : BLOCK;
		int r = seal_read(archive->reader, block, n, reason);

		if (!r && EVP_DigestUpdate(sha, block, n) != 1)
			r = -ENOMEM;
		if (!r)
			r = write_out(fd, block, n);
		if (r)
			return r;
		size -= n;
	}
	return 0;
}

int archive_take(struct archive_reader *archive,
		 const struct archive_entry *entry, int fd,
		 struct reason *reason)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	uint8_t given[DIGEST];
	EVP_MD_CTX *sha = sha_new();
	int r;

	if (!sha)
		return -ENOMEM;
	r = copy_out(archive, entry->size, fd, sha, reason);
	if (!r)
		r = seal_read(archive->reader, given, DIGEST, reason);
	if (!r && EVP_DigestFinal_ex(sha, digest, NULL) != 1)
		r = -ENOMEM;
	EVP_MD_CTX_free(sha);
	if (!r && memcmp(given, digest, DIGEST) != 0)
		r = reason_set(reason, -EBADMSG, "%s in it is damaged",
			       kinds[entry->kind].name);
	return r;
}

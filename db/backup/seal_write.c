/* Writing: seal.h's seal_writer_...(). */
#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "db/backup/seal.h"
#include "db/backup/seal_format.h"

/* On a card of 20 MB/s a fifth of a second. */
#define SYNC_BYTES ((size_t)4 * 1024 * 1024)

struct seal_writer {
	struct seal_cipher *cipher;
	int fd;
	int error; /* sticks */
	size_t unsynced;
	size_t len; /* of the data in chunk */
	uint8_t chunk[4 + SEAL_CHUNK + SEAL_TAG];
};

static uint8_t cost_log_n = SEAL_LOG_N;

void seal_set_cost(unsigned int log_n)
{
	assert(log_n >= 1 && log_n <= SEAL_LOG_N_MAX);
	cost_log_n = (uint8_t)log_n;
}

static int write_all(struct seal_writer *writer, const uint8_t *bytes,
		     size_t len)
{
	while (len > 0) {
		ssize_t n = write(writer->fd, bytes, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		bytes += n;
		len -= (size_t)n;
		writer->unsynced += (size_t)n;
	}
	return 0;
}

static int sync_file(struct seal_writer *writer)
{
	writer->unsynced = 0;
	/* A pipe has nothing to be synced. */
	return fdatasync(writer->fd) && errno != EINVAL ? -errno : 0;
}

static int make_head(uint8_t head[SEAL_HEAD], bool encrypted)
{
	static const char magic[8] = SEAL_MAGIC;

	memset(head, 0, SEAL_HEAD);
	memcpy(head, magic, sizeof(magic));
	head[SEAL_AT_VERSION + 1] = SEAL_VERSION;
	if (encrypted) {
		head[SEAL_AT_MODE] = SEAL_ENCRYPTED;
		head[SEAL_AT_COST] = cost_log_n;
		head[SEAL_AT_COST + 1] = SEAL_R;
		head[SEAL_AT_COST + 2] = SEAL_P;
	}
	return getentropy(head + SEAL_AT_SALT, SEAL_SALT) ? -EIO : 0;
}

struct seal_writer *seal_writer_new(int fd, const char *passphrase)
{
	struct seal_writer *writer = malloc(sizeof(*writer));
	uint8_t head[SEAL_HEAD];
	int r;

	if (!writer)
		return NULL;
	writer->cipher = NULL;
	writer->fd = fd;
	writer->error = 0;
	writer->unsynced = 0;
	writer->len = 0;
	r = make_head(head, passphrase != NULL);
	if (!r) {
		writer->cipher = seal_cipher_new(head, passphrase);
		r = writer->cipher ? write_all(writer, head, SEAL_HEAD)
				   : -errno;
	}
	if (r) {
		seal_writer_free(writer);
		errno = -r;
		return NULL;
	}
	return writer;
}

void seal_writer_free(struct seal_writer *writer)
{
	if (!writer)
		return;
	seal_cipher_free(writer->cipher);
	explicit_bzero(writer->chunk, sizeof(writer->chunk));
	free(writer);
}

static int write_chunk(struct seal_writer *writer, bool last)
{
	uint32_t prefix =
		htobe32((uint32_t)writer->len | (last ? SEAL_LAST : 0));
	uint8_t *data = writer->chunk + 4;
	int r;

	memcpy(writer->chunk, &prefix, 4);
	r = seal_cipher_seal(writer->cipher, writer->chunk, data, writer->len,
			     data + writer->len);
	if (!r)
		r = write_all(writer, writer->chunk,
			      4 + writer->len + SEAL_TAG);
	if (!r && (last || writer->unsynced >= SYNC_BYTES))
		r = sync_file(writer);
	writer->len = 0;
	writer->error = r;

	return r;
}

int seal_write(struct seal_writer *writer, const void *bytes, size_t len)
{
	const uint8_t *at = bytes;

	while (!writer->error && len > 0) {
		size_t n = SEAL_CHUNK - writer->len;

		/* A full one waits: it may be the last. */
		if (n == 0) {
			write_chunk(writer, false);
			continue;
		}
		if (n > len)
			n = len;
		memcpy(writer->chunk + 4 + writer->len, at, n);
		writer->len += n;
		at += n;
		len -= n;
	}
	return writer->error;
}

int seal_writer_end(struct seal_writer *writer)
{
	return writer->error ? writer->error : write_chunk(writer, true);
}

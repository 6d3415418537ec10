/* Reading: seal.h's seal_reader_...(). */
#include <endian.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <unistd.h>

#include "db/backup/seal.h"
#include "db/backup/seal_format.h"

struct seal_reader {
	seal_read_fn *read;
	void *arg;
	struct seal_cipher *cipher;
	bool last; /* chunk is the last one */
	unsigned long long number; /* of chunk, from 1 */
	size_t at; /* what was given out of it */
	size_t len;
	uint8_t chunk[SEAL_CHUNK + SEAL_TAG];
};

ssize_t seal_read_fd(void *arg, void *buffer, size_t size)
{
	const int *fd = arg;
	ssize_t n;

	do {
		n = read(*fd, buffer, size);
	} while (n < 0 && errno == EINTR);

	return n < 0 ? -errno : n;
}

/* As many as there are. */
static ssize_t read_up_to(struct seal_reader *reader, uint8_t *out, size_t size)
{
	size_t len = 0;

	while (len < size) {
		ssize_t n = reader->read(reader->arg, out + len, size - len);

		if (n < 0)
			return n;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	return (ssize_t)len;
}

static int check_cost(const uint8_t head[SEAL_HEAD])
{
	const uint8_t *cost = head + SEAL_AT_COST;

	if (head[SEAL_AT_MODE] == SEAL_PLAIN)
		return cost[0] || cost[1] || cost[2] ? -EBADMSG : 0;
	if (head[SEAL_AT_MODE] != SEAL_ENCRYPTED)
		return -ENOTSUP;
	return cost[0] < 1 || cost[0] > SEAL_LOG_N_MAX || cost[1] < 1 ||
			       cost[1] > SEAL_R_MAX || cost[2] < 1 ||
			       cost[2] > SEAL_P_MAX
		       ? -ENOTSUP
		       : 0;
}

static int check_head(const uint8_t *head, size_t len, struct reason *reason)
{
	uint8_t digest[SEAL_TAG];
	unsigned int version;
	int r;

	if (len < 8 || memcmp(head, SEAL_MAGIC, 8) != 0)
		return reason_set(reason, -EILSEQ,
				  "this is no backup of hearth");
	if (len < SEAL_HEAD)
		return reason_set(reason, -EBADMSG,
				  "it is cut off within its head");
	version = (unsigned int)head[SEAL_AT_VERSION] << 8 |
		  head[SEAL_AT_VERSION + 1];
	r = seal_head_digest(head, digest);
	if (r)
		return r;
	/* A newer format may have another head. */
	if (version <= SEAL_VERSION &&
	    memcmp(digest, head + SEAL_AT_DIGEST, SEAL_TAG) != 0)
		return reason_set(reason, -EBADMSG, "its head is damaged");
	if (version != SEAL_VERSION || check_cost(head) == -ENOTSUP)
		return reason_set(reason, -ENOTSUP,
				  "it was written by a newer hearth (format %u,"
				  " this one knows %d)",
				  version, SEAL_VERSION);
	return check_cost(head)
		       ? reason_set(reason, -EBADMSG, "its head is damaged")
		       : 0;
}

int seal_probe(const void *bytes, size_t len, bool *encrypted,
	       struct reason *reason)
{
	const uint8_t *head = bytes;
	int r = check_head(head, len, reason);

	if (!r)
		*encrypted = head[SEAL_AT_MODE] == SEAL_ENCRYPTED;
	return r;
}

static int read_head(struct seal_reader *reader, const char *passphrase,
		     struct reason *reason)
{
	uint8_t head[SEAL_HEAD];
	ssize_t n = read_up_to(reader, head, sizeof(head));
	int r;

	if (n < 0)
		return (int)n;
	r = check_head(head, (size_t)n, reason);
	if (r)
		return r;
	if (head[SEAL_AT_MODE] == SEAL_ENCRYPTED && !passphrase)
		return reason_set(reason, -ENOKEY,
				  "it is encrypted: a passphrase is needed");
	reader->cipher = seal_cipher_open(head, passphrase);
	if (!reader->cipher && errno == EKEYREJECTED)
		return reason_set(reason, -EKEYREJECTED,
				  "the passphrase is wrong");
	return reader->cipher ? 0 : -errno;
}

int seal_reader_new(seal_read_fn *read, void *arg, const char *passphrase,
		    struct seal_reader **out, struct reason *reason)
{
	struct seal_reader *reader = malloc(sizeof(*reader));
	int r;

	*out = NULL;
	if (!reader)
		return -ENOMEM;
	reader->read = read;
	reader->arg = arg;
	reader->cipher = NULL;
	reader->last = false;
	reader->number = 0;
	reader->at = 0;
	reader->len = 0;
	r = read_head(reader, passphrase, reason);
	if (r) {
		seal_reader_free(reader);
		return r;
	}
	*out = reader;

	return 0;
}

void seal_reader_free(struct seal_reader *reader)
{
	if (!reader)
		return;
	seal_cipher_free(reader->cipher);
	explicit_bzero(reader->chunk, sizeof(reader->chunk));
	free(reader);
}

static int cut_off(const struct seal_reader *reader, struct reason *reason)
{
	return reason_set(reason, -EBADMSG, "it is cut off in chunk %llu",
			  reader->number);
}

static int next_chunk(struct seal_reader *reader, struct reason *reason)
{
	uint8_t prefix[4];
	uint32_t value;
	ssize_t n;
	int r;

	if (reader->last)
		return reason_set(reason, -EBADMSG,
				  "it ends before its contents do");
	reader->number++;
	n = read_up_to(reader, prefix, sizeof(prefix));
	if (n < 0)
		return (int)n;
	if (n < (ssize_t)sizeof(prefix))
		return cut_off(reader, reason);
	memcpy(&value, prefix, sizeof(value));
	value = be32toh(value);
	reader->last = value & SEAL_LAST;
	reader->len = value & ~SEAL_LAST;
	reader->at = 0;
	if (reader->len > SEAL_CHUNK ||
	    (!reader->last && reader->len != SEAL_CHUNK))
		goto damaged;
	n = read_up_to(reader, reader->chunk, reader->len + SEAL_TAG);
	if (n < 0)
		return (int)n;
	if ((size_t)n < reader->len + SEAL_TAG)
		return cut_off(reader, reason);
	r = seal_cipher_unseal(reader->cipher, prefix, reader->chunk,
			       reader->len, reader->chunk + reader->len);
	if (r != -EBADMSG)
		return r;

damaged:
	reader->len = 0;
	return reason_set(reason, -EBADMSG, "chunk %llu is damaged",
			  reader->number);
}

int seal_read(struct seal_reader *reader, void *bytes, size_t len,
	      struct reason *reason)
{
	uint8_t *out = bytes;

	while (len > 0) {
		size_t n = reader->len - reader->at;
		int r;

		if (n == 0) {
			r = next_chunk(reader, reason);
			if (r)
				return r;
			continue;
		}
		if (n > len)
			n = len;
		memcpy(out, reader->chunk + reader->at, n);
		reader->at += n;
		out += n;
		len -= n;
	}
	return 0;
}

int seal_reader_end(struct seal_reader *reader, struct reason *reason)
{
	uint8_t byte;
	ssize_t n;
	int r;

	if (reader->at == reader->len && !reader->last) {
		r = next_chunk(reader, reason);
		if (r)
			return r;
	}
	if (reader->at < reader->len || !reader->last)
		return reason_set(reason, -EBADMSG,
				  "it goes on after its contents");
	n = read_up_to(reader, &byte, 1);
	if (n < 0)
		return (int)n;
	return n ? reason_set(reason, -EBADMSG, "it goes on after its end") : 0;
}

/*
 * A backup as a stranger hands it over: read to the end or refused with a reason,
 * within a chunk's memory. The bytes are taken twice: as a file, and as the
 * contents of a well sealed one, for what lies behind the digests.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "db/backup/archive.h"
#include "tests/fuzz/fuzz.h"

#define PASSPHRASE "correct horse"

struct stream {
	const uint8_t *bytes;
	size_t len;
};

static ssize_t read_stream(void *arg, void *buffer, size_t size)
{
	struct stream *stream = arg;
	size_t n = stream->len < size ? stream->len : size;

	memcpy(buffer, stream->bytes, n);
	stream->bytes += n;
	stream->len -= n;
	return (ssize_t)n;
}

/* Only these come back, each with words. */
static void check_error(int error, const struct reason *reason)
{
	assert(error == -EILSEQ || error == -ENOTSUP || error == -ENOKEY ||
	       error == -EKEYREJECTED || error == -EBADMSG);
	assert(reason->text[0]);
	assert(strlen(reason->text) < sizeof(reason->text));
}

static int read_archive(struct seal_reader *reader, struct reason *reason)
{
	struct archive_reader archive;
	struct archive_entry entry;
	unsigned int count = 0;
	int kind = 0;
	int r = archive_open(&archive, reader, reason);

	if (r)
		return r;
	while ((r = archive_next(&archive, &entry, reason)) > 0) {
		assert(++count <= archive.info.entries);
		assert((int)entry.kind >= kind);
		assert(entry.size <= archive_size_max(entry.kind));
		assert(strlen(entry.label) <= ARCHIVE_LABEL_MAX);
		kind = (int)entry.kind;
		r = archive_take(&archive, &entry, -1, reason);
		if (r)
			return r;
	}
	assert(r || count == archive.info.entries);
	return r;
}

static void read_all(struct stream stream, const char *passphrase)
{
	struct reason reason = { 0 };
	struct seal_reader *reader;
	int r = seal_reader_new(read_stream, &stream, passphrase, &reader,
				&reason);

	if (!r)
		r = read_archive(reader, &reason);
	if (r)
		check_error(r, &reason);
	seal_reader_free(reader);
}

/* What is sealed is read back as it was, whatever it is. */
static void seal_and_read(const uint8_t *data, size_t size)
{
	static uint8_t sealed[SEAL_CHUNK * 4];
	int fd = memfd_create("sealed", MFD_CLOEXEC);
	struct seal_writer *writer = seal_writer_new(fd, NULL);
	ssize_t len;

	assert(writer);
	assert(seal_write(writer, data, size) == 0);
	assert(seal_writer_end(writer) == 0);
	seal_writer_free(writer);
	len = pread(fd, sealed, sizeof(sealed), 0);
	assert(len > 0 && (size_t)len < sizeof(sealed));
	close(fd);
	read_all((struct stream){ sealed, (size_t)len }, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reason reason = { 0 };
	bool encrypted;
	int r = seal_probe(data, size, &encrypted, &reason);

	if (r)
		check_error(r, &reason);
	/* A key of the largest cost takes seconds: not once for each input. */
	if (r || !encrypted || data[11] <= 4)
		read_all((struct stream){ data, size }, PASSPHRASE);
	if (size < SEAL_CHUNK * 3)
		seal_and_read(data, size);
	return 0;
}

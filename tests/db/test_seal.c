#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "db/backup/seal.h"
#include "db/backup/seal_format.h"
#include "tests/failing_malloc.h"

#define PASSPHRASE "correct horse"

/* A stream in memory, as it is read. */
struct stream {
	uint8_t *bytes;
	size_t len;
	size_t at;
	size_t step; /* given out at most at a time */
};

static ssize_t read_stream(void *arg, void *buffer, size_t size)
{
	struct stream *stream = arg;
	size_t n = stream->len - stream->at;

	if (n > size)
		n = size;
	if (n > stream->step)
		n = stream->step;
	memcpy(buffer, stream->bytes + stream->at, n);
	stream->at += n;
	return (ssize_t)n;
}

static uint8_t *pattern(size_t len)
{
	uint8_t *bytes = malloc(len + 1);

	assert_non_null(bytes);
	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)(i * 7 + i / 251);
	return bytes;
}

static struct stream seal(size_t len, const char *passphrase)
{
	int fd = memfd_create("sealed", MFD_CLOEXEC);
	struct seal_writer *writer = seal_writer_new(fd, passphrase);
	struct stream stream = { .step = SIZE_MAX };
	uint8_t *bytes = pattern(len);

	assert_non_null(writer);
	/* In uneven pieces. */
	for (size_t at = 0; at < len;) {
		size_t n = len - at < 30011 ? len - at : 30011;

		assert_int_equal(seal_write(writer, bytes + at, n), 0);
		at += n;
	}
	assert_int_equal(seal_writer_end(writer), 0);
	seal_writer_free(writer);
	free(bytes);
	stream.len = (size_t)lseek(fd, 0, SEEK_END);
	stream.bytes = malloc(stream.len + 64);
	assert_non_null(stream.bytes);
	assert_int_equal(pread(fd, stream.bytes, stream.len, 0), stream.len);
	close(fd);
	return stream;
}

/* 0 if the stream is read as the pattern of len bytes, else why not; then what
 * was given out before is right, too. */
static int unseal(struct stream stream, size_t len, const char *passphrase,
		  struct reason *reason)
{
	struct seal_reader *reader;
	uint8_t *right = pattern(len);
	uint8_t piece[1000];
	int r;

	reason->text[0] = '\0';
	r = seal_reader_new(read_stream, &stream, passphrase, &reader, reason);
	if (r)
		assert_null(reader);
	for (size_t at = 0; !r && at < len;) {
		size_t n = len - at < sizeof(piece) ? len - at : sizeof(piece);

		r = seal_read(reader, piece, n, reason);
		if (!r)
			assert_memory_equal(piece, right + at, n);
		at += n;
	}
	if (!r)
		r = seal_reader_end(reader, reason);
	seal_reader_free(reader);
	free(right);
	return r;
}

static const size_t lengths[] = {
	0,
	1,
	SEAL_CHUNK - 1,
	SEAL_CHUNK,
	SEAL_CHUNK + 1,
	3 * SEAL_CHUNK - 1,
	3 * SEAL_CHUNK,
	200000,
};
#define LENGTHS (sizeof(lengths) / sizeof(lengths[0]))
static const char *const passphrases[] = { NULL, PASSPHRASE };

static void test_what_was_sealed_is_read_again(void **state)
{
	struct reason reason;

	(void)state;
	for (size_t i = 0; i < LENGTHS; i++) {
		for (size_t p = 0; p < 2; p++) {
			struct stream stream = seal(lengths[i], passphrases[p]);

			assert_int_equal(unseal(stream, lengths[i],
						passphrases[p], &reason),
					 0);
			/* A peer that drips. */
			stream.step = 7;
			assert_int_equal(unseal(stream, lengths[i],
						passphrases[p], &reason),
					 0);
			free(stream.bytes);
		}
	}
}

static void test_the_size_is_the_formats(void **state)
{
	struct stream stream = seal(SEAL_CHUNK + 1, PASSPHRASE);

	(void)state;
	assert_int_equal(stream.len,
			 SEAL_HEAD + 2 * (4 + SEAL_TAG) + SEAL_CHUNK + 1);
	assert_memory_equal(stream.bytes, "\211HEARTH\n\0\1\1", 11);
	free(stream.bytes);
}

/* Neither the bytes nor anything that two files have in common. */
static void test_encrypted_nothing_shows(void **state)
{
	struct stream one = seal(5000, PASSPHRASE);
	struct stream two = seal(5000, PASSPHRASE);
	uint8_t *bytes = pattern(5000);

	(void)state;
	assert_null(memmem(one.bytes, one.len, bytes, 16));
	assert_null(memmem(two.bytes, two.len, one.bytes + SEAL_HEAD + 4, 16));
	free(bytes);
	free(one.bytes);
	free(two.bytes);
}

static void test_a_wrong_passphrase_is_called_that(void **state)
{
	struct stream stream = seal(100, PASSPHRASE);
	struct reason reason;

	(void)state;
	assert_int_equal(unseal(stream, 100, "correct hors", &reason),
			 -EKEYREJECTED);
	assert_string_equal(reason.text, "the passphrase is wrong");
	assert_int_equal(unseal(stream, 100, NULL, &reason), -ENOKEY);
	assert_non_null(strstr(reason.text, "a passphrase is needed"));
	free(stream.bytes);

	/* One that is not needed does no harm. */
	stream = seal(100, NULL);
	assert_int_equal(unseal(stream, 100, PASSPHRASE, &reason), 0);
	free(stream.bytes);
}

/* Each byte of head and chunk heads, and some of the data, in turn. */
static void test_a_damaged_byte_is_noticed(void **state)
{
	const size_t len = SEAL_CHUNK + 500;
	struct reason reason;

	(void)state;
	for (size_t p = 0; p < 2; p++) {
		struct stream stream = seal(len, passphrases[p]);

		for (size_t i = 0; i < stream.len;
		     i +=
		     i < SEAL_HEAD + 30 || i > stream.len - 540 ? 1 : 997) {
			int r;

			stream.bytes[i] ^= 0x10;
			r = unseal(stream, len, passphrases[p], &reason);
			if (r != -EBADMSG && r != -EILSEQ && r != -ENOTSUP)
				fail_msg("byte %zu: %d", i, r);
			assert_true(reason.text[0]);
			if (i < 8)
				assert_int_equal(r, -EILSEQ);
			else if (i >= 10)
				assert_int_equal(r, -EBADMSG);
			stream.bytes[i] ^= 0x10;
		}
		assert_int_equal(unseal(stream, len, passphrases[p], &reason),
				 0);
		free(stream.bytes);
	}
}

static void test_a_stream_cut_off_is_noticed(void **state)
{
	const size_t len = 2 * SEAL_CHUNK + 100;
	struct reason reason;

	(void)state;
	for (size_t p = 0; p < 2; p++) {
		struct stream stream = seal(len, passphrases[p]);
		struct stream cut = stream;

		for (cut.len = 0; cut.len < stream.len;
		     cut.len += cut.len < SEAL_HEAD + 30 ? 1 : 331) {
			int r = unseal(cut, len, passphrases[p], &reason);

			assert_int_equal(r, cut.len < 8 ? -EILSEQ : -EBADMSG);
		}
		/* At the border of each chunk. */
		for (size_t n = 0; n <= 2; n++) {
			cut.len = SEAL_HEAD + n * (4 + SEAL_CHUNK + SEAL_TAG);
			assert_int_equal(
				unseal(cut, len, passphrases[p], &reason),
				-EBADMSG);
			assert_non_null(strstr(reason.text, "is cut off"));
		}
		free(stream.bytes);
	}
}

static void test_chunks_cannot_be_moved(void **state)
{
	const size_t chunk = 4 + SEAL_CHUNK + SEAL_TAG;
	const size_t len = 3 * SEAL_CHUNK + 10;
	struct reason reason;

	(void)state;
	for (size_t p = 0; p < 2; p++) {
		struct stream stream = seal(len, passphrases[p]);
		struct stream other = seal(len, passphrases[p]);
		uint8_t *first = stream.bytes + SEAL_HEAD;
		uint8_t *kept = malloc(chunk);

		assert_non_null(kept);
		/* Two change places. */
		memcpy(kept, first, chunk);
		memmove(first, first + chunk, chunk);
		memcpy(first + chunk, kept, chunk);
		assert_int_equal(unseal(stream, len, passphrases[p], &reason),
				 -EBADMSG);
		assert_string_equal(reason.text, "chunk 1 is damaged");
		/* One comes out of another file of the same passphrase. */
		memcpy(first + chunk, other.bytes + SEAL_HEAD + chunk, chunk);
		memcpy(first, kept, chunk);
		assert_int_equal(unseal(stream, len, passphrases[p], &reason),
				 -EBADMSG);
		assert_string_equal(reason.text, "chunk 2 is damaged");
		/* One is left out. */
		memmove(other.bytes + SEAL_HEAD,
			other.bytes + SEAL_HEAD + chunk,
			other.len - SEAL_HEAD - chunk);
		other.len -= chunk;
		assert_int_equal(unseal(other, len - SEAL_CHUNK, passphrases[p],
					&reason),
				 -EBADMSG);
		/* One that is not is called the last. */
		first[0] ^= 0x80;
		stream.len = SEAL_HEAD + chunk;
		assert_int_equal(
			unseal(stream, SEAL_CHUNK, passphrases[p], &reason),
			-EBADMSG);
		free(kept);
		free(stream.bytes);
		free(other.bytes);
	}
}

static void test_what_goes_on_is_noticed(void **state)
{
	struct stream stream = seal(100, PASSPHRASE);
	struct reason reason;

	(void)state;
	/* Fewer are wanted than there are. */
	assert_int_equal(unseal(stream, 99, PASSPHRASE, &reason), -EBADMSG);
	assert_string_equal(reason.text, "it goes on after its contents");
	assert_int_equal(unseal(stream, 101, PASSPHRASE, &reason), -EBADMSG);
	assert_string_equal(reason.text, "it ends before its contents do");
	stream.bytes[stream.len++] = 0;
	assert_int_equal(unseal(stream, 100, PASSPHRASE, &reason), -EBADMSG);
	assert_string_equal(reason.text, "it goes on after its end");
	free(stream.bytes);
}

/* With the digest right: what a newer hearth, or somebody unkind, might write. */
static void test_heads_out_of_range_are_refused(void **state)
{
	static const struct {
		size_t at;
		uint8_t value;
		int error;
	} cases[] = {
		{ SEAL_AT_VERSION + 1, 2, -ENOTSUP },
		{ SEAL_AT_VERSION + 1, 0, -ENOTSUP },
		{ SEAL_AT_MODE, 2, -ENOTSUP },
		/* A key that takes gigabytes, or none. */
		{ SEAL_AT_COST, 0, -ENOTSUP },
		{ SEAL_AT_COST, 18, -ENOTSUP },
		{ SEAL_AT_COST, 63, -ENOTSUP },
		{ SEAL_AT_COST + 1, 0, -ENOTSUP },
		{ SEAL_AT_COST + 1, 9, -ENOTSUP },
		{ SEAL_AT_COST + 2, 0, -ENOTSUP },
		{ SEAL_AT_COST + 2, 9, -ENOTSUP },
		/* Nothing but the cost: another key comes out. */
		{ SEAL_AT_COST, 9, -EKEYREJECTED },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct stream stream = seal(10, PASSPHRASE);
		struct reason reason;

		stream.bytes[cases[i].at] = cases[i].value;
		assert_int_equal(
			seal_head_digest(stream.bytes,
					 stream.bytes + SEAL_AT_DIGEST),
			0);
		assert_int_equal(unseal(stream, 10, PASSPHRASE, &reason),
				 cases[i].error);
		free(stream.bytes);
	}
}

static void test_probe_tells_whether_it_is_encrypted(void **state)
{
	struct reason reason = { 0 };
	bool encrypted = false;

	(void)state;
	for (size_t p = 0; p < 2; p++) {
		struct stream stream = seal(10, passphrases[p]);

		assert_int_equal(seal_probe(stream.bytes, stream.len,
					    &encrypted, &reason),
				 0);
		assert_int_equal(encrypted, p == 1);
		assert_int_equal(seal_probe(stream.bytes, SEAL_HEAD - 1,
					    &encrypted, &reason),
				 -EBADMSG);
		free(stream.bytes);
	}
	reason.text[0] = '\0';
	assert_int_equal(seal_probe("PK\3\4", 4, &encrypted, &reason), -EILSEQ);
	assert_string_equal(reason.text, "this is no backup of hearth");
}

static void test_a_full_disk_is_told(void **state)
{
	int fd = open("/dev/full", O_WRONLY);

	(void)state;
	assert_true(fd >= 0);
	assert_null(seal_writer_new(fd, NULL));
	assert_int_equal(errno, ENOSPC);
	close(fd);
}

static ssize_t read_nothing(void *arg, void *buffer, size_t size)
{
	(void)arg;
	(void)buffer;
	(void)size;
	return -EIO;
}

static void test_a_disk_that_cannot_be_read_is_no_damage(void **state)
{
	struct reason reason = { 0 };
	struct seal_reader *reader;

	(void)state;
	assert_int_equal(
		seal_reader_new(read_nothing, NULL, NULL, &reader, &reason),
		-EIO);
	assert_string_equal(reason_text(&reason, -EIO), "Input/output error");
}

static void test_allocation_failures_are_told(void **state)
{
	struct stream stream = seal(10, PASSPHRASE);
	struct reason reason;
	unsigned int n = 0;
	int r;

	(void)state;
	for (;; n++) {
		struct stream at = stream;
		struct seal_reader *reader = NULL;

		failing_malloc_arm(n);
		r = seal_reader_new(read_stream, &at, PASSPHRASE, &reader,
				    &reason);
		if (!failing_malloc_disarm()) {
			assert_int_equal(r, 0);
			seal_reader_free(reader);
			break;
		}
		assert_int_equal(r, -ENOMEM);
	}
	assert_int_equal(n, 2); /* reader and cipher */
	for (n = 0; n < 2; n++) {
		int fd = memfd_create("sealed", MFD_CLOEXEC);

		failing_malloc_arm(n);
		assert_null(seal_writer_new(fd, PASSPHRASE));
		assert_int_equal(errno, ENOMEM);
		assert_true(failing_malloc_disarm());
		close(fd);
	}
	free(stream.bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_was_sealed_is_read_again),
		cmocka_unit_test(test_the_size_is_the_formats),
		cmocka_unit_test(test_encrypted_nothing_shows),
		cmocka_unit_test(test_a_wrong_passphrase_is_called_that),
		cmocka_unit_test(test_a_damaged_byte_is_noticed),
		cmocka_unit_test(test_a_stream_cut_off_is_noticed),
		cmocka_unit_test(test_chunks_cannot_be_moved),
		cmocka_unit_test(test_what_goes_on_is_noticed),
		cmocka_unit_test(test_heads_out_of_range_are_refused),
		cmocka_unit_test(test_probe_tells_whether_it_is_encrypted),
		cmocka_unit_test(test_a_full_disk_is_told),
		cmocka_unit_test(test_a_disk_that_cannot_be_read_is_no_damage),
		cmocka_unit_test(test_allocation_failures_are_told),
	};

	seal_set_cost(4);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

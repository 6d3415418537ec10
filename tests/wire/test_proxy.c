#include "broker/wire/proxy.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define IPV4_ADDRESSES "\xc0\0\2\7\xc0\0\2\1\xc0\0\7\x5b"
#define IPV6_ADDRESSES                                                       \
	"\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1\x20\1\x0d\xb8\0\0\0\0\0\0\0" \
	"\0\0\0\0\2\xc0\0\7\x5b"

#define BYTES(text) text, sizeof(text) - 1

/* In memory of its own, so that a look past the end is seen. */
static int parse(const char *text, size_t len, struct proxy_header *out)
{
	uint8_t *copy = malloc(len ? len : 1);
	int r;

	assert_non_null(copy);
	memcpy(copy, text, len);
	memset(out, 0xee, sizeof(*out));
	r = proxy_parse(copy, len, out);
	free(copy);
	return r;
}

static const struct {
	const char *text;
	size_t len;
	const char *address;
	enum proxy_family family;
	uint16_t port;
} good[] = {
	/* Those of the specification, section 2.1. */
	{ BYTES("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n"),
	  "\xff\xff\xff\xff", PROXY_IPV4, 65535 },
	{ BYTES("PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
		"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"),
	  "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
	  PROXY_IPV6, 65535 },
	{ BYTES("PROXY UNKNOWN\r\n"), "", PROXY_UNKNOWN, 0 },
	{ BYTES("PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
		"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"),
	  "", PROXY_UNKNOWN, 0 },
	{ BYTES("PROXY TCP4 192.0.2.7 192.0.2.1 49152 1883\r\n"), "\xc0\0\2\7",
	  PROXY_IPV4, 49152 },
	{ BYTES("PROXY TCP6 2001:db8::1 2001:db8::2 0 1883\r\n"),
	  "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1", PROXY_IPV6, 0 },
	/* Version 2. */
	{ BYTES(SIGNATURE "\x21\x11\0\x0c" IPV4_ADDRESSES), "\xc0\0\2\7",
	  PROXY_IPV4, 49152 },
	{ BYTES(SIGNATURE "\x21\x21\0\x24" IPV6_ADDRESSES),
	  "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1", PROXY_IPV6, 49152 },
	/* An authority "hub", then one of no length. */
	{ BYTES(SIGNATURE "\x21\x11\0\x15" IPV4_ADDRESSES "\2\0\3hub\4\0\0"),
	  "\xc0\0\2\7", PROXY_IPV4, 49152 },
	/* CRC32C over the whole header (worked out apart from this code). */
	{ BYTES(SIGNATURE "\x21\x11\0\x13" IPV4_ADDRESSES
			  "\3\0\4\x36\x29\xc5\xb0"),
	  "\xc0\0\2\7", PROXY_IPV4, 49152 },
	/* The proxy's own, whatever else it says. */
	{ BYTES(SIGNATURE "\x20\0\0\0"), "", PROXY_UNKNOWN, 0 },
	{ BYTES(SIGNATURE "\x20\x11\0\3abc"), "", PROXY_UNKNOWN, 0 },
	{ BYTES(SIGNATURE "\x21\0\0\0"), "", PROXY_UNKNOWN, 0 },
};

static void test_headers_of_the_specification(void **state)
{
	struct proxy_header h;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		if (parse(good[i].text, good[i].len, &h) != (int)good[i].len)
			fail_msg("header %zu", i);
		assert_int_equal(h.family, good[i].family);
		if (h.family == PROXY_UNKNOWN)
			continue;
		assert_memory_equal(h.address, good[i].address,
				    h.family == PROXY_IPV4 ? 4 : 16);
		assert_int_equal(h.port, good[i].port);
	}
}

/* Cut anywhere it is not whole; what follows is not its own. */
static void test_every_cut_waits_for_more(void **state)
{
	struct proxy_header h;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		char more[256];

		for (size_t len = 0; len < good[i].len; len++)
			if (parse(good[i].text, len, &h) != 0)
				fail_msg("header %zu cut at %zu", i, len);
		memcpy(more, good[i].text, good[i].len);
		memcpy(more + good[i].len, "\x10\x0e\r\n", 4);
		assert_int_equal(parse(more, good[i].len + 4, &h), good[i].len);
	}
}

static void test_what_is_no_header_is_refused(void **state)
{
	static const struct {
		const char *text;
		size_t len;
	} bad[] = {
		{ BYTES("\x10") },
		{ BYTES("GET / HTTP/1.1\r\n") },
		{ BYTES("PROXX") },
		{ BYTES("proxy TCP4 1.2.3.4 1.2.3.4 1 2\r\n") },
		{ BYTES("PROXY  TCP4 1.2.3.4 1.2.3.4 1 2\r\n") },
		{ BYTES("PROXY TCP5 1.2.3.4 1.2.3.4 1 2\r\n") },
		{ BYTES("PROXY \r\n") },
		{ BYTES("PROXY TCP4\r\n") },
		{ BYTES("PROXY TCP4 1.2.3.4\r\n") },
		{ BYTES("PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n") },
		{ BYTES("PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n") },
		{ BYTES("PROXY TCP4 1.2.3.4 1.2.3.4 1 2 \r\n") },
		{ BYTES("PROXY TCP4 1.2.3.4  1.2.3.4 1 2\r\n") },
		{ BYTES("PROXY TCP4 1.2.3 1.2.3.4 1 2\r\n") },
		{ BYTES("PROXY TCP4 01.2.3.4 1.2.3.4 1 2\r\n") },
		{ BYTES("PROXY TCP4 1.2.3.256 1.2.3.4 1 2\r\n") },
		{ BYTES("PROXY TCP4 ::1 ::1 1 2\r\n") },
		{ BYTES("PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n") },
		{ BYTES("PROXY TCP6 ::1%lo ::1 1 2\r\n") },
		{ BYTES("PROXY TCP6 ffff:f...f:ffff ffff:f...f:ffff 1 2\r\n") },
		{ BYTES("PROXY TCP4 1.2.3.4 1.2.3.4 65536 2\r\n") },
		{ BYTES("PROXY TCP4 1.2.3.4 1.2.3.4 1 99999\r\n") },
		{ BYTES("PROXY TCP4 1.2.3.4 1.2.3.4 +1 2\r\n") },
		{ BYTES("PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n") },
		{ BYTES("PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n\r\n") },
		{ BYTES("PROXY TCP4 1.2.3.4\0 1.2.3.4 1 2\r\n") },
		{ BYTES(SIGNATURE "\x11") }, /* version 1 */
		{ BYTES(SIGNATURE "\x22") }, /* no such command */
		{ BYTES(SIGNATURE "\x21\x12\0\x0c" IPV4_ADDRESSES) }, /* UDP */
		{ BYTES(SIGNATURE "\x21\x10\0\x0c" IPV4_ADDRESSES) },
		{ BYTES(SIGNATURE "\x21\x41\0\x0c" IPV4_ADDRESSES) },
		{ BYTES(SIGNATURE "\x21\x11\0\x0b" IPV4_ADDRESSES) },
		{ BYTES(SIGNATURE "\x21\x21\0\x0c" IPV4_ADDRESSES) },
		{ BYTES(SIGNATURE "\x21\x31\0\x0c" IPV4_ADDRESSES) },
		/* Fields that are not whole. */
		{ BYTES(SIGNATURE "\x21\x11\0\x0d" IPV4_ADDRESSES "\2") },
		{ BYTES(SIGNATURE "\x21\x11\0\x0e" IPV4_ADDRESSES "\2\0") },
		{ BYTES(SIGNATURE "\x21\x11\0\x11" IPV4_ADDRESSES "\2\0\3hu") },
		/* A checksum that is not right, one that is none. */
		{ BYTES(SIGNATURE "\x21\x11\0\x13" IPV4_ADDRESSES
				  "\3\0\4\x36\x29\xc5\xb1") },
		{ BYTES(SIGNATURE "\x21\x11\0\x12" IPV4_ADDRESSES
				  "\3\0\3\x36\x29\xc5") },
		/* Longer than is taken, told before it has come. */
		{ BYTES(SIGNATURE "\x21\x11\x07\xf1") },
	};
	struct proxy_header h, before;

	(void)state;
	memset(&before, 0xee, sizeof(before));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (parse(bad[i].text, bad[i].len, &h) != -EPROTO)
			fail_msg("no. %zu: %s", i, bad[i].text);
		assert_memory_equal(&h, &before, sizeof(h));
	}
}

/* 107 bytes with its end is the longest line; a header of version 2 has its own
 * bound. */
static void test_length_is_bounded(void **state)
{
	char line[PROXY_V1_MAX + 2];
	static char fields[PROXY_HEADER_MAX];
	struct proxy_header h;

	(void)state;
	memset(line, 'x', sizeof(line));
	memcpy(line, "PROXY UNKNOWN ", 14);
	assert_int_equal(parse(line, PROXY_V1_MAX - 1, &h), 0);
	assert_int_equal(parse(line, PROXY_V1_MAX, &h), -EPROTO);
	memcpy(line + PROXY_V1_MAX - 2, "\r\n", 2);
	assert_int_equal(parse(line, PROXY_V1_MAX, &h), PROXY_V1_MAX);
	memcpy(line + PROXY_V1_MAX - 2, "x\r\n", 3);
	assert_int_equal(parse(line, PROXY_V1_MAX + 1, &h), -EPROTO);

	memcpy(fields, SIGNATURE "\x21\x11\x07\xf0" IPV4_ADDRESSES, 28);
	memcpy(fields + 28, "\x04\x07\xe1", 3);
	assert_int_equal(parse(fields, sizeof(fields), &h), sizeof(fields));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_headers_of_the_specification),
		cmocka_unit_test(test_every_cut_waits_for_more),
		cmocka_unit_test(test_what_is_no_header_is_refused),
		cmocka_unit_test(test_length_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

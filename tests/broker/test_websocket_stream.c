#include "broker/peer/websocket_stream.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/failing_malloc.h"

struct rig {
	struct output_pool *pool;
	struct websocket_stream *ws;
	uint8_t data[70000];
	size_t len;
};

static int setup(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	rig->pool = output_pool_new();
	rig->ws = websocket_stream_new();
	*state = rig;
	return rig->ws ? 0 : -1;
}

static int teardown(void **state)
{
	struct rig *rig = *state;

	websocket_stream_free(rig->ws, rig->pool);
	output_pool_free(rig->pool);
	free(rig);
	return 0;
}

static void renew(struct rig *rig)
{
	websocket_stream_free(rig->ws, rig->pool);
	rig->ws = websocket_stream_new();
	assert_non_null(rig->ws);
	rig->len = 0;
}

/* In a piece of memory of its own, so that a look past its end is seen. */
static ssize_t decode(struct rig *rig, const void *bytes, size_t len)
{
	uint8_t *raw = malloc(len);
	ssize_t n;

	assert_non_null(raw);
	memcpy(raw, bytes, len);
	n = websocket_stream_decode(rig->ws, rig->pool, slice_of(raw, len),
				    rig->data + rig->len);
	free(raw);
	if (n > 0)
		rig->len += (size_t)n;
	return n;
}

static void expect_data(struct rig *rig, const char *text)
{
	assert_int_equal(rig->len, strlen(text));
	assert_memory_equal(rig->data, text, rig->len);
	rig->len = 0;
}

static void expect_framed(struct rig *rig, const void *bytes, size_t len)
{
	struct output *framed = websocket_stream_framed(rig->ws);
	struct iovec iov[OUTPUT_IOVECS];
	size_t at = 0;
	int n = output_iovecs(framed, iov);

	assert_int_equal(framed->len, len);
	for (int i = 0; i < n; i++) {
		assert_memory_equal(iov[i].iov_base, (const char *)bytes + at,
				    iov[i].iov_len);
		at += iov[i].iov_len;
	}
	assert_int_equal(at, len);
	output_clear(rig->pool, framed);
}

/* "Hello" masked, as in RFC 6455, 5.7, but binary. */
#define HELLO "\x82\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"
/* The same in two fragments, "Hel" and "lo", with the key 0. */
#define HEL "\x02\x83\0\0\0\0Hel"
#define LO "\x80\x82\0\0\0\0lo"
/* A ping with "Hello" as in RFC 6455, 5.7, and its pong. */
#define PING "\x89\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"
#define PONG "\x8a\x05Hello"
#define CLOSE "\x88\x82\0\0\0\0\x03\xe8"
#define SIZE(text) (sizeof(text) - 1)

static void test_examples_of_the_rfc(void **state)
{
	struct rig *rig = *state;

	assert_int_equal(decode(rig, HELLO, SIZE(HELLO)), 5);
	expect_data(rig, "Hello");
	assert_int_equal(decode(rig, HEL LO, SIZE(HEL LO)), 5);
	expect_data(rig, "Hello");
	assert_int_equal(decode(rig, PING, SIZE(PING)), 0);
	expect_framed(rig, PONG, SIZE(PONG));
}

static void test_frames_may_come_byte_by_byte(void **state)
{
	static const char bytes[] = HELLO HEL PING LO HELLO CLOSE;
	struct rig *rig = *state;

	for (size_t i = 0; i + 2 < sizeof(bytes); i++) {
		ssize_t n = decode(rig, bytes + i, 1);

		assert_in_range(n, 0, 1);
		assert_false(websocket_stream_closed(rig->ws));
	}
	expect_data(rig, "HelloHelloHello");
	assert_int_equal(decode(rig, bytes + sizeof(bytes) - 2, 1), -EPIPE);
	assert_true(websocket_stream_closed(rig->ws));
	expect_framed(rig, PONG "\x88\x02\x03\xe8", SIZE(PONG) + 4);
}

/* Control frames in the middle of a message do not end or change it. */
static void test_control_frames_may_stand_between_fragments(void **state)
{
	struct rig *rig = *state;
	static const char pong[] = "\x8a\x80\0\0\0\0";

	assert_int_equal(decode(rig, HEL PING LO, SIZE(HEL PING LO)), 5);
	expect_data(rig, "Hello");
	expect_framed(rig, PONG, SIZE(PONG));
	assert_int_equal(decode(rig, HEL, SIZE(HEL)), 3);
	assert_int_equal(decode(rig, pong, SIZE(pong)), 0);
	assert_int_equal(decode(rig, LO, SIZE(LO)), 2);
	expect_data(rig, "Hello");
}

static void test_what_came_before_a_close_is_given_first(void **state)
{
	struct rig *rig = *state;

	assert_int_equal(
		decode(rig, HELLO CLOSE HELLO, SIZE(HELLO CLOSE HELLO)), 5);
	expect_data(rig, "Hello");
	assert_true(websocket_stream_closed(rig->ws));
	assert_int_equal(decode(rig, HELLO, SIZE(HELLO)), -EPIPE);
	expect_framed(rig, "\x88\x02\x03\xe8", 4);
}

static void test_breaches_end_the_stream(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} rows[] = {
#define ROW(text) { text, SIZE(text) }
		ROW("\x82\x05Hello"), /* not masked */
		ROW("\x81\x81\0\0\0\0x"), /* text */
		ROW("\x83\x81\0\0\0\0x"), /* opcode 3 */
		ROW("\x8b\x80\0\0\0\0"), /* control opcode 11 */
		ROW("\xc2\x81\0\0\0\0x"), /* a reserved bit */
		ROW("\xa2\x81\0\0\0\0x"),
		ROW("\x92\x81\0\0\0\0x"),
		ROW("\x80\x81\0\0\0\0x"), /* nothing to continue */
		ROW(HEL HEL), /* a message within a message */
		ROW(HEL "\x00\x80\0\0\0\0" HELLO),
		ROW("\x09\x80\0\0\0\0"), /* a ping in fragments */
		ROW("\x89\xfe\0\x7e\0\0\0\0"), /* a ping of 126 bytes */
		ROW("\x82\xfe\0\x05\0\0\0\0Hello"), /* not the shortest */
		ROW("\x82\xff\0\0\0\0\0\0\xff\xff\0\0\0\0"),
		ROW("\x82\xff\x80\0\0\0\0\0\0\0\0\0\0\0"), /* 2^63 */
#undef ROW
	};
	struct rig *rig = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ssize_t n = 0;

		assert_int_equal(decode(rig, rows[i].bytes, rows[i].len),
				 -EPROTO);
		renew(rig);
		for (size_t k = 0; k < rows[i].len && n >= 0; k++)
			n = decode(rig, rows[i].bytes + k, 1);
		assert_int_equal(n, -EPROTO);
		renew(rig);
	}
}

static void test_pings_that_nobody_reads_have_an_end(void **state)
{
	struct rig *rig = *state;
	ssize_t n = 0;
	size_t pings = 0;

	while (n == 0 && pings < 100000) {
		n = decode(rig, PING, SIZE(PING));
		pings++;
	}
	assert_int_equal(n, -EPROTO);
	assert_in_range(pings, 1000, 50000);
}

/* A packet of size bytes, its Remaining Length in as many as that takes. */
static void publish_of_size(uint8_t *packet, size_t size)
{
	size_t head = size < 130 ? 2 : size < 16387 ? 3 : 4;
	size_t rest = size - head;

	memset(packet, 'x', size);
	packet[0] = 0x30;
	for (size_t i = 1; i < head; i++) {
		packet[i] = (uint8_t)(rest % 128 | (i + 1 < head ? 0x80u : 0u));
		rest /= 128;
	}
	assert_int_equal(rest, 0);
}

/* A length in 0, 2 and 8 more bytes, out and in. */
static void test_each_length_has_its_header(void **state)
{
	static const struct {
		size_t len;
		const char *header;
		size_t header_len;
	} rows[] = {
		{ 2, "\x82\x02", 2 },
		{ 125, "\x82\x7d", 2 },
		{ 126, "\x82\x7e\0\x7e", 4 },
		{ 65535, "\x82\x7e\xff\xff", 4 },
		{ 65536, "\x82\x7f\0\0\0\0\0\1\0\0", 10 },
	};
	static uint8_t payload[65536 + 14];
	struct rig *rig = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const size_t n = rows[i].header_len;
		struct output out = { 0 };
		struct iovec iov[OUTPUT_IOVECS];

		publish_of_size(payload, rows[i].len);
		assert_int_equal(
			output_append(rig->pool, &out, payload, rows[i].len),
			0);
		assert_int_equal(
			websocket_stream_frame(rig->ws, rig->pool, &out), 0);
		assert_int_equal(out.len, 0);
		output_iovecs(websocket_stream_framed(rig->ws), iov);
		assert_int_equal(websocket_stream_framed(rig->ws)->len,
				 n + rows[i].len);
		assert_memory_equal(iov[0].iov_base, rows[i].header, n);
		output_clear(rig->pool, websocket_stream_framed(rig->ws));

		/* The same from a peer, masked with a key of zero. */
		memcpy(payload, rows[i].header, n);
		payload[1] |= 0x80;
		memset(payload + n, 0, 4);
		memset(payload + n + 4, 'y', rows[i].len);
		rig->len = 0;
		assert_int_equal(decode(rig, payload, n + 4 + rows[i].len),
				 rows[i].len);
		assert_int_equal(rig->data[0], 'y');
		assert_int_equal(rig->data[rows[i].len - 1], 'y');
	}
}

/* Paho C takes one packet out of a frame and waits for more bytes. */
static void test_each_packet_has_a_frame(void **state)
{
	static const char packets[] = "\x20\x02\0\0"
				      "\xd0\0"
				      "\x30\x04\0\1ax";
	struct rig *rig = *state;
	struct output out = { 0 };

	assert_int_equal(output_append(rig->pool, &out, packets, SIZE(packets)),
			 0);
	assert_int_equal(websocket_stream_frame(rig->ws, rig->pool, &out), 0);
	assert_int_equal(out.len, 0);
	expect_framed(rig,
		      "\x82\x04\x20\x02\0\0"
		      "\x82\x02\xd0\0"
		      "\x82\x06\x30\x04\0\1ax",
		      SIZE(packets) + 6);
}

static void test_nothing_to_send_is_no_frame(void **state)
{
	struct rig *rig = *state;
	struct output out = { 0 };

	assert_int_equal(websocket_stream_frame(rig->ws, rig->pool, &out), 0);
	assert_int_equal(websocket_stream_framed(rig->ws)->len, 0);
}

static void test_memory_may_run_out(void **state)
{
	struct rig *rig = *state;
	struct websocket_stream *ws;
	struct output_pool *pool;
	struct output out = { 0 };

	/* wslay's own allocation is not ours to fail. */
	failing_malloc_arm(0);
	ws = websocket_stream_new();
	assert_true(failing_malloc_disarm());
	assert_null(ws);

	pool = output_pool_new();
	assert_int_equal(output_append(pool, &out, "\xd0", 2), 0);
	failing_malloc_arm(0);
	assert_int_equal(websocket_stream_frame(rig->ws, pool, &out), -ENOMEM);
	assert_true(failing_malloc_disarm());
	assert_int_equal(out.len, 2);
	output_clear(pool, &out);
	output_pool_free(pool);

	failing_malloc_arm(0);
	assert_int_equal(websocket_stream_decode(rig->ws, rig->pool,
						 slice_of(PING, SIZE(PING)),
						 rig->data),
			 -ENOMEM);
	assert_true(failing_malloc_disarm());
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_examples_of_the_rfc),
		T(test_frames_may_come_byte_by_byte),
		T(test_control_frames_may_stand_between_fragments),
		T(test_what_came_before_a_close_is_given_first),
		T(test_breaches_end_the_stream),
		T(test_pings_that_nobody_reads_have_an_end),
		T(test_each_length_has_its_header),
		T(test_each_packet_has_a_frame),
		T(test_nothing_to_send_is_no_frame),
		T(test_memory_may_run_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

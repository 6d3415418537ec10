#include "broker/wire/framing.h"

#include <errno.h>

#include "tests/wire/bytes.h"

#define ROOMY 1000

/* One packet after the other as they would stand in a stream. */
static struct slice stream_of(size_t *packets)
{
	static const uint8_t bytes[] = {
		0x10, 0x0c, 0, 4, 'M', 'Q', 'T',  'T',
		4,    2,    0, 0, 0,   0,   0xc0, 0x00, /* PINGREQ */
		0x30, 0x06, 0, 1, 'a', '1', '2',  '3', /* PUBLISH */
		0x82, 0x06, 0, 1, 0,   1,   'a',  0, /* SUBSCRIBE */
		0xe0, 0x00, /* DISCONNECT */
	};

	*packets = 5;
	return slice_of(bytes, sizeof(bytes));
}

/* With exactly len bytes there, so that a byte too far is seen. */
static int next_of(struct slice bytes, size_t len, struct frame *frame)
{
	uint8_t *copy = exact_copy(slice_of(bytes.data, len));
	int r = framing_next(copy, len, ROOMY, frame);

	free(copy);
	return r;
}

/* Whatever the cut, every packet is found when its last byte is there, and not
 * before. */
static void test_a_stream_is_read_byte_by_byte(void **state)
{
	size_t wanted, packets = 0, start = 0, len;
	struct slice bytes = stream_of(&wanted);

	(void)state;
	for (len = 1; len <= bytes.len; len++) {
		struct slice rest = slice_of(bytes.data + start, len - start);
		struct frame frame = { .size = 4711 };
		int r = next_of(rest, rest.len, &frame);

		if (r == 0) {
			assert_int_equal(frame.size, 4711);
			continue;
		}
		assert_int_equal(r, 1);
		assert_int_equal(frame.size, rest.len);
		start = len;
		packets++;
	}
	assert_int_equal(start, bytes.len);
	assert_int_equal(packets, wanted);
}

static void test_a_packet_is_told_from_those_behind_it(void **state)
{
	size_t wanted, packets = 0, start = 0;
	struct slice bytes = stream_of(&wanted);
	struct frame frame;

	(void)state;
	while (framing_next(bytes.data + start, bytes.len - start, ROOMY,
			    &frame) == 1) {
		assert_ptr_equal(frame.body.data + frame.body.len,
				 bytes.data + start + frame.size);
		start += frame.size;
		packets++;
	}
	assert_int_equal(packets, wanted);
	assert_int_equal(start, bytes.len);
	assert_int_equal(frame.type, MQTT_DISCONNECT);
}

/* Table 2-2: each of the 256 first bytes. */
static void test_reserved_flags_are_checked(void **state)
{
	unsigned int first;

	(void)state;
	for (first = 0; first < 256; first++) {
		uint8_t bytes[] = { (uint8_t)first, 0 };
		unsigned int type = first >> 4, flags = first & 0xf;
		bool valid = flags == 0;
		struct frame frame;
		int r;

		if (type == MQTT_PUBLISH)
			valid = true;
		if (type == MQTT_PUBREL || type == MQTT_SUBSCRIBE ||
		    type == MQTT_UNSUBSCRIBE)
			valid = flags == 2;
		if (type == 0)
			valid = false;

		r = framing_next(bytes, 2, ROOMY, &frame);
		assert_int_equal(r, valid ? 1 : -EPROTO);
		/* Known from the first byte alone. */
		r = framing_next(bytes, 1, ROOMY, &frame);
		assert_int_equal(r, valid ? 0 : -EPROTO);
		if (valid) {
			framing_next(bytes, 2, ROOMY, &frame);
			assert_int_equal(frame.type, type);
			assert_int_equal(frame.flags, flags);
			assert_int_equal(frame.body.len, 0);
			assert_int_equal(frame.size, 2);
		}
	}
}

/* MQTT 3.1, section 2.1: PUBLISH, PUBREL, SUBSCRIBE and UNSUBSCRIBE have it. */
static void test_3_1_may_set_dup_on_what_is_sent_again(void **state)
{
	unsigned int first;

	(void)state;
	for (first = 0; first < 256; first++) {
		const uint8_t bytes[] = { (uint8_t)first, 0 };
		struct frame frame;
		bool again = first == 0x6a || first == 0x8a || first == 0xaa;
		int r = framing_next(bytes, 2, ROOMY, &frame);

		if (again) {
			assert_int_equal(r, -EPROTO);
			r = 1;
		}
		assert_int_equal(framing_next_3_1(bytes, 2, ROOMY, &frame), r);
		if (r == 1)
			assert_int_equal(frame.flags, first & 0xf);
	}
}

static void test_bad_lengths_are_refused_at_once(void **state)
{
	const struct {
		struct slice bytes;
		size_t at; /* bytes after which it is known */
	} rows[] = {
		{ BYTES(0x30, 0xff, 0xff, 0xff, 0xff, 0x01), 5 },
		{ BYTES(0x30, 0x80, 0x80, 0x80, 0x80, 0x01), 5 },
		{ BYTES(0x30, 0x80, 0x00), 3 },
		{ BYTES(0x30, 0xff, 0x80, 0x00), 4 },
		{ BYTES(0x30, 0x80, 0x80, 0x80, 0x00), 5 },
		{ BYTES(0xc0, 0x01, 0x00), 2 }, /* PINGREQ with a body */
		{ BYTES(0xd0, 0x02), 2 },
	};
	size_t i, len;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		for (len = 0; len <= rows[i].bytes.len; len++) {
			struct frame frame = { .size = 4711 };

			assert_int_equal(next_of(rows[i].bytes, len, &frame),
					 len < rows[i].at ? 0 : -EPROTO);
			assert_int_equal(frame.size, 4711);
		}
	}
}

/* Refused by its claim: not a byte of the body is waited for, or kept. */
static void test_a_packet_too_large_is_refused_by_its_header(void **state)
{
	const struct slice header = BYTES(0x30, 0x80, 0x01); /* 3 + 128 */
	struct frame frame;

	(void)state;
	assert_int_equal(framing_next(header.data, 3, 131, &frame), 0);
	assert_int_equal(framing_next(header.data, 3, 130, &frame), -EMSGSIZE);
	assert_int_equal(framing_next(header.data, 3, 2, &frame), -EMSGSIZE);
	assert_int_equal(framing_next(header.data, 3, 0, &frame), -EMSGSIZE);
	assert_int_equal(framing_next(header.data, 2, 130, &frame), 0);
}

static void test_the_largest_length_is_understood(void **state)
{
	const struct slice header = BYTES(0x30, 0xff, 0xff, 0xff, 0x7f);
	struct frame frame;

	(void)state;
	assert_int_equal(framing_next(header.data, 5, SIZE_MAX, &frame), 0);
	assert_int_equal(framing_next(header.data, 5,
				      5 + (size_t)MQTT_REMAINING_LENGTH_MAX,
				      &frame),
			 0);
	assert_int_equal(framing_next(header.data, 5,
				      4 + (size_t)MQTT_REMAINING_LENGTH_MAX,
				      &frame),
			 -EMSGSIZE);
}

static void test_no_bytes_are_too_few(void **state)
{
	struct frame frame;

	(void)state;
	assert_int_equal(framing_next(NULL, 0, ROOMY, &frame), 0);
}

static void test_headers_are_written_as_they_are_read(void **state)
{
	static const uint32_t lengths[] = { 0,	     1,	      127,
					    128,     16383,   16384,
					    2097151, 2097152, 268435455 };
	static const size_t sizes[] = { 2, 2, 2, 3, 3, 4, 4, 5, 5 };
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(lengths); i++) {
		uint8_t out[MQTT_FIXED_HEADER_MAX];
		size_t len = framing_put_header(out, 0x3d, lengths[i]);
		struct frame frame;

		assert_int_equal(len, sizes[i]);
		assert_int_equal(out[0], 0x3d);
		assert_int_equal(
			framing_next(out, len, len + lengths[i], &frame),
			lengths[i] == 0);
		assert_int_equal(
			framing_next(out, len, len + lengths[i] - 1, &frame),
			-EMSGSIZE);
	}
}

static void test_types_have_their_names(void **state)
{
	(void)state;
	assert_string_equal(framing_type_name(MQTT_CONNECT), "CONNECT");
	assert_string_equal(framing_type_name(MQTT_PUBLISH), "PUBLISH");
	assert_string_equal(framing_type_name(MQTT_AUTH), "AUTH");
	assert_string_equal(framing_type_name((enum mqtt_packet_type)0),
			    "type 0");
	assert_string_equal(framing_type_name((enum mqtt_packet_type)16),
			    "type 0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_stream_is_read_byte_by_byte),
		cmocka_unit_test(test_a_packet_is_told_from_those_behind_it),
		cmocka_unit_test(test_reserved_flags_are_checked),
		cmocka_unit_test(test_3_1_may_set_dup_on_what_is_sent_again),
		cmocka_unit_test(test_bad_lengths_are_refused_at_once),
		cmocka_unit_test(
			test_a_packet_too_large_is_refused_by_its_header),
		cmocka_unit_test(test_the_largest_length_is_understood),
		cmocka_unit_test(test_no_bytes_are_too_few),
		cmocka_unit_test(test_headers_are_written_as_they_are_read),
		cmocka_unit_test(test_types_have_their_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "broker/wire/reader.h"

#include "tests/wire/bytes.h"

/* Table 1-1 of MQTT 5.0, and what lies around it. */
static void test_varint_reads_the_table(void **state)
{
	const struct {
		struct slice bytes;
		uint32_t value;
	} rows[] = {
		{ BYTES(0x00), 0 },
		{ BYTES(0x7f), 127 },
		{ BYTES(0x80, 0x01), 128 },
		{ BYTES(0xff, 0x7f), 16383 },
		{ BYTES(0x80, 0x80, 0x01), 16384 },
		{ BYTES(0xff, 0xff, 0x7f), 2097151 },
		{ BYTES(0x80, 0x80, 0x80, 0x01), 2097152 },
		{ BYTES(0xff, 0xff, 0xff, 0x7f), 268435455 },
		{ BYTES(0xc1, 0x02), 321 }, /* the example of 3.1.1, 2.2.3 */
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		struct reader r = reader_of(rows[i].bytes);
		uint32_t value = 1;

		assert_true(reader_varint(&r, &value));
		assert_int_equal(value, rows[i].value);
		assert_int_equal(reader_left(&r), 0);
	}
}

static void test_varint_refuses_what_is_too_long(void **state)
{
	const struct slice rows[] = {
		BYTES(0x80, 0x00), /* 0 in two bytes [MQTT-1.5.5-1] */
		BYTES(0xff, 0x00),
		BYTES(0x80, 0x80, 0x00),
		BYTES(0x80, 0x80, 0x80, 0x00),
		BYTES(0xff, 0xff, 0xff, 0xff, 0x01), /* five bytes */
		BYTES(0x80, 0x80, 0x80, 0x80),
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		struct reader r = reader_of(rows[i]);
		uint32_t value = 77;

		assert_false(reader_varint(&r, &value));
		assert_int_equal(value, 77);
		assert_int_equal(reader_left(&r), rows[i].len);
	}
}

static void test_varint_refuses_every_truncation(void **state)
{
	const struct slice whole = BYTES(0x80, 0x80, 0x80, 0x01);
	size_t len;

	(void)state;
	for (len = 0; len < whole.len; len++) {
		uint8_t *copy = exact_copy(slice_of(whole.data, len));
		struct reader r = reader_of(slice_of(copy, len));
		uint32_t value;

		assert_false(reader_varint(&r, &value));
		free(copy);
	}
}

static void test_integers_are_big_endian(void **state)
{
	struct reader r = reader_of(BYTES(1, 2, 3, 4, 5, 6, 7));
	uint8_t u8;
	uint16_t u16;
	uint32_t u32;

	(void)state;
	assert_true(reader_u8(&r, &u8));
	assert_int_equal(u8, 1);
	assert_true(reader_u16(&r, &u16));
	assert_int_equal(u16, 0x0203);
	assert_true(reader_u32(&r, &u32));
	assert_int_equal(u32, 0x04050607);
	assert_int_equal(reader_left(&r), 0);
}

static void test_largest_integers_survive(void **state)
{
	struct reader r = reader_of(BYTES(0xff, 0xff, 0xff, 0xff, 0xff, 0xff));
	uint16_t u16;
	uint32_t u32;

	(void)state;
	assert_true(reader_u32(&r, &u32));
	assert_true(u32 == UINT32_MAX);
	assert_true(reader_u16(&r, &u16));
	assert_int_equal(u16, UINT16_MAX);
}

static void test_too_few_bytes_take_nothing(void **state)
{
	uint8_t *copy = exact_copy(BYTES(1, 2, 3));
	struct reader r = reader_of(slice_of(copy, 3));
	struct slice bytes;
	uint16_t u16;
	uint32_t u32;
	uint8_t u8;

	(void)state;
	assert_false(reader_u32(&r, &u32));
	assert_false(reader_bytes(&r, 4, &bytes));
	assert_int_equal(reader_left(&r), 3);
	assert_true(reader_u16(&r, &u16));
	assert_false(reader_u16(&r, &u16));
	assert_int_equal(reader_left(&r), 1);
	assert_true(reader_u8(&r, &u8));
	assert_false(reader_u8(&r, &u8));
	assert_true(reader_bytes(&r, 0, &bytes));
	free(copy);
}

static void test_nothing_to_read_is_no_fault(void **state)
{
	struct reader r = reader_of(slice_of(NULL, 0));
	struct slice bytes;
	uint8_t u8;

	(void)state;
	assert_int_equal(reader_left(&r), 0);
	assert_false(reader_u8(&r, &u8));
	assert_false(reader_string(&r, &bytes));
	assert_true(reader_bytes(&r, 0, &bytes));
	assert_int_equal(bytes.len, 0);
}

/* The figure of 1.5.4: "A", then U+2A6D4. */
static void test_string_reads_the_specifications_example(void **state)
{
	struct reader r = reader_of(
		BYTES(0x00, 0x05, 0x41, 0xf0, 0xaa, 0x9b, 0x94, 0x99));
	struct slice text;

	(void)state;
	assert_true(reader_string(&r, &text));
	assert_slice(text, TEXT("A\xf0\xaa\x9b\x94"));
	assert_int_equal(reader_left(&r), 1);
}

static void test_string_refuses_what_is_no_utf8(void **state)
{
	struct reader r = reader_of(BYTES(0x00, 0x02, 0xc3, 0x28));
	struct slice text = TEXT("untouched");

	(void)state;
	assert_false(reader_string(&r, &text));
	assert_int_equal(reader_left(&r), 4);
	assert_slice(text, TEXT("untouched"));
	assert_true(reader_binary(&r, &text));
	assert_slice(text, TEXT("\xc3\x28"));
}

static void test_length_may_not_reach_past_the_end(void **state)
{
	const struct slice whole = BYTES(0x00, 0x03, 'a', 'b', 'c');
	size_t len;

	(void)state;
	for (len = 0; len < whole.len; len++) {
		uint8_t *copy = exact_copy(slice_of(whole.data, len));
		struct reader r = reader_of(slice_of(copy, len));
		struct slice text;

		assert_false(reader_binary(&r, &text));
		assert_false(reader_string(&r, &text));
		assert_int_equal(reader_left(&r), len);
		free(copy);
	}
}

static void test_the_longest_string_is_read_whole(void **state)
{
	size_t size = 2 + 65535;
	uint8_t *bytes = malloc(size);
	struct slice text;
	struct reader r;

	(void)state;
	assert_non_null(bytes);
	memset(bytes, 'x', size);
	bytes[0] = 0xff;
	bytes[1] = 0xff;
	r = reader_of(slice_of(bytes, size));
	assert_true(reader_string(&r, &text));
	assert_int_equal(text.len, 65535);
	assert_int_equal(reader_left(&r), 0);
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_varint_reads_the_table),
		cmocka_unit_test(test_varint_refuses_what_is_too_long),
		cmocka_unit_test(test_varint_refuses_every_truncation),
		cmocka_unit_test(test_integers_are_big_endian),
		cmocka_unit_test(test_largest_integers_survive),
		cmocka_unit_test(test_too_few_bytes_take_nothing),
		cmocka_unit_test(test_nothing_to_read_is_no_fault),
		cmocka_unit_test(test_string_reads_the_specifications_example),
		cmocka_unit_test(test_string_refuses_what_is_no_utf8),
		cmocka_unit_test(test_length_may_not_reach_past_the_end),
		cmocka_unit_test(test_the_longest_string_is_read_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

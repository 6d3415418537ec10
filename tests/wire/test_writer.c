#include "broker/wire/writer.h"

#include "broker/wire/framing.h"
#include "broker/wire/reader.h"
#include "tests/wire/bytes.h"

static void test_varint_writes_the_table(void **state)
{
	const struct {
		uint32_t value;
		struct slice bytes;
	} rows[] = {
		{ 0, BYTES(0x00) },
		{ 127, BYTES(0x7f) },
		{ 128, BYTES(0x80, 0x01) },
		{ 16383, BYTES(0xff, 0x7f) },
		{ 16384, BYTES(0x80, 0x80, 0x01) },
		{ 2097151, BYTES(0xff, 0xff, 0x7f) },
		{ 2097152, BYTES(0x80, 0x80, 0x80, 0x01) },
		{ 268435455, BYTES(0xff, 0xff, 0xff, 0x7f) },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		uint8_t out[4];
		struct writer w = writer_of(out, sizeof(out));

		writer_varint(&w, rows[i].value);
		assert_false(w.overflow);
		assert_slice(slice_of(out, w.len), rows[i].bytes);
		assert_int_equal(varint_size(rows[i].value), w.len);
	}
}

static void test_varint_above_the_maximum_overflows(void **state)
{
	uint8_t out[8];
	struct writer w = writer_of(out, sizeof(out));

	(void)state;
	writer_varint(&w, MQTT_REMAINING_LENGTH_MAX + 1);
	assert_true(w.overflow);
	assert_int_equal(w.len, 0);
}

static void test_each_type_comes_back_from_the_reader(void **state)
{
	uint8_t out[32];
	struct writer w = writer_of(out, sizeof(out));
	struct slice text, bytes;
	struct reader r;
	uint16_t u16;
	uint32_t u32;
	uint8_t u8;

	(void)state;
	writer_u8(&w, 0xfe);
	writer_u16(&w, 0xfedc);
	writer_u32(&w, 0xfedcba98);
	writer_string(&w, TEXT("kitchen"));
	writer_bytes(&w, BYTES(9, 8, 7));
	assert_false(w.overflow);

	r = reader_of(slice_of(out, w.len));
	assert_true(reader_u8(&r, &u8));
	assert_int_equal(u8, 0xfe);
	assert_true(reader_u16(&r, &u16));
	assert_int_equal(u16, 0xfedc);
	assert_true(reader_u32(&r, &u32));
	assert_true(u32 == 0xfedcba98);
	assert_true(reader_string(&r, &text));
	assert_slice(text, TEXT("kitchen"));
	assert_true(reader_bytes(&r, 3, &bytes));
	assert_slice(bytes, BYTES(9, 8, 7));
	assert_int_equal(reader_left(&r), 0);
}

static void put_all(struct writer *w)
{
	writer_header(w, 0x30, 300);
	writer_u8(w, 1);
	writer_u16(w, 2);
	writer_u32(w, 3);
	writer_varint(w, 16384);
	writer_string(w, TEXT("ab"));
	writer_bytes(w, BYTES(1, 2));
}

/* In every size too small: the flag is set, nothing is written behind the end,
 * and what is there is the beginning of the right bytes. */
static void test_no_byte_is_written_past_the_end(void **state)
{
	uint8_t whole[64];
	struct writer w = writer_of(whole, sizeof(whole));
	size_t size, cap;

	(void)state;
	put_all(&w);
	assert_false(w.overflow);
	size = w.len;
	assert_int_equal(size, 3 + 1 + 2 + 4 + 3 + 4 + 2);

	for (cap = 0; cap < size; cap++) {
		uint8_t *out = malloc(cap ? cap : 1);

		assert_non_null(out);
		w = writer_of(out, cap);
		put_all(&w);
		assert_true(w.overflow);
		assert_in_range(w.len, 0, cap);
		if (w.len)
			assert_memory_equal(out, whole, w.len);
		free(out);
	}
}

static void test_after_an_overflow_nothing_more_is_written(void **state)
{
	uint8_t out[4] = { 0 };
	struct writer w = writer_of(out, sizeof(out));

	(void)state;
	writer_bytes(&w, TEXT("12345"));
	writer_u8(&w, 0xff);
	assert_true(w.overflow);
	assert_int_equal(w.len, 0);
	assert_int_equal(out[0], 0);
}

static void test_a_string_of_65536_bytes_overflows(void **state)
{
	size_t size = 65536 + 2;
	uint8_t *out = malloc(size);
	uint8_t *text = calloc(1, 65536);
	struct writer w = writer_of(out, size);

	(void)state;
	assert_non_null(out);
	assert_non_null(text);
	writer_string(&w, slice_of(text, 65535));
	assert_false(w.overflow);
	assert_int_equal(w.len, 65537);
	w = writer_of(out, size);
	writer_string(&w, slice_of(text, 65536));
	assert_true(w.overflow);
	free(text);
	free(out);
}

static void test_a_packet_larger_than_mqtt_allows_overflows(void **state)
{
	uint8_t out[8];
	struct writer w = writer_of(out, sizeof(out));

	(void)state;
	writer_header(&w, 0x30, MQTT_REMAINING_LENGTH_MAX);
	assert_false(w.overflow);
	assert_int_equal(w.len, 5);
	w = writer_of(out, sizeof(out));
	writer_header(&w, 0x30, (size_t)MQTT_REMAINING_LENGTH_MAX + 1);
	assert_true(w.overflow);
	assert_int_equal(w.len, 0);
}

static void test_nothing_fits_into_nothing(void **state)
{
	struct writer w = writer_of(NULL, 0);

	(void)state;
	writer_bytes(&w, slice_of(NULL, 0));
	assert_false(w.overflow);
	writer_u8(&w, 1);
	assert_true(w.overflow);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_varint_writes_the_table),
		cmocka_unit_test(test_varint_above_the_maximum_overflows),
		cmocka_unit_test(test_each_type_comes_back_from_the_reader),
		cmocka_unit_test(test_no_byte_is_written_past_the_end),
		cmocka_unit_test(
			test_after_an_overflow_nothing_more_is_written),
		cmocka_unit_test(test_a_string_of_65536_bytes_overflows),
		cmocka_unit_test(
			test_a_packet_larger_than_mqtt_allows_overflows),
		cmocka_unit_test(test_nothing_fits_into_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

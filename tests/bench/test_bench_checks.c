/*
 * The parts of bench-load that decide whether a broker did right.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/bench/histogram.h"
#include "tests/bench/packet.h"
#include "tests/bench/sequence.h"

static struct sequence sequence;

static void see(uint64_t from, uint64_t to)
{
	for (uint64_t i = from; i < to; i++)
		assert_true(sequence_see(&sequence, i));
}

static void test_order_has_no_faults(void **unused)
{
	(void)unused;
	memset(&sequence, 0, sizeof(sequence));
	see(0, 10 * SEQUENCE_SPAN);
	assert_int_equal(sequence.duplicates, 0);
	assert_int_equal(sequence.reordered, 0);
	assert_int_equal(sequence_missing(&sequence, 10 * SEQUENCE_SPAN), 0);
}

static void test_a_lost_message_is_missing(void **unused)
{
	(void)unused;
	memset(&sequence, 0, sizeof(sequence));
	see(0, 5000);
	see(5001, 20000);
	assert_int_equal(sequence_missing(&sequence, 20000), 1);
	/* The last ones leave no gap behind them. */
	assert_int_equal(sequence_missing(&sequence, 20003), 4);
	assert_int_equal(sequence.duplicates, 0);
	assert_int_equal(sequence.reordered, 0);
}

static void test_a_second_copy_is_a_duplicate(void **unused)
{
	(void)unused;
	memset(&sequence, 0, sizeof(sequence));
	see(0, 5000);
	assert_false(sequence_see(&sequence, 4999));
	assert_false(sequence_see(&sequence, 4000));
	assert_false(sequence_see(&sequence, 0)); /* long ago */
	assert_int_equal(sequence.duplicates, 3);
	assert_int_equal(sequence_missing(&sequence, 5000), 0);
}

static void test_a_late_message_is_reordered_not_lost(void **unused)
{
	(void)unused;
	memset(&sequence, 0, sizeof(sequence));
	see(0, 5000);
	see(5001, 5010);
	assert_true(sequence_see(&sequence, 5000));
	assert_false(sequence_see(&sequence, 5000));
	assert_int_equal(sequence.reordered, 1);
	assert_int_equal(sequence.duplicates, 1);
	assert_int_equal(sequence_missing(&sequence, 5010), 0);
}

static void read_back(int level, int qos, size_t size)
{
	static uint8_t packet[100000];
	const struct stamp in = { 7, 1234567890123, 99 };
	struct stamp out;
	struct publish publish;
	size_t id_at, stamp_at, body, len;

	len = packet_publish(packet, level, "a/b", qos, true, size, &id_at,
			     &stamp_at);
	packet_stamp(packet + stamp_at, &in);
	assert_int_equal(packet_length(packet, len, &body), len);
	assert_true(packet_read_publish(&publish, level, packet[0],
					packet + body, len - body));
	assert_int_equal(publish.topic_len, 3);
	assert_memory_equal(publish.topic, "a/b", 3);
	assert_int_equal(publish.qos, qos);
	assert_int_equal(publish.id, qos ? 1 : 0);
	assert_true(publish.retain);
	assert_int_equal(publish.payload_len, size);
	assert_true(packet_read_stamp(&out, publish.payload, size));
	assert_int_equal(out.publisher, 7);
	assert_int_equal(out.sequence, 1234567890123);
	assert_int_equal(out.time, 99);

	packet[len - 1] ^= 1;
	assert_int_equal(packet_read_stamp(&out, publish.payload, size), false);
	assert_false(packet_read_stamp(&out, publish.payload, STAMP_SIZE - 1));
}

static void test_json_is_read_back_and_damage_seen(void **unused)
{
	const struct stamp in = { 7, 1234567890123, 99 };
	uint8_t packet[200];
	struct stamp out;
	size_t id_at, at;

	(void)unused;
	packet_publish(packet, 4, "a/b", 0, false, 64, &id_at, &at);
	packet_make_json(packet + at, 64);
	packet_stamp_json(packet + at, &in);
	assert_memory_equal(packet + at, "{\"v\":50,\"s\":\"", 13);
	assert_memory_equal(packet + at + 61, "\"} ", 3);
	assert_true(packet_read_stamp_json(&out, packet + at, 64));
	assert_int_equal(out.publisher, 7);
	assert_int_equal(out.sequence, 1234567890123);
	assert_int_equal(out.time, 99);
	assert_false(packet_read_stamp_json(&out, packet + at,
					    PACKET_JSON_SIZE - 1));
	packet[at + 13] ^= 1;
	assert_false(packet_read_stamp_json(&out, packet + at, 64));
}

static void test_publish_is_read_back_and_damage_seen(void **unused)
{
	static const size_t sizes[] = { 25,  64,   100,	  127,
					128, 1024, 16384, 99000 };

	(void)unused;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		for (int qos = 0; qos <= 2; qos++) {
			read_back(4, qos, sizes[i]);
			read_back(5, qos, sizes[i]);
		}
	}
}

static void test_length_wants_whole_header(void **unused)
{
	static const uint8_t five[] = { 0x30, 0xff, 0xff, 0xff, 0xff, 0x01 };
	static const uint8_t torn[] = { 0x30, 0x80 };
	size_t body;

	(void)unused;
	assert_int_equal(packet_length(five, sizeof(five), &body), -1);
	assert_int_equal(packet_length(torn, 1, &body), 0);
	assert_int_equal(packet_length(torn, 2, &body), 0);
}

static void test_quantiles_are_within_one_part_in_64(void **unused)
{
	static struct histogram h;

	(void)unused;
	histogram_reset(&h);
	assert_int_equal(histogram_quantile(&h, 0.5), 0);
	for (uint64_t i = 1; i <= 1000; i++)
		histogram_add(&h, i * 1000);
	assert_in_range(histogram_quantile(&h, 0.5), 492000, 500000);
	assert_in_range(histogram_quantile(&h, 0.99), 974000, 990000);
	assert_in_range(histogram_quantile(&h, 1), 984000, 1000000);
	histogram_add(&h, UINT64_MAX);
	assert_true(histogram_quantile(&h, 1) > UINT64_MAX / 64 * 63);
	histogram_reset(&h);
	histogram_add(&h, 3);
	assert_int_equal(histogram_quantile(&h, 0.5), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order_has_no_faults),
		cmocka_unit_test(test_a_lost_message_is_missing),
		cmocka_unit_test(test_a_second_copy_is_a_duplicate),
		cmocka_unit_test(test_a_late_message_is_reordered_not_lost),
		cmocka_unit_test(test_publish_is_read_back_and_damage_seen),
		cmocka_unit_test(test_json_is_read_back_and_damage_seen),
		cmocka_unit_test(test_length_wants_whole_header),
		cmocka_unit_test(test_quantiles_are_within_one_part_in_64),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "broker/wire/subscribe.h"

#include "tests/wire/packets.h"

static enum mqtt_reason subscribe(enum mqtt_version version, struct slice body)
{
	uint8_t *copy = exact_copy(body);
	struct mqtt_subscribe out;
	enum mqtt_reason reason;

	memset(&out, 0xee, sizeof(out));
	reason = subscribe_decode(version, slice_of(copy, body.len), &out);
	free(copy);
	return reason;
}

static enum mqtt_reason unsubscribe(enum mqtt_version version,
				    struct slice body)
{
	uint8_t *copy = exact_copy(body);
	struct mqtt_subscribe out;
	enum mqtt_reason reason;

	memset(&out, 0xee, sizeof(out));
	reason = unsubscribe_decode(version, slice_of(copy, body.len), &out);
	free(copy);
	return reason;
}

/* 3.1.1, figure 3.22: a/b at QoS 1, c/d at QoS 2; identifier 10. */
static void test_the_specifications_example_is_read(void **state)
{
	const struct slice body = TEXT("\0\x0a\0\x03"
				       "a/b\x01\0\x03"
				       "c/d\x02");
	struct mqtt_subscribe packet;
	struct mqtt_subscription entry;
	struct slice rest;

	(void)state;
	assert_int_equal(subscribe_decode(MQTT_3_1_1, body, &packet),
			 MQTT_SUCCESS);
	assert_int_equal(packet.packet_id, 10);
	assert_int_equal(packet.count, 2);
	rest = packet.entries;
	assert_true(subscribe_next(MQTT_3_1_1, &rest, &entry));
	assert_slice(entry.filter, TEXT("a/b"));
	assert_int_equal(entry.qos, 1);
	assert_true(subscribe_next(MQTT_3_1_1, &rest, &entry));
	assert_slice(entry.filter, TEXT("c/d"));
	assert_int_equal(entry.qos, 2);
	assert_false(entry.no_local);
	assert_false(entry.retain_as_published);
	assert_int_equal(entry.retain_handling, 0);
	assert_false(subscribe_next(MQTT_3_1_1, &rest, &entry));
	/* The list itself is as it was, and can be walked again. */
	assert_true(subscribe_next(MQTT_3_1_1, &packet.entries, &entry));
	assert_slice(entry.filter, TEXT("a/b"));
}

/* Each of the 256 values of the options byte in each version. */
static void test_each_of_the_256_options_is_judged(void **state)
{
	unsigned int options;

	(void)state;
	for (options = 0; options < 256; options++) {
		uint8_t old[] = { 0, 1, 0, 1, 'a', (uint8_t)options };
		uint8_t new[] = { 0, 1, 0, 0, 1, 'a', (uint8_t)options };
		struct slice body = slice_of(new, sizeof(new));
		enum mqtt_reason wanted = MQTT_SUCCESS;
		struct mqtt_subscription entry;
		struct mqtt_subscribe packet;

		assert_int_equal(
			subscribe(MQTT_3_1_1, slice_of(old, sizeof(old))),
			options <= 2 ? MQTT_SUCCESS : MQTT_MALFORMED_PACKET);
		if (options & 0xc0)
			wanted = MQTT_MALFORMED_PACKET;
		else if ((options & 3) == 3 || (options & 0x30) == 0x30)
			wanted = MQTT_PROTOCOL_ERROR;
		assert_int_equal(subscribe(MQTT_5_0, body), wanted);
		if (wanted != MQTT_SUCCESS)
			continue;
		subscribe_decode(MQTT_5_0, body, &packet);
		assert_true(subscribe_next(MQTT_5_0, &packet.entries, &entry));
		assert_int_equal(entry.qos, options & 3);
		assert_int_equal(entry.no_local, !!(options & 4));
		assert_int_equal(entry.retain_as_published, !!(options & 8));
		assert_int_equal(entry.retain_handling, options >> 4);
	}
}

static void test_subscribe_is_judged_by_its_bytes(void **state)
{
	static const struct {
		enum mqtt_version version;
		enum mqtt_reason reason;
		struct slice body;
	} rows[] = {
		{ MQTT_3_1, MQTT_SUCCESS, STATIC_TEXT("\0\x01\0\x01#\0") },
		{ MQTT_5_0, MQTT_SUCCESS,
		  STATIC_TEXT("\0\x01\x02\x0b\x01\0\x01#\0") },
		/* Identifier 0. */
		{ MQTT_3_1_1, MQTT_MALFORMED_PACKET,
		  STATIC_TEXT("\0\0\0\x01#\0") },
		/* No filters [MQTT-3.8.3-2]. */
		{ MQTT_3_1_1, MQTT_PROTOCOL_ERROR, STATIC_TEXT("\0\x01") },
		{ MQTT_5_0, MQTT_PROTOCOL_ERROR, STATIC_TEXT("\0\x01\0") },
		/* Bytes missing, at each place. */
		{ MQTT_3_1_1, MQTT_MALFORMED_PACKET, STATIC_TEXT("") },
		{ MQTT_3_1_1, MQTT_MALFORMED_PACKET, STATIC_TEXT("\0") },
		{ MQTT_5_0, MQTT_MALFORMED_PACKET, STATIC_TEXT("\0\x01") },
		{ MQTT_3_1_1, MQTT_MALFORMED_PACKET, STATIC_TEXT("\0\x01\0") },
		{ MQTT_3_1_1, MQTT_MALFORMED_PACKET,
		  STATIC_TEXT("\0\x01\0\x02#") },
		{ MQTT_3_1_1, MQTT_MALFORMED_PACKET,
		  STATIC_TEXT("\0\x01\0\x01#") },
		{ MQTT_3_1_1, MQTT_MALFORMED_PACKET,
		  STATIC_TEXT("\0\x01\0\x01#\0\0") },
		/* UTF-8, in the second entry. */
		{ MQTT_3_1_1, MQTT_MALFORMED_PACKET,
		  STATIC_TEXT("\0\x01\0\x01#\0\0\x01\xff\0") },
		{ MQTT_3_1_1, MQTT_MALFORMED_PACKET,
		  STATIC_TEXT("\0\x01\0\x01\0\0") },
		/* A filter without a byte is topic.h's affair. */
		{ MQTT_3_1_1, MQTT_SUCCESS, STATIC_TEXT("\0\x01\0\0\0") },
		/* No Local on a shared subscription [MQTT-3.8.3-4]. */
		{ MQTT_5_0, MQTT_PROTOCOL_ERROR,
		  STATIC_TEXT("\0\x01\0\0\x0a$share/g/a\x04") },
		{ MQTT_5_0, MQTT_SUCCESS,
		  STATIC_TEXT("\0\x01\0\0\x0a$share/g/a\x08") },
		{ MQTT_5_0, MQTT_SUCCESS,
		  STATIC_TEXT("\0\x01\0\0\x0a$sharE/g/a\x04") },
		/* Subscription Identifier 0, twice, foreign property. */
		{ MQTT_5_0, MQTT_PROTOCOL_ERROR,
		  STATIC_TEXT("\0\x01\x02\x0b\0\0\x01#\0") },
		{ MQTT_5_0, MQTT_PROTOCOL_ERROR,
		  STATIC_TEXT("\0\x01\x04\x0b\1\x0b\1\0\x01#\0") },
		{ MQTT_5_0, MQTT_MALFORMED_PACKET,
		  STATIC_TEXT("\0\x01\x02\x01\x01\0\x01#\0") },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		enum mqtt_reason reason =
			subscribe(rows[i].version, rows[i].body);

		if (reason != rows[i].reason)
			fail_msg("row %zu: %s", i, reason_name(reason));
	}
}

static void test_unsubscribe_is_judged_by_its_bytes(void **state)
{
	static const struct {
		enum mqtt_version version;
		enum mqtt_reason reason;
		struct slice body;
	} rows[] = {
		{ MQTT_3_1, MQTT_SUCCESS,
		  STATIC_TEXT("\0\x0a\0\x03"
			      "a/b\0\x03"
			      "c/d") },
		{ MQTT_5_0, MQTT_SUCCESS,
		  STATIC_TEXT("\0\x0a\0\0\x03"
			      "a/b") },
		{ MQTT_5_0, MQTT_SUCCESS,
		  STATIC_TEXT("\0\x0a\x05\x26\0\0\0\0\0\x03"
			      "a/b") },
		{ MQTT_5_0, MQTT_MALFORMED_PACKET,
		  STATIC_TEXT("\0\x0a\x02\x0b\x01\0\x03"
			      "a/b") },
		{ MQTT_3_1_1, MQTT_MALFORMED_PACKET,
		  STATIC_TEXT("\0\0\0\x01#") },
		{ MQTT_3_1_1, MQTT_PROTOCOL_ERROR, STATIC_TEXT("\0\x01") },
		{ MQTT_5_0, MQTT_PROTOCOL_ERROR, STATIC_TEXT("\0\x01\0") },
		{ MQTT_3_1_1, MQTT_MALFORMED_PACKET, STATIC_TEXT("") },
		{ MQTT_3_1_1, MQTT_MALFORMED_PACKET, STATIC_TEXT("\0\x01\0") },
		{ MQTT_3_1_1, MQTT_MALFORMED_PACKET,
		  STATIC_TEXT("\0\x01\0\x02#") },
		{ MQTT_3_1_1, MQTT_MALFORMED_PACKET,
		  STATIC_TEXT("\0\x01\0\x01#\0") },
		{ MQTT_3_1_1, MQTT_MALFORMED_PACKET,
		  STATIC_TEXT("\0\x01\0\x01\xc0") },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		enum mqtt_reason reason =
			unsubscribe(rows[i].version, rows[i].body);

		if (reason != rows[i].reason)
			fail_msg("row %zu: %s", i, reason_name(reason));
	}
}

static void test_subscribe_comes_back_from_its_bytes(void **state)
{
	const struct mqtt_subscription in[] = {
		{ .filter = TEXT("a/+"),
		  .qos = 2,
		  .no_local = true,
		  .retain_as_published = true,
		  .retain_handling = 2 },
		{ .filter = TEXT("$share/g/#"),
		  .qos = 1,
		  .retain_handling = 1 },
		{ .filter = TEXT("b") },
	};
	struct mqtt_properties properties = {
		.subscription_ids = { 128 },
		.subscription_id_count = 1,
	};
	struct mqtt_subscription entry;
	struct mqtt_subscribe packet;
	uint8_t bytes[128], *copy;
	struct writer w = writer_of(bytes, sizeof(bytes));
	size_t i;

	(void)state;
	properties_set(&properties, MQTT_PROP_SUBSCRIPTION_IDENTIFIER);
	subscribe_encode(&w, MQTT_5_0, 77, &properties, in, COUNT(in));
	assert_int_equal(subscribe_decode(MQTT_5_0,
					  body_of(&w, MQTT_SUBSCRIBE, &copy),
					  &packet),
			 MQTT_SUCCESS);
	assert_int_equal(packet.packet_id, 77);
	assert_int_equal(packet.count, COUNT(in));
	assert_int_equal(packet.properties.subscription_ids[0], 128);
	for (i = 0; i < COUNT(in); i++) {
		assert_true(subscribe_next(MQTT_5_0, &packet.entries, &entry));
		assert_slice(entry.filter, in[i].filter);
		assert_int_equal(entry.qos, in[i].qos);
		assert_int_equal(entry.no_local, in[i].no_local);
		assert_int_equal(entry.retain_as_published,
				 in[i].retain_as_published);
		assert_int_equal(entry.retain_handling, in[i].retain_handling);
	}
	assert_false(subscribe_next(MQTT_5_0, &packet.entries, &entry));
	free(copy);

	/* Before 5.0 only the QoS is there to be written. */
	w = writer_of(bytes, sizeof(bytes));
	subscribe_encode(&w, MQTT_3_1_1, 77, NULL, in, 1);
	assert_written(&w, TEXT("\x82\x08\0\x4d\0\x03"
				"a/+\x02"));
}

static void test_unsubscribe_comes_back_from_its_bytes(void **state)
{
	static const enum mqtt_version versions[] = { MQTT_3_1, MQTT_3_1_1,
						      MQTT_5_0 };
	const struct slice in[] = { TEXT("a/+"), TEXT("b") };
	size_t v, i;

	(void)state;
	for (v = 0; v < COUNT(versions); v++) {
		uint8_t bytes[64], *copy;
		struct writer w = writer_of(bytes, sizeof(bytes));
		struct mqtt_subscribe packet;
		struct slice filter, body;

		unsubscribe_encode(&w, versions[v], 78, in, COUNT(in));
		body = body_of(&w, MQTT_UNSUBSCRIBE, &copy);
		assert_int_equal(unsubscribe_decode(versions[v], body, &packet),
				 MQTT_SUCCESS);
		assert_int_equal(packet.packet_id, 78);
		assert_int_equal(packet.count, COUNT(in));
		for (i = 0; i < COUNT(in); i++) {
			assert_true(unsubscribe_next(&packet.entries, &filter));
			assert_slice(filter, in[i]);
		}
		assert_false(unsubscribe_next(&packet.entries, &filter));
		free(copy);
	}
}

static enum mqtt_reason suback(enum mqtt_version version,
			       enum mqtt_packet_type type, struct slice body,
			       struct mqtt_suback *out)
{
	uint8_t *copy = exact_copy(body);
	enum mqtt_reason reason;

	memset(out, 0xee, sizeof(*out));
	reason = suback_decode(version, type, slice_of(copy, body.len), out);
	free(copy);
	return reason;
}

/* 3.9.3 and 3.11.3, and 3.9.3 of 3.1.1. */
static void test_answers_carry_listed_reasons_only(void **state)
{
	static const uint8_t sub[] = { 0x00, 0x01, 0x02, 0x80, 0x83, 0x87,
				       0x8f, 0x91, 0x97, 0x9e, 0xa1, 0xa2 };
	static const uint8_t unsub[] = { 0x00, 0x11, 0x80, 0x83,
					 0x87, 0x8f, 0x91 };
	static const uint8_t old[] = { 0x00, 0x01, 0x02, 0x80 };
	unsigned int code;

	(void)state;
	for (code = 0; code < 256; code++) {
		const struct slice v5 = BYTES(0, 9, 0, (uint8_t)code);
		const struct slice v3 = BYTES(0, 9, (uint8_t)code);
		struct mqtt_suback packet;
		int c = (int)code;

		assert_int_equal(suback(MQTT_5_0, MQTT_SUBACK, v5, &packet),
				 memchr(sub, c, sizeof(sub))
					 ? MQTT_SUCCESS
					 : MQTT_PROTOCOL_ERROR);
		assert_int_equal(suback(MQTT_5_0, MQTT_UNSUBACK, v5, &packet),
				 memchr(unsub, c, sizeof(unsub))
					 ? MQTT_SUCCESS
					 : MQTT_PROTOCOL_ERROR);
		assert_int_equal(suback(MQTT_3_1_1, MQTT_SUBACK, v3, &packet),
				 memchr(old, c, sizeof(old))
					 ? MQTT_SUCCESS
					 : MQTT_PROTOCOL_ERROR);
	}
}

static void test_answers_are_judged_by_their_bytes(void **state)
{
	static const struct {
		enum mqtt_version version;
		enum mqtt_packet_type type;
		struct slice body;
		enum mqtt_reason reason;
		size_t count;
	} rows[] = {
		{ MQTT_3_1_1, MQTT_SUBACK, STATIC_TEXT("\0\x0a\0\x02\x80"),
		  MQTT_SUCCESS, 3 },
		{ MQTT_3_1_1, MQTT_UNSUBACK, STATIC_TEXT("\0\x0a"),
		  MQTT_SUCCESS, 0 },
		{ MQTT_3_1_1, MQTT_UNSUBACK, STATIC_TEXT("\0\x0a\0"),
		  MQTT_MALFORMED_PACKET, 0 },
		{ MQTT_3_1_1, MQTT_SUBACK, STATIC_TEXT("\0\x0a"),
		  MQTT_MALFORMED_PACKET, 0 },
		{ MQTT_5_0, MQTT_SUBACK, STATIC_TEXT("\0\x0a\0"),
		  MQTT_MALFORMED_PACKET, 0 },
		{ MQTT_5_0, MQTT_SUBACK, STATIC_TEXT("\0\x0a"),
		  MQTT_MALFORMED_PACKET, 0 },
		{ MQTT_5_0, MQTT_UNSUBACK, STATIC_TEXT("\0\x0a"),
		  MQTT_MALFORMED_PACKET, 0 },
		{ MQTT_5_0, MQTT_UNSUBACK, STATIC_TEXT("\0\x0a\0\0\x11"),
		  MQTT_SUCCESS, 2 },
		{ MQTT_5_0, MQTT_SUBACK,
		  STATIC_TEXT("\0\x0a\x04\x1f\0\x01w\x87"), MQTT_SUCCESS, 1 },
		{ MQTT_5_0, MQTT_SUBACK, STATIC_TEXT("\0\0\0\0"),
		  MQTT_MALFORMED_PACKET, 0 },
		{ MQTT_3_1_1, MQTT_UNSUBACK, STATIC_TEXT("\0\0"),
		  MQTT_MALFORMED_PACKET, 0 },
		{ MQTT_3_1_1, MQTT_SUBACK, STATIC_TEXT("\0"),
		  MQTT_MALFORMED_PACKET, 0 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		struct mqtt_suback packet;
		enum mqtt_reason reason = suback(rows[i].version, rows[i].type,
						 rows[i].body, &packet);

		if (reason != rows[i].reason)
			fail_msg("row %zu: %s", i, reason_name(reason));
		if (reason == MQTT_SUCCESS)
			assert_int_equal(packet.reasons.len, rows[i].count);
	}
}

static void test_answers_are_written_for_each_version(void **state)
{
	struct mqtt_suback packet = {
		.packet_id = 10,
		.reasons = BYTES(0x00, 0x02, 0x87, 0x80),
	};
	uint8_t bytes[32];
	struct writer w = writer_of(bytes, sizeof(bytes));

	(void)state;
	suback_encode(&w, MQTT_5_0, MQTT_SUBACK, &packet);
	assert_written(&w, BYTES(0x90, 7, 0, 10, 0, 0x00, 0x02, 0x87, 0x80));
	w = writer_of(bytes, sizeof(bytes));
	suback_encode(&w, MQTT_3_1_1, MQTT_SUBACK, &packet);
	assert_written(&w, BYTES(0x90, 6, 0, 10, 0x00, 0x02, 0x80, 0x80));
	w = writer_of(bytes, sizeof(bytes));
	suback_encode(&w, MQTT_3_1_1, MQTT_UNSUBACK, &packet);
	assert_written(&w, BYTES(0xb0, 2, 0, 10));
	packet.reasons = BYTES(0x00, 0x11);
	w = writer_of(bytes, sizeof(bytes));
	suback_encode(&w, MQTT_5_0, MQTT_UNSUBACK, &packet);
	assert_written(&w, BYTES(0xb0, 5, 0, 10, 0, 0x00, 0x11));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_specifications_example_is_read),
		cmocka_unit_test(test_each_of_the_256_options_is_judged),
		cmocka_unit_test(test_subscribe_is_judged_by_its_bytes),
		cmocka_unit_test(test_unsubscribe_is_judged_by_its_bytes),
		cmocka_unit_test(test_subscribe_comes_back_from_its_bytes),
		cmocka_unit_test(test_unsubscribe_comes_back_from_its_bytes),
		cmocka_unit_test(test_answers_carry_listed_reasons_only),
		cmocka_unit_test(test_answers_are_judged_by_their_bytes),
		cmocka_unit_test(test_answers_are_written_for_each_version),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "broker/wire/publish.h"

#include "broker/wire/topic.h"
#include "tests/wire/packets.h"

/* Decode from an allocation of its own size; *copy is the caller's to free. */
static enum mqtt_reason decode_kept(enum mqtt_version version, uint8_t flags,
				    struct slice body, struct mqtt_publish *out,
				    uint8_t **copy)
{
	*copy = exact_copy(body);
	memset(out, 0xee, sizeof(*out));
	return publish_decode(version, flags, slice_of(*copy, body.len), out);
}

static enum mqtt_reason decode(enum mqtt_version version, uint8_t flags,
			       struct slice body)
{
	struct mqtt_publish out;
	enum mqtt_reason reason;
	uint8_t *copy;

	reason = decode_kept(version, flags, body, &out, &copy);
	free(copy);
	return reason;
}

/* 3.3.2.3.1 of 3.1.1 and figure 3-9 of 5.0: topic "a/b", identifier 10. */
static void test_the_specifications_example_is_read(void **state)
{
	struct mqtt_publish packet;
	uint8_t *copy;

	(void)state;
	assert_int_equal(decode_kept(MQTT_3_1_1, 0x2,
				     TEXT("\0\x03"
					  "a/b\0\x0a"
					  "21.5"),
				     &packet, &copy),
			 MQTT_SUCCESS);
	assert_slice(packet.topic, TEXT("a/b"));
	assert_int_equal(packet.packet_id, 10);
	assert_int_equal(packet.qos, 1);
	assert_false(packet.dup);
	assert_false(packet.retain);
	assert_slice(packet.payload, TEXT("21.5"));
	assert_true(packet.properties.present == 0);
	assert_int_equal(packet.properties.raw.len, 0);
	free(copy);

	assert_int_equal(decode_kept(MQTT_5_0, 0xd,
				     TEXT("\0\x03"
					  "a/b\0\x0a\x02\x01\x01on"),
				     &packet, &copy),
			 MQTT_SUCCESS);
	assert_int_equal(packet.qos, 2);
	assert_true(packet.dup);
	assert_true(packet.retain);
	assert_slice(packet.payload, TEXT("on"));
	assert_slice(packet.properties.raw, TEXT("\x01\x01"));
	assert_int_equal(packet.properties.payload_format_indicator, 1);
	free(copy);
}

static void test_each_of_the_16_flags_is_judged(void **state)
{
	static const enum mqtt_version versions[] = { MQTT_3_1, MQTT_3_1_1,
						      MQTT_5_0 };
	unsigned int flags;
	size_t v;

	(void)state;
	for (v = 0; v < COUNT(versions); v++) {
		for (flags = 0; flags < 16; flags++) {
			unsigned int qos = flags >> 1 & 3;
			bool valid = qos != 3 && !(qos == 0 && flags & 8);

			/* The body fits either reading: id 1, no properties */
			assert_int_equal(decode(versions[v], (uint8_t)flags,
						TEXT("\0\x01t\0\x01\0")),
					 valid ? MQTT_SUCCESS
					       : MQTT_MALFORMED_PACKET);
		}
	}
}

static void test_publish_is_judged_by_its_bytes(void **state)
{
	static const struct {
		enum mqtt_version version;
		uint8_t flags;
		struct slice body;
		enum mqtt_reason reason;
	} rows[] = {
		/* Empty payloads and one-byte topics are ordinary. */
		{ MQTT_3_1_1, 0, STATIC_TEXT("\0\x01t"), MQTT_SUCCESS },
		{ MQTT_3_1_1, 1, STATIC_TEXT("\0\x01/"), MQTT_SUCCESS },
		{ MQTT_5_0, 0, STATIC_TEXT("\0\x01t\0"), MQTT_SUCCESS },
		/* Packet Identifier 0. */
		{ MQTT_3_1_1, 2, STATIC_TEXT("\0\x01t\0\0"),
		  MQTT_MALFORMED_PACKET },
		{ MQTT_5_0, 4, STATIC_TEXT("\0\x01t\0\0\0"),
		  MQTT_MALFORMED_PACKET },
		/* Too short. */
		{ MQTT_3_1_1, 0, STATIC_TEXT(""), MQTT_MALFORMED_PACKET },
		{ MQTT_3_1_1, 0, STATIC_TEXT("\0"), MQTT_MALFORMED_PACKET },
		{ MQTT_3_1_1, 0, STATIC_TEXT("\0\x02t"),
		  MQTT_MALFORMED_PACKET },
		{ MQTT_3_1_1, 2, STATIC_TEXT("\0\x01t\x01"),
		  MQTT_MALFORMED_PACKET },
		{ MQTT_5_0, 0, STATIC_TEXT("\0\x01t"), MQTT_MALFORMED_PACKET },
		{ MQTT_5_0, 0, STATIC_TEXT("\0\x01t\x05\x01\0"),
		  MQTT_MALFORMED_PACKET },
		/* Topic: UTF-8, wildcards, empty. */
		{ MQTT_3_1_1, 0, STATIC_TEXT("\0\x01\xff"),
		  MQTT_MALFORMED_PACKET },
		{ MQTT_3_1_1, 0, STATIC_TEXT("\0\x01\0"),
		  MQTT_MALFORMED_PACKET },
		{ MQTT_3_1_1, 0,
		  STATIC_TEXT("\0\x03"
			      "a/+"),
		  MQTT_TOPIC_NAME_INVALID },
		{ MQTT_5_0, 0,
		  STATIC_TEXT("\0\x03"
			      "a#b\0"),
		  MQTT_TOPIC_NAME_INVALID },
		{ MQTT_3_1, 0, STATIC_TEXT("\0\0"), MQTT_TOPIC_NAME_INVALID },
		{ MQTT_3_1_1, 0, STATIC_TEXT("\0\0"), MQTT_TOPIC_NAME_INVALID },
		{ MQTT_5_0, 0, STATIC_TEXT("\0\0\0"), MQTT_PROTOCOL_ERROR },
		/* Topic Alias: with and without a name, 0, twice. */
		{ MQTT_5_0, 0, STATIC_TEXT("\0\0\x03\x23\0\x01"),
		  MQTT_SUCCESS },
		{ MQTT_5_0, 0, STATIC_TEXT("\0\x01t\x03\x23\xff\xff"),
		  MQTT_SUCCESS },
		{ MQTT_5_0, 0, STATIC_TEXT("\0\0\x03\x23\0\0"),
		  MQTT_TOPIC_ALIAS_INVALID },
		{ MQTT_5_0, 0, STATIC_TEXT("\0\0\x06\x23\0\x01\x23\0\x01"),
		  MQTT_PROTOCOL_ERROR },
		/* A will's property, and one of CONNECT. */
		{ MQTT_5_0, 0, STATIC_TEXT("\0\x01t\x05\x18\0\0\0\x01"),
		  MQTT_MALFORMED_PACKET },
		{ MQTT_5_0, 0, STATIC_TEXT("\0\x01t\x03\x21\0\x01"),
		  MQTT_MALFORMED_PACKET },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		enum mqtt_reason reason =
			decode(rows[i].version, rows[i].flags, rows[i].body);

		if (reason != rows[i].reason)
			fail_msg("row %zu: %s", i, reason_name(reason));
	}
}

static void test_a_topic_with_too_many_levels_is_refused(void **state)
{
	uint8_t body[2 + TOPIC_LEVELS_MAX];

	(void)state;
	memset(body, '/', sizeof(body));
	body[0] = 0;
	body[1] = TOPIC_LEVELS_MAX - 1;
	assert_int_equal(
		decode(MQTT_3_1_1, 0, slice_of(body, sizeof(body) - 1)),
		MQTT_SUCCESS);
	body[1] = TOPIC_LEVELS_MAX;
	assert_int_equal(decode(MQTT_3_1_1, 0, slice_of(body, sizeof(body))),
			 MQTT_TOPIC_NAME_INVALID);
}

static void assert_round_trip(enum mqtt_version version,
			      const struct mqtt_publish *in)
{
	uint8_t bytes[256], *copy;
	struct writer w = writer_of(bytes, sizeof(bytes));
	struct mqtt_publish out;
	struct slice body;

	publish_encode(&w, version, in);
	assert_int_equal(w.len, publish_size(version, in));
	body = body_of(&w, MQTT_PUBLISH, &copy);
	memset(&out, 0xee, sizeof(out));
	assert_int_equal(publish_decode(version, bytes[0] & 0xf, body, &out),
			 MQTT_SUCCESS);
	assert_slice(out.topic, in->topic);
	assert_slice(out.payload, in->payload);
	assert_int_equal(out.packet_id, in->qos > 0 ? in->packet_id : 0);
	assert_int_equal(out.qos, in->qos);
	assert_int_equal(out.dup, in->dup);
	assert_int_equal(out.retain, in->retain);
	if (version == MQTT_5_0) {
		assert_true(out.properties.present == in->properties.present);
		assert_slice(out.properties.correlation_data,
			     in->properties.correlation_data);
	} else {
		assert_true(out.properties.present == 0);
	}
	free(copy);
}

static void test_what_is_encoded_is_decoded(void **state)
{
	static const enum mqtt_version versions[] = { MQTT_3_1, MQTT_3_1_1,
						      MQTT_5_0 };
	uint8_t qos;
	size_t v;

	(void)state;
	for (v = 0; v < COUNT(versions); v++) {
		for (qos = 0; qos <= 2; qos++) {
			struct mqtt_publish in = {
				.topic = TEXT("home/hall"),
				.payload = TEXT("\0on\xff"),
				.packet_id = 65535,
				.qos = qos,
				.dup = qos == 2,
				.retain = qos == 1,
				.properties.correlation_data = TEXT("\x80"),
				.properties.message_expiry_interval = 9,
			};

			properties_set(&in.properties,
				       MQTT_PROP_CORRELATION_DATA);
			properties_set(&in.properties,
				       MQTT_PROP_MESSAGE_EXPIRY_INTERVAL);
			assert_round_trip(versions[v], &in);
		}
	}
}

/* Where the Remaining Length grows by a byte the size must too. */
static void test_a_known_topic_is_not_checked_again(void **state)
{
	static const uint8_t body[] = { 0, 3, 'a', '/', 'b', 'o', 'n' };
	const struct slice known = TEXT("a/b");
	struct mqtt_publish packet;

	(void)state;
	assert_int_equal(publish_decode_known(MQTT_3_1_1, 0,
					      slice_of(body, sizeof(body)),
					      known, &packet),
			 MQTT_SUCCESS);
	assert_ptr_equal(packet.topic.data, known.data);
	assert_slice(packet.payload, TEXT("on"));
	/* Another one, and half of it. */
	assert_int_equal(publish_decode_known(MQTT_3_1_1, 0,
					      slice_of(body, sizeof(body)),
					      TEXT("a/c"), &packet),
			 MQTT_SUCCESS);
	assert_ptr_equal(packet.topic.data, body + 2);
	assert_int_equal(publish_decode_known(MQTT_3_1_1, 0,
					      TEXT("\0\x03"
						   "a/"),
					      known, &packet),
			 MQTT_MALFORMED_PACKET);
	assert_int_equal(publish_decode_known(MQTT_3_1_1, 0,
					      TEXT("\0\x03"
						   "a/#"),
					      known, &packet),
			 MQTT_TOPIC_NAME_INVALID);
}

static void test_the_size_is_right_where_the_length_grows(void **state)
{
	static const size_t payloads[] = { 0,	  121,	 122,	  123,	  16377,
					   16378, 16379, 2097146, 2097147 };
	uint8_t *payload = calloc(1, 2097152);
	uint8_t *bytes = malloc(2097152 + 64);
	size_t i;

	(void)state;
	assert_non_null(payload);
	assert_non_null(bytes);
	for (i = 0; i < COUNT(payloads); i++) {
		struct mqtt_publish packet = {
			.topic = TEXT("top"),
			.payload = slice_of(payload, payloads[i]),
		};
		struct writer w = writer_of(bytes, 2097152 + 64);
		struct frame frame;

		publish_encode(&w, MQTT_3_1_1, &packet);
		assert_false(w.overflow);
		assert_int_equal(publish_size(MQTT_3_1_1, &packet), w.len);
		assert_int_equal(framing_next(bytes, w.len, w.len, &frame), 1);
		assert_int_equal(frame.body.len, 5 + payloads[i]);
		/* One byte less is too little. */
		w = writer_of(bytes, w.len - 1);
		publish_encode(&w, MQTT_3_1_1, &packet);
		assert_true(w.overflow);
	}
	free(bytes);
	free(payload);
}

static enum mqtt_reason ack(enum mqtt_version version,
			    enum mqtt_packet_type type, struct slice body,
			    struct mqtt_ack *out)
{
	uint8_t *copy = exact_copy(body);
	enum mqtt_reason reason;

	memset(out, 0xee, sizeof(*out));
	reason = ack_decode(version, type, slice_of(copy, body.len), out);
	free(copy);
	return reason;
}

/* 3.4.2.1 to 3.7.2.1, for each of the four packets. */
static void test_acknowledgements_carry_listed_reasons_only(void **state)
{
	static const uint8_t first[] = { 0x00, 0x10, 0x80, 0x83, 0x87,
					 0x90, 0x91, 0x97, 0x99 };
	static const uint8_t second[] = { 0x00, 0x92 };
	unsigned int code;
	int type;

	(void)state;
	for (type = MQTT_PUBACK; type <= MQTT_PUBCOMP; type++) {
		bool early = type == MQTT_PUBACK || type == MQTT_PUBREC;

		for (code = 0; code < 256; code++) {
			struct mqtt_ack packet;
			bool valid = early ? memchr(first, (int)code,
						    sizeof(first)) != NULL
					   : memchr(second, (int)code,
						    sizeof(second)) != NULL;

			assert_int_equal(
				ack(MQTT_5_0, (enum mqtt_packet_type)type,
				    BYTES(0, 7, (uint8_t)code), &packet),
				valid ? MQTT_SUCCESS : MQTT_PROTOCOL_ERROR);
			if (!valid)
				continue;
			assert_int_equal(packet.packet_id, 7);
			assert_int_equal(packet.reason, code);
		}
	}
}

static void test_acknowledgements_are_judged_by_their_bytes(void **state)
{
	static const struct {
		enum mqtt_version version;
		enum mqtt_reason reason;
		struct slice body;
	} rows[] = {
		{ MQTT_3_1, MQTT_SUCCESS, STATIC_TEXT("\x12\x34") },
		{ MQTT_3_1_1, MQTT_SUCCESS, STATIC_TEXT("\x12\x34") },
		{ MQTT_5_0, MQTT_SUCCESS, STATIC_TEXT("\x12\x34") },
		{ MQTT_5_0, MQTT_SUCCESS, STATIC_TEXT("\x12\x34\0") },
		{ MQTT_5_0, MQTT_SUCCESS, STATIC_TEXT("\x12\x34\0\0") },
		{ MQTT_5_0, MQTT_SUCCESS,
		  STATIC_TEXT("\x12\x34\0\x04\x1f\0\x01w") },
		{ MQTT_5_0, MQTT_MALFORMED_PACKET,
		  STATIC_TEXT("\x12\x34\0\x04\x1f\0\x01") },
		{ MQTT_5_0, MQTT_MALFORMED_PACKET,
		  STATIC_TEXT("\x12\x34\0\0\0") },
		{ MQTT_5_0, MQTT_MALFORMED_PACKET,
		  STATIC_TEXT("\x12\x34\0\x02\x01\x01") },
		{ MQTT_3_1_1, MQTT_MALFORMED_PACKET,
		  STATIC_TEXT("\x12\x34\0") },
		{ MQTT_3_1_1, MQTT_MALFORMED_PACKET, STATIC_TEXT("\0\0") },
		{ MQTT_5_0, MQTT_MALFORMED_PACKET, STATIC_TEXT("\0\0") },
		{ MQTT_5_0, MQTT_MALFORMED_PACKET, STATIC_TEXT("\x12") },
		{ MQTT_5_0, MQTT_MALFORMED_PACKET, STATIC_TEXT("") },
	};
	size_t i;
	int type;

	(void)state;
	for (type = MQTT_PUBACK; type <= MQTT_PUBCOMP; type++) {
		for (i = 0; i < COUNT(rows); i++) {
			struct mqtt_ack packet;
			enum mqtt_reason reason = ack(
				rows[i].version, (enum mqtt_packet_type)type,
				rows[i].body, &packet);

			if (reason != rows[i].reason)
				fail_msg("row %zu: %s", i, reason_name(reason));
			if (reason == MQTT_SUCCESS)
				assert_int_equal(packet.packet_id, 0x1234);
		}
	}
}

static void test_acknowledgements_leave_out_what_they_may(void **state)
{
	struct mqtt_ack packet = { .packet_id = 0x0102 };
	uint8_t bytes[32];
	struct writer w = writer_of(bytes, sizeof(bytes));

	(void)state;
	ack_encode(&w, MQTT_5_0, MQTT_PUBREL, &packet);
	assert_written(&w, BYTES(0x62, 2, 1, 2)); /* [MQTT-3.6.1-1] */

	packet.reason = MQTT_NO_MATCHING_SUBSCRIBERS;
	w = writer_of(bytes, sizeof(bytes));
	ack_encode(&w, MQTT_5_0, MQTT_PUBACK, &packet);
	assert_written(&w, BYTES(0x40, 3, 1, 2, 0x10));
	w = writer_of(bytes, sizeof(bytes));
	ack_encode(&w, MQTT_3_1_1, MQTT_PUBACK, &packet);
	assert_written(&w, BYTES(0x40, 2, 1, 2));

	packet.properties.reason_string = TEXT("w");
	properties_set(&packet.properties, MQTT_PROP_REASON_STRING);
	w = writer_of(bytes, sizeof(bytes));
	ack_encode(&w, MQTT_5_0, MQTT_PUBREC, &packet);
	assert_written(&w, BYTES(0x50, 8, 1, 2, 0x10, 4, 0x1f, 0, 1, 'w'));
	w = writer_of(bytes, sizeof(bytes));
	ack_encode(&w, MQTT_3_1, MQTT_PUBCOMP, &packet);
	assert_written(&w, BYTES(0x70, 2, 1, 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_specifications_example_is_read),
		cmocka_unit_test(test_each_of_the_16_flags_is_judged),
		cmocka_unit_test(test_publish_is_judged_by_its_bytes),
		cmocka_unit_test(test_a_topic_with_too_many_levels_is_refused),
		cmocka_unit_test(test_what_is_encoded_is_decoded),
		cmocka_unit_test(test_a_known_topic_is_not_checked_again),
		cmocka_unit_test(test_the_size_is_right_where_the_length_grows),
		cmocka_unit_test(
			test_acknowledgements_carry_listed_reasons_only),
		cmocka_unit_test(
			test_acknowledgements_are_judged_by_their_bytes),
		cmocka_unit_test(test_acknowledgements_leave_out_what_they_may),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

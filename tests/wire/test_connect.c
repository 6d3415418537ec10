#include "broker/wire/connect.h"

#include "broker/wire/topic.h"
#include "tests/wire/packets.h"

static enum mqtt_reason decode(struct slice body, struct mqtt_connect *out)
{
	uint8_t *copy = exact_copy(body);
	enum mqtt_reason reason;

	memset(out, 0xee, sizeof(*out));
	reason = connect_decode(slice_of(copy, body.len), out);
	free(copy); /* the slices dangle; tests that look at them do not ask us */
	return reason;
}

/* 3.1.1, figure 3.6: name, level 4, all flags but the reserved one, keep-alive
 * 10; then the payload its flags announce. */
static void test_the_specifications_example_is_read(void **state)
{
	const struct slice body =
		TEXT("\0\x04MQTT\x04\xce\0\x0a"
		     "\0\x02id\0\x01t\0\x02\0\xff\0\x01u\0\x02\x80\0");
	struct mqtt_connect packet;

	(void)state;
	assert_int_equal(connect_decode(body, &packet), MQTT_SUCCESS);
	assert_int_equal(packet.version, MQTT_3_1_1);
	assert_true(packet.clean_start);
	assert_int_equal(packet.keep_alive, 10);
	assert_slice(packet.client_id, TEXT("id"));
	assert_true(packet.has_will);
	assert_int_equal(packet.will.qos, 1);
	assert_false(packet.will.retain);
	assert_slice(packet.will.topic, TEXT("t"));
	assert_slice(packet.will.payload, TEXT("\0\xff"));
	assert_true(packet.has_username);
	assert_slice(packet.username, TEXT("u"));
	assert_true(packet.has_password);
	assert_slice(packet.password, TEXT("\x80\0"));
	assert_false(packet.bridge);
	assert_true(packet.properties.present == 0);
	assert_true(packet.will.properties.present == 0);
}

/* 5.0, 3.1.2.11 with 3.1.3.2: properties in both places. */
static void test_a_connect_of_5_0_is_read(void **state)
{
	const struct slice body = TEXT("\0\x04MQTT\x05\x2e\0\x0a"
				       "\x05\x11\0\0\0\x0a"
				       "\0\0"
				       "\x05\x18\0\0\0\x07"
				       "\0\x01t\0\0");
	struct mqtt_connect packet;

	(void)state;
	assert_int_equal(connect_decode(body, &packet), MQTT_SUCCESS);
	assert_int_equal(packet.version, MQTT_5_0);
	assert_int_equal(packet.properties.session_expiry_interval, 10);
	assert_int_equal(packet.client_id.len, 0);
	assert_int_equal(packet.will.properties.will_delay_interval, 7);
	assert_int_equal(packet.will.qos, 1);
	assert_true(packet.will.retain);
	assert_int_equal(packet.will.payload.len, 0);
	assert_false(packet.has_username);
	assert_false(packet.has_password);
}

static void test_names_and_levels_are_told_apart(void **state)
{
	static const struct {
		struct slice body;
		enum mqtt_reason reason;
		int version;
		bool bridge;
	} rows[] = {
		{ STATIC_TEXT("\0\x06MQIsdp\x03\x02\0\0\0\x01i"), MQTT_SUCCESS,
		  MQTT_3_1, false },
		{ STATIC_TEXT("\0\x06MQIsdp\x83\x02\0\0\0\x01i"), MQTT_SUCCESS,
		  MQTT_3_1, true },
		{ STATIC_TEXT("\0\x04MQTT\x04\x02\0\0\0\x01i"), MQTT_SUCCESS,
		  MQTT_3_1_1, false },
		{ STATIC_TEXT("\0\x04MQTT\x84\x02\0\0\0\x01i"), MQTT_SUCCESS,
		  MQTT_3_1_1, true },
		{ STATIC_TEXT("\0\x04MQTT\x05\x02\0\0\0\0\x01i"), MQTT_SUCCESS,
		  MQTT_5_0, false },
		/* Levels that are none, alone and with more behind. */
		{ STATIC_TEXT("\0\x04MQTT\x06"),
		  MQTT_UNSUPPORTED_PROTOCOL_VERSION, MQTT_5_0, false },
		{ STATIC_TEXT("\0\x04MQTT\x85\x02\0\0\0\0\x01i"),
		  MQTT_UNSUPPORTED_PROTOCOL_VERSION, MQTT_5_0, false },
		{ STATIC_TEXT("\0\x04MQTT\xff"),
		  MQTT_UNSUPPORTED_PROTOCOL_VERSION, MQTT_5_0, false },
		{ STATIC_TEXT("\0\x04MQTT\x03\x02\0\0\0\x01i"),
		  MQTT_UNSUPPORTED_PROTOCOL_VERSION, MQTT_3_1_1, false },
		{ STATIC_TEXT("\0\x04MQTT\0"),
		  MQTT_UNSUPPORTED_PROTOCOL_VERSION, MQTT_3_1_1, false },
		{ STATIC_TEXT("\0\x06MQIsdp\x04\x02\0\0\0\x01i"),
		  MQTT_UNSUPPORTED_PROTOCOL_VERSION, MQTT_3_1_1, false },
		{ STATIC_TEXT("\0\x06MQIsdp\x05"),
		  MQTT_UNSUPPORTED_PROTOCOL_VERSION, MQTT_3_1_1, false },
		/* Foreign names [MQTT-3.1.2-1]: nothing may be answered. */
		{ STATIC_TEXT("\0\x04mqtt\x04\x02\0\0\0\x01i"),
		  MQTT_PROTOCOL_ERROR, 0, false },
		{ STATIC_TEXT("\0\x05MQTT5\x05"), MQTT_PROTOCOL_ERROR, 0,
		  false },
		{ STATIC_TEXT("\0\0\x04"), MQTT_PROTOCOL_ERROR, 0, false },
		{ STATIC_TEXT("\0\x04MQ\xff\xff\x04"), MQTT_MALFORMED_PACKET, 0,
		  false },
		{ STATIC_TEXT("\0\x04MQTT"), MQTT_MALFORMED_PACKET, 0, false },
		{ STATIC_TEXT("GET / HTTP/1.1"), MQTT_MALFORMED_PACKET, 0,
		  false },
		{ STATIC_TEXT(""), MQTT_MALFORMED_PACKET, 0, false },
		/* Flags, keep-alive and an identifier, had they a name. */
		{ STATIC_TEXT("\0\x05\0\0\0"), MQTT_MALFORMED_PACKET, 0,
		  false },
		{ STATIC_TEXT("\0\x04MQTT\0\0\0"),
		  MQTT_UNSUPPORTED_PROTOCOL_VERSION, MQTT_3_1_1, false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		struct mqtt_connect packet;
		enum mqtt_reason reason = decode(rows[i].body, &packet);

		if (reason != rows[i].reason)
			fail_msg("row %zu: %s", i, reason_name(reason));
		assert_int_equal(packet.version, rows[i].version);
		assert_int_equal(packet.bridge, rows[i].bridge);
	}
}

/* Write a CONNECT whose body fits its flags, as far as that can be done. */
static struct slice body_for_flags(enum mqtt_version version, uint8_t flags,
				   uint8_t *buffer, size_t size)
{
	struct writer w = writer_of(buffer, size);

	writer_string(&w, version == MQTT_3_1 ? TEXT("MQIsdp") : TEXT("MQTT"));
	writer_u8(&w, (uint8_t)version);
	writer_u8(&w, flags);
	writer_u16(&w, 60);
	if (version == MQTT_5_0)
		writer_u8(&w, 0);
	writer_string(&w, TEXT("id"));
	if (flags & 0x04) {
		if (version == MQTT_5_0)
			writer_u8(&w, 0);
		writer_string(&w, TEXT("t"));
		writer_string(&w, TEXT("p"));
	}
	if (flags & 0x80)
		writer_string(&w, TEXT("u"));
	if (flags & 0x40)
		writer_string(&w, TEXT("pw"));
	assert_false(w.overflow);
	return slice_of(buffer, w.len);
}

static bool flags_wanted(enum mqtt_version version, unsigned int flags)
{
	bool will = flags & 0x04;

	if ((flags & 0x18) == 0x18)
		return false; /* [MQTT-3.1.2-12], 3.1.1: -14 */
	if (version != MQTT_5_0 && (flags & 0xc0) == 0x40)
		return false; /* 3.1.1: [MQTT-3.1.2-22] */
	if (version == MQTT_3_1)
		return true;
	if (flags & 0x01)
		return false; /* [MQTT-3.1.2-3] */
	return will || !(flags & 0x38); /* [MQTT-3.1.2-11, -13] */
}

static void test_each_of_the_256_flags_is_judged(void **state)
{
	static const enum mqtt_version versions[] = { MQTT_3_1, MQTT_3_1_1,
						      MQTT_5_0 };
	unsigned int flags;
	size_t v;

	(void)state;
	for (v = 0; v < COUNT(versions); v++) {
		for (flags = 0; flags < 256; flags++) {
			uint8_t buffer[64];
			struct mqtt_connect packet;
			struct slice body =
				body_for_flags(versions[v], (uint8_t)flags,
					       buffer, sizeof(buffer));
			enum mqtt_reason reason = decode(body, &packet);

			if (!flags_wanted(versions[v], flags)) {
				assert_int_equal(reason, MQTT_MALFORMED_PACKET);
				continue;
			}
			assert_int_equal(reason, MQTT_SUCCESS);
			assert_int_equal(packet.clean_start, !!(flags & 0x02));
			assert_int_equal(packet.has_will, !!(flags & 0x04));
			assert_int_equal(packet.has_username, !!(flags & 0x80));
			assert_int_equal(packet.has_password, !!(flags & 0x40));
			if (!packet.has_will)
				continue;
			assert_int_equal(packet.will.qos, (flags & 0x18) >> 3);
			assert_int_equal(packet.will.retain, !!(flags & 0x20));
		}
	}
}

/* Also one byte too many, for each set of flags. */
static void test_every_truncation_and_surplus_is_malformed(void **state)
{
	static const enum mqtt_version versions[] = { MQTT_3_1_1, MQTT_5_0 };
	static const uint8_t flags[] = { 0x02, 0x06, 0x82, 0xc2, 0xc6 };
	size_t v, f, len;

	(void)state;
	for (v = 0; v < COUNT(versions); v++) {
		for (f = 0; f < COUNT(flags); f++) {
			uint8_t buffer[64] = { 0 };
			struct mqtt_connect packet;
			struct slice body = body_for_flags(
				versions[v], flags[f], buffer, sizeof(buffer));

			for (len = 0; len < body.len; len++)
				assert_int_equal(
					decode(slice_of(buffer, len), &packet),
					MQTT_MALFORMED_PACKET);
			assert_int_equal(
				decode(slice_of(buffer, body.len + 1), &packet),
				MQTT_MALFORMED_PACKET);
			assert_int_equal(packet.version, versions[v]);
		}
	}
}

/* 3.1, "CONNECT": announced and not there is none, and no fault. */
static void test_3_1_may_leave_out_a_login_it_announced(void **state)
{
	struct mqtt_connect packet;

	(void)state;
	assert_int_equal(
		decode(TEXT("\0\x06MQIsdp\x03\xc2\0\0\0\x01i"), &packet),
		MQTT_SUCCESS);
	assert_false(packet.has_username);
	assert_false(packet.has_password);
	assert_int_equal(
		decode(TEXT("\0\x06MQIsdp\x03\xc2\0\0\0\x01i\0\x01u"), &packet),
		MQTT_SUCCESS);
	assert_true(packet.has_username);
	assert_false(packet.has_password);
	/* Half of one is a fault all the same. */
	assert_int_equal(
		decode(TEXT("\0\x06MQIsdp\x03\xc2\0\0\0\x01i\0"), &packet),
		MQTT_MALFORMED_PACKET);
	assert_int_equal(decode(TEXT("\0\x04MQTT\x04\xc2\0\0\0\x01i"), &packet),
			 MQTT_MALFORMED_PACKET);
}

static void test_a_client_may_have_a_password_alone_in_5_0(void **state)
{
	struct mqtt_connect packet;

	(void)state;
	assert_int_equal(
		decode(TEXT("\0\x04MQTT\x05\x42\0\0\0\0\0\0\x01p"), &packet),
		MQTT_SUCCESS);
	assert_false(packet.has_username);
	assert_true(packet.has_password);
}

static void test_texts_must_be_utf8(void **state)
{
	const struct slice rows[] = {
		TEXT("\0\x04MQTT\x04\x02\0\0\0\x01\xff"), /* client id */
		TEXT("\0\x04MQTT\x04\x02\0\0\0\x01\0"),
		TEXT("\0\x04MQTT\x04\x06\0\0\0\0\0\x01\x80\0\0"), /* will */
		TEXT("\0\x04MQTT\x04\x82\0\0\0\0\0\x01\x80"), /* user */
		TEXT("\0\x04MQTT\x04\x82\0\0\0\0\0\x03\xed\xa0\x80"),
	};
	struct mqtt_connect packet;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++)
		assert_int_equal(decode(rows[i], &packet),
				 MQTT_MALFORMED_PACKET);
	/* The will's payload and the password are bytes. */
	assert_int_equal(decode(TEXT("\0\x04MQTT\x04\xc6\0\0\0\0\0\x01t"
				     "\0\x01\xff\0\x01u\0\x01\xff"),
				&packet),
			 MQTT_SUCCESS);
}

static enum mqtt_reason decode_will_topic(struct slice topic)
{
	struct mqtt_connect packet;
	uint8_t buffer[1024];
	struct writer w = writer_of(buffer, sizeof(buffer));

	writer_bytes(&w, TEXT("\0\x04MQTT\x04\x06\0\0\0\0"));
	writer_string(&w, topic);
	writer_u16(&w, 0);
	assert_false(w.overflow);
	return decode(slice_of(buffer, w.len), &packet);
}

static void test_the_will_topic_must_be_a_name(void **state)
{
	char levels[TOPIC_LEVELS_MAX];

	(void)state;
	memset(levels, '/', sizeof(levels));
	assert_int_equal(decode_will_topic(TEXT("a/b")), MQTT_SUCCESS);
	assert_int_equal(decode_will_topic(TEXT("")), MQTT_MALFORMED_PACKET);
	assert_int_equal(decode_will_topic(TEXT("a/+")), MQTT_MALFORMED_PACKET);
	assert_int_equal(decode_will_topic(TEXT("#")), MQTT_MALFORMED_PACKET);
	assert_int_equal(decode_will_topic(slice_of(levels, sizeof(levels))),
			 MQTT_TOPIC_NAME_INVALID);
}

static void test_faulty_properties_refuse_the_packet(void **state)
{
	struct mqtt_connect packet;

	(void)state;
	/* Receive Maximum 0; a will's property in CONNECT and the reverse. */
	assert_int_equal(
		decode(TEXT("\0\x04MQTT\x05\x02\0\0\x03\x21\0\0\0\0"), &packet),
		MQTT_PROTOCOL_ERROR);
	assert_int_equal(decode(TEXT("\0\x04MQTT\x05\x02\0\0"
				     "\x05\x18\0\0\0\x01\0\0"),
				&packet),
			 MQTT_MALFORMED_PACKET);
	assert_int_equal(decode(TEXT("\0\x04MQTT\x05\x06\0\0\0\0\0"
				     "\x03\x21\0\x01\0\x01t\0\0"),
				&packet),
			 MQTT_MALFORMED_PACKET);
	assert_int_equal(packet.version, MQTT_5_0);
}

static void assert_same(const struct mqtt_connect *a,
			const struct mqtt_connect *b)
{
	assert_int_equal(a->version, b->version);
	assert_int_equal(a->clean_start, b->clean_start);
	assert_int_equal(a->keep_alive, b->keep_alive);
	assert_int_equal(a->bridge, b->bridge);
	assert_slice(a->client_id, b->client_id);
	assert_int_equal(a->has_will, b->has_will);
	assert_int_equal(a->has_username, b->has_username);
	assert_int_equal(a->has_password, b->has_password);
	if (a->has_will) {
		assert_slice(a->will.topic, b->will.topic);
		assert_slice(a->will.payload, b->will.payload);
		assert_int_equal(a->will.qos, b->will.qos);
		assert_int_equal(a->will.retain, b->will.retain);
	}
	if (a->has_username)
		assert_slice(a->username, b->username);
	if (a->has_password)
		assert_slice(a->password, b->password);
}

static void test_what_is_encoded_is_decoded(void **state)
{
	static const enum mqtt_version versions[] = { MQTT_3_1, MQTT_3_1_1,
						      MQTT_5_0 };
	unsigned int bits;
	size_t v;

	(void)state;
	for (v = 0; v < COUNT(versions); v++) {
		for (bits = 0; bits < 64; bits++) {
			uint8_t bytes[256], *copy;
			struct writer w = writer_of(bytes, sizeof(bytes));
			struct mqtt_connect out, in = {
				.version = versions[v],
				.clean_start = bits & 1,
				.keep_alive = 0x1234,
				.client_id = TEXT("client"),
				.has_will = bits & 2,
				.will = {
					.topic = TEXT("w/t"),
					.payload = TEXT("gone\0"),
					.qos = bits & 4 ? 2 : 0,
					.retain = bits & 8,
				},
				.has_username = bits & 16,
				.username = TEXT("user"),
				.has_password = (bits & 48) == 48,
				.password = TEXT("pass\xff"),
				.bridge = versions[v] != MQTT_5_0 && bits & 8,
			};

			connect_encode(&w, &in);
			memset(&out, 0xee, sizeof(out));
			assert_int_equal(
				connect_decode(body_of(&w, MQTT_CONNECT, &copy),
					       &out),
				MQTT_SUCCESS);
			assert_same(&in, &out);
			free(copy);
		}
	}
}

static void test_properties_are_encoded_in_both_places(void **state)
{
	struct mqtt_connect in = {
		.version = MQTT_5_0,
		.has_will = true,
		.will.topic = TEXT("t"),
		.will.properties.will_delay_interval = 3,
		.properties.receive_maximum = 9,
	};
	uint8_t bytes[64];
	struct writer w = writer_of(bytes, sizeof(bytes));

	(void)state;
	properties_set(&in.properties, MQTT_PROP_RECEIVE_MAXIMUM);
	properties_set(&in.will.properties, MQTT_PROP_WILL_DELAY_INTERVAL);
	connect_encode(&w, &in);
	assert_written(&w, TEXT("\x10\x1b\0\x04MQTT\x05\x04\0\0"
				"\x03\x21\0\x09\0\0"
				"\x05\x18\0\0\0\x03\0\x01t\0\0"));
}

static void test_pings_are_two_bytes(void **state)
{
	uint8_t bytes[4];
	struct writer w = writer_of(bytes, sizeof(bytes));

	(void)state;
	ping_encode(&w, MQTT_PINGREQ);
	ping_encode(&w, MQTT_PINGRESP);
	assert_written(&w, BYTES(0xc0, 0, 0xd0, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_specifications_example_is_read),
		cmocka_unit_test(test_a_connect_of_5_0_is_read),
		cmocka_unit_test(test_names_and_levels_are_told_apart),
		cmocka_unit_test(test_each_of_the_256_flags_is_judged),
		cmocka_unit_test(
			test_every_truncation_and_surplus_is_malformed),
		cmocka_unit_test(test_3_1_may_leave_out_a_login_it_announced),
		cmocka_unit_test(
			test_a_client_may_have_a_password_alone_in_5_0),
		cmocka_unit_test(test_texts_must_be_utf8),
		cmocka_unit_test(test_the_will_topic_must_be_a_name),
		cmocka_unit_test(test_faulty_properties_refuse_the_packet),
		cmocka_unit_test(test_what_is_encoded_is_decoded),
		cmocka_unit_test(test_properties_are_encoded_in_both_places),
		cmocka_unit_test(test_pings_are_two_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

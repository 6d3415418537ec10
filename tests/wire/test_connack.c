#include "broker/wire/connect.h"

#include "tests/wire/packets.h"

/* Section 3.2.2.2, 3.14.2.1 (by who may send it) and 3.15.2.1, written down a
 * second time: as lists here, as bits in the module. */
static const uint8_t connack_codes[] = { 0x00, 0x80, 0x81, 0x82, 0x83, 0x84,
					 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a,
					 0x8c, 0x90, 0x95, 0x97, 0x99, 0x9a,
					 0x9b, 0x9c, 0x9d, 0x9f };
static const uint8_t client_disconnect_codes[] = { 0x00, 0x04, 0x80, 0x81, 0x82,
						   0x83, 0x90, 0x93, 0x94, 0x95,
						   0x96, 0x97, 0x98, 0x99 };
static const uint8_t server_disconnect_codes[] = {
	0x00, 0x80, 0x81, 0x82, 0x83, 0x87, 0x89, 0x8b, 0x8c, 0x8d,
	0x8e, 0x8f, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99,
	0x9a, 0x9b, 0x9c, 0x9d, 0x9e, 0x9f, 0xa0, 0xa1, 0xa2,
};
static const uint8_t auth_codes[] = { 0x00, 0x18, 0x19 };

static bool listed(const uint8_t *codes, size_t count, unsigned int code)
{
	return memchr(codes, (int)code, count) != NULL;
}

#define LISTED(codes, code) listed(codes, sizeof(codes), code)

static enum mqtt_reason connack(enum mqtt_version version, struct slice body,
				struct mqtt_connack *out)
{
	uint8_t *copy = exact_copy(body);
	enum mqtt_reason reason;

	memset(out, 0xee, sizeof(*out));
	reason = connack_decode(version, slice_of(copy, body.len), out);
	free(copy);
	return reason;
}

static void test_return_codes_of_3_1_1_become_reasons(void **state)
{
	static const enum mqtt_reason reasons[] = {
		MQTT_SUCCESS,
		MQTT_UNSUPPORTED_PROTOCOL_VERSION,
		MQTT_CLIENT_IDENTIFIER_NOT_VALID,
		MQTT_SERVER_UNAVAILABLE,
		MQTT_BAD_USER_NAME_OR_PASSWORD,
		MQTT_NOT_AUTHORIZED,
	};
	unsigned int code;

	(void)state;
	for (code = 0; code < 256; code++) {
		const struct slice body = BYTES(0, (uint8_t)code);
		struct mqtt_connack packet;
		enum mqtt_reason verdict = connack(MQTT_3_1_1, body, &packet);

		assert_int_equal(verdict, code <= 5 ? MQTT_SUCCESS
						    : MQTT_PROTOCOL_ERROR);
		if (code > 5)
			continue;
		assert_int_equal(packet.reason, reasons[code]);
		assert_int_equal(reason_to_connack3(packet.reason), code);
	}
}

static void test_connack_carries_listed_reasons_only(void **state)
{
	unsigned int code;

	(void)state;
	for (code = 0; code < 256; code++) {
		struct mqtt_connack packet;

		assert_int_equal(
			connack(MQTT_5_0, BYTES(0, (uint8_t)code, 0), &packet),
			LISTED(connack_codes, code) ? MQTT_SUCCESS
						    : MQTT_PROTOCOL_ERROR);
	}
}

static void test_connack_is_judged_by_its_bytes(void **state)
{
	static const struct {
		enum mqtt_version version;
		struct slice body;
		enum mqtt_reason reason;
		bool present;
	} rows[] = {
		{ MQTT_3_1_1, STATIC_TEXT("\x01\0"), MQTT_SUCCESS, true },
		{ MQTT_3_1_1, STATIC_TEXT("\0\0"), MQTT_SUCCESS, false },
		{ MQTT_3_1_1, STATIC_TEXT("\x02\0"), MQTT_MALFORMED_PACKET, 0 },
		{ MQTT_3_1_1, STATIC_TEXT("\x01\x05"), MQTT_PROTOCOL_ERROR, 0 },
		{ MQTT_3_1_1, STATIC_TEXT("\0\0\0"), MQTT_MALFORMED_PACKET, 0 },
		{ MQTT_3_1_1, STATIC_TEXT("\0"), MQTT_MALFORMED_PACKET, 0 },
		{ MQTT_3_1_1, STATIC_TEXT(""), MQTT_MALFORMED_PACKET, 0 },
		/* 3.1 gives the first byte no meaning. */
		{ MQTT_3_1, STATIC_TEXT("\xff\0"), MQTT_SUCCESS, false },
		{ MQTT_5_0, STATIC_TEXT("\x01\0\0"), MQTT_SUCCESS, true },
		{ MQTT_5_0, STATIC_TEXT("\x80\0\0"), MQTT_MALFORMED_PACKET, 0 },
		{ MQTT_5_0, STATIC_TEXT("\x01\x87\0"), MQTT_PROTOCOL_ERROR, 0 },
		{ MQTT_5_0, STATIC_TEXT("\0\0"), MQTT_MALFORMED_PACKET, 0 },
		{ MQTT_5_0, STATIC_TEXT("\0\0\0\0"), MQTT_MALFORMED_PACKET, 0 },
		{ MQTT_5_0, STATIC_TEXT("\0\0\x02\x24\x01"), MQTT_SUCCESS, 0 },
		{ MQTT_5_0, STATIC_TEXT("\0\0\x02\x24"), MQTT_MALFORMED_PACKET,
		  0 },
		{ MQTT_5_0, STATIC_TEXT("\0\0\x02\x17\x01"),
		  MQTT_MALFORMED_PACKET, 0 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		struct mqtt_connack packet;
		enum mqtt_reason reason =
			connack(rows[i].version, rows[i].body, &packet);

		if (reason != rows[i].reason)
			fail_msg("row %zu: %s", i, reason_name(reason));
		if (reason == MQTT_SUCCESS)
			assert_int_equal(packet.session_present,
					 rows[i].present);
	}
}

static void test_connack_is_written_for_each_version(void **state)
{
	static const struct {
		enum mqtt_version version;
		bool present;
		enum mqtt_reason reason;
		struct slice packet;
	} rows[] = {
		{ MQTT_3_1, true, MQTT_SUCCESS, STATIC_TEXT("\x20\x02\0\0") },
		{ MQTT_3_1_1, true, MQTT_SUCCESS,
		  STATIC_TEXT("\x20\x02\x01\0") },
		{ MQTT_3_1_1, false, MQTT_NOT_AUTHORIZED,
		  STATIC_TEXT("\x20\x02\0\x05") },
		/* [MQTT-3.2.2-6]: never together with a refusal. */
		{ MQTT_3_1_1, true, MQTT_SERVER_BUSY,
		  STATIC_TEXT("\x20\x02\0\x03") },
		{ MQTT_5_0, true, MQTT_SERVER_BUSY,
		  STATIC_TEXT("\x20\x03\0\x89\0") },
		{ MQTT_5_0, true, MQTT_SUCCESS,
		  STATIC_TEXT("\x20\x03\x01\0\0") },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		struct mqtt_connack in = {
			.session_present = rows[i].present,
			.reason = rows[i].reason,
		};
		uint8_t bytes[16];
		struct writer w = writer_of(bytes, sizeof(bytes));

		connack_encode(&w, rows[i].version, &in);
		assert_written(&w, rows[i].packet);
	}
}

static void test_connack_carries_its_properties(void **state)
{
	struct mqtt_connack out, in = {
		.properties.topic_alias_maximum = 32,
		.properties.reason_string = TEXT("hello"),
	};
	uint8_t bytes[32], *copy;
	struct writer w = writer_of(bytes, sizeof(bytes));

	(void)state;
	properties_set(&in.properties, MQTT_PROP_TOPIC_ALIAS_MAXIMUM);
	properties_set(&in.properties, MQTT_PROP_REASON_STRING);
	connack_encode(&w, MQTT_5_0, &in);
	assert_int_equal(connack_decode(MQTT_5_0,
					body_of(&w, MQTT_CONNACK, &copy), &out),
			 MQTT_SUCCESS);
	assert_int_equal(out.properties.topic_alias_maximum, 32);
	assert_slice(out.properties.reason_string, TEXT("hello"));
	free(copy);
}

static enum mqtt_reason disconnect(enum mqtt_version version, bool from_client,
				   struct slice body,
				   struct mqtt_reason_packet *out)
{
	uint8_t *copy = exact_copy(body);
	enum mqtt_reason reason;

	memset(out, 0xee, sizeof(*out));
	reason = disconnect_decode(version, from_client,
				   slice_of(copy, body.len), out);
	free(copy);
	return reason;
}

static void test_each_side_disconnects_with_its_own_reasons(void **state)
{
	unsigned int code;

	(void)state;
	for (code = 0; code < 256; code++) {
		struct mqtt_reason_packet packet;
		const struct slice body = BYTES((uint8_t)code);

		assert_int_equal(disconnect(MQTT_5_0, true, body, &packet),
				 LISTED(client_disconnect_codes, code)
					 ? MQTT_SUCCESS
					 : MQTT_PROTOCOL_ERROR);
		assert_int_equal(disconnect(MQTT_5_0, false, body, &packet),
				 LISTED(server_disconnect_codes, code)
					 ? MQTT_SUCCESS
					 : MQTT_PROTOCOL_ERROR);
		assert_int_equal(packet.reason, code);
	}
}

static void test_disconnect_is_judged_by_its_bytes(void **state)
{
	static const struct {
		enum mqtt_version version;
		bool from_client;
		struct slice body;
		enum mqtt_reason reason;
	} rows[] = {
		{ MQTT_3_1, true, STATIC_TEXT(""), MQTT_SUCCESS },
		{ MQTT_3_1_1, true, STATIC_TEXT(""), MQTT_SUCCESS },
		{ MQTT_3_1_1, true, STATIC_TEXT("\0"), MQTT_MALFORMED_PACKET },
		{ MQTT_5_0, true, STATIC_TEXT(""), MQTT_SUCCESS },
		{ MQTT_5_0, true, STATIC_TEXT("\x04"), MQTT_SUCCESS },
		{ MQTT_5_0, true, STATIC_TEXT("\0\0"), MQTT_SUCCESS },
		{ MQTT_5_0, true, STATIC_TEXT("\0\0\0"),
		  MQTT_MALFORMED_PACKET },
		{ MQTT_5_0, true, STATIC_TEXT("\0\x05\x11\0\0\0\x01"),
		  MQTT_SUCCESS },
		{ MQTT_5_0, true, STATIC_TEXT("\0\x05\x11\0\0\0"),
		  MQTT_MALFORMED_PACKET },
		/* [MQTT-3.14.2-2] and its counterpart. */
		{ MQTT_5_0, false, STATIC_TEXT("\0\x05\x11\0\0\0\x01"),
		  MQTT_PROTOCOL_ERROR },
		{ MQTT_5_0, true, STATIC_TEXT("\0\x04\x1c\0\x01h"),
		  MQTT_PROTOCOL_ERROR },
		{ MQTT_5_0, false, STATIC_TEXT("\x9d\x04\x1c\0\x01h"),
		  MQTT_SUCCESS },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		struct mqtt_reason_packet packet;
		enum mqtt_reason reason =
			disconnect(rows[i].version, rows[i].from_client,
				   rows[i].body, &packet);

		if (reason != rows[i].reason)
			fail_msg("row %zu: %s", i, reason_name(reason));
	}
}

static void test_disconnect_leaves_out_what_it_may(void **state)
{
	struct mqtt_reason_packet packet = { .reason = MQTT_SUCCESS };
	uint8_t bytes[64];
	struct writer w = writer_of(bytes, sizeof(bytes));

	(void)state;
	disconnect_encode(&w, MQTT_5_0, &packet);
	assert_written(&w, BYTES(0xe0, 0));

	packet.reason = MQTT_SESSION_TAKEN_OVER;
	w = writer_of(bytes, sizeof(bytes));
	disconnect_encode(&w, MQTT_5_0, &packet);
	assert_written(&w, BYTES(0xe0, 1, 0x8e));
	w = writer_of(bytes, sizeof(bytes));
	disconnect_encode(&w, MQTT_3_1_1, &packet);
	assert_written(&w, BYTES(0xe0, 0));

	packet.properties.reason_string = TEXT("x");
	properties_set(&packet.properties, MQTT_PROP_REASON_STRING);
	w = writer_of(bytes, sizeof(bytes));
	disconnect_encode(&w, MQTT_5_0, &packet);
	assert_written(&w, BYTES(0xe0, 6, 0x8e, 4, 0x1f, 0, 1, 'x'));
}

static enum mqtt_reason auth(struct slice body, struct mqtt_reason_packet *out)
{
	uint8_t *copy = exact_copy(body);
	enum mqtt_reason reason;

	memset(out, 0xee, sizeof(*out));
	reason = auth_decode(slice_of(copy, body.len), out);
	free(copy);
	return reason;
}

static void test_auth_carries_listed_reasons_and_a_method(void **state)
{
	struct mqtt_reason_packet packet;
	unsigned int code;

	(void)state;
	for (code = 0; code < 256; code++) {
		assert_int_equal(
			auth(BYTES((uint8_t)code, 4, 0x15, 0, 1, 'm'), &packet),
			LISTED(auth_codes, code) ? MQTT_SUCCESS
						 : MQTT_PROTOCOL_ERROR);
		assert_int_equal(packet.reason, code);
	}
	assert_int_equal(auth(BYTES(0x18, 0), &packet), MQTT_PROTOCOL_ERROR);
	assert_int_equal(auth(TEXT(""), &packet), MQTT_SUCCESS);
	assert_int_equal(packet.reason, MQTT_SUCCESS);
	assert_true(packet.properties.present == 0);
}

static void test_a_truncated_auth_is_malformed(void **state)
{
	const struct slice whole = BYTES(0x18, 7, 0x15, 0, 1, 'm', 0x16, 0, 0);
	struct mqtt_reason_packet packet;
	size_t len;

	(void)state;
	assert_int_equal(auth(whole, &packet), MQTT_SUCCESS);
	for (len = 1; len < whole.len; len++)
		assert_int_equal(auth(slice_of(whole.data, len), &packet),
				 MQTT_MALFORMED_PACKET);
	assert_int_equal(auth(BYTES(0x18, 4, 0x15, 0, 1, 'm', 0), &packet),
			 MQTT_MALFORMED_PACKET);
}

static void test_auth_is_written_as_it_is_read(void **state)
{
	struct mqtt_reason_packet packet = { .reason = MQTT_SUCCESS };
	uint8_t bytes[64];
	struct writer w = writer_of(bytes, sizeof(bytes));

	(void)state;
	auth_encode(&w, &packet);
	assert_written(&w, BYTES(0xf0, 0));

	packet.properties.authentication_method = TEXT("m");
	properties_set(&packet.properties, MQTT_PROP_AUTHENTICATION_METHOD);
	w = writer_of(bytes, sizeof(bytes));
	auth_encode(&w, &packet);
	assert_written(&w, BYTES(0xf0, 6, 0, 4, 0x15, 0, 1, 'm'));

	packet.reason = MQTT_CONTINUE_AUTHENTICATION;
	w = writer_of(bytes, sizeof(bytes));
	auth_encode(&w, &packet);
	assert_written(&w, BYTES(0xf0, 6, 0x18, 4, 0x15, 0, 1, 'm'));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_return_codes_of_3_1_1_become_reasons),
		cmocka_unit_test(test_connack_carries_listed_reasons_only),
		cmocka_unit_test(test_connack_is_judged_by_its_bytes),
		cmocka_unit_test(test_connack_is_written_for_each_version),
		cmocka_unit_test(test_connack_carries_its_properties),
		cmocka_unit_test(
			test_each_side_disconnects_with_its_own_reasons),
		cmocka_unit_test(test_disconnect_is_judged_by_its_bytes),
		cmocka_unit_test(test_disconnect_leaves_out_what_it_may),
		cmocka_unit_test(test_auth_carries_listed_reasons_and_a_method),
		cmocka_unit_test(test_a_truncated_auth_is_malformed),
		cmocka_unit_test(test_auth_is_written_as_it_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

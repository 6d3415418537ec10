#include "broker/wire/properties.h"

#include "tests/wire/packets.h"

/*
 * Table 2-4, one letter for each packet: C CONNECT, c CONNACK, P PUBLISH,
 * w will, a PUBACK, r PUBREC, l PUBREL, o PUBCOMP, S SUBSCRIBE, s SUBACK,
 * U UNSUBSCRIBE, u UNSUBACK, D DISCONNECT, A AUTH.
 */
static const struct {
	enum mqtt_property id;
	const char *packets;
	struct slice value; /* a good one */
} table[] = {
	{ MQTT_PROP_PAYLOAD_FORMAT_INDICATOR, "Pw", STATIC_TEXT("\x01") },
	{ MQTT_PROP_MESSAGE_EXPIRY_INTERVAL, "Pw",
	  STATIC_TEXT("\0\0\x0e\x10") },
	{ MQTT_PROP_CONTENT_TYPE, "Pw", STATIC_TEXT("\0\x04json") },
	{ MQTT_PROP_RESPONSE_TOPIC, "Pw",
	  STATIC_TEXT("\0\x03"
		      "a/b") },
	{ MQTT_PROP_CORRELATION_DATA, "Pw", STATIC_TEXT("\0\x02\xff\0") },
	{ MQTT_PROP_SUBSCRIPTION_IDENTIFIER, "PS",
	  STATIC_TEXT("\xff\xff\xff\x7f") },
	{ MQTT_PROP_SESSION_EXPIRY_INTERVAL, "CcD",
	  STATIC_TEXT("\xff\xff\xff\xff") },
	{ MQTT_PROP_ASSIGNED_CLIENT_IDENTIFIER, "c", STATIC_TEXT("\0\x02id") },
	{ MQTT_PROP_SERVER_KEEP_ALIVE, "c", STATIC_TEXT("\0\x3c") },
	{ MQTT_PROP_AUTHENTICATION_METHOD, "CcA", STATIC_TEXT("\0\x05SCRAM") },
	{ MQTT_PROP_AUTHENTICATION_DATA, "CcA", STATIC_TEXT("\0\x01\x80") },
	{ MQTT_PROP_REQUEST_PROBLEM_INFORMATION, "C", STATIC_TEXT("\0") },
	{ MQTT_PROP_WILL_DELAY_INTERVAL, "w", STATIC_TEXT("\0\0\0\x05") },
	{ MQTT_PROP_REQUEST_RESPONSE_INFORMATION, "C", STATIC_TEXT("\x01") },
	{ MQTT_PROP_RESPONSE_INFORMATION, "c", STATIC_TEXT("\0\x01r") },
	{ MQTT_PROP_SERVER_REFERENCE, "cD", STATIC_TEXT("\0\x01h") },
	{ MQTT_PROP_REASON_STRING, "carlosuDA", STATIC_TEXT("\0\x03why") },
	{ MQTT_PROP_RECEIVE_MAXIMUM, "Cc", STATIC_TEXT("\0\x01") },
	{ MQTT_PROP_TOPIC_ALIAS_MAXIMUM, "Cc", STATIC_TEXT("\0\0") },
	{ MQTT_PROP_TOPIC_ALIAS, "P", STATIC_TEXT("\xff\xff") },
	{ MQTT_PROP_MAXIMUM_QOS, "c", STATIC_TEXT("\x01") },
	{ MQTT_PROP_RETAIN_AVAILABLE, "c", STATIC_TEXT("\0") },
	{ MQTT_PROP_USER_PROPERTY, "CcPwarloSsUuDA",
	  STATIC_TEXT("\0\x01k\0\x01v") },
	{ MQTT_PROP_MAXIMUM_PACKET_SIZE, "Cc", STATIC_TEXT("\0\0\0\x01") },
	{ MQTT_PROP_WILDCARD_SUBSCRIPTION_AVAILABLE, "c", STATIC_TEXT("\x01") },
	{ MQTT_PROP_SUBSCRIPTION_IDENTIFIER_AVAILABLE, "c", STATIC_TEXT("\0") },
	{ MQTT_PROP_SHARED_SUBSCRIPTION_AVAILABLE, "c", STATIC_TEXT("\x01") },
};

/* By packet type; type 0 is a will, pings carry nothing. */
static const char letters[] = "wCcParloSsUu..DA";

static bool may_stand_in(size_t row, unsigned int packet)
{
	return strchr(table[row].packets, letters[packet]) &&
	       letters[packet] != '.';
}

/* Decode what stands in bytes, behind its length. */
static enum mqtt_reason decode(struct slice bytes, unsigned int packet,
			       struct mqtt_properties *out)
{
	uint8_t buffer[2048];
	struct writer w = writer_of(buffer, sizeof(buffer));
	enum mqtt_reason reason;
	struct reader r;
	uint8_t *copy;

	writer_varint(&w, (uint32_t)bytes.len);
	writer_bytes(&w, bytes);
	assert_false(w.overflow);
	copy = exact_copy(slice_of(buffer, w.len));
	r = reader_of(slice_of(copy, w.len));
	reason = properties_decode(&r, (enum mqtt_packet_type)packet, out);
	if (reason == MQTT_SUCCESS)
		assert_int_equal(reader_left(&r), 0);
	free(copy); /* raw and the slices dangle from here */
	return reason;
}

static struct slice row_bytes(size_t row, unsigned int times, uint8_t *buffer,
			      size_t size)
{
	struct writer w = writer_of(buffer, size);

	while (times--) {
		writer_u8(&w, (uint8_t)table[row].id);
		writer_bytes(&w, table[row].value);
	}
	assert_false(w.overflow);
	return slice_of(buffer, w.len);
}

static void test_each_property_stands_where_it_may(void **state)
{
	unsigned int packet;
	uint8_t buffer[64];
	size_t row;

	(void)state;
	for (row = 0; row < COUNT(table); row++) {
		for (packet = 0; packet < 16; packet++) {
			struct mqtt_properties p;
			enum mqtt_reason wanted = MQTT_MALFORMED_PACKET;
			struct slice bytes =
				row_bytes(row, 1, buffer, sizeof(buffer));

			if (may_stand_in(row, packet))
				wanted = MQTT_SUCCESS;
			/* It needs a method beside it. */
			if (wanted == MQTT_SUCCESS &&
			    table[row].id == MQTT_PROP_AUTHENTICATION_DATA)
				wanted = MQTT_PROTOCOL_ERROR;
			if (decode(bytes, packet, &p) != wanted)
				fail_msg("0x%02x in %u", table[row].id, packet);
			if (wanted == MQTT_SUCCESS)
				assert_true(p.present ==
					    UINT64_C(1) << table[row].id);
		}
	}
}

static void test_none_but_two_may_stand_twice(void **state)
{
	unsigned int packet;
	uint8_t buffer[64];
	size_t row;

	(void)state;
	for (row = 0; row < COUNT(table); row++) {
		for (packet = 0; packet < 16; packet++) {
			struct mqtt_properties p;
			enum mqtt_reason wanted = MQTT_PROTOCOL_ERROR;
			struct slice bytes =
				row_bytes(row, 2, buffer, sizeof(buffer));

			if (!may_stand_in(row, packet))
				continue;
			if (table[row].id == MQTT_PROP_USER_PROPERTY ||
			    (table[row].id ==
				     MQTT_PROP_SUBSCRIPTION_IDENTIFIER &&
			     packet == MQTT_PUBLISH))
				wanted = MQTT_SUCCESS;
			if (decode(bytes, packet, &p) != wanted)
				fail_msg("0x%02x in %u", table[row].id, packet);
		}
	}
}

static void test_every_truncation_is_malformed(void **state)
{
	unsigned int packet;
	uint8_t buffer[64];
	size_t row, len;

	(void)state;
	for (row = 0; row < COUNT(table); row++) {
		struct slice bytes = row_bytes(row, 1, buffer, sizeof(buffer));

		for (packet = 0; !may_stand_in(row, packet); packet++)
			;
		for (len = 1; len < bytes.len; len++) {
			struct mqtt_properties p;

			assert_int_equal(
				decode(slice_of(buffer, len), packet, &p),
				MQTT_MALFORMED_PACKET);
		}
	}
}

static void test_unknown_identifiers_are_malformed(void **state)
{
	unsigned int id, packet;
	size_t row;

	(void)state;
	for (id = 0; id < 300; id++) {
		uint8_t bytes[16] = { 0 };
		struct writer w = writer_of(bytes, sizeof(bytes));
		struct mqtt_properties p;
		bool known = false;

		for (row = 0; row < COUNT(table); row++)
			known |= table[row].id == id;
		if (known)
			continue;
		writer_varint(&w, id);
		for (packet = 0; packet < 16; packet++)
			assert_int_equal(
				decode(slice_of(bytes, 10), packet, &p),
				MQTT_MALFORMED_PACKET);
	}
}

static void test_values_out_of_range_are_refused(void **state)
{
	const struct {
		enum mqtt_packet_type packet;
		enum mqtt_reason reason;
		struct slice bytes;
	} rows[] = {
		{ MQTT_PUBLISH, MQTT_PROTOCOL_ERROR, TEXT("\x01\x02") },
		{ MQTT_PUBLISH, MQTT_SUCCESS, TEXT("\x01\0") },
		{ MQTT_CONNECT, MQTT_PROTOCOL_ERROR, TEXT("\x17\x02") },
		{ MQTT_CONNECT, MQTT_PROTOCOL_ERROR, TEXT("\x19\xff") },
		{ MQTT_CONNACK, MQTT_PROTOCOL_ERROR, TEXT("\x24\x02") },
		{ MQTT_CONNACK, MQTT_PROTOCOL_ERROR, TEXT("\x25\x02") },
		{ MQTT_CONNACK, MQTT_PROTOCOL_ERROR, TEXT("\x28\x02") },
		{ MQTT_CONNACK, MQTT_PROTOCOL_ERROR, TEXT("\x29\x02") },
		{ MQTT_CONNACK, MQTT_PROTOCOL_ERROR, TEXT("\x2a\x02") },
		{ MQTT_CONNECT, MQTT_PROTOCOL_ERROR, TEXT("\x21\0\0") },
		{ MQTT_CONNECT, MQTT_PROTOCOL_ERROR, TEXT("\x27\0\0\0\0") },
		{ MQTT_CONNECT, MQTT_SUCCESS, TEXT("\x22\0\0") },
		{ MQTT_PUBLISH, MQTT_TOPIC_ALIAS_INVALID, TEXT("\x23\0\0") },
		{ MQTT_SUBSCRIBE, MQTT_PROTOCOL_ERROR, TEXT("\x0b\0") },
		{ MQTT_PUBLISH, MQTT_PROTOCOL_ERROR, TEXT("\x0b\0") },
		/* 1 in two bytes; five bytes. */
		{ MQTT_SUBSCRIBE, MQTT_MALFORMED_PACKET, TEXT("\x0b\x81\0") },
		{ MQTT_SUBSCRIBE, MQTT_MALFORMED_PACKET,
		  TEXT("\x0b\x80\x80\x80\x80\x01") },
		/* [MQTT-3.3.2-14] */
		{ MQTT_PUBLISH, MQTT_PROTOCOL_ERROR,
		  TEXT("\x08\0\x03"
		       "a/#") },
		{ MQTT_PUBLISH, MQTT_PROTOCOL_ERROR, TEXT("\x08\0\x01+") },
		{ MQTT_PUBLISH, MQTT_PROTOCOL_ERROR, TEXT("\x08\0\0") },
		/* No UTF-8; Correlation Data need not be. */
		{ MQTT_PUBLISH, MQTT_MALFORMED_PACKET, TEXT("\x03\0\x01\xff") },
		{ MQTT_PUBLISH, MQTT_MALFORMED_PACKET, TEXT("\x08\0\x01\0") },
		{ MQTT_PUBLISH, MQTT_MALFORMED_PACKET,
		  TEXT("\x26\0\x01\xff\0\0") },
		{ MQTT_PUBLISH, MQTT_MALFORMED_PACKET,
		  TEXT("\x26\0\0\0\x01\xff") },
		{ MQTT_PUBLISH, MQTT_SUCCESS, TEXT("\x09\0\x01\xff") },
		{ MQTT_PUBLISH, MQTT_SUCCESS, TEXT("\x26\0\0\0\0") },
		/* Identifier 1 in two bytes. */
		{ MQTT_PUBLISH, MQTT_MALFORMED_PACKET, TEXT("\x81\0\x01") },
		{ MQTT_AUTH, MQTT_SUCCESS, TEXT("\x15\0\x01m\x16\0\0") },
		{ MQTT_AUTH, MQTT_SUCCESS, TEXT("\x16\0\0\x15\0\x01m") },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		struct mqtt_properties p;
		enum mqtt_reason reason =
			decode(rows[i].bytes, rows[i].packet, &p);

		if (reason != rows[i].reason)
			fail_msg("row %zu: %s", i, reason_name(reason));
	}
}

static void test_the_length_is_bounded_by_the_packet(void **state)
{
	const struct slice rows[] = {
		slice_of(NULL, 0),
		BYTES(1),
		BYTES(5, 0x01, 0x00),
		BYTES(0x80, 0x00), /* 0 in two bytes */
		BYTES(0x80),
		BYTES(0xff, 0xff, 0xff, 0x7f, 0x01, 0x00),
		BYTES(0xff, 0xff, 0xff, 0xff, 0x01),
		BYTES(1, 0x01, 0x00), /* cuts the property it holds */
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		struct mqtt_properties p = { .present = UINT64_MAX };
		uint8_t *copy = exact_copy(rows[i]);
		struct reader r = reader_of(slice_of(copy, rows[i].len));

		assert_int_equal(properties_decode(&r, MQTT_PUBLISH, &p),
				 MQTT_MALFORMED_PACKET);
		assert_true(p.present == 0);
		free(copy);
	}
}

static void test_no_properties_are_a_length_of_zero(void **state)
{
	struct mqtt_properties p = { .present = UINT64_MAX, .raw.len = 7 };
	struct reader r = reader_of(BYTES(0, 0xaa));

	(void)state;
	assert_int_equal(properties_decode(&r, MQTT_PUBLISH, &p), MQTT_SUCCESS);
	assert_true(p.present == 0);
	assert_int_equal(p.raw.len, 0);
	assert_int_equal(reader_left(&r), 1); /* the payload is left alone */
}

static void fill_connack(struct mqtt_properties *p)
{
	*p = (struct mqtt_properties){
		.session_expiry_interval = 0x01020304,
		.assigned_client_identifier = slice_str("auto-1"),
		.server_keep_alive = 0x0506,
		.authentication_method = slice_str("m"),
		.authentication_data = TEXT("\0\xff"),
		.response_information = slice_str("resp/"),
		.server_reference = slice_str("other.example"),
		.reason_string = slice_str("because"),
		.receive_maximum = 0x0708,
		.topic_alias_maximum = 0x090a,
		.maximum_qos = 1,
		.retain_available = 1,
		.maximum_packet_size = 0x0b0c0d0e,
		.wildcard_subscription_available = 1,
		.subscription_identifier_available = 0,
		.shared_subscription_available = 1,
		.user_encoded = TEXT("\x26\0\x01k\0\x01v\x26\0\x01k\0\0"),
	};
	properties_set(p, MQTT_PROP_SESSION_EXPIRY_INTERVAL);
	properties_set(p, MQTT_PROP_ASSIGNED_CLIENT_IDENTIFIER);
	properties_set(p, MQTT_PROP_SERVER_KEEP_ALIVE);
	properties_set(p, MQTT_PROP_AUTHENTICATION_METHOD);
	properties_set(p, MQTT_PROP_AUTHENTICATION_DATA);
	properties_set(p, MQTT_PROP_RESPONSE_INFORMATION);
	properties_set(p, MQTT_PROP_SERVER_REFERENCE);
	properties_set(p, MQTT_PROP_REASON_STRING);
	properties_set(p, MQTT_PROP_RECEIVE_MAXIMUM);
	properties_set(p, MQTT_PROP_TOPIC_ALIAS_MAXIMUM);
	properties_set(p, MQTT_PROP_MAXIMUM_QOS);
	properties_set(p, MQTT_PROP_RETAIN_AVAILABLE);
	properties_set(p, MQTT_PROP_MAXIMUM_PACKET_SIZE);
	properties_set(p, MQTT_PROP_WILDCARD_SUBSCRIPTION_AVAILABLE);
	properties_set(p, MQTT_PROP_SUBSCRIPTION_IDENTIFIER_AVAILABLE);
	properties_set(p, MQTT_PROP_SHARED_SUBSCRIPTION_AVAILABLE);
}

static void assert_connack(const struct mqtt_properties *p,
			   const struct mqtt_properties *q)
{
	assert_true(p->session_expiry_interval == q->session_expiry_interval);
	assert_slice(p->assigned_client_identifier,
		     q->assigned_client_identifier);
	assert_int_equal(p->server_keep_alive, q->server_keep_alive);
	assert_slice(p->authentication_method, q->authentication_method);
	assert_slice(p->authentication_data, q->authentication_data);
	assert_slice(p->response_information, q->response_information);
	assert_slice(p->server_reference, q->server_reference);
	assert_slice(p->reason_string, q->reason_string);
	assert_int_equal(p->receive_maximum, q->receive_maximum);
	assert_int_equal(p->topic_alias_maximum, q->topic_alias_maximum);
	assert_int_equal(p->maximum_qos, q->maximum_qos);
	assert_int_equal(p->retain_available, q->retain_available);
	assert_true(p->maximum_packet_size == q->maximum_packet_size);
	assert_int_equal(p->wildcard_subscription_available,
			 q->wildcard_subscription_available);
	assert_int_equal(p->subscription_identifier_available,
			 q->subscription_identifier_available);
	assert_int_equal(p->shared_subscription_available,
			 q->shared_subscription_available);
}

static void test_every_field_of_connack_comes_back(void **state)
{
	struct mqtt_properties in, out;
	uint8_t bytes[256];
	struct writer w = writer_of(bytes, sizeof(bytes));
	struct reader r;

	(void)state;
	fill_connack(&in);
	memset(&out, 0xee, sizeof(out));
	properties_encode(&w, &in);
	assert_false(w.overflow);
	assert_int_equal(properties_size(&in), w.len);

	r = reader_of(slice_of(bytes, w.len));
	assert_int_equal(properties_decode(&r, MQTT_CONNACK, &out),
			 MQTT_SUCCESS);
	assert_true(out.present ==
		    (in.present | UINT64_C(1) << MQTT_PROP_USER_PROPERTY));
	assert_connack(&out, &in);
}

static void test_the_other_fields_come_back(void **state)
{
	struct mqtt_properties p;

	(void)state;
	assert_int_equal(decode(TEXT("\x17\x01\x19\x01\x11\0\0\0\x02"),
				MQTT_CONNECT, &p),
			 MQTT_SUCCESS);
	assert_int_equal(p.request_problem_information, 1);
	assert_int_equal(p.request_response_information, 1);
	assert_int_equal(p.session_expiry_interval, 2);
	assert_int_equal(decode(TEXT("\x01\x01\x02\0\0\x01\0\x18\0\0\0\x03"),
				MQTT_WILL_PROPERTIES, &p),
			 MQTT_SUCCESS);
	assert_int_equal(p.payload_format_indicator, 1);
	assert_int_equal(p.message_expiry_interval, 256);
	assert_int_equal(p.will_delay_interval, 3);
	assert_int_equal(decode(TEXT("\x23\x12\x34"), MQTT_PUBLISH, &p),
			 MQTT_SUCCESS);
	assert_int_equal(p.topic_alias, 0x1234);
}

static void test_subscription_identifiers_keep_their_order(void **state)
{
	struct mqtt_properties in = {
		.subscription_ids = { 300, 1, 268435455 },
		.subscription_id_count = 3,
	};
	struct mqtt_properties out;
	uint8_t bytes[64];
	struct writer w = writer_of(bytes, sizeof(bytes));
	struct reader r;

	(void)state;
	properties_set(&in, MQTT_PROP_SUBSCRIPTION_IDENTIFIER);
	memset(&out, 0xee, sizeof(out));
	properties_encode(&w, &in);
	assert_written(&w, TEXT("\x0a\x0b\xac\x02\x0b\x01"
				"\x0b\xff\xff\xff\x7f"));
	assert_int_equal(properties_size(&in), w.len);
	r = reader_of(slice_of(bytes, w.len));
	assert_int_equal(properties_decode(&r, MQTT_PUBLISH, &out),
			 MQTT_SUCCESS);
	assert_int_equal(out.subscription_id_count, 3);
	assert_memory_equal(out.subscription_ids, in.subscription_ids,
			    3 * sizeof(uint32_t));
}

static void test_more_subscription_identifiers_than_the_limit(void **state)
{
	uint8_t bytes[2 * (PROPERTIES_SUBSCRIPTION_IDS_MAX + 1)];
	struct mqtt_properties p;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bytes); i += 2) {
		bytes[i] = MQTT_PROP_SUBSCRIPTION_IDENTIFIER;
		bytes[i + 1] = 7;
	}
	assert_int_equal(
		decode(slice_of(bytes, sizeof(bytes) - 2), MQTT_PUBLISH, &p),
		MQTT_SUCCESS);
	assert_int_equal(p.subscription_id_count,
			 PROPERTIES_SUBSCRIPTION_IDS_MAX);
	assert_int_equal(
		decode(slice_of(bytes, sizeof(bytes)), MQTT_PUBLISH, &p),
		MQTT_MALFORMED_PACKET);
}

static void test_no_encoding_writes_past_the_end(void **state)
{
	struct mqtt_properties in;
	size_t size, cap;

	(void)state;
	fill_connack(&in);
	size = properties_size(&in);
	for (cap = 0; cap < size; cap++) {
		uint8_t *bytes = malloc(cap ? cap : 1);
		struct writer w = writer_of(bytes, cap);

		assert_non_null(bytes);
		properties_encode(&w, &in);
		assert_true(w.overflow);
		free(bytes);
	}
}

static void test_user_properties_are_walked_in_order(void **state)
{
	const struct slice raw = TEXT("\x26\0\x01"
				      "a\0\x01"
				      "1\x01\x01\x26\0\x01"
				      "b\0\0"
				      "\x0b\x05\x02\0\0\0\1\x26\0\x01"
				      "a\0\x01"
				      "3"
				      "\x23\0\x01");
	struct slice name, value;
	size_t at = 0;

	(void)state;
	assert_true(properties_next_user(raw, &at, &name, &value));
	assert_slice(name, TEXT("a"));
	assert_slice(value, TEXT("1"));
	assert_true(properties_next_user(raw, &at, &name, &value));
	assert_slice(name, TEXT("b"));
	assert_slice(value, TEXT(""));
	assert_true(properties_next_user(raw, &at, &name, &value));
	assert_slice(name, TEXT("a"));
	assert_slice(value, TEXT("3"));
	assert_false(properties_next_user(raw, &at, &name, &value));
	assert_false(properties_next_user(raw, &at, &name, &value));
	at = 0;
	assert_false(
		properties_next_user(slice_of(NULL, 0), &at, &name, &value));
}

static void test_what_concerns_one_hop_is_not_forwarded(void **state)
{
	const struct {
		struct slice raw;
		struct slice forwarded;
	} rows[] = {
		{ TEXT(""), TEXT("") },
		{ TEXT("\x01\x01"), TEXT("\x01\x01") },
		{ TEXT("\x02\0\0\0\x09"), TEXT("") },
		{ TEXT("\x23\0\x01"), TEXT("") },
		{ TEXT("\x0b\xff\x01\x0b\x05"), TEXT("") },
		{ TEXT("\x18\0\0\0\x09"), TEXT("") },
		{ TEXT("\x26\0\x01"
		       "a\0\x01"
		       "1\x23\0\x01\x03\0\x01x"
		       "\x02\0\0\0\x09\x08\0\x01y\x18\0\0\0\x09"
		       "\x09\0\x01z\x0b\x05\x26\0\x01"
		       "a\0\x01"
		       "2"),
		  TEXT("\x26\0\x01"
		       "a\0\x01"
		       "1\x03\0\x01x\x08\0\x01y"
		       "\x09\0\x01z\x26\0\x01"
		       "a\0\x01"
		       "2") },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		uint8_t *out = malloc(rows[i].raw.len + 1);
		size_t len;

		assert_non_null(out);
		len = properties_forward(rows[i].raw, out);
		assert_slice(slice_of(out, len), rows[i].forwarded);
		free(out);
	}
	assert_int_equal(properties_forward(slice_of(NULL, 0), NULL), 0);
}

/* The question and the copy must agree, or a message would be altered. */
static void test_forward_is_raw_agrees_with_forward(void **state)
{
	uint8_t buffer[64], out[64];
	size_t row;

	(void)state;
	for (row = 0; row < COUNT(table); row++) {
		unsigned int packet = MQTT_PUBLISH;
		struct mqtt_properties p;
		struct slice bytes = row_bytes(row, 1, buffer, sizeof(buffer));

		if (!may_stand_in(row, packet))
			packet = MQTT_WILL_PROPERTIES;
		if (!may_stand_in(row, packet))
			continue;
		assert_int_equal(decode(bytes, packet, &p), MQTT_SUCCESS);
		assert_int_equal(properties_forward_is_raw(&p),
				 properties_forward(bytes, out) == bytes.len);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_property_stands_where_it_may),
		cmocka_unit_test(test_none_but_two_may_stand_twice),
		cmocka_unit_test(test_every_truncation_is_malformed),
		cmocka_unit_test(test_unknown_identifiers_are_malformed),
		cmocka_unit_test(test_values_out_of_range_are_refused),
		cmocka_unit_test(test_the_length_is_bounded_by_the_packet),
		cmocka_unit_test(test_no_properties_are_a_length_of_zero),
		cmocka_unit_test(test_every_field_of_connack_comes_back),
		cmocka_unit_test(test_the_other_fields_come_back),
		cmocka_unit_test(
			test_subscription_identifiers_keep_their_order),
		cmocka_unit_test(
			test_more_subscription_identifiers_than_the_limit),
		cmocka_unit_test(test_no_encoding_writes_past_the_end),
		cmocka_unit_test(test_user_properties_are_walked_in_order),
		cmocka_unit_test(test_what_concerns_one_hop_is_not_forwarded),
		cmocka_unit_test(test_forward_is_raw_agrees_with_forward),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

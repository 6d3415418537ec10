/* "It is a Protocol Error ..." where a property is concerned (5.0). */
#include "tests/conformance/dialogue.h"

struct row {
	const char *section;
	struct slice property; /* identifier and value */
};

/* The packet: first byte, what is before the properties, the properties, what
 * is behind them. */
static size_t build(uint8_t *out, uint8_t first, struct slice before,
		    struct slice properties, struct slice after)
{
	struct writer w = writer_of(out, 256);

	writer_u8(&w, first);
	writer_u8(&w, (uint8_t)(before.len + 1 + properties.len + after.len));
	writer_bytes(&w, before);
	writer_u8(&w, (uint8_t)properties.len);
	writer_bytes(&w, properties);
	writer_bytes(&w, after);
	assert_false(w.overflow);
	return w.len;
}

static struct slice twice(struct slice property, uint8_t *out)
{
	memcpy(out, property.data, property.len);
	memcpy(out + property.len, property.data, property.len);
	return slice_of(out, 2 * property.len);
}

static enum mqtt_reason connect_reason(struct broker *broker,
				       const uint8_t *bytes, size_t len)
{
	struct sim_peer *peer = sim_peer_open(broker);
	enum mqtt_reason reason;

	peer->version = MQTT_5_0;
	sim_peer_send(peer, bytes, len);
	reason = dialogue_connack(peer).reason;
	sim_peer_expect_nothing(peer);
	if (reason != MQTT_SUCCESS)
		assert_true(sim_peer_ended(peer));
	sim_peer_close(peer);
	return reason;
}

static enum mqtt_reason connect_with(struct broker *broker,
				     struct slice properties, bool will)
{
	static const struct slice plain = LITERAL("\0\4MQTT\5\2\0\0");
	static const struct slice mortal = LITERAL("\0\4MQTT\5\6\0\0\0\0\1a");
	static const struct slice id = LITERAL("\0\1a");
	static const struct slice topic = LITERAL("\0\1w\0\1x");
	uint8_t bytes[256];
	size_t len = build(bytes, 0x10, will ? mortal : plain, properties,
			   will ? topic : id);

	return connect_reason(broker, bytes, len);
}

static void test_connect_has_each_property_once(void **state)
{
	static const struct row rows[] = {
		{ "3.1.2.11.2", LITERAL("\x11\0\0\0\1") },
		{ "3.1.2.11.3", LITERAL("\x21\0\1") },
		{ "3.1.2.11.4", LITERAL("\x27\0\0\1\0") },
		{ "3.1.2.11.5", LITERAL("\x22\0\1") },
		{ "3.1.2.11.6", LITERAL("\x19\1") },
		{ "3.1.2.11.7", LITERAL("\x17\1") },
		{ "3.1.2.11.9", LITERAL("\x15\0\1m") },
		{ "3.1.2.11.10", LITERAL("\x15\0\1m\x16\0\1d\x16\0\1d") },
	};
	uint8_t both[64];

	for (size_t i = 0; i < COUNT(rows); i++)
		if (connect_with(*state, twice(rows[i].property, both),
				 false) != MQTT_PROTOCOL_ERROR)
			fail_msg("section %s", rows[i].section);
}

static void test_connect_has_no_forbidden_values(void **state)
{
	static const struct row rows[] = {
		{ "3.1.2.11.3: 0", LITERAL("\x21\0\0") },
		{ "3.1.2.11.4: 0", LITERAL("\x27\0\0\0\0") },
		{ "3.1.2.11.6: 2", LITERAL("\x19\2") },
		{ "3.1.2.11.7: 2", LITERAL("\x17\2") },
		{ "3.1.2.11.10: no method", LITERAL("\x16\0\1d") },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		if (connect_with(*state, rows[i].property, false) !=
		    MQTT_PROTOCOL_ERROR)
			fail_msg("section %s", rows[i].section);
}

static void test_a_will_has_each_property_once(void **state)
{
	static const struct row rows[] = {
		{ "3.1.3.2.2", LITERAL("\x18\0\0\0\1") },
		{ "3.1.3.2.3", LITERAL("\x01\1") },
		{ "3.1.3.2.4", LITERAL("\x02\0\0\0\1") },
		{ "3.1.3.2.5", LITERAL("\x03\0\1c") },
		{ "3.1.3.2.6", LITERAL("\x08\0\1r") },
		{ "3.1.3.2.7", LITERAL("\x09\0\1d") },
	};
	uint8_t both[64];

	for (size_t i = 0; i < COUNT(rows); i++) {
		if (connect_with(*state, rows[i].property, true) !=
			    MQTT_SUCCESS ||
		    connect_with(*state, twice(rows[i].property, both), true) !=
			    MQTT_PROTOCOL_ERROR)
			fail_msg("section %s", rows[i].section);
	}
}

/* A packet of a connected client; its properties once and twice. */
struct request {
	struct row row;
	uint8_t first;
	struct slice before;
	struct slice after;
};

static const struct request requests[] = {
	{ { "3.3.2.3.2", LITERAL("\x01\1") }, 0x30, LITERAL("\0\1t"), { 0 } },
	{ { "3.3.2.3.3", LITERAL("\x02\0\0\0\1") },
	  0x30,
	  LITERAL("\0\1t"),
	  { 0 } },
	{ { "3.3.2.3.4", LITERAL("\x23\0\1") }, 0x30, LITERAL("\0\1t"), { 0 } },
	{ { "3.3.2.3.5", LITERAL("\x08\0\1r") },
	  0x30,
	  LITERAL("\0\1t"),
	  { 0 } },
	{ { "3.3.2.3.6", LITERAL("\x09\0\1d") },
	  0x30,
	  LITERAL("\0\1t"),
	  { 0 } },
	{ { "3.3.2.3.9", LITERAL("\x03\0\1c") },
	  0x30,
	  LITERAL("\0\1t"),
	  { 0 } },
	{ { "3.4.2.2.2", LITERAL("\x1f\0\1r") },
	  0x40,
	  LITERAL("\0\1\0"),
	  { 0 } },
	{ { "3.5.2.2.2", LITERAL("\x1f\0\1r") },
	  0x50,
	  LITERAL("\0\1\x80"),
	  { 0 } },
	{ { "3.6.2.2.2", LITERAL("\x1f\0\1r") },
	  0x62,
	  LITERAL("\0\1\0"),
	  { 0 } },
	{ { "3.7.2.2.2", LITERAL("\x1f\0\1r") },
	  0x70,
	  LITERAL("\0\1\0"),
	  { 0 } },
	{ { "3.8.2.1.2", LITERAL("\x0b\1") },
	  0x82,
	  LITERAL("\0\1"),
	  LITERAL("\0\1t\0") },
	{ { "3.14.2.2.3", LITERAL("\x1f\0\1r") }, 0xe0, LITERAL("\0"), { 0 } },
};

static void test_each_request_has_each_property_once(void **state)
{
	for (size_t i = 0; i < COUNT(requests); i++) {
		const struct request *r = &requests[i];
		struct sim_peer *peer =
			sim_client(*state, MQTT_5_0, "p", true, NULL);
		uint8_t bytes[256], both[64];
		size_t len;

		len = build(bytes, r->first, r->before,
			    twice(r->row.property, both), r->after);
		sim_peer_send(peer, bytes, len);
		print_message("section %s\n", r->row.section);
		dialogue_ended(peer, MQTT_PROTOCOL_ERROR);
	}
}

static void test_each_request_may_have_its_property(void **state)
{
	for (size_t i = 0; i < COUNT(requests); i++) {
		const struct request *r = &requests[i];
		struct sim_peer *peer =
			sim_client(*state, MQTT_5_0, "p", true, NULL);
		struct frame frame;
		uint8_t bytes[256];
		size_t len;

		len = build(bytes, r->first, r->before, r->row.property,
			    r->after);
		sim_peer_send(peer, bytes, len);
		/* An answer perhaps, but no DISCONNECT. */
		if (sim_peer_next(peer, &frame) &&
		    frame.type == MQTT_DISCONNECT)
			fail_msg("section %s", r->row.section);
		sim_peer_close(peer);
	}
}

static void test_requests_have_no_forbidden_values(void **state)
{
	static const struct row rows[] = {
		{ "3.3.2.1: no topic, no alias", LITERAL("\x30\3\0\0\0") },
		{ "3.3.2.3.8: 0", LITERAL("\x30\6\0\1t\2\x0b\0") },
		{ "3.8.2.1.2: 0", LITERAL("\x82\x09\0\1\2\x0b\0\0\1t\0") },
		{ "3.14.2.2.5: a server's", LITERAL("\xe0\6\0\4\x1c\0\1s") },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct sim_peer *peer =
			sim_client(*state, MQTT_5_0, "p", true, NULL);

		print_message("section %s\n", rows[i].section);
		sim_peer_send(peer, rows[i].property.data,
			      rows[i].property.len);
		dialogue_ended(peer, MQTT_PROTOCOL_ERROR);
	}
}

/* Where a property of another packet stands, the packet is malformed (2.2.2). */
static void test_a_foreign_property_is_malformed(void **state)
{
	static const struct slice packets[] = {
		LITERAL("\x30\x09\0\1t\5\x11\0\0\0\1"),
		LITERAL("\x82\x0c\0\1\5\x11\0\0\0\1\0\1t\0"),
		LITERAL("\xa2\x08\0\1\2\x0b\1\0\1t"),
		LITERAL("\x40\6\0\1\0\2\x01\1"),
		LITERAL("\xe0\4\0\2\x01\1"),
		LITERAL("\x30\6\0\1t\2\x7f\1"),
	};

	for (size_t i = 0; i < COUNT(packets); i++) {
		struct sim_peer *peer =
			sim_client(*state, MQTT_5_0, "p", true, NULL);

		sim_peer_send(peer, packets[i].data, packets[i].len);
		dialogue_ended(peer, MQTT_MALFORMED_PACKET);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DIALOGUE(test_connect_has_each_property_once),
		DIALOGUE(test_connect_has_no_forbidden_values),
		DIALOGUE(test_a_will_has_each_property_once),
		DIALOGUE(test_each_request_has_each_property_once),
		DIALOGUE(test_each_request_may_have_its_property),
		DIALOGUE(test_requests_have_no_forbidden_values),
		DIALOGUE(test_a_foreign_property_is_malformed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

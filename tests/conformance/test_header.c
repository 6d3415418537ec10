/* What every packet has: its first byte, lengths, identifiers and texts. */
#include "tests/conformance/dialogue.h"

/* Table 2-2: the flags of each type are fixed but for PUBLISH. */
static void test_reserved_flags_end_the_connection(void **state)
{
	static const struct slice packets[] = {
		LITERAL("\x00\0"),
		LITERAL("\x41\2\0\1"),
		LITERAL("\x51\2\0\1"),
		LITERAL("\x60\2\0\1"),
		LITERAL("\x63\2\0\1"),
		LITERAL("\x71\2\0\1"),
		LITERAL("\x80\6\0\1\0\1t\0"),
		LITERAL("\x83\6\0\1\0\1t\0"),
		LITERAL("\xa0\5\0\1\0\1t"),
		LITERAL("\xa3\5\0\1\0\1t"),
		LITERAL("\xc1\0"),
		LITERAL("\xe1\0"),
		LITERAL("\xf1\0"),
	};

	for (size_t v = 0; v < COUNT(versions); v++) {
		for (size_t i = 0; i < COUNT(packets); i++) {
			struct sim_peer *peer = sim_client(*state, versions[v],
							   "p", true, NULL);

			sim_peer_send(peer, packets[i].data, packets[i].len);
			dialogue_ended(peer, MQTT_MALFORMED_PACKET);
		}
	}
}

static void test_types_that_a_client_never_sends_end_it(void **state)
{
	static const struct slice packets[] = {
		LITERAL("\x20\2\0\0"), LITERAL("\x90\3\0\1\0"),
		LITERAL("\xb0\2\0\1"), LITERAL("\xd0\0"),
		LITERAL("\xf0\0"), /* AUTH: no method was agreed on */
	};

	for (size_t v = 0; v < COUNT(versions); v++) {
		for (size_t i = 0; i < COUNT(packets); i++) {
			struct sim_peer *peer = sim_client(*state, versions[v],
							   "p", true, NULL);

			sim_peer_send(peer, packets[i].data, packets[i].len);
			dialogue_ended(peer, MQTT_PROTOCOL_ERROR);
		}
	}
}

static void test_identifier_zero_ends_the_connection(void **state)
{
	static const struct {
		struct slice old, new;
	} rows[] = {
		{ LITERAL("\x32\5\0\1t\0\0"), LITERAL("\x32\6\0\1t\0\0\0") },
		{ LITERAL("\x34\5\0\1t\0\0"), LITERAL("\x34\6\0\1t\0\0\0") },
		{ LITERAL("\x40\2\0\0"), LITERAL("\x40\2\0\0") },
		{ LITERAL("\x50\2\0\0"), LITERAL("\x50\2\0\0") },
		{ LITERAL("\x62\2\0\0"), LITERAL("\x62\2\0\0") },
		{ LITERAL("\x70\2\0\0"), LITERAL("\x70\2\0\0") },
		{ LITERAL("\x82\6\0\0\0\1t\0"),
		  LITERAL("\x82\7\0\0\0\0\1t\0") },
		{ LITERAL("\xa2\5\0\0\0\1t"), LITERAL("\xa2\6\0\0\0\0\1t") },
	};

	for (size_t v = 0; v < COUNT(versions); v++) {
		for (size_t i = 0; i < COUNT(rows); i++) {
			const struct slice *packet = versions[v] == MQTT_5_0
							     ? &rows[i].new
							     : &rows[i].old;
			struct sim_peer *peer = sim_client(*state, versions[v],
							   "p", true, NULL);

			sim_peer_send(peer, packet->data, packet->len);
			dialogue_ended(peer, MQTT_MALFORMED_PACKET);
		}
	}
}

/* Ill-formed, a surrogate, U+0000: three bytes each. */
static const char *const bad_texts[] = { "a\xff/", "\xed\xa0\x80", "a\0b" };

static void test_bad_text_ends_the_connection(void **state)
{
	for (size_t v = 0; v < COUNT(versions); v++) {
		for (size_t i = 0; i < COUNT(bad_texts); i++) {
			struct broker *broker = *state;
			const struct slice text = slice_of(bad_texts[i], 3);
			const struct mqtt_properties none = { 0 };
			const struct mqtt_publish publish = { .topic = text };
			const struct mqtt_subscription entry = { .filter =
									 text };
			uint8_t bytes[64];
			struct sim_peer *peer;
			struct writer w;

			peer = sim_client(broker, versions[v], "p", true, NULL);
			sim_peer_send_publish(peer, &publish);
			dialogue_ended(peer, MQTT_MALFORMED_PACKET);

			peer = sim_client(broker, versions[v], "p", true, NULL);
			w = writer_of(bytes, sizeof(bytes));
			subscribe_encode(&w, versions[v], 1, &none, &entry, 1);
			sim_peer_send(peer, bytes, w.len);
			dialogue_ended(peer, MQTT_MALFORMED_PACKET);

			peer = sim_client(broker, versions[v], "p", true, NULL);
			w = writer_of(bytes, sizeof(bytes));
			unsubscribe_encode(&w, versions[v], 1, &text, 1);
			sim_peer_send(peer, bytes, w.len);
			dialogue_ended(peer, MQTT_MALFORMED_PACKET);
		}
	}
}

/* Before 5.0 nothing is answered, in 5.0 CONNACK says why. */
static void test_bad_text_in_connect_ends_the_connection(void **state)
{
	for (size_t v = 0; v < COUNT(versions); v++) {
		for (size_t i = 0; i < 3 * COUNT(bad_texts); i++) {
			struct mqtt_connect packet =
				sim_connect(versions[v], "p", true);
			const struct slice text = slice_of(bad_texts[i / 3], 3);
			struct sim_peer *peer = sim_peer_open(*state);

			packet.has_will = true;
			packet.will.topic = i % 3 == 0 ? text : slice_str("w");
			packet.client_id = i % 3 == 1 ? text : slice_str("p");
			packet.has_username = true;
			packet.username = i % 3 == 2 ? text : slice_str("u");
			sim_peer_connect(peer, &packet);
			if (versions[v] == MQTT_5_0)
				assert_int_equal(dialogue_connack(peer).reason,
						 MQTT_MALFORMED_PACKET);
			sim_peer_expect_nothing(peer);
			assert_true(sim_peer_ended(peer));
			sim_peer_close(peer);
		}
	}
}

static void test_bad_text_in_properties_ends_the_connection(void **state)
{
	static const struct slice packets[] = {
		/* User Property: the name, the value. */
		LITERAL("\x30\x0b\0\1t\7\x26\0\1\xff\0\1v"),
		LITERAL("\x30\x0b\0\1t\7\x26\0\1n\0\1\xff"),
		LITERAL("\x30\x0b\0\1t\7\x26\0\1n\0\1\0"),
		/* Content Type, Response Topic. */
		LITERAL("\x30\x08\0\1t\4\x03\0\1\xff"),
		LITERAL("\x30\x08\0\1t\4\x08\0\1\xff"),
	};

	for (size_t i = 0; i < COUNT(packets); i++) {
		struct sim_peer *peer =
			sim_client(*state, MQTT_5_0, "p", true, NULL);

		sim_peer_send(peer, packets[i].data, packets[i].len);
		dialogue_ended(peer, MQTT_MALFORMED_PACKET);
	}
}

static void test_a_byte_order_mark_is_a_character(void **state)
{
	for (size_t v = 0; v < COUNT(versions); v++) {
		struct sim_peer *peer =
			sim_client(*state, versions[v], "p", true, NULL);

		sim_peer_subscribed(peer, "t", 0);
		dialogue_publish(peer, "\xef\xbb\xbft", "x", 0, false);
		sim_peer_expect_nothing(peer);
		sim_peer_subscribed(peer, "\xef\xbb\xbft", 0);
		dialogue_publish(peer, "\xef\xbb\xbft", "x", 0, false);
		dialogue_receive(peer, "\xef\xbb\xbft", "x", 0);
		dialogue_publish(peer, "t", "y", 0, false);
		dialogue_receive(peer, "t", "y", 0);
		sim_peer_expect_nothing(peer);
		sim_peer_close(peer);
	}
}

static void test_lengths_with_bytes_to_spare_are_malformed(void **state)
{
	static const struct slice packets[] = {
		LITERAL("\xc0\x80\0"), /* Remaining Length */
		LITERAL("\x30\5\0\1t\x80\0"), /* Property Length */
		/* Subscription Identifier */
		LITERAL("\x82\x0a\0\1\3\x0b\x81\0\0\1t\0"),
	};

	for (size_t i = 0; i < COUNT(packets); i++) {
		struct sim_peer *peer =
			sim_client(*state, MQTT_5_0, "p", true, NULL);

		sim_peer_send(peer, packets[i].data, packets[i].len);
		dialogue_ended(peer, MQTT_MALFORMED_PACKET);
	}
}

/* In every packet of ours that may have some. */
static void test_no_properties_are_written_as_length_zero(void **state)
{
	struct sim_peer *peer = sim_client(*state, MQTT_5_0, "p", true, NULL);
	struct slice body;

	SEND(peer, "\x82\7\0\5\0\0\1t\0");
	body = sim_peer_expect(peer, MQTT_SUBACK);
	assert_int_equal(body.len, 4);
	assert_memory_equal(body.data, "\0\5\0\0", 4);
	SEND(peer, "\x30\5\0\1t\0x");
	body = sim_peer_expect(peer, MQTT_PUBLISH);
	assert_int_equal(body.len, 5);
	assert_memory_equal(body.data, "\0\1t\0x", 5);
	SEND(peer, "\xa2\6\0\6\0\0\1t");
	body = sim_peer_expect(peer, MQTT_UNSUBACK);
	assert_int_equal(body.len, 4);
	assert_memory_equal(body.data, "\0\6\0\0", 4);
	sim_peer_close(peer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DIALOGUE(test_reserved_flags_end_the_connection),
		DIALOGUE(test_types_that_a_client_never_sends_end_it),
		DIALOGUE(test_identifier_zero_ends_the_connection),
		DIALOGUE(test_bad_text_ends_the_connection),
		DIALOGUE(test_bad_text_in_connect_ends_the_connection),
		DIALOGUE(test_bad_text_in_properties_ends_the_connection),
		DIALOGUE(test_a_byte_order_mark_is_a_character),
		DIALOGUE(test_lengths_with_bytes_to_spare_are_malformed),
		DIALOGUE(test_no_properties_are_written_as_length_zero),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

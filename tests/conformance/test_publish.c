/* PUBLISH from a client, and what is made of it (3.3). */
#include "tests/conformance/dialogue.h"

#include "broker/access.h"

static void test_dup_in_is_not_dup_out(void **state)
{
	for (size_t v = 0; v < COUNT(versions); v++) {
		for (uint8_t qos = 1; qos <= 2; qos++) {
			const struct mqtt_publish packet = {
				.topic = slice_str("t"),
				.qos = qos,
				.dup = true,
				.packet_id = 5,
			};
			struct sim_peer *peer = sim_client(*state, versions[v],
							   "p", true, NULL);
			struct mqtt_publish got;

			sim_peer_subscribed(peer, "t", 2);
			sim_peer_send_publish(peer, &packet);
			got = sim_peer_message(peer);
			assert_int_equal(got.qos, qos);
			assert_false(got.dup);
			sim_peer_close(peer);
		}
	}
}

static void test_qos_0_is_never_a_duplicate(void **state)
{
	for (size_t v = 0; v < COUNT(versions); v++) {
		struct sim_peer *peer =
			sim_client(*state, versions[v], "p", true, NULL);
		struct mqtt_publish got;

		sim_peer_subscribed(peer, "t", 0);
		sim_peer_publish(peer, "t", "x", 1, false, 5);
		got = sim_peer_message(peer);
		assert_int_equal(got.qos, 0);
		assert_false(got.dup);
		sim_peer_acked(peer, MQTT_PUBACK, 5);
		SEND(peer, "\x38\4\0\1t\0");
		dialogue_ended(peer, MQTT_MALFORMED_PACKET);
	}
}

static void test_qos_3_ends_the_connection(void **state)
{
	for (size_t v = 0; v < COUNT(versions); v++) {
		struct sim_peer *peer =
			sim_client(*state, versions[v], "p", true, NULL);

		SEND(peer, "\x36\6\0\1t\0\1\0");
		dialogue_ended(peer, MQTT_MALFORMED_PACKET);
	}
}

static void test_a_wildcard_in_a_topic_ends_the_connection(void **state)
{
	static const char *const topics[] = { "#", "a/+", "a+", "a#b/c" };

	for (size_t v = 0; v < COUNT(versions); v++) {
		for (size_t i = 0; i < COUNT(topics); i++) {
			struct sim_peer *peer = sim_client(*state, versions[v],
							   "p", true, NULL);

			sim_peer_subscribed(peer, "#", 0);
			sim_peer_publish(peer, topics[i], "x", 0, false, 0);
			dialogue_ended(peer, MQTT_TOPIC_NAME_INVALID);
		}
	}
}

static void test_no_topic_ends_the_connection(void **state)
{
	for (size_t v = 0; v < COUNT(versions); v++) {
		struct sim_peer *peer =
			sim_client(*state, versions[v], "p", true, NULL);

		sim_peer_publish(peer, "", "x", 0, false, 0);
		dialogue_ended(peer, MQTT_PROTOCOL_ERROR);
	}
}

static void test_overlapping_filters_give_the_highest_qos(void **state)
{
	for (size_t v = 0; v < COUNT(versions); v++) {
		for (uint8_t first = 0; first <= 2; first++) {
			struct sim_peer *peer = sim_client(*state, versions[v],
							   "p", true, NULL);

			sim_peer_subscribed(peer, "a/b", first);
			sim_peer_subscribed(peer, "a/+",
					    (uint8_t)((first + 1) % 3));
			sim_peer_subscribed(peer, "a/#",
					    (uint8_t)((first + 2) % 3));
			sim_peer_publish(peer, "a/b", "x", 2, false, 3);
			sim_peer_receive(peer, "a/b", "x", 2);
			sim_peer_acked(peer, MQTT_PUBREC, 3);
			sim_peer_expect_nothing(peer);
			sim_peer_close(peer);
		}
	}
}

/* Three sessions, one of them absent. */
static void test_a_message_goes_to_each_matching_session(void **state)
{
	for (size_t v = 0; v < COUNT(versions); v++) {
		struct sim_peer *a =
			sim_client(*state, versions[v], "a", false, NULL);
		struct sim_peer *b =
			sim_client(*state, versions[v], "b", true, NULL);
		struct sim_peer *c =
			sim_client(*state, versions[v], "c", true, NULL);

		sim_peer_subscribed(a, "t/+", 1);
		sim_peer_subscribed(b, "t/#", 1);
		sim_peer_subscribed(c, "u", 1);
		sim_peer_close(a);
		dialogue_publish(c, "t/x", "x", 1, false);
		dialogue_receive(b, "t/x", "x", 1);
		sim_peer_expect_nothing(c);
		a = sim_client(*state, versions[v], "a", false, NULL);
		dialogue_receive(a, "t/x", "x", 1);
		sim_peer_close(a);
		sim_peer_close(b);
		sim_peer_close(c);
		sim_peer_close(
			sim_client(*state, versions[v], "a", true, NULL));
	}
}

/* Before 5.0 there is no other answer than the ordinary one. */
static void test_what_is_not_allowed_is_answered_by_version(void **state)
{
	struct broker *broker = sim_broker(NULL, access_new());

	(void)state;
	for (size_t v = 0; v < COUNT(versions); v++) {
		const struct mqtt_connect packet =
			sim_connect(versions[v], "p", true);
		const uint8_t code = versions[v] == MQTT_5_0
					     ? MQTT_NOT_AUTHORIZED
					     : MQTT_SUCCESS;
		struct sim_peer *peer = sim_peer_open_as(broker, "nobody");

		sim_peer_connect(peer, &packet);
		assert_int_equal(dialogue_connack(peer).reason, MQTT_SUCCESS);
		sim_peer_publish(peer, "t", "x", 0, true, 0);
		sim_peer_publish(peer, "t", "x", 1, true, 1);
		assert_int_equal(sim_peer_acked(peer, MQTT_PUBACK, 1), code);
		sim_peer_publish(peer, "t", "x", 2, true, 2);
		assert_int_equal(sim_peer_acked(peer, MQTT_PUBREC, 2), code);
		assert_int_equal(sim_peer_subscribed(peer, "t", 0),
				 versions[v] == MQTT_5_0 ? MQTT_NOT_AUTHORIZED
							 : 0x80);
		sim_peer_expect_nothing(peer);
		sim_peer_close(peer);
	}
	broker_free(broker);
}

static void test_a_response_topic_is_a_name(void **state)
{
	static const struct slice packets[] = {
		LITERAL("\x30\x08\0\1t\4\x08\0\1#"),
		LITERAL("\x30\x0a\0\1t\6\x08\0\3a/+"),
	};

	for (size_t i = 0; i < COUNT(packets); i++) {
		struct sim_peer *peer =
			sim_client(*state, MQTT_5_0, "p", true, NULL);

		sim_peer_send(peer, packets[i].data, packets[i].len);
		dialogue_ended(peer, MQTT_PROTOCOL_ERROR);
	}
}

static void test_properties_go_on_unaltered(void **state)
{
	static const uint8_t raw[] = "\x01\1"
				     "\x08\0\6answer"
				     "\x26\0\1b\0\1x"
				     "\x09\0\3\0\xff\1"
				     "\x26\0\1a\0\1y"
				     "\x03\0\4text"
				     "\x26\0\1b\0\1x";
	const size_t len = sizeof(raw) - 1;
	struct sim_peer *peer = sim_client(*state, MQTT_5_0, "p", true, NULL);
	uint8_t bytes[128] = { 0x30 };
	struct writer w = writer_of(bytes + 1, sizeof(bytes) - 1);
	struct mqtt_publish got;

	sim_peer_subscribed(peer, "t", 0);
	writer_u8(&w, (uint8_t)(4 + len + 1));
	writer_string(&w, slice_str("t"));
	writer_u8(&w, (uint8_t)len);
	writer_bytes(&w, slice_of(raw, len));
	writer_u8(&w, 'p');
	sim_peer_send(peer, bytes, w.len + 1);
	got = sim_peer_message(peer);
	assert_int_equal(got.properties.raw.len, len);
	assert_memory_equal(got.properties.raw.data, raw, len);
	sim_peer_close(peer);
}

static void test_only_a_server_sends_subscription_identifiers(void **state)
{
	struct sim_peer *peer = sim_client(*state, MQTT_5_0, "p", true, NULL);

	SEND(peer, "\x30\6\0\1t\2\x0b\1");
	dialogue_ended(peer, MQTT_PROTOCOL_ERROR);
}

static void test_each_copy_carries_all_identifiers(void **state)
{
	struct mqtt_subscription entry = { .filter = slice_str("t") };
	struct sim_peer *peer = sim_client(*state, MQTT_5_0, "p", true, NULL);
	struct mqtt_publish got;

	sim_peer_subscribed_with(peer, &entry, 7);
	entry.filter = slice_str("+");
	sim_peer_subscribed_with(peer, &entry, 7);
	dialogue_publish(peer, "t", "x", 0, false);
	got = sim_peer_message(peer);
	/* The same one twice, as 3.3.4 has it. */
	assert_int_equal(got.properties.subscription_id_count, 2);
	assert_int_equal(got.properties.subscription_ids[0], 7);
	assert_int_equal(got.properties.subscription_ids[1], 7);
	sim_peer_expect_nothing(peer);
	sim_peer_close(peer);
}

/* ---- order -------------------------------------------------------------- */

static void test_messages_keep_their_order(void **state)
{
	for (size_t v = 0; v < COUNT(versions); v++) {
		for (uint8_t qos = 0; qos <= 2; qos++) {
			struct sim_peer *pub = sim_client(*state, versions[v],
							  "pub", true, NULL);
			struct sim_peer *sub = sim_client(*state, versions[v],
							  "sub", true, NULL);
			char payload[8];

			sim_peer_subscribed(sub, "t", qos);
			for (int i = 0; i < 20; i++) {
				snprintf(payload, sizeof(payload), "%d", i);
				dialogue_publish(pub, "t", payload, qos, false);
			}
			for (int i = 0; i < 20; i++) {
				snprintf(payload, sizeof(payload), "%d", i);
				sim_peer_receive(sub, "t", payload, qos);
			}
			sim_peer_close(pub);
			sim_peer_close(sub);
		}
	}
}

/* Several in one write; the PUBRELs follow the PUBRECs. */
static void test_acknowledgements_are_in_order(void **state)
{
	for (size_t v = 0; v < 2; v++) {
		struct sim_peer *peer =
			sim_client(*state, versions[v], "p", true, NULL);
		uint16_t ids[3];

		SEND(peer, "\x32\5\0\1t\0\3\x32\5\0\1t\0\1\x32\5\0\1t\0\2");
		sim_peer_acked(peer, MQTT_PUBACK, 3);
		sim_peer_acked(peer, MQTT_PUBACK, 1);
		sim_peer_acked(peer, MQTT_PUBACK, 2);
		SEND(peer, "\x34\5\0\1t\0\3\x34\5\0\1t\0\1\x34\5\0\1t\0\2");
		sim_peer_acked(peer, MQTT_PUBREC, 3);
		sim_peer_acked(peer, MQTT_PUBREC, 1);
		sim_peer_acked(peer, MQTT_PUBREC, 2);

		sim_peer_subscribed(peer, "u", 2);
		for (uint16_t i = 0; i < 3; i++) {
			sim_peer_publish(peer, "u", "x", 2, false,
					 (uint16_t)(10 + i));
			ids[i] = sim_peer_receive(peer, "u", "x", 2);
			sim_peer_acked(peer, MQTT_PUBREC, (uint16_t)(10 + i));
		}
		for (size_t i = 0; i < 3; i++)
			sim_peer_ack(peer, MQTT_PUBREC, ids[i]);
		for (size_t i = 0; i < 3; i++)
			sim_peer_acked(peer, MQTT_PUBREL, ids[i]);
		sim_peer_close(peer);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DIALOGUE(test_dup_in_is_not_dup_out),
		DIALOGUE(test_qos_0_is_never_a_duplicate),
		DIALOGUE(test_qos_3_ends_the_connection),
		DIALOGUE(test_a_wildcard_in_a_topic_ends_the_connection),
		DIALOGUE(test_no_topic_ends_the_connection),
		DIALOGUE(test_overlapping_filters_give_the_highest_qos),
		DIALOGUE(test_a_message_goes_to_each_matching_session),
		DIALOGUE(test_what_is_not_allowed_is_answered_by_version),
		DIALOGUE(test_a_response_topic_is_a_name),
		DIALOGUE(test_properties_go_on_unaltered),
		DIALOGUE(test_only_a_server_sends_subscription_identifiers),
		DIALOGUE(test_each_copy_carries_all_identifiers),
		DIALOGUE(test_messages_keep_their_order),
		DIALOGUE(test_acknowledgements_are_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

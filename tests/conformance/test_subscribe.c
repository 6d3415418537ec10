/* SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK (3.8 to 3.11). */
#include "tests/conformance/dialogue.h"

static void test_reserved_options_end_the_connection(void **state)
{
	static const uint8_t old[] = { 0x03, 0x04, 0x08, 0x10, 0x40, 0x80 };
	static const struct {
		uint8_t options;
		enum mqtt_reason reason;
	} new[] = {
		{ 0x03, MQTT_PROTOCOL_ERROR },
		{ 0x30, MQTT_PROTOCOL_ERROR },
		{ 0x40, MQTT_MALFORMED_PACKET },
		{ 0x80, MQTT_MALFORMED_PACKET },
	};

	for (size_t i = 0; i < COUNT(old); i++) {
		uint8_t packet[] = { 0x82, 6, 0, 1, 0, 1, 't', old[i] };
		struct sim_peer *peer =
			sim_client(*state, MQTT_3_1_1, "p", true, NULL);

		sim_peer_send(peer, packet, sizeof(packet));
		dialogue_ended(peer, MQTT_MALFORMED_PACKET);
	}
	for (size_t i = 0; i < COUNT(new); i++) {
		uint8_t packet[] = {
			0x82, 7, 0, 1, 0, 0, 1, 't', new[i].options
		};
		struct sim_peer *peer =
			sim_client(*state, MQTT_5_0, "p", true, NULL);

		sim_peer_send(peer, packet, sizeof(packet));
		dialogue_ended(peer, new[i].reason);
	}
}

static void test_a_request_without_filters_ends_it(void **state)
{
	static const struct slice old[] = {
		LITERAL("\x82\2\0\1"),
		LITERAL("\xa2\2\0\1"),
	};
	static const struct slice new[] = {
		LITERAL("\x82\3\0\1\0"),
		LITERAL("\xa2\3\0\1\0"),
	};

	for (size_t v = 0; v < COUNT(versions); v++) {
		for (size_t i = 0; i < COUNT(old); i++) {
			const struct slice *packet =
				versions[v] == MQTT_5_0 ? &new[i] : &old[i];
			struct sim_peer *peer = sim_client(*state, versions[v],
							   "p", true, NULL);

			sim_peer_send(peer, packet->data, packet->len);
			dialogue_ended(peer, MQTT_PROTOCOL_ERROR);
		}
	}
}

/* One answer to all, in their order; a bad one does not spoil the others. */
static void test_suback_has_a_code_for_each_filter(void **state)
{
	static const struct mqtt_subscription entries[] = {
		{ .filter = LITERAL("a"), .qos = 2 },
		{ .filter = LITERAL("a/#/b"), .qos = 2 },
		{ .filter = LITERAL("b"), .qos = 0 },
		{ .filter = LITERAL("c"), .qos = 1 },
	};
	const struct mqtt_properties none = { 0 };

	for (size_t v = 0; v < COUNT(versions); v++) {
		const uint8_t codes[] = { 2,
					  versions[v] == MQTT_5_0 ? 0x8f : 0x80,
					  0, 1 };
		struct sim_peer *peer =
			sim_client(*state, versions[v], "p", true, NULL);
		uint8_t bytes[64];
		struct writer w = writer_of(bytes, sizeof(bytes));
		struct mqtt_suback suback;

		subscribe_encode(&w, versions[v], 0x1234, &none, entries, 4);
		sim_peer_send(peer, bytes, w.len);
		assert_int_equal(
			suback_decode(versions[v], MQTT_SUBACK,
				      sim_peer_expect(peer, MQTT_SUBACK),
				      &suback),
			MQTT_SUCCESS);
		assert_int_equal(suback.packet_id, 0x1234);
		assert_int_equal(suback.reasons.len, sizeof(codes));
		assert_memory_equal(suback.reasons.data, codes, sizeof(codes));
		sim_peer_expect_nothing(peer);
		/* Each is a subscription of its own. */
		sim_peer_publish(peer, "a", "1", 2, false, 1);
		sim_peer_receive(peer, "a", "1", 2);
		sim_peer_acked(peer, MQTT_PUBREC, 1);
		sim_peer_publish(peer, "b", "2", 1, false, 2);
		sim_peer_receive(peer, "b", "2", 0);
		sim_peer_acked(peer, MQTT_PUBACK, 2);
		sim_peer_publish(peer, "c", "3", 1, false, 3);
		sim_peer_receive(peer, "c", "3", 1);
		sim_peer_acked(peer, MQTT_PUBACK, 3);
		sim_peer_close(peer);
	}
}

static void test_unsuback_answers_each_filter_in_order(void **state)
{
	const struct slice filters[] = {
		slice_str("none"),
		slice_str("a"),
		slice_str("a/#/b"),
		slice_str("b"),
	};
	static const uint8_t codes[] = { 0x11, 0, 0x8f, 0 };

	for (size_t v = 0; v < COUNT(versions); v++) {
		struct sim_peer *peer =
			sim_client(*state, versions[v], "p", true, NULL);
		uint8_t bytes[64];
		struct writer w = writer_of(bytes, sizeof(bytes));
		struct mqtt_suback answer;

		sim_peer_subscribed(peer, "a", 0);
		sim_peer_subscribed(peer, "b", 0);
		sim_peer_subscribed(peer, "c", 0);
		unsubscribe_encode(&w, versions[v], 0x4321, filters, 4);
		sim_peer_send(peer, bytes, w.len);
		assert_int_equal(
			suback_decode(versions[v], MQTT_UNSUBACK,
				      sim_peer_expect(peer, MQTT_UNSUBACK),
				      &answer),
			MQTT_SUCCESS);
		assert_int_equal(answer.packet_id, 0x4321);
		if (versions[v] == MQTT_5_0) {
			assert_int_equal(answer.reasons.len, sizeof(codes));
			assert_memory_equal(answer.reasons.data, codes,
					    sizeof(codes));
		}
		sim_peer_publish(peer, "a", "x", 0, false, 0);
		sim_peer_publish(peer, "b", "x", 0, false, 0);
		sim_peer_publish(peer, "c", "x", 0, false, 0);
		sim_peer_receive(peer, "c", "x", 0);
		sim_peer_expect_nothing(peer);
		sim_peer_close(peer);
	}
}

static void test_unsubscribe_compares_character_by_character(void **state)
{
	static const char *const others[] = { "a/+", "a/#", "#",    "A/b",
					      "a",   "a/",  "/a/b", "a/b/" };

	for (size_t v = 0; v < COUNT(versions); v++) {
		struct sim_peer *peer =
			sim_client(*state, versions[v], "p", true, NULL);

		sim_peer_subscribed(peer, "a/b", 0);
		for (size_t i = 0; i < COUNT(others); i++) {
			const uint8_t reason =
				dialogue_unsubscribe(peer, others[i]);

			if (versions[v] == MQTT_5_0)
				assert_int_equal(reason,
						 MQTT_NO_SUBSCRIPTION_EXISTED);
			dialogue_publish(peer, "a/b", "x", 0, false);
			dialogue_receive(peer, "a/b", "x", 0);
		}
		assert_int_equal(dialogue_unsubscribe(peer, "a/b"), 0);
		dialogue_publish(peer, "a/b", "x", 0, false);
		sim_peer_expect_nothing(peer);
		sim_peer_close(peer);
	}
}

static void test_what_was_begun_is_finished_after_unsubscribe(void **state)
{
	for (size_t v = 0; v < COUNT(versions); v++) {
		struct sim_peer *pub =
			sim_client(*state, MQTT_5_0, "pub", true, NULL);
		struct sim_peer *peer =
			sim_client(*state, versions[v], "p", false, NULL);
		uint16_t ids[2];

		sim_peer_subscribed(peer, "t", 2);
		for (uint8_t qos = 1; qos <= 2; qos++) {
			dialogue_publish(pub, "t", "x", qos, false);
			ids[qos - 1] = sim_peer_receive(peer, "t", "x", qos);
		}
		assert_int_equal(dialogue_unsubscribe(peer, "t"), 0);
		dialogue_publish(pub, "t", "new", 1, false);
		sim_peer_expect_nothing(peer);
		sim_peer_close(peer);
		peer = sim_client(*state, versions[v], "p", false, NULL);
		assert_int_equal(sim_peer_receive(peer, "t", "x", 1), ids[0]);
		assert_int_equal(sim_peer_receive(peer, "t", "x", 2), ids[1]);
		dialogue_finish(peer, 1, ids[0]);
		dialogue_finish(peer, 2, ids[1]);
		sim_peer_expect_nothing(peer);
		sim_peer_close(peer);
		sim_peer_close(pub);
		sim_peer_close(
			sim_client(*state, versions[v], "p", true, NULL));
	}
}

static void test_a_second_subscription_replaces_the_first(void **state)
{
	for (size_t v = 0; v < COUNT(versions); v++) {
		struct sim_peer *peer =
			sim_client(*state, versions[v], "p", true, NULL);

		for (uint8_t i = 0; i < 3; i++) {
			const uint8_t qos = 2 - i;
			uint16_t id;

			assert_int_equal(sim_peer_subscribed(peer, "t", qos),
					 qos);
			sim_peer_publish(peer, "t", "x", 2, false, i + 1);
			id = sim_peer_receive(peer, "t", "x", qos);
			sim_peer_acked(peer, MQTT_PUBREC, i + 1);
			dialogue_finish(peer, qos, id);
			sim_peer_expect_nothing(peer);
		}
		sim_peer_close(peer);
	}
}

/* No Local: by client identifier, retained messages and wills too. */
static void test_no_local_keeps_ones_own_away(void **state)
{
	const struct mqtt_subscription entry = {
		.filter = slice_str("t"),
		.qos = 1,
		.no_local = true,
	};
	struct mqtt_connect packet = sim_connect(MQTT_5_0, "a", false);
	struct sim_peer *a, *b;

	packet.has_will = true;
	packet.will.topic = slice_str("t");
	packet.will.payload = slice_str("gone");
	packet.will.qos = 1;
	a = dialogue_connect(*state, &packet);
	b = sim_client(*state, MQTT_5_0, "b", true, NULL);
	dialogue_publish(a, "t", "mine", 1, true);
	sim_peer_subscribed_with(a, &entry, 0);
	sim_peer_expect_nothing(a);
	sim_peer_subscribed_with(b, &entry, 0);
	dialogue_receive(b, "t", "mine", 1);
	dialogue_publish(a, "t", "again", 1, false);
	dialogue_receive(b, "t", "again", 1);
	sim_peer_expect_nothing(a);
	dialogue_publish(b, "t", "yours", 1, false);
	dialogue_receive(a, "t", "yours", 1);
	sim_peer_expect_nothing(b);
	sim_peer_close(a);
	dialogue_receive(b, "t", "gone", 1);
	a = sim_client(*state, MQTT_5_0, "a", false, NULL);
	sim_peer_expect_nothing(a);
	sim_peer_close(a);
	sim_peer_close(b);
	sim_peer_close(sim_client(*state, MQTT_5_0, "a", true, NULL));
}

static void test_no_local_does_not_go_with_shared(void **state)
{
	struct sim_peer *peer = sim_client(*state, MQTT_5_0, "p", true, NULL);

	SEND(peer, "\x82\x10\0\1\0\0\x0a$share/g/t\4");
	dialogue_ended(peer, MQTT_PROTOCOL_ERROR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DIALOGUE(test_reserved_options_end_the_connection),
		DIALOGUE(test_a_request_without_filters_ends_it),
		DIALOGUE(test_suback_has_a_code_for_each_filter),
		DIALOGUE(test_unsuback_answers_each_filter_in_order),
		DIALOGUE(test_unsubscribe_compares_character_by_character),
		DIALOGUE(test_what_was_begun_is_finished_after_unsubscribe),
		DIALOGUE(test_a_second_subscription_replaces_the_first),
		DIALOGUE(test_no_local_keeps_ones_own_away),
		DIALOGUE(test_no_local_does_not_go_with_shared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Retained messages (3.3.1.3), 3.8.4 where it speaks of them. */
#include "tests/conformance/dialogue.h"

static void test_retained_messages_outlive_sessions(void **state)
{
	for (size_t v = 0; v < COUNT(versions); v++) {
		struct sim_peer *peer =
			sim_client(*state, versions[v], "p", true, NULL);

		dialogue_publish(peer, "r", "x", 1, true);
		sim_peer_close(peer);
		assert_null(session_find(*state, slice_str("p")));
		peer = sim_client(*state, versions[v], "q", true, NULL);
		sim_peer_subscribed(peer, "r", 1);
		dialogue_receive(peer, "r", "x", 1);
		dialogue_publish(peer, "r", "", 0, true);
		sim_peer_close(peer);
	}
}

static void test_each_matching_topic_is_sent(void **state)
{
	for (size_t v = 0; v < COUNT(versions); v++) {
		struct sim_peer *peer =
			sim_client(*state, versions[v], "p", true, NULL);
		unsigned int seen = 0;

		dialogue_publish(peer, "r/1", "1", 0, true);
		dialogue_publish(peer, "r/2", "2", 0, true);
		dialogue_publish(peer, "r/3/x", "4", 0, true);
		dialogue_publish(peer, "s/1", "8", 0, true);
		sim_peer_subscribed(peer, "r/+", 0);
		for (int i = 0; i < 2; i++) {
			const struct mqtt_publish got = sim_peer_message(peer);

			assert_true(got.retain);
			seen += got.payload.data[0] - (unsigned int)'0';
		}
		assert_int_equal(seen, 3);
		sim_peer_expect_nothing(peer);
		sim_peer_close(peer);
	}
}

static void test_retained_messages_have_their_qos(void **state)
{
	for (size_t v = 0; v < COUNT(versions); v++) {
		for (uint8_t qos = 0; qos <= 2; qos++) {
			struct sim_peer *peer = sim_client(*state, versions[v],
							   "p", true, NULL);

			dialogue_publish(peer, "r", "x", qos, true);
			for (uint8_t granted = 0; granted <= 2; granted++) {
				sim_peer_subscribed(peer, "r", granted);
				dialogue_receive(peer, "r", "x",
						 qos < granted ? qos : granted);
			}
			sim_peer_expect_nothing(peer);
			sim_peer_close(peer);
		}
	}
}

/* At QoS 0 as well it takes the place of what was there. */
static void test_the_last_retained_message_counts(void **state)
{
	for (size_t v = 0; v < COUNT(versions); v++) {
		for (uint8_t qos = 0; qos <= 2; qos++) {
			struct sim_peer *peer = sim_client(*state, versions[v],
							   "p", true, NULL);

			dialogue_publish(peer, "r", "old", 1, true);
			dialogue_publish(peer, "r", "new", qos, true);
			sim_peer_subscribed(peer, "r", 2);
			dialogue_receive(peer, "r", "new", qos);
			sim_peer_expect_nothing(peer);
			sim_peer_close(peer);
		}
	}
}

static void test_what_is_not_retained_changes_nothing(void **state)
{
	for (size_t v = 0; v < COUNT(versions); v++) {
		struct sim_peer *peer =
			sim_client(*state, versions[v], "p", true, NULL);

		dialogue_publish(peer, "none", "x", 1, false);
		dialogue_publish(peer, "r", "kept", 1, true);
		dialogue_publish(peer, "r", "other", 1, false);
		dialogue_publish(peer, "r", "", 1, false);
		sim_peer_subscribed(peer, "none", 1);
		sim_peer_expect_nothing(peer);
		sim_peer_subscribed(peer, "r", 1);
		dialogue_receive(peer, "r", "kept", 1);
		sim_peer_expect_nothing(peer);
		sim_peer_close(peer);
	}
}

static void test_retain_is_for_new_subscriptions_only(void **state)
{
	for (size_t v = 0; v < COUNT(versions); v++) {
		struct sim_peer *peer =
			sim_client(*state, versions[v], "p", true, NULL);
		struct mqtt_publish got;

		sim_peer_subscribed(peer, "r", 0);
		dialogue_publish(peer, "r", "x", 0, true);
		assert_false(sim_peer_message(peer).retain);
		sim_peer_subscribed(peer, "r", 0);
		got = sim_peer_message(peer);
		assert_true(got.retain);
		assert_true(slice_equal(got.payload, slice_str("x")));
		sim_peer_expect_nothing(peer);
		dialogue_publish(peer, "r", "", 0, true);
		sim_peer_receive(peer, "r", "", 0);
		sim_peer_close(peer);
	}
}

static void test_an_empty_payload_deletes_and_is_delivered(void **state)
{
	for (size_t v = 0; v < COUNT(versions); v++) {
		for (uint8_t qos = 0; qos <= 2; qos++) {
			struct sim_peer *peer = sim_client(*state, versions[v],
							   "p", true, NULL);
			uint16_t id;

			dialogue_publish(peer, "r", "x", 1, true);
			sim_peer_subscribed(peer, "s", 2);
			sim_peer_subscribed(peer, "r", 2);
			dialogue_receive(peer, "r", "x", 1);
			sim_peer_publish(peer, "r", "", qos, true, 7);
			id = sim_peer_receive(peer, "r", "", qos);
			if (qos > 0)
				sim_peer_acked(peer,
					       qos == 1 ? MQTT_PUBACK
							: MQTT_PUBREC,
					       7);
			dialogue_finish(peer, qos, id);
			sim_peer_subscribed(peer, "r", 2);
			sim_peer_expect_nothing(peer);
			sim_peer_close(peer);
		}
	}
}

/* Subscribed again, retained messages come again; what was on its way stays. */
static void test_subscribing_again_loses_nothing(void **state)
{
	for (size_t v = 0; v < COUNT(versions); v++) {
		struct sim_peer *pub =
			sim_client(*state, MQTT_5_0, "pub", true, NULL);
		struct sim_peer *peer =
			sim_client(*state, versions[v], "p", true, NULL);
		uint16_t id;

		dialogue_publish(pub, "r", "x", 1, true);
		sim_peer_subscribed(peer, "r", 1);
		dialogue_receive(peer, "r", "x", 1);
		dialogue_publish(pub, "r", "y", 1, false);
		id = sim_peer_receive(peer, "r", "y", 1);
		sim_peer_subscribed(peer, "r", 2);
		dialogue_receive(peer, "r", "x", 1);
		sim_peer_ack(peer, MQTT_PUBACK, id);
		sim_peer_expect_nothing(peer);
		/* One subscription, not two. */
		dialogue_publish(pub, "r", "z", 2, false);
		dialogue_receive(peer, "r", "z", 2);
		sim_peer_expect_nothing(peer);
		dialogue_publish(pub, "r", "", 0, true);
		sim_peer_close(peer);
		sim_peer_close(pub);
	}
}

static void test_an_expired_retained_message_is_gone(void **state)
{
	struct sim_peer *peer = sim_client(*state, MQTT_5_0, "p", true, NULL);
	struct mqtt_publish packet = {
		.topic = slice_str("r"),
		.payload = slice_str("x"),
		.retain = true,
		.properties.message_expiry_interval = 10,
	};
	struct mqtt_publish got;

	properties_set(&packet.properties, MQTT_PROP_MESSAGE_EXPIRY_INTERVAL);
	sim_peer_send_publish(peer, &packet);
	sim_clock_advance(*state, 4000);
	sim_peer_subscribed(peer, "r", 0);
	got = sim_peer_message(peer);
	assert_int_equal(got.properties.message_expiry_interval, 6);
	sim_clock_advance(*state, 6000);
	sim_peer_subscribed(peer, "r", 0);
	sim_peer_expect_nothing(peer);
	sim_peer_close(peer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DIALOGUE(test_retained_messages_outlive_sessions),
		DIALOGUE(test_each_matching_topic_is_sent),
		DIALOGUE(test_retained_messages_have_their_qos),
		DIALOGUE(test_the_last_retained_message_counts),
		DIALOGUE(test_what_is_not_retained_changes_nothing),
		DIALOGUE(test_retain_is_for_new_subscriptions_only),
		DIALOGUE(test_an_empty_payload_deletes_and_is_delivered),
		DIALOGUE(test_subscribing_again_loses_nothing),
		DIALOGUE(test_an_expired_retained_message_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Session state (3.1.2.4, 4.1) and what a reconnect resumes (4.4). */
#include "tests/conformance/dialogue.h"

static void test_an_absent_client_is_kept_its_messages(void **state)
{
	for (size_t v = 0; v < COUNT(versions); v++) {
		struct sim_peer *pub =
			sim_client(*state, MQTT_5_0, "pub", true, NULL);
		struct sim_peer *sub =
			sim_client(*state, versions[v], "sub", false, NULL);

		sim_peer_subscribed(sub, "t", 2);
		sim_peer_close(sub);
		dialogue_publish(pub, "t", "one", 1, false);
		dialogue_publish(pub, "t", "two", 2, false);
		sub = sim_client(*state, versions[v], "sub", false, NULL);
		dialogue_receive(sub, "t", "one", 1);
		dialogue_receive(sub, "t", "two", 2);
		sim_peer_expect_nothing(sub);
		sim_peer_close(sub);
		sim_peer_close(pub);
		sim_peer_close(
			sim_client(*state, versions[v], "sub", true, NULL));
	}
}

static void test_a_clean_start_gives_up_what_waited(void **state)
{
	for (size_t v = 0; v < COUNT(versions); v++) {
		struct sim_peer *pub =
			sim_client(*state, MQTT_5_0, "pub", true, NULL);
		struct sim_peer *sub =
			sim_client(*state, versions[v], "sub", false, NULL);

		sim_peer_subscribed(sub, "t", 1);
		sim_peer_close(sub);
		dialogue_publish(pub, "t", "one", 1, false);
		sub = sim_client(*state, versions[v], "sub", true, NULL);
		sim_peer_expect_nothing(sub);
		dialogue_publish(pub, "t", "two", 1, false);
		sim_peer_expect_nothing(sub);
		sim_peer_close(sub);
		sim_peer_close(pub);
	}
}

/* However long that is; also with a Session Expiry Interval of 0. */
static void test_state_lasts_as_long_as_the_connection(void **state)
{
	for (size_t v = 0; v < COUNT(versions); v++) {
		struct sim_peer *pub =
			sim_client(*state, MQTT_5_0, "pub", true, NULL);
		struct sim_peer *sub =
			sim_client(*state, versions[v], "sub", true, NULL);
		uint16_t id;

		sim_peer_subscribed(sub, "t", 2);
		dialogue_publish(pub, "t", "x", 2, false);
		id = sim_peer_receive(sub, "t", "x", 2);
		sim_clock_advance(*state, UINT64_C(40) * 24 * 3600 * 1000);
		dialogue_finish(sub, 2, id);
		dialogue_publish(pub, "t", "y", 1, false);
		dialogue_receive(sub, "t", "y", 1);
		sim_peer_close(sub);
		sim_peer_close(pub);
	}
}

static void test_state_ends_with_connection_and_expiry(void **state)
{
	for (size_t v = 0; v < COUNT(versions); v++) {
		sim_peer_close(
			sim_client(*state, versions[v], "p", true, NULL));
		assert_null(session_find(*state, slice_str("p")));
	}
	/* An hour, as sim_connect() asks for. */
	sim_peer_close(sim_client(*state, MQTT_5_0, "p", false, NULL));
	sim_clock_advance(*state, 3600 * 1000 - 100);
	assert_non_null(session_find(*state, slice_str("p")));
	sim_clock_advance(*state, 200);
	assert_null(session_find(*state, slice_str("p")));
}

/* Neither CONNECT nor DISCONNECT. */
static void test_nobody_gets_more_expiry_than_allowed(void **state)
{
	struct mqtt_connect packet = sim_connect(MQTT_5_0, "p", false);
	struct sim_peer *peer = sim_peer_open(*state);
	struct mqtt_connack connack;

	packet.properties.session_expiry_interval = UINT32_MAX;
	sim_peer_connect(peer, &packet);
	connack = dialogue_connack(peer);
	assert_true(properties_has(&connack.properties,
				   MQTT_PROP_SESSION_EXPIRY_INTERVAL));
	assert_int_equal(connack.properties.session_expiry_interval,
			 LIMIT_SESSION_EXPIRY);
	dialogue_disconnect(peer, MQTT_SUCCESS, UINT32_MAX);
	sim_peer_close(peer);
	assert_int_equal(session_find(*state, slice_str("p"))->expiry,
			 LIMIT_SESSION_EXPIRY);
	sim_peer_close(sim_client(*state, MQTT_5_0, "p", true, NULL));
}

/* Time alone sends nothing a second time [MQTT-4.4.0-1]. */
static void test_only_a_reconnect_sends_again(void **state)
{
	for (size_t v = 0; v < COUNT(versions); v++) {
		struct sim_peer *pub =
			sim_client(*state, MQTT_5_0, "pub", true, NULL);
		struct sim_peer *sub =
			sim_client(*state, versions[v], "sub", false, NULL);
		struct mqtt_publish got;
		uint16_t ids[2];

		sim_peer_subscribed(sub, "t", 2);
		dialogue_publish(pub, "t", "one", 1, false);
		ids[0] = sim_peer_receive(sub, "t", "one", 1);
		dialogue_publish(pub, "t", "two", 2, false);
		ids[1] = sim_peer_receive(sub, "t", "two", 2);
		sim_peer_ack(sub, MQTT_PUBREC, ids[1]);
		sim_peer_acked(sub, MQTT_PUBREL, ids[1]);
		sim_clock_advance(*state, 600 * 1000);
		sim_peer_expect_nothing(sub);
		sim_peer_close(sub);

		sub = sim_client(*state, versions[v], "sub", false, NULL);
		got = sim_peer_message(sub);
		assert_true(got.dup);
		assert_int_equal(got.packet_id, ids[0]);
		assert_int_equal(sim_peer_acked(sub, MQTT_PUBREL, ids[1]), 0);
		sim_peer_expect_nothing(sub);
		sim_peer_close(sub);
		sim_peer_close(pub);
		sim_peer_close(
			sim_client(*state, versions[v], "sub", true, NULL));
	}
}

/* What a client refuses it has had [MQTT-4.4.0-2]. */
static void test_what_was_refused_is_not_sent_again(void **state)
{
	struct sim_peer *pub = sim_client(*state, MQTT_5_0, "pub", true, NULL);
	struct sim_peer *sub = sim_client(*state, MQTT_5_0, "sub", false, NULL);

	for (uint8_t qos = 1; qos <= 2; qos++) {
		const enum mqtt_packet_type type =
			qos == 1 ? MQTT_PUBACK : MQTT_PUBREC;
		struct mqtt_ack ack = { .reason = MQTT_QUOTA_EXCEEDED };
		uint8_t bytes[16];
		struct writer w = writer_of(bytes, sizeof(bytes));

		sim_peer_subscribed(sub, "t", qos);
		dialogue_publish(pub, "t", "x", qos, false);
		ack.packet_id = sim_peer_receive(sub, "t", "x", qos);
		ack_encode(&w, MQTT_5_0, type, &ack);
		sim_peer_send(sub, bytes, w.len);
		sim_peer_expect_nothing(sub);
		sim_peer_close(sub);
		sub = sim_client(*state, MQTT_5_0, "sub", false, NULL);
		sim_peer_expect_nothing(sub);
	}
	sim_peer_close(sub);
	sim_peer_close(pub);
}

/* They are three; each goes on until it has been acknowledged. */
static void test_resent_messages_keep_their_order(void **state)
{
	static const char *const payloads[] = { "1", "2", "3" };

	for (size_t v = 0; v < COUNT(versions); v++) {
		struct sim_peer *sub =
			sim_client(*state, versions[v], "sub", false, NULL);
		uint16_t ids[COUNT(payloads)];

		sim_peer_subscribed(sub, "t", 1);
		for (size_t i = 0; i < COUNT(payloads); i++) {
			sim_peer_publish(sub, "t", payloads[i], 1, false, 1);
			ids[i] = sim_peer_receive(sub, "t", payloads[i], 1);
			sim_peer_acked(sub, MQTT_PUBACK, 1);
		}
		for (int round = 0; round < 2; round++) {
			sim_peer_close(sub);
			sub = sim_client(*state, versions[v], "sub", false,
					 NULL);
			for (size_t i = 0; i < COUNT(payloads); i++)
				assert_int_equal(sim_peer_receive(sub, "t",
								  payloads[i],
								  1),
						 ids[i]);
		}
		sim_peer_close(sub);
		sim_peer_close(
			sim_client(*state, versions[v], "sub", true, NULL));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DIALOGUE(test_an_absent_client_is_kept_its_messages),
		DIALOGUE(test_a_clean_start_gives_up_what_waited),
		DIALOGUE(test_state_lasts_as_long_as_the_connection),
		DIALOGUE(test_state_ends_with_connection_and_expiry),
		DIALOGUE(test_nobody_gets_more_expiry_than_allowed),
		DIALOGUE(test_only_a_reconnect_sends_again),
		DIALOGUE(test_what_was_refused_is_not_sent_again),
		DIALOGUE(test_resent_messages_keep_their_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

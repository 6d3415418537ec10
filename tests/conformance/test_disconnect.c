/* DISCONNECT in both directions, PINGREQ, errors (3.12, 3.14, 4.13). */
#include "tests/conformance/dialogue.h"

static void test_a_ping_is_answered(void **state)
{
	for (size_t v = 0; v < COUNT(versions); v++) {
		struct sim_peer *peer =
			sim_client(*state, versions[v], "p", true, NULL);

		SEND(peer, "\xc0\0\xc0\0");
		assert_int_equal(sim_peer_expect(peer, MQTT_PINGRESP).len, 0);
		assert_int_equal(sim_peer_expect(peer, MQTT_PINGRESP).len, 0);
		sim_peer_expect_nothing(peer);
		sim_peer_close(peer);
	}
}

/* What stands behind it in the same write is not looked at. */
static void test_nothing_follows_a_disconnect(void **state)
{
	for (size_t v = 0; v < COUNT(versions); v++) {
		struct sim_peer *other =
			sim_client(*state, MQTT_3_1_1, "other", true, NULL);
		struct sim_peer *peer =
			sim_client(*state, versions[v], "p", true, NULL);

		sim_peer_subscribed(peer, "t", 0);
		SEND(peer, "\xd0\0\xc0\0");
		dialogue_publish(other, "t", "x", 0, false);
		dialogue_ended(peer, MQTT_PROTOCOL_ERROR);

		peer = sim_client(*state, versions[v], "p", true, NULL);
		sim_peer_subscribed(other, "t", 0);
		SEND(peer, "\xe0\0\x30\4\0\1t\0");
		sim_peer_expect_nothing(peer);
		assert_true(sim_peer_ended(peer));
		sim_peer_expect_nothing(other);
		sim_peer_close(peer);
		sim_peer_close(other);
	}
}

static void test_a_disconnect_is_judged(void **state)
{
	static const struct {
		struct slice packet;
		enum mqtt_reason reason;
	} rows[] = {
		/* Reasons that are a server's, or nobody's. */
		{ LITERAL("\xe0\1\x8e"), MQTT_PROTOCOL_ERROR },
		{ LITERAL("\xe0\1\x8b"), MQTT_PROTOCOL_ERROR },
		{ LITERAL("\xe0\1\x01"), MQTT_PROTOCOL_ERROR },
		{ LITERAL("\xe0\1\xff"), MQTT_PROTOCOL_ERROR },
		/* Twice, cut short, too long. */
		{ LITERAL("\xe0\x0c\0\x0a\x11\0\0\0\1\x11\0\0\0\1"),
		  MQTT_PROTOCOL_ERROR },
		{ LITERAL("\xe0\4\0\2\x11\0"), MQTT_MALFORMED_PACKET },
		{ LITERAL("\xe0\3\0\0\0"), MQTT_MALFORMED_PACKET },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct sim_peer *peer =
			sim_client(*state, MQTT_5_0, "p", false, NULL);

		sim_peer_send(peer, rows[i].packet.data, rows[i].packet.len);
		dialogue_ended(peer, rows[i].reason);
		sim_peer_close(sim_client(*state, MQTT_5_0, "p", true, NULL));
	}
}

static void test_an_expiry_is_not_raised_from_zero(void **state)
{
	struct sim_peer *peer = sim_client(*state, MQTT_5_0, "p", true, NULL);

	dialogue_disconnect(peer, MQTT_SUCCESS, 1);
	dialogue_ended(peer, MQTT_PROTOCOL_ERROR);
	peer = sim_client(*state, MQTT_5_0, "p", true, NULL);
	dialogue_disconnect(peer, MQTT_SUCCESS, 0);
	sim_peer_expect_nothing(peer);
	assert_true(sim_peer_ended(peer));
	sim_peer_close(peer);
}

/* No words of ours: neither Session Expiry Interval nor anything too long. */
static void test_our_disconnect_is_bare(void **state)
{
	struct sim_peer *old = sim_client(*state, MQTT_5_0, "p", false, NULL);
	struct sim_peer *new = sim_client(*state, MQTT_5_0, "p", true, NULL);
	struct mqtt_reason_packet packet;

	assert_int_equal(
		disconnect_decode(MQTT_5_0, false,
				  sim_peer_expect(old, MQTT_DISCONNECT),
				  &packet),
		MQTT_SUCCESS);
	assert_int_equal(packet.reason, MQTT_SESSION_TAKEN_OVER);
	assert_false(properties_has(&packet.properties,
				    MQTT_PROP_SESSION_EXPIRY_INTERVAL));
	sim_peer_expect_nothing(old);
	assert_true(sim_peer_ended(old));
	sim_peer_close(old);
	sim_peer_close(new);
}

/* The store does not take it: the sender is not told that all is well. */
static void test_a_passing_failure_ends_the_connection(void **state)
{
	for (size_t v = 0; v < COUNT(versions); v++) {
		struct sim_store *store = sim_store_new();
		struct broker *broker = sim_broker(store, NULL);
		struct sim_peer *peer =
			sim_client(broker, versions[v], "p", true, NULL);

		(void)state;
		sim_store_fail(store, 0);
		sim_peer_publish(peer, "t", "x", 1, true, 1);
		dialogue_ended(peer, MQTT_UNSPECIFIED_ERROR);
		broker_free(broker);
		sim_store_free(store);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DIALOGUE(test_a_ping_is_answered),
		DIALOGUE(test_nothing_follows_a_disconnect),
		DIALOGUE(test_a_disconnect_is_judged),
		DIALOGUE(test_an_expiry_is_not_raised_from_zero),
		DIALOGUE(test_our_disconnect_is_bare),
		DIALOGUE(test_a_passing_failure_ends_the_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Connecting, sessions, wills and silence, as dialogues with a whole broker. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "broker/limits.h"
#include "broker/peer/connection.h"
#include "broker/session/session.h"
#include "tests/broker/sim_check.h"
#include "tests/broker/sim_clock.h"
#include "tests/broker/sim_peer.h"

static const enum mqtt_version versions[] = { MQTT_3_1, MQTT_3_1_1, MQTT_5_0 };

static int setup(void **state)
{
	sim_clock_start();
	*state = sim_broker(NULL, NULL);
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	struct broker *broker = *state;

	sim_run(broker);
	sim_check(broker);
	broker_free(broker);
	sim_clock_stop();
	return 0;
}

static struct mqtt_connack connack_of(struct sim_peer *peer)
{
	struct mqtt_connack connack = { 0 };

	assert_int_equal(connack_decode(peer->version,
					sim_peer_expect(peer, MQTT_CONNACK),
					&connack),
			 MQTT_SUCCESS);
	return connack;
}

/* Connect with this packet: the reason in CONNACK. Frees the peer if refused. */
static enum mqtt_reason connect_reason(struct broker *broker,
				       const struct mqtt_connect *packet,
				       struct sim_peer **out)
{
	struct sim_peer *peer = sim_peer_open(broker);
	enum mqtt_reason reason;

	sim_peer_connect(peer, packet);
	reason = connack_of(peer).reason;
	if (reason == MQTT_SUCCESS) {
		*out = peer;
		return reason;
	}
	assert_true(sim_peer_ended(peer));
	sim_peer_close(peer);
	*out = NULL;
	return reason;
}

static void test_each_version_is_let_in(void **state)
{
	for (size_t i = 0; i < 3; i++) {
		bool present = true;
		struct sim_peer *peer =
			sim_client(*state, versions[i], "dev", true, &present);

		assert_false(present);
		sim_peer_close(peer);
	}
}

static void test_connect_may_come_byte_by_byte(void **state)
{
	for (size_t i = 0; i < 3; i++) {
		const struct mqtt_connect packet =
			sim_connect(versions[i], "dev", true);
		struct sim_peer *peer = sim_peer_open(*state);
		uint8_t bytes[128];
		struct writer w = writer_of(bytes, sizeof(bytes));

		connect_encode(&w, &packet);
		peer->version = versions[i];
		sim_peer_drip(peer, bytes, w.len - 1);
		sim_peer_expect_nothing(peer);
		sim_peer_drip(peer, bytes + w.len - 1, 1);
		assert_int_equal(connack_of(peer).reason, MQTT_SUCCESS);
		sim_peer_close(peer);
	}
}

/* [MQTT-3.1.3-6, -7]; 3.1.1: [MQTT-3.1.3-8]; 3.1: 1 to 23 bytes, ours more. */
static void test_who_may_come_without_an_identifier(void **state)
{
	static const struct {
		enum mqtt_version version;
		bool clean;
		enum mqtt_reason reason;
	} rows[] = {
		{ MQTT_3_1, true, MQTT_CLIENT_IDENTIFIER_NOT_VALID },
		{ MQTT_3_1, false, MQTT_CLIENT_IDENTIFIER_NOT_VALID },
		{ MQTT_3_1_1, true, MQTT_SUCCESS },
		{ MQTT_3_1_1, false, MQTT_CLIENT_IDENTIFIER_NOT_VALID },
		{ MQTT_5_0, true, MQTT_SUCCESS },
		{ MQTT_5_0, false, MQTT_SUCCESS },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mqtt_connect packet =
			sim_connect(rows[i].version, "", rows[i].clean);
		struct sim_peer *peer;

		assert_int_equal(connect_reason(*state, &packet, &peer),
				 rows[i].reason);
		sim_peer_close(peer);
	}
}

static void test_an_assigned_identifier_is_told_and_unique(void **state)
{
	const struct mqtt_connect packet = sim_connect(MQTT_5_0, "", true);
	struct sim_peer *peers[2];
	char ids[2][64] = { "", "" };

	for (size_t i = 0; i < 2; i++) {
		struct mqtt_connack connack;
		struct slice id;

		peers[i] = sim_peer_open(*state);
		sim_peer_connect(peers[i], &packet);
		connack = connack_of(peers[i]);
		assert_true(
			properties_has(&connack.properties,
				       MQTT_PROP_ASSIGNED_CLIENT_IDENTIFIER));
		id = connack.properties.assigned_client_identifier;
		assert_in_range(id.len, 1, sizeof(ids[0]) - 1);
		memcpy(ids[i], id.data, id.len);
	}
	assert_string_not_equal(ids[0], ids[1]);
	sim_peer_close(peers[0]);
	sim_peer_close(peers[1]);
}

static void test_identifiers_that_nobody_is_given(void **state)
{
	char id[LIMIT_CLIENT_ID + 2];
	struct mqtt_connect packet = sim_connect(MQTT_5_0, "$web-1", true);
	struct sim_peer *peer;

	assert_int_equal(connect_reason(*state, &packet, &peer),
			 MQTT_CLIENT_IDENTIFIER_NOT_VALID);
	memset(id, 'x', sizeof(id));
	packet.client_id = slice_of(id, LIMIT_CLIENT_ID + 1);
	assert_int_equal(connect_reason(*state, &packet, &peer),
			 MQTT_CLIENT_IDENTIFIER_NOT_VALID);
	packet.client_id = slice_of(id, LIMIT_CLIENT_ID);
	assert_int_equal(connect_reason(*state, &packet, &peer), MQTT_SUCCESS);
	sim_peer_close(peer);
}

/* Each is answered as far as it can be understood, and closed. */
static void test_connects_that_are_refused(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		int answer; /* last byte of CONNACK's head; -1: none */
	} rows[] = {
#define ROW(text, answer) { text, sizeof(text) - 1, answer }
		/* Level 6, 7 and 2: wrong version, in the words of each. */
		ROW("\x10\x0d\0\4MQTT\6\2\0\0\0\0\1a", 0x84),
		ROW("\x10\x0d\0\4MQTT\2\2\0\0\0\1a", 1),
		ROW("\x10\x0e\0\6MQIsdp\4\2\0\0\0\0", 1),
		/* Reserved flag, will QoS 3, password without user. */
		ROW("\x10\x0d\0\4MQTT\4\3\0\0\0\1a", -1),
		ROW("\x10\x0e\0\4MQTT\5\3\0\0\0\0\1a", 0x81),
		ROW("\x10\x0d\0\4MQTT\4\x1e\0\0\0\1a", -1),
		ROW("\x10\x0d\0\4MQTT\4\x42\0\0\0\1a", -1),
		/* A foreign protocol; cut short. */
		ROW("\x10\x0d\0\4HTTP\4\2\0\0\0\1a", -1),
		ROW("\x10\x0c\0\4MQTT\5\2\0\0\0\0\1", 0x81),
		/* Enhanced authentication. */
		ROW("\x10\x12\0\4MQTT\5\2\0\0\4\x15\0\1x\0\1a\0", 0x81),
		ROW("\x10\x12\0\4MQTT\5\2\0\0\4\x15\0\1x\0\2ab", 0x8c),
#undef ROW
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sim_peer *peer = sim_peer_open(*state);

		/* The length as the bytes have it. */
		uint8_t bytes[64];

		memcpy(bytes, rows[i].bytes, rows[i].len);
		bytes[1] = (uint8_t)(rows[i].len - 2);
		sim_peer_send(peer, bytes, rows[i].len);
		if (rows[i].answer < 0)
			sim_peer_expect_nothing(peer);
		else
			assert_int_equal(
				sim_peer_expect(peer, MQTT_CONNACK).data[1],
				rows[i].answer);
		assert_true(sim_peer_ended(peer));
		sim_peer_close(peer);
	}
}

static void test_session_is_resumed_until_it_expires(void **state)
{
	struct mqtt_connect packet = sim_connect(MQTT_5_0, "dev", false);
	struct sim_peer *peer;
	bool present;

	packet.properties.session_expiry_interval = 10;
	assert_int_equal(connect_reason(*state, &packet, &peer), MQTT_SUCCESS);
	sim_peer_subscribed(peer, "t", 1);
	sim_peer_close(peer);
	sim_clock_advance(*state, 9900);
	peer = sim_peer_open(*state);
	sim_peer_connect(peer, &packet);
	assert_true(connack_of(peer).session_present);
	sim_peer_close(peer);

	sim_clock_advance(*state, 10100);
	assert_null(session_find(*state, slice_str("dev")));
	sim_peer_close(sim_client(*state, MQTT_5_0, "dev", false, &present));
	assert_false(present);
}

static void test_clean_start_forgets_the_session(void **state)
{
	struct sim_peer *peer;
	bool present;

	peer = sim_client(*state, MQTT_3_1_1, "dev", false, NULL);
	sim_peer_subscribed(peer, "t", 1);
	sim_peer_close(peer);
	peer = sim_client(*state, MQTT_3_1_1, "dev", false, &present);
	assert_true(present);
	sim_peer_close(peer);
	peer = sim_client(*state, MQTT_3_1_1, "dev", true, &present);
	assert_false(present);
	sim_peer_close(peer);
	assert_null(session_find(*state, slice_str("dev")));
}

static void disconnect(struct sim_peer *peer, enum mqtt_reason reason,
		       int64_t expiry)
{
	struct mqtt_reason_packet packet = { .reason = reason };
	uint8_t bytes[64];
	struct writer w = writer_of(bytes, sizeof(bytes));

	if (expiry >= 0) {
		properties_set(&packet.properties,
			       MQTT_PROP_SESSION_EXPIRY_INTERVAL);
		packet.properties.session_expiry_interval = (uint32_t)expiry;
	}
	disconnect_encode(&w, peer->version, &packet);
	sim_peer_send(peer, bytes, w.len);
}

static void test_disconnect_may_change_the_expiry(void **state)
{
	struct sim_peer *peer =
		sim_client(*state, MQTT_5_0, "dev", false, NULL);

	disconnect(peer, MQTT_SUCCESS, 5);
	assert_true(sim_peer_ended(peer));
	sim_peer_close(peer);
	sim_clock_advance(*state, 4900);
	assert_non_null(session_find(*state, slice_str("dev")));
	sim_clock_advance(*state, 200);
	assert_null(session_find(*state, slice_str("dev")));

	peer = sim_client(*state, MQTT_5_0, "dev", false, NULL);
	disconnect(peer, MQTT_SUCCESS, 0);
	sim_peer_close(peer);
	assert_null(session_find(*state, slice_str("dev")));

	/* From 0 it cannot be raised (3.14.2.2.2). */
	peer = sim_client(*state, MQTT_5_0, "dev", true, NULL);
	disconnect(peer, MQTT_SUCCESS, 5);
	assert_int_equal(sim_peer_disconnected(peer), MQTT_PROTOCOL_ERROR);
	sim_peer_close(peer);
}

static void test_take_over_tells_the_old_one(void **state)
{
	for (size_t i = 0; i < 3; i++) {
		struct sim_peer *old =
			sim_client(*state, versions[i], "dev", false, NULL);
		struct sim_peer *new;
		bool present;

		new = sim_client(*state, versions[2 - i], "dev", false,
				 &present);
		/* 3.1 has no word for it in its CONNACK. */
		assert_int_equal(present, new->version != MQTT_3_1);
		if (versions[i] == MQTT_5_0)
			assert_int_equal(sim_peer_disconnected(old),
					 MQTT_SESSION_TAKEN_OVER);
		assert_true(sim_peer_ended(old));
		sim_peer_close(old);
		sim_peer_close(new);
		sim_peer_close(sim_client(*state, MQTT_5_0, "dev", true, NULL));
	}
}

/* ---- the will ----------------------------------------------------------- */

static struct sim_peer *client_with_will(struct broker *broker,
					 enum mqtt_version version,
					 int64_t delay, bool clean)
{
	struct mqtt_connect packet = sim_connect(version, "mortal", clean);
	struct mqtt_properties *p = &packet.will.properties;
	struct sim_peer *peer;

	packet.has_will = true;
	packet.will.topic = slice_str("will/mortal");
	packet.will.payload = slice_str("gone");
	packet.will.qos = 1;
	if (version == MQTT_5_0) {
		p->message_expiry_interval = 60;
		properties_set(p, MQTT_PROP_MESSAGE_EXPIRY_INTERVAL);
	}
	if (delay >= 0) {
		p->will_delay_interval = (uint32_t)delay;
		properties_set(p, MQTT_PROP_WILL_DELAY_INTERVAL);
	}
	assert_int_equal(connect_reason(broker, &packet, &peer), MQTT_SUCCESS);
	return peer;
}

static void expect_will(struct sim_peer *heir)
{
	struct mqtt_publish packet = sim_peer_message(heir);

	assert_true(slice_equal(packet.topic, slice_str("will/mortal")));
	assert_true(slice_equal(packet.payload, slice_str("gone")));
	sim_peer_ack(heir, MQTT_PUBACK, packet.packet_id);
}

static void test_will_is_published_on_a_sudden_end_only(void **state)
{
	struct sim_peer *heir =
		sim_client(*state, MQTT_3_1_1, "heir", true, NULL);

	sim_peer_subscribed(heir, "will/#", 1);
	for (size_t i = 0; i < 3; i++) {
		struct sim_peer *peer =
			client_with_will(*state, versions[i], -1, true);

		disconnect(peer, MQTT_SUCCESS, -1);
		sim_peer_close(peer);
		sim_peer_expect_nothing(heir);

		sim_peer_close(client_with_will(*state, versions[i], -1, true));
		expect_will(heir);

		/* Breaking the protocol is a sudden end, too. */
		peer = client_with_will(*state, versions[i], -1, true);
		sim_peer_send(peer, "\xd0\0", 2);
		expect_will(heir);
		sim_peer_close(peer);
		sim_peer_expect_nothing(heir);
	}
	sim_peer_close(heir);
}

static void test_will_is_published_when_disconnect_asks_for_it(void **state)
{
	struct sim_peer *heir =
		sim_client(*state, MQTT_5_0, "heir", true, NULL);
	struct sim_peer *peer = client_with_will(*state, MQTT_5_0, -1, true);
	struct mqtt_publish packet;

	sim_peer_subscribed(heir, "will/#", 0);
	disconnect(peer, MQTT_DISCONNECT_WITH_WILL, -1);
	packet = sim_peer_message(heir);
	/* Its lifetime begins now, not when it was given. */
	assert_true(properties_has(&packet.properties,
				   MQTT_PROP_MESSAGE_EXPIRY_INTERVAL));
	assert_int_equal(packet.properties.message_expiry_interval, 60);
	sim_peer_close(peer);
	sim_peer_close(heir);
}

static void test_a_delayed_will_waits_and_is_called_off(void **state)
{
	struct sim_peer *heir =
		sim_client(*state, MQTT_5_0, "heir", true, NULL);

	sim_peer_subscribed(heir, "will/#", 1);
	sim_peer_close(client_with_will(*state, MQTT_5_0, 5, false));
	sim_clock_advance(*state, 4900);
	sim_peer_expect_nothing(heir);
	sim_clock_advance(*state, 200);
	expect_will(heir);

	/* Back in time: called off [MQTT-3.1.3-9]. */
	sim_peer_close(client_with_will(*state, MQTT_5_0, 5, false));
	sim_clock_advance(*state, 4900);
	sim_peer_close(sim_client(*state, MQTT_5_0, "mortal", false, NULL));
	sim_clock_advance(*state, 60000);
	sim_peer_expect_nothing(heir);

	/* The session's end comes first. */
	sim_peer_close(client_with_will(*state, MQTT_5_0, 7200, false));
	sim_clock_advance(*state, 3599 * 1000);
	sim_peer_expect_nothing(heir);
	sim_clock_advance(*state, 2000);
	expect_will(heir);

	/* A clean start ends the session, so it comes at once. */
	sim_peer_close(client_with_will(*state, MQTT_5_0, 60, false));
	sim_peer_expect_nothing(heir);
	sim_peer_close(sim_client(*state, MQTT_5_0, "mortal", true, NULL));
	expect_will(heir);
	sim_peer_close(heir);
}

/* ---- silence ------------------------------------------------------------ */

static void test_silence_is_ended_after_one_and_a_half_times(void **state)
{
	for (size_t i = 0; i < 3; i++) {
		struct mqtt_connect packet =
			sim_connect(versions[i], "dev", true);
		struct sim_peer *peer;

		packet.keep_alive = 10;
		assert_int_equal(connect_reason(*state, &packet, &peer),
				 MQTT_SUCCESS);
		sim_clock_advance(*state, 14900);
		sim_peer_send(peer, "\xc0\0", 2);
		sim_peer_expect(peer, MQTT_PINGRESP);
		/* Half a packet is no sign of life. */
		sim_clock_advance(*state, 14900);
		sim_peer_send(peer, "\xc0", 1);
		sim_peer_expect_nothing(peer);
		sim_clock_advance(*state, 200);
		if (versions[i] == MQTT_5_0)
			assert_int_equal(sim_peer_disconnected(peer),
					 MQTT_KEEP_ALIVE_TIMEOUT);
		assert_true(sim_peer_ended(peer));
		sim_peer_close(peer);
	}
}

static void test_without_keep_alive_silence_is_allowed(void **state)
{
	struct sim_peer *peer = sim_client(*state, MQTT_5_0, "dev", true, NULL);

	sim_clock_advance(*state, UINT64_C(7) * 24 * 3600 * 1000);
	sim_peer_send(peer, "\xc0\0", 2);
	sim_peer_expect(peer, MQTT_PINGRESP);
	sim_peer_close(peer);
}

static void test_who_never_connects_is_let_go(void **state)
{
	struct broker *broker = *state;
	struct sim_peer *silent = sim_peer_open(broker);
	struct sim_peer *slow = sim_peer_open(broker);

	sim_clock_advance(broker, LIMIT_CONNECT_TIME / 2);
	sim_peer_send(slow, "\x10\x0d\0\4MQ", 6);
	sim_clock_advance(broker, LIMIT_CONNECT_TIME / 2 + 100);
	assert_true(sim_peer_ended(silent));
	assert_true(sim_peer_ended(slow));
	sim_peer_close(silent);
	sim_peer_close(slow);
	assert_int_equal(broker->connection_count, 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_each_version_is_let_in),
		T(test_connect_may_come_byte_by_byte),
		T(test_who_may_come_without_an_identifier),
		T(test_an_assigned_identifier_is_told_and_unique),
		T(test_identifiers_that_nobody_is_given),
		T(test_connects_that_are_refused),
		T(test_session_is_resumed_until_it_expires),
		T(test_clean_start_forgets_the_session),
		T(test_disconnect_may_change_the_expiry),
		T(test_take_over_tells_the_old_one),
		T(test_will_is_published_on_a_sudden_end_only),
		T(test_will_is_published_when_disconnect_asks_for_it),
		T(test_a_delayed_will_waits_and_is_called_off),
		T(test_silence_is_ended_after_one_and_a_half_times),
		T(test_without_keep_alive_silence_is_allowed),
		T(test_who_never_connects_is_let_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Handshakes, windows and limits between a peer and the broker. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "broker/limits.h"
#include "broker/session/session.h"
#include "tests/broker/sim_check.h"
#include "tests/broker/sim_peer.h"

static int setup(void **state)
{
	*state = sim_broker(NULL, NULL);
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	struct broker *broker = *state;

	sim_run(broker);
	sim_check(broker);
	assert_int_equal(broker->connection_count, 0);
	broker_free(broker);
	return 0;
}

/* A 5.0 client with these limits of its own, 0: none. */
static struct sim_peer *limited(struct broker *broker, const char *id,
				uint16_t receive_maximum, uint32_t max_packet)
{
	struct mqtt_connect packet = sim_connect(MQTT_5_0, id, false);
	struct sim_peer *peer = sim_peer_open(broker);

	if (receive_maximum) {
		packet.properties.receive_maximum = receive_maximum;
		properties_set(&packet.properties, MQTT_PROP_RECEIVE_MAXIMUM);
	}
	if (max_packet) {
		packet.properties.maximum_packet_size = max_packet;
		properties_set(&packet.properties,
			       MQTT_PROP_MAXIMUM_PACKET_SIZE);
	}
	sim_peer_connect(peer, &packet);
	sim_peer_expect(peer, MQTT_CONNACK);
	return peer;
}

static void publish1(struct sim_peer *peer, const char *topic,
		     const char *payload)
{
	sim_peer_publish(peer, topic, payload, 1, false, 1);
	sim_peer_acked(peer, MQTT_PUBACK, 1);
}

static void test_no_more_is_under_way_than_the_client_allows(void **state)
{
	struct sim_peer *sub = limited(*state, "sub", 2, 0);
	struct sim_peer *pub = sim_client(*state, MQTT_5_0, "pub", true, NULL);
	static const char *const payloads[] = { "1", "2", "3", "4" };
	uint16_t ids[4];

	sim_peer_subscribed(sub, "t", 1);
	for (size_t i = 0; i < 4; i++)
		publish1(pub, "t", payloads[i]);
	ids[0] = sim_peer_receive(sub, "t", "1", 1);
	ids[1] = sim_peer_receive(sub, "t", "2", 1);
	sim_peer_expect_nothing(sub);
	/* QoS 0 is not counted and may pass. */
	sim_peer_publish(pub, "t", "zero", 0, false, 0);
	sim_peer_receive(sub, "t", "zero", 0);
	/* Acknowledged out of order: a place is free all the same. */
	sim_peer_ack(sub, MQTT_PUBACK, ids[1]);
	ids[2] = sim_peer_receive(sub, "t", "3", 1);
	sim_peer_expect_nothing(sub);
	sim_peer_ack(sub, MQTT_PUBACK, ids[0]);
	ids[3] = sim_peer_receive(sub, "t", "4", 1);
	assert_int_not_equal(ids[2], ids[3]);
	/* Acknowledged twice is late, not wrong. */
	sim_peer_ack(sub, MQTT_PUBACK, ids[0]);
	sim_peer_ack(sub, MQTT_PUBACK, ids[2]);
	sim_peer_ack(sub, MQTT_PUBACK, ids[3]);
	sim_peer_expect_nothing(sub);
	sim_peer_close(sub);
	sim_peer_close(pub);
}

/* A PUBREC frees no place, PUBCOMP does (4.9). */
static void test_qos2_holds_its_place_until_pubcomp(void **state)
{
	struct sim_peer *sub = limited(*state, "sub", 1, 0);
	struct sim_peer *pub = sim_client(*state, MQTT_5_0, "pub", true, NULL);
	uint16_t id;

	sim_peer_subscribed(sub, "t", 2);
	for (uint16_t i = 1; i <= 2; i++) {
		sim_peer_publish(pub, "t", i == 1 ? "one" : "two", 2, false, i);
		sim_peer_acked(pub, MQTT_PUBREC, i);
	}
	id = sim_peer_receive(sub, "t", "one", 2);
	sim_peer_ack(sub, MQTT_PUBREC, id);
	sim_peer_acked(sub, MQTT_PUBREL, id);
	sim_peer_expect_nothing(sub);
	sim_peer_ack(sub, MQTT_PUBCOMP, id);
	sim_peer_receive(sub, "t", "two", 2);
	sim_peer_close(sub);
	sim_peer_close(pub);
}

/* More than our Receive Maximum without a PUBREL (3.3.4: 0x93). */
static void test_a_client_may_not_exceed_our_receive_maximum(void **state)
{
	struct sim_peer *pub = sim_client(*state, MQTT_5_0, "pub", true, NULL);

	for (uint16_t i = 1; i <= LIMIT_RECEIVE_MAXIMUM; i++) {
		sim_peer_publish(pub, "t", "", 2, false, i);
		sim_peer_acked(pub, MQTT_PUBREC, i);
	}
	sim_peer_publish(pub, "t", "", 2, false, LIMIT_RECEIVE_MAXIMUM + 1);
	assert_int_equal(sim_peer_disconnected(pub),
			 MQTT_RECEIVE_MAXIMUM_EXCEEDED);
	sim_peer_close(pub);
}

/* [MQTT-3.1.2-24, -25]: not sent, and as if it had been. */
static void test_what_is_too_large_for_a_client_is_left_out(void **state)
{
	static char large[4001];
	struct sim_peer *sub = limited(*state, "sub", 0, 30);
	struct sim_peer *pub = sim_client(*state, MQTT_5_0, "pub", true, NULL);

	memset(large, 'x', sizeof(large) - 1);
	for (uint8_t qos = 0; qos <= 2; qos++) {
		sim_peer_subscribed(sub, "t", qos);
		sim_peer_publish(pub, "t", large, qos, false, 1);
		large[40] = '\0';
		sim_peer_publish(pub, "t", large, qos, false, 2);
		large[40] = 'x';
		sim_peer_publish(pub, "t", "small", qos, false, 3);
		sim_peer_receive(sub, "t", "small", qos);
		sim_peer_expect_nothing(sub);
	}
	sim_peer_close(sub);
	sim_peer_close(pub);
}

/* The publisher did not get our PUBREC: the message is taken once. */
static void test_a_repeated_qos2_publish_is_delivered_once(void **state)
{
	for (int version = MQTT_3_1; version <= MQTT_5_0; version++) {
		struct sim_peer *peer = sim_client(
			*state, (enum mqtt_version)version, "p", true, NULL);
		const struct mqtt_publish again = {
			.topic = slice_str("t"),
			.payload = slice_str("x"),
			.qos = 2,
			.dup = true,
			.packet_id = 9,
		};

		sim_peer_subscribed(peer, "t", 0);
		sim_peer_publish(peer, "t", "x", 2, false, 9);
		sim_peer_receive(peer, "t", "x", 0);
		sim_peer_acked(peer, MQTT_PUBREC, 9);
		sim_peer_send_publish(peer, &again);
		assert_int_equal(sim_peer_acked(peer, MQTT_PUBREC, 9), 0);
		sim_peer_expect_nothing(peer);
		sim_peer_ack(peer, MQTT_PUBREL, 9);
		assert_int_equal(sim_peer_acked(peer, MQTT_PUBCOMP, 9), 0);
		/* Our PUBCOMP was lost: the answer says it is known no more. */
		sim_peer_ack(peer, MQTT_PUBREL, 9);
		assert_int_equal(sim_peer_acked(peer, MQTT_PUBCOMP, 9),
				 version == MQTT_5_0
					 ? MQTT_PACKET_IDENTIFIER_NOT_FOUND
					 : MQTT_SUCCESS);
		/* Released, the identifier is free for another message. */
		sim_peer_publish(peer, "t", "y", 2, false, 9);
		sim_peer_receive(peer, "t", "y", 0);
		sim_peer_acked(peer, MQTT_PUBREC, 9);
		sim_peer_close(peer);
	}
}

/* What a client had not acknowledged comes again, in order, marked; and what it
 * had comes no more. */
static void test_a_reconnect_goes_on_where_it_stopped(void **state)
{
	struct sim_peer *pub = sim_client(*state, MQTT_5_0, "pub", true, NULL);
	struct sim_peer *sub =
		sim_client(*state, MQTT_3_1_1, "sub", false, NULL);
	struct mqtt_publish got;
	uint16_t ids[3];
	bool present;

	sim_peer_subscribed(sub, "t", 2);
	publish1(pub, "t", "one");
	for (uint16_t i = 1; i <= 2; i++) {
		sim_peer_publish(pub, "t", i == 1 ? "two" : "three", 2, false,
				 i);
		sim_peer_acked(pub, MQTT_PUBREC, i);
	}
	ids[0] = sim_peer_receive(sub, "t", "one", 1);
	ids[1] = sim_peer_receive(sub, "t", "two", 2);
	ids[2] = sim_peer_receive(sub, "t", "three", 2);
	sim_peer_ack(sub, MQTT_PUBREC, ids[1]);
	sim_peer_acked(sub, MQTT_PUBREL, ids[1]);
	sim_peer_close(sub);
	publish1(pub, "t", "four");

	sub = sim_client(*state, MQTT_3_1_1, "sub", false, &present);
	assert_true(present);
	got = sim_peer_message(sub);
	assert_true(slice_equal(got.payload, slice_str("one")));
	assert_true(got.dup);
	assert_int_equal(got.packet_id, ids[0]);
	sim_peer_acked(sub, MQTT_PUBREL, ids[1]);
	got = sim_peer_message(sub);
	assert_true(slice_equal(got.payload, slice_str("three")));
	assert_true(got.dup);
	assert_int_equal(got.packet_id, ids[2]);
	got = sim_peer_message(sub);
	assert_true(slice_equal(got.payload, slice_str("four")));
	assert_false(got.dup);
	sim_peer_ack(sub, MQTT_PUBACK, ids[0]);
	sim_peer_ack(sub, MQTT_PUBCOMP, ids[1]);
	sim_peer_ack(sub, MQTT_PUBREC, ids[2]);
	sim_peer_acked(sub, MQTT_PUBREL, ids[2]);
	sim_peer_ack(sub, MQTT_PUBCOMP, ids[2]);
	sim_peer_ack(sub, MQTT_PUBACK, got.packet_id);
	sim_peer_close(sub);
	sub = sim_client(*state, MQTT_3_1_1, "sub", false, NULL);
	sim_peer_expect_nothing(sub);
	sim_peer_close(sub);
	sim_peer_close(pub);
}

static void send_pubrec(struct sim_peer *peer, uint16_t id,
			enum mqtt_reason reason)
{
	const struct mqtt_ack ack = { .packet_id = id, .reason = reason };
	uint8_t bytes[16];
	struct writer w = writer_of(bytes, sizeof(bytes));

	ack_encode(&w, MQTT_5_0, MQTT_PUBREC, &ack);
	sim_peer_send(peer, bytes, w.len);
}

/* [MQTT-4.3.3-4]: after a PUBREC of 0x80 and above no PUBREL follows. */
static void test_a_refused_message_is_over(void **state)
{
	struct sim_peer *peer = limited(*state, "p", 1, 0);
	uint16_t id;

	sim_peer_subscribed(peer, "t", 2);
	for (uint16_t i = 1; i <= 2; i++)
		sim_peer_publish(peer, "t", i == 1 ? "one" : "two", 2, false,
				 i);
	id = sim_peer_receive(peer, "t", "one", 2);
	sim_peer_acked(peer, MQTT_PUBREC, 1);
	sim_peer_acked(peer, MQTT_PUBREC, 2);
	send_pubrec(peer, id, MQTT_QUOTA_EXCEEDED);
	sim_peer_receive(peer, "t", "two", 2);
	sim_peer_expect_nothing(peer);
	/* An identifier that we do not know is answered as such. */
	send_pubrec(peer, 999, MQTT_SUCCESS);
	assert_int_equal(sim_peer_acked(peer, MQTT_PUBREL, 999),
			 MQTT_PACKET_IDENTIFIER_NOT_FOUND);
	sim_peer_close(peer);
}

static void test_the_wrong_acknowledgement_ends_the_connection(void **state)
{
	static const struct {
		uint8_t qos;
		enum mqtt_packet_type type;
	} rows[] = {
		{ 1, MQTT_PUBREC },
		{ 1, MQTT_PUBCOMP },
		{ 2, MQTT_PUBACK },
		{ 2, MQTT_PUBCOMP },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sim_peer *peer =
			sim_client(*state, MQTT_5_0, "p", true, NULL);

		sim_peer_subscribed(peer, "t", rows[i].qos);
		sim_peer_publish(peer, "t", "x", rows[i].qos, false, 1);
		sim_peer_ack(peer, rows[i].type,
			     sim_peer_receive(peer, "t", "x", rows[i].qos));
		sim_peer_acked(peer,
			       rows[i].qos == 1 ? MQTT_PUBACK : MQTT_PUBREC, 1);
		assert_int_equal(sim_peer_disconnected(peer),
				 MQTT_PROTOCOL_ERROR);
		sim_peer_close(peer);
	}
}

/* What a client says itself goes by its ordinary subscriptions alone: neither the
 * QoS nor the identifier of the others shows [MQTT-3.8.3-3]. */
static void test_no_local_beside_an_ordinary_subscription(void **state)
{
	struct sim_peer *own = sim_client(*state, MQTT_5_0, "own", true, NULL);
	struct sim_peer *pub = sim_client(*state, MQTT_5_0, "pub", true, NULL);
	struct mqtt_subscription entry = {
		.filter = slice_str("n"),
		.qos = 2,
		.no_local = true,
		.retain_as_published = true,
	};
	struct mqtt_publish got;

	sim_peer_subscribed_with(own, &entry, 5);
	/* Alone, and at another topic: as ever. */
	sim_peer_publish(own, "n", "mine", 0, false, 0);
	sim_peer_expect_nothing(own);
	entry = (struct mqtt_subscription){ .filter = slice_str("+") };
	sim_peer_subscribed_with(own, &entry, 7);
	sim_peer_publish(own, "n", "mine", 1, true, 1);
	got = sim_peer_message(own);
	assert_int_equal(got.qos, 0);
	assert_false(got.retain);
	assert_int_equal(got.properties.subscription_id_count, 1);
	assert_int_equal(got.properties.subscription_ids[0], 7);
	sim_peer_acked(own, MQTT_PUBACK, 1);
	sim_peer_publish(pub, "n", "theirs", 1, true, 1);
	got = sim_peer_message(own);
	assert_int_equal(got.qos, 1);
	assert_true(got.retain);
	assert_int_equal(got.properties.subscription_id_count, 2);
	assert_int_equal(got.properties.subscription_ids[0] +
				 got.properties.subscription_ids[1],
			 5 + 7);
	sim_peer_acked(pub, MQTT_PUBACK, 1);
	/* Without the ordinary one it is quiet again. */
	entry.no_local = true;
	sim_peer_subscribed_with(own, &entry, 7);
	sim_peer_message(own); /* retained, by pub */
	sim_peer_publish(own, "n", "mine", 0, false, 0);
	sim_peer_expect_nothing(own);
	sim_peer_close(own);
	sim_peer_close(pub);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_no_more_is_under_way_than_the_client_allows),
		T(test_qos2_holds_its_place_until_pubcomp),
		T(test_a_client_may_not_exceed_our_receive_maximum),
		T(test_what_is_too_large_for_a_client_is_left_out),
		T(test_a_repeated_qos2_publish_is_delivered_once),
		T(test_a_reconnect_goes_on_where_it_stopped),
		T(test_a_refused_message_is_over),
		T(test_the_wrong_acknowledgement_ends_the_connection),
		T(test_no_local_beside_an_ordinary_subscription),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

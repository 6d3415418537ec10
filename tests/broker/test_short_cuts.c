/*
 * What the hot path leaves out, and when it must not: a topic published to before
 * is not looked up again, a packet that nothing is to be changed in is sent as it
 * came.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "broker/limits.h"
#include "broker/peer/connection.h"
#include "broker/routing/topic_cache.h"
#include "tests/broker/sim_check.h"
#include "tests/broker/sim_peer.h"

static const enum mqtt_version versions[] = { MQTT_3_1, MQTT_3_1_1, MQTT_5_0 };

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

static struct sim_peer *subscriber(struct broker *broker,
				   enum mqtt_version version, const char *id,
				   const char *filter, uint8_t qos)
{
	struct sim_peer *peer = sim_client(broker, version, id, true, NULL);

	sim_peer_subscribed(peer, filter, qos);
	return peer;
}

static void test_who_comes_later_gets_the_next(void **state)
{
	struct broker *broker = *state;
	struct sim_peer *pub = sim_client(broker, MQTT_5_0, "pub", true, NULL);
	struct sim_peer *a, *b;

	sim_peer_publish(pub, "t/x", "1", 0, false, 0);
	a = subscriber(broker, MQTT_5_0, "a", "t/+", 0);
	sim_peer_publish(pub, "t/x", "2", 0, false, 0);
	b = subscriber(broker, MQTT_3_1_1, "b", "t/x", 0);
	sim_peer_publish(pub, "t/x", "3", 0, false, 0);
	sim_peer_publish(pub, "t/y", "4", 0, false, 0);
	sim_peer_publish(pub, "t/x", "5", 0, false, 0);
	sim_peer_receive(a, "t/x", "2", 0);
	sim_peer_receive(a, "t/x", "3", 0);
	sim_peer_receive(a, "t/y", "4", 0);
	sim_peer_receive(a, "t/x", "5", 0);
	sim_peer_expect_nothing(a);
	sim_peer_receive(b, "t/x", "3", 0);
	sim_peer_receive(b, "t/x", "5", 0);
	sim_peer_expect_nothing(b);
	sim_peer_close(a);
	sim_peer_publish(pub, "t/x", "6", 0, false, 0);
	sim_peer_receive(b, "t/x", "6", 0);
	sim_peer_close(b);
	sim_peer_close(pub);
}

/* Its entry in the cache may have been given up since. */
static void test_a_topic_that_was_given_up_is_looked_up(void **state)
{
	struct broker *broker = *state;
	struct sim_peer *pub =
		sim_client(broker, MQTT_3_1_1, "pub", true, NULL);
	struct sim_peer *a = subscriber(broker, MQTT_3_1_1, "a", "t/x", 0);
	char topic[32];

	for (int round = 0; round < 2; round++) {
		sim_peer_publish(pub, "t/x", "on", 0, false, 0);
		sim_peer_receive(a, "t/x", "on", 0);
		for (int i = 0; i < 2 * LIMIT_TOPIC_CACHE; i++) {
			snprintf(topic, sizeof(topic), "other/%d/%d", round, i);
			assert_non_null(topic_cache_get(broker->cache,
							slice_str(topic)));
		}
	}
	sim_peer_publish(pub, "t/x", "off", 0, false, 0);
	sim_peer_receive(a, "t/x", "off", 0);
	sim_peer_close(a);
	sim_peer_close(pub);
}

/* The last topic's bytes do not make a longer or shorter one good. */
static void test_a_topic_like_the_last_is_judged_by_itself(void **state)
{
	static const char *const topics[] = { "t/x/#", "t/+", "t/\x01\xff" };
	struct broker *broker = *state;
	struct sim_peer *a = subscriber(broker, MQTT_3_1_1, "a", "#", 0);

	for (size_t i = 0; i < sizeof(topics) / sizeof(topics[0]); i++) {
		struct sim_peer *pub =
			sim_client(broker, MQTT_3_1_1, "pub", true, NULL);

		sim_peer_publish(pub, "t/x", "on", 0, false, 0);
		sim_peer_receive(a, "t/x", "on", 0);
		sim_peer_publish(pub, topics[i], "on", 0, false, 0);
		assert_true(sim_peer_ended(pub));
		sim_peer_expect_nothing(a);
		sim_peer_close(pub);
	}
	sim_peer_close(a);
}

static void check_received(struct sim_peer *peer,
			   const struct mqtt_publish *sent, uint8_t qos)
{
	struct mqtt_publish got = sim_peer_message(peer);

	assert_true(slice_equal(got.topic, sent->topic));
	assert_true(slice_equal(got.payload, sent->payload));
	assert_int_equal(got.qos, sent->qos < qos ? sent->qos : qos);
	assert_false(got.retain);
	assert_false(got.dup);
	if (peer->version == MQTT_5_0)
		assert_true(
			slice_equal(got.properties.raw, sent->properties.raw));
}

/* Every version to every other, each QoS, retained or not, around the length
 * from which payloads are referenced. */
static void send_all(struct broker *broker, enum mqtt_version from,
		     enum mqtt_version to, uint8_t qos)
{
	static const size_t lengths[] = { 0, 1, OUTPUT_COPY_MAX - 1,
					  OUTPUT_COPY_MAX,
					  OUTPUT_COPY_MAX + 1 };
	static uint8_t payload[OUTPUT_COPY_MAX + 1];
	struct sim_peer *pub = sim_client(broker, from, "pub", true, NULL);
	struct sim_peer *sub = subscriber(broker, to, "sub", "t/#", 2);
	struct mqtt_publish packet = { .topic = slice_str("t/x"), .qos = qos };
	struct frame frame;

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		packet.payload = slice_of(payload, lengths[i]);
		packet.packet_id = qos ? (uint16_t)(i + 1) : 0;
		for (int retain = 0; retain < 2; retain++) {
			packet.retain = retain;
			if (qos)
				packet.packet_id =
					(uint16_t)(packet.packet_id + 10);
			sim_peer_send_publish(pub, &packet);
			check_received(sub, &packet, 2);
		}
	}
	while (sim_peer_next(pub, &frame))
		;
	/* What is retained goes again. */
	packet.payload = slice_of(NULL, 0);
	packet.qos = 0;
	packet.packet_id = 0;
	packet.retain = true;
	sim_peer_send_publish(pub, &packet);
	sim_peer_close(pub);
	sim_peer_close(sub);
}

static void test_all_arrives_as_it_should(void **state)
{
	for (size_t from = 0; from < 3; from++)
		for (size_t to = 0; to < 3; to++)
			for (uint8_t qos = 0; qos < 3; qos++)
				send_all(*state, versions[from], versions[to],
					 qos);
}

static void test_a_packet_too_large_for_one_is_not_sent_to_it(void **state)
{
	struct broker *broker = *state;
	struct mqtt_connect connect = sim_connect(MQTT_5_0, "small", true);
	struct sim_peer *small = sim_peer_open(broker);
	struct sim_peer *pub = sim_client(broker, MQTT_5_0, "pub", true, NULL);
	struct sim_peer *a = subscriber(broker, MQTT_5_0, "a", "t/x", 0);

	connect.properties.maximum_packet_size = 64;
	properties_set(&connect.properties, MQTT_PROP_MAXIMUM_PACKET_SIZE);
	sim_peer_connect(small, &connect);
	sim_peer_expect(small, MQTT_CONNACK);
	sim_peer_subscribed(small, "t/x", 0);
	/* 2 + 2 + 3 + 1 bytes are not the payload's. */
	sim_peer_publish(pub, "t/x",
			 "12345678901234567890123456789012345678901234567890"
			 "123456",
			 0, false, 0);
	sim_peer_publish(pub, "t/x",
			 "12345678901234567890123456789012345678901234567890"
			 "1234567",
			 0, false, 0);
	sim_peer_message(small);
	sim_peer_expect_nothing(small);
	sim_peer_message(a);
	sim_peer_message(a);
	sim_peer_close(small);
	sim_peer_close(a);
	sim_peer_close(pub);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_who_comes_later_gets_the_next),
		T(test_a_topic_that_was_given_up_is_looked_up),
		T(test_a_topic_like_the_last_is_judged_by_itself),
		T(test_all_arrives_as_it_should),
		T(test_a_packet_too_large_for_one_is_not_sent_to_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

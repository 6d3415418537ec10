/* Peers that read slowly, or not at all: what waits has an end, and comes whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "broker/limits.h"
#include "broker/peer/connection.h"
#include "broker/session/session.h"
#include "tests/broker/sim_check.h"
#include "tests/broker/sim_peer.h"

#define PAYLOAD 4000

struct rig {
	struct broker *broker;
	struct sim_peer *pub;
	struct sim_peer *slow;
};

static int setup(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	rig->broker = sim_broker(NULL, NULL);
	rig->pub = sim_client(rig->broker, MQTT_3_1_1, "pub", true, NULL);
	rig->slow = sim_client(rig->broker, MQTT_3_1_1, "slow", false, NULL);
	*state = rig;
	return 0;
}

static int teardown(void **state)
{
	struct rig *rig = *state;

	sim_peer_close(rig->pub);
	sim_peer_close(rig->slow);
	sim_peer_close(sim_client(rig->broker, MQTT_3_1_1, "slow", true, NULL));
	sim_check(rig->broker);
	assert_int_equal(rig->broker->queued_bytes, 0);
	broker_free(rig->broker);
	free(rig);
	return 0;
}

static const char *numbered(unsigned int n)
{
	static char payload[PAYLOAD + 1];

	snprintf(payload, sizeof(payload), "%0*u", PAYLOAD, n);
	return payload;
}

/* The number in the next message; -1 when there is none. */
static long next_number(struct sim_peer *peer, uint16_t *packet_id)
{
	struct mqtt_publish packet;
	struct frame frame;
	char digits[16] = "";

	if (!sim_peer_next(peer, &frame))
		return -1;
	assert_int_equal(frame.type, MQTT_PUBLISH);
	assert_int_equal(
		publish_decode(peer->version, frame.flags, frame.body, &packet),
		MQTT_SUCCESS);
	assert_int_equal(packet.payload.len, PAYLOAD);
	memcpy(digits, packet.payload.data + PAYLOAD - 8, 8);
	if (packet_id)
		*packet_id = packet.packet_id;
	return strtol(digits, NULL, 10);
}

static void test_qos0_is_dropped_at_the_limit_and_in_order(void **state)
{
	struct rig *rig = *state;
	const unsigned int sent = 3 * LIMIT_OUTPUT / PAYLOAD;
	uint64_t dropped;
	long last = -1, n;
	unsigned int got = 0;

	sim_peer_subscribed(rig->slow, "t", 0);
	dropped = rig->broker->count.messages_dropped;
	for (unsigned int i = 0; i < sent; i++)
		sim_peer_publish(rig->pub, "t", numbered(i), 0, false, 0);
	dropped = rig->broker->count.messages_dropped - dropped;
	assert_true(dropped > sent / 3);
	while ((n = next_number(rig->slow, NULL)) >= 0) {
		assert_true(n > last);
		last = n;
		got++;
	}
	assert_int_equal(got + dropped, sent);
	/* It is served again as any other. */
	sim_peer_publish(rig->pub, "t", numbered(sent), 0, false, 0);
	assert_int_equal(next_number(rig->slow, NULL), sent);
}

/* The latest values are worth more than those of an hour ago. */
static void test_of_qos0_the_oldest_go_first(void **state)
{
	struct rig *rig = *state;
	const unsigned int sent = 3 * LIMIT_OUTPUT / PAYLOAD;
	long last = -1, before = -1, n;

	sim_peer_subscribed(rig->slow, "t", 1);
	for (unsigned int i = 0; i < sent; i++)
		sim_peer_publish(rig->pub, "t", numbered(i), 0, false, 0);
	/* What is acknowledged is not among them: it drives others out. */
	sim_peer_publish(rig->pub, "t", numbered(sent), 1, false, 1);
	assert_int_equal(sim_peer_acked(rig->pub, MQTT_PUBACK, 1),
			 MQTT_SUCCESS);
	assert_int_equal(rig->broker->count.publishes_refused, 0);
	sim_check(rig->broker);
	while ((n = next_number(rig->slow, NULL)) >= 0) {
		assert_true(n > last);
		before = last;
		last = n;
	}
	assert_int_equal(last, sent);
	assert_int_equal(before, sent - 1);
	sim_peer_ack(rig->slow, MQTT_PUBACK, 1);
}

/* Behind a message that is never acknowledged, for a month. */
static void
test_what_is_dropped_leaves_no_more_than_a_bounded_trace(void **state)
{
	struct rig *rig = *state;
	const unsigned int sent = LIMIT_OUTPUT / PAYLOAD + 200;
	struct session *s = session_find(rig->broker, slice_str("slow"));
	const unsigned int most =
		2 * LIMIT_QUEUE_MESSAGES + LIMIT_INFLIGHT_SPAN;

	sim_peer_subscribed(rig->slow, "t", 1);
	for (unsigned int i = 0; i < sent; i++)
		sim_peer_publish(rig->pub, "t", numbered(i), 0, false, 0);
	sim_peer_publish(rig->pub, "t", numbered(0), 1, false, 1);
	for (unsigned int i = 0; i < most + 1000; i++)
		sim_peer_publish(rig->pub, "t", "x", 0, false, 0);
	assert_true(s->outbox.count <= most);
	assert_true(s->outbox.queued > 0);
}

static void test_qos1_waits_and_nothing_is_lost(void **state)
{
	struct rig *rig = *state;
	uint16_t id;

	sim_peer_subscribed(rig->slow, "t", 1);
	/* In bytes less than a queue may hold, more than the socket takes. */
	for (unsigned int i = 0; i < 240; i++) {
		sim_peer_publish(rig->pub, "t", numbered(i), 1, false, 1);
		sim_peer_acked(rig->pub, MQTT_PUBACK, 1);
	}
	for (unsigned int i = 0; i < 240; i++) {
		assert_int_equal(next_number(rig->slow, &id), i);
		sim_peer_ack(rig->slow, MQTT_PUBACK, id);
	}
	sim_peer_expect_nothing(rig->slow);
}

/* A packet goes out in as many writes as the socket likes. */
static void test_a_packet_goes_out_in_pieces(void **state)
{
	static char large[600001], got[600100];
	struct rig *rig = *state;
	size_t len = 0;
	ssize_t n;

	for (size_t i = 0; i + 1 < sizeof(large); i++)
		large[i] = (char)('a' + i % 19);
	sim_peer_subscribed(rig->slow, "t", 0);
	sim_peer_publish(rig->pub, "t", large, 0, false, 0);
	while ((n = recv(rig->slow->fd, got + len, 777, 0)) > 0) {
		len += (size_t)n;
		sim_run(rig->broker);
	}
	/* Header of 1 + 3 bytes, topic of 2 + 1. */
	assert_int_equal(len, 4 + 3 + sizeof(large) - 1);
	assert_memory_equal(got + 7, large, sizeof(large) - 1);
}

/* Retained messages for a new subscription wait for room, whatever their QoS. */
static void test_a_replay_larger_than_the_output_comes_whole(void **state)
{
	struct rig *rig = *state;
	const unsigned int count = 2 * LIMIT_OUTPUT / PAYLOAD;
	char topic[32];
	unsigned int got = 0;

	for (unsigned int i = 0; i < count; i++) {
		snprintf(topic, sizeof(topic), "r/%u", i);
		sim_peer_publish(rig->pub, topic, numbered(i), 0, true, 0);
	}
	sim_peer_subscribed(rig->slow, "r/#", 1);
	while (next_number(rig->slow, NULL) >= 0)
		got++;
	assert_int_equal(got, count);
}

static void test_a_peer_that_goes_while_output_waits(void **state)
{
	struct rig *rig = *state;

	sim_peer_subscribed(rig->slow, "t", 1);
	for (unsigned int i = 0; i < 200; i++) {
		sim_peer_publish(rig->pub, "t", numbered(i), i & 1, false, 1);
		if (i & 1)
			sim_peer_acked(rig->pub, MQTT_PUBACK, 1);
	}
	sim_peer_close(rig->slow);
	assert_int_equal(rig->broker->connection_count, 1);
	sim_check(rig->broker);
	/* What was not acknowledged comes again, the rest was QoS 0. */
	rig->slow = sim_client(rig->broker, MQTT_3_1_1, "slow", false, NULL);
	for (unsigned int i = 1; i < 200; i += 2) {
		uint16_t id;

		assert_int_equal(next_number(rig->slow, &id), i);
		sim_peer_ack(rig->slow, MQTT_PUBACK, id);
	}
	sim_peer_expect_nothing(rig->slow);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_qos0_is_dropped_at_the_limit_and_in_order),
		T(test_of_qos0_the_oldest_go_first),
		T(test_what_is_dropped_leaves_no_more_than_a_bounded_trace),
		T(test_qos1_waits_and_nothing_is_lost),
		T(test_a_packet_goes_out_in_pieces),
		T(test_a_replay_larger_than_the_output_comes_whole),
		T(test_a_peer_that_goes_while_output_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

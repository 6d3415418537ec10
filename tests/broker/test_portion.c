/* A SUBSCRIBE that is too much for one turn, and what comes in between. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "broker/limits.h"
#include "broker/peer/connection.h"
#include "broker/routing/subscriptions.h"
#include "broker/session/session.h"
#include "broker/wire/writer.h"
#include "tests/broker/sim_check.h"
#include "tests/broker/sim_peer.h"

/* So many retained topics, so many filters: three turns, of two portions each. */
#define TOPICS 1000
#define FILTERS (5 * (LIMIT_REPLAY_WORK / TOPICS))

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
	assert_true(list_empty(&broker->portioned));
	broker_free(broker);
	return 0;
}

static void keep(struct sim_peer *pub, unsigned int n, const char *payload)
{
	char topic[16];

	snprintf(topic, sizeof(topic), "x%u/a", n);
	sim_peer_publish(pub, topic, payload, 0, true, 0);
}

/* SUBSCRIBE to x0/+ x1/+ ..., without letting the broker run. */
static void ask(struct sim_peer *sub, const char *prefix)
{
	static uint8_t bytes[32 * FILTERS];
	static char filters[FILTERS][24];
	static struct mqtt_subscription entries[FILTERS];
	const struct mqtt_properties none = { 0 };
	struct writer w = writer_of(bytes, sizeof(bytes));

	for (unsigned int i = 0; i < FILTERS; i++) {
		snprintf(filters[i], sizeof(filters[i]), "%sx%u/+", prefix, i);
		entries[i] = (struct mqtt_subscription){
			.filter = slice_str(filters[i]),
		};
	}
	subscribe_encode(&w, sub->version, 7, &none, entries, FILTERS);
	assert_false(w.overflow);
	assert_int_equal(send(sub->fd, bytes, w.len, 0), w.len);
}

/* The next packet answers all filters alike. */
static void answered(struct sim_peer *sub, uint8_t reason)
{
	struct mqtt_suback suback;

	assert_int_equal(suback_decode(sub->version, MQTT_SUBACK,
				       sim_peer_expect(sub, MQTT_SUBACK),
				       &suback),
			 MQTT_SUCCESS);
	assert_int_equal(suback.packet_id, 7);
	assert_int_equal(suback.reasons.len, FILTERS);
	for (size_t i = 0; i < FILTERS; i++)
		assert_int_equal(suback.reasons.data[i], reason);
}

static struct sim_peer *house(struct broker *broker)
{
	struct sim_peer *pub = sim_client(broker, MQTT_5_0, "pub", true, NULL);

	for (unsigned int i = 0; i < TOPICS; i++)
		keep(pub, i, "old");
	return pub;
}

/* Other clients are served between, and nobody gets what is old after what is
 * new. */
static void test_many_filters_are_taken_in_portions(void **state)
{
	struct broker *broker = *state;
	struct sim_peer *pub = house(broker);
	struct sim_peer *sub = sim_client(broker, MQTT_5_0, "sub", true, NULL);
	static const uint8_t ping[] = { 0xc0, 0 };
	struct frame frame;
	unsigned int answers = 0, got = 0;
	size_t taken;

	ask(sub, "");
	assert_int_equal(loop_turn(broker->loop, 0), 0);
	taken = broker->subscription_count;
	assert_in_range(taken, 1, FILTERS - 1);
	/* One of a filter that has been taken, one of a filter that has not; and
	 * what the same client sends behind waits. */
	assert_int_equal(send(sub->fd, ping, sizeof(ping), 0), 2);
	assert_int_equal(send(pub->fd, "\x31\x0a\0\x04x0/a\0new", 12, 0), 12);
	assert_int_equal(loop_turn(broker->loop, 0), 0);
	assert_in_range(broker->subscription_count, taken + 1, FILTERS);
	keep(pub, FILTERS - 1, "new");
	sim_run(broker);
	assert_int_equal(broker->subscription_count, FILTERS);

	for (unsigned int i = 0; i < FILTERS + 1; i++) {
		struct mqtt_publish packet;

		assert_true(sim_peer_next(sub, &frame));
		if (frame.type == MQTT_SUBACK) {
			answers++;
			i--;
			continue;
		}
		assert_int_equal(frame.type, MQTT_PUBLISH);
		assert_int_equal(publish_decode(sub->version, frame.flags,
						frame.body, &packet),
				 MQTT_SUCCESS);
		got++;
		if (slice_equal(packet.topic, slice_str("x0/a")))
			assert_true(slice_equal(
				packet.payload,
				slice_str(packet.retain ? "old" : "new")));
	}
	assert_int_equal(answers, 1);
	assert_int_equal(got, FILTERS + 1);
	sim_peer_expect(sub, MQTT_PINGRESP);
	sim_peer_expect_nothing(sub);
	sim_peer_close(sub);
	sim_peer_close(pub);
}

/* A predicate costs what it looks at. */
static void test_those_with_a_predicate_are_taken_in_portions(void **state)
{
	struct broker *broker = *state;
	struct sim_peer *pub = house(broker);
	struct sim_peer *sub =
		sim_client(broker, MQTT_3_1_1, "sub", true, NULL);

	ask(sub, "$match/$value=x/");
	assert_int_equal(loop_turn(broker->loop, 0), 0);
	assert_in_range(broker->subscription_count, 1, FILTERS - 1);
	sim_run(broker);
	answered(sub, 0);
	sim_peer_expect_nothing(sub);
	sim_peer_close(sub);
	sim_peer_close(pub);
}

/* Many clients with one filter each, as after a power cut. */
static void test_many_clients_are_served_in_turns(void **state)
{
	struct broker *broker = *state;
	struct sim_peer *pub = house(broker);
	struct sim_peer *subs[3 * LIMIT_REPLAY_WORK / TOPICS];
	const unsigned int count = sizeof(subs) / sizeof(subs[0]);
	char id[16];

	for (unsigned int i = 0; i < count; i++) {
		snprintf(id, sizeof(id), "s%u", i);
		subs[i] = sim_client(broker, MQTT_3_1_1, id, true, NULL);
	}
	for (unsigned int i = 0; i < count; i++)
		assert_int_equal(
			send(subs[i]->fd, "\x82\x09\0\x07\0\4x7/+\0", 11, 0),
			11);
	assert_int_equal(loop_turn(broker->loop, 0), 0);
	assert_in_range(broker->subscription_count, 1, count - 1);
	sim_run(broker);
	for (unsigned int i = 0; i < count; i++) {
		sim_peer_expect(subs[i], MQTT_SUBACK);
		sim_peer_receive(subs[i], "x7/a", "old", 0);
		sim_peer_close(subs[i]);
	}
	sim_peer_close(pub);
}

static void test_who_goes_in_between_is_forgotten(void **state)
{
	struct broker *broker = *state;
	struct sim_peer *pub = house(broker);
	struct sim_peer *sub = sim_client(broker, MQTT_5_0, "sub", true, NULL);
	struct sim_peer *heir;

	ask(sub, "");
	assert_int_equal(loop_turn(broker->loop, 0), 0);
	assert_in_range(broker->subscription_count, 1, FILTERS - 1);
	heir = sim_client(broker, MQTT_5_0, "sub", true, NULL);
	assert_int_equal(broker->subscription_count, 0);
	sim_peer_close(sub);
	sim_peer_expect_nothing(heir);
	sim_peer_close(heir);
	sim_peer_close(pub);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_many_filters_are_taken_in_portions),
		T(test_those_with_a_predicate_are_taken_in_portions),
		T(test_many_clients_are_served_in_turns),
		T(test_who_goes_in_between_is_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

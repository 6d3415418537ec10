/* Queues that are full: who is told, who waits, what goes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "broker/limits.h"
#include "broker/session/backlog.h"
#include "broker/session/session.h"
#include "tests/broker/full_rig.h"
#include "tests/broker/sim_check.h"
#include "tests/broker/sim_clock.h"

static int setup(void **state)
{
	return full_rig_start(state, FULL_QUEUE_REFUSE);
}

static const enum mqtt_version versions[] = { MQTT_3_1, MQTT_3_1_1, MQTT_5_0 };

/* Nobody gets what not everybody can get, and its publisher knows. */
static void refuse(struct full_rig *rig, enum mqtt_version version, uint8_t qos)
{
	struct broker *broker = rig->broker;
	struct sim_peer *pub = sim_client(broker, version, "pub", true, NULL);
	struct sim_peer *other =
		sim_client(broker, MQTT_5_0, "other", true, NULL);
	const uint64_t refused = broker->count.publishes_refused;
	const uint64_t dropped = broker->count.messages_dropped;
	struct mqtt_ack ack;

	full_rig_leave(rig, pub);
	sim_peer_subscribed(other, "t", 1);
	sim_peer_publish(pub, "t", "no", qos, true, 7);
	if (version == MQTT_5_0) {
		assert_int_equal(
			ack_decode(version, full_rig_answer(qos),
				   sim_peer_expect(pub, full_rig_answer(qos)),
				   &ack),
			MQTT_SUCCESS);
		assert_int_equal(ack.packet_id, 7);
		assert_int_equal(ack.reason, MQTT_QUOTA_EXCEEDED);
		assert_true(properties_has(&ack.properties,
					   MQTT_PROP_REASON_STRING));
		assert_false(
			session_inbound_has(full_rig_session(rig, "pub"), 7));
	} else {
		sim_peer_expect_nothing(pub);
		assert_true(sim_peer_ended(pub));
		sim_peer_close(pub);
		pub = sim_client(broker, version, "pub", true, NULL);
	}
	sim_peer_expect_nothing(other);
	assert_int_equal(sim_store_retained(rig->store), 0);
	assert_int_equal(broker->count.publishes_refused - refused, 1);
	assert_int_equal(full_rig_session(rig, "ghost")->outbox.sums->refused,
			 1);
	/* QoS 0 is for those who are there. */
	sim_peer_publish(pub, "t", "zero", 0, false, 0);
	sim_peer_receive(other, "t", "zero", 0);
	assert_int_equal(broker->count.messages_dropped, dropped);
	sim_peer_close(other);
	other = full_rig_come_back(rig, 0, FULL, 1);
	/* And there is room again. */
	sim_peer_publish(pub, "t", "4", qos, false, 7);
	assert_int_equal(sim_peer_acked(pub, full_rig_answer(qos), 7),
			 MQTT_SUCCESS);
	sim_peer_receive(other, "t", "4", qos);
	sim_peer_close(other);
	sim_peer_close(sim_client(broker, MQTT_5_0, "ghost", true, NULL));
	sim_peer_close(pub);
}

static void test_a_publish_without_room_is_refused(void **state)
{
	for (size_t i = 0; i < 3; i++)
		for (uint8_t qos = 1; qos <= 2; qos++)
			refuse(*state, versions[i], qos);
}

static void test_a_full_queue_is_full_after_a_restart(void **state)
{
	struct full_rig *rig = *state;
	struct sim_peer *pub =
		sim_client(rig->broker, MQTT_5_0, "pub", true, NULL);

	full_rig_leave(rig, pub);
	sim_peer_close(pub);
	broker_free(rig->broker);
	rig->broker = full_rig_make(rig->store, FULL_QUEUE_REFUSE);
	pub = sim_client(rig->broker, MQTT_5_0, "pub", true, NULL);
	sim_peer_publish(pub, "t", "no", 1, false, 1);
	assert_int_equal(sim_peer_acked(pub, MQTT_PUBACK, 1),
			 MQTT_QUOTA_EXCEEDED);
	sim_peer_close(pub);
}

static void test_a_queue_is_full_when_the_limit_is_lowered(void **state)
{
	struct full_rig *rig = *state;
	struct sim_peer *pub =
		sim_client(rig->broker, MQTT_5_0, "pub", true, NULL);

	rig->broker->options.max_queue_messages = 3 * FULL;
	full_rig_leave(rig, pub);
	assert_int_equal(rig->broker->crowded_count, 0);
	rig->broker->options.max_queue_messages = FULL;
	backlog_configure(rig->broker);
	sim_peer_publish(pub, "t", "no", 1, false, 1);
	assert_int_equal(sim_peer_acked(pub, MQTT_PUBACK, 1),
			 MQTT_QUOTA_EXCEEDED);
	rig->broker->options.max_queue_messages = 3 * FULL;
	backlog_configure(rig->broker);
	assert_int_equal(rig->broker->crowded_count, 0);
	full_rig_publish(pub, "4", 1);
	sim_peer_close(pub);
}

static void test_publishers_wait_for_one_that_lags(void **state)
{
	struct full_rig *rig = *state;

	for (size_t i = 0; i < 3; i++) {
		struct sim_peer *sub = full_rig_lagging(rig->broker, true);
		struct sim_peer *pub =
			sim_client(rig->broker, versions[i], "pub", true, NULL);
		uint16_t id;

		full_rig_fill(pub);
		sim_peer_publish(pub, "t", "y", 1, false, 9);
		sim_peer_publish(pub, "u", "behind it", 1, false, 10);
		sim_peer_expect_nothing(pub);
		id = sim_peer_receive(sub, "t", "x", 1);
		sim_check(rig->broker);
		sim_peer_ack(sub, MQTT_PUBACK, id);
		assert_int_equal(sim_peer_acked(pub, MQTT_PUBACK, 9),
				 MQTT_SUCCESS);
		sim_peer_acked(pub, MQTT_PUBACK, 10);
		for (int k = 0; k < FULL; k++)
			sim_peer_ack(sub, MQTT_PUBACK,
				     sim_peer_receive(sub, "t", "x", 1));
		sim_peer_receive(sub, "t", "y", 1);
		assert_int_equal(rig->broker->count.publishes_refused, 0);
		sim_peer_close(sub);
		sim_peer_close(pub);
	}
}

/* Whoever stands still is told to go; the others go on without it. */
static void test_one_that_stands_still_is_disconnected(void **state)
{
	struct full_rig *rig = *state;
	struct sim_peer *sub = full_rig_lagging(rig->broker, true);
	struct sim_peer *pub =
		sim_client(rig->broker, MQTT_3_1_1, "pub", true, NULL);

	full_rig_fill(pub);
	sim_peer_publish(pub, "t", "y", 1, false, 9);
	sim_clock_advance(rig->broker, LIMIT_STANDSTILL - 1000);
	sim_peer_expect_nothing(pub);
	sim_clock_advance(rig->broker, 2000);
	sim_peer_receive(sub, "t", "x", 1);
	assert_int_equal(sim_peer_disconnected(sub), MQTT_QUOTA_EXCEEDED);
	assert_int_equal(sim_peer_acked(pub, MQTT_PUBACK, 9), MQTT_SUCCESS);
	assert_null(full_rig_session(rig, "slow"));
	sim_peer_close(sub);
	sim_peer_close(pub);
}

/* The queue moves, but never far enough for this one. */
static void test_a_publisher_waits_no_longer_than_it_may(void **state)
{
	static char large[901];
	struct full_rig *rig = *state;
	struct sim_peer *sub = full_rig_lagging(rig->broker, true);
	struct sim_peer *small =
		sim_client(rig->broker, MQTT_5_0, "small", true, NULL);
	struct sim_peer *pub =
		sim_client(rig->broker, MQTT_5_0, "pub", true, NULL);

	memset(large, 'x', sizeof(large) - 1);
	large[200] = '\0';
	for (int i = 0; i < FULL; i++)
		full_rig_publish(small, large, 1);
	large[200] = 'x';
	sim_peer_publish(pub, "t", large, 1, false, 9);
	large[200] = '\0';
	for (unsigned int passed = 0; passed < LIMIT_STALL; passed += 1000) {
		sim_peer_expect_nothing(pub);
		sim_peer_ack(sub, MQTT_PUBACK,
			     sim_peer_receive(sub, "t", large, 1));
		full_rig_publish(small, large, 1);
		sim_clock_advance(rig->broker, 1000);
	}
	sim_clock_advance(rig->broker, 1000);
	assert_int_equal(sim_peer_acked(pub, MQTT_PUBACK, 9),
			 MQTT_QUOTA_EXCEEDED);
	assert_int_equal(rig->broker->count.publishes_refused, 1);
	/* It is read again. */
	sim_peer_publish(pub, "u", "y", 1, false, 10);
	sim_peer_acked(pub, MQTT_PUBACK, 10);
	sim_peer_close(sub);
	sim_peer_close(small);
	sim_peer_close(pub);
}

/* It could not read its own acknowledgements while it waited. */
static void test_nobody_waits_for_itself(void **state)
{
	struct full_rig *rig = *state;
	struct sim_peer *peer = full_rig_lagging(rig->broker, true);

	for (int i = 0; i <= FULL; i++)
		sim_peer_publish(peer, "t", "x", 1, false, (uint16_t)(10 + i));
	sim_peer_publish(peer, "t", "x", 1, false, 20);
	sim_peer_receive(peer, "t", "x", 1);
	sim_peer_acked(peer, MQTT_PUBACK, 10);
	for (int i = 1; i <= FULL; i++)
		sim_peer_acked(peer, MQTT_PUBACK, (uint16_t)(10 + i));
	assert_int_equal(sim_peer_acked(peer, MQTT_PUBACK, 20),
			 MQTT_QUOTA_EXCEEDED);
	sim_peer_close(peer);
}

static void test_a_publisher_that_goes_while_it_waits(void **state)
{
	struct full_rig *rig = *state;
	struct sim_peer *sub = full_rig_lagging(rig->broker, false);
	struct sim_peer *pub =
		sim_client(rig->broker, MQTT_3_1_1, "pub", true, NULL);

	full_rig_fill(pub);
	sim_peer_publish(pub, "t", "y", 1, false, 9);
	sim_peer_close(pub);
	sim_peer_close(sub);
	assert_true(list_empty(&rig->broker->stalled));
}

static void
test_a_message_larger_than_the_queue_goes_through_alone(void **state)
{
	static char large[2001];
	struct full_rig *rig = *state;
	struct sim_peer *sub = full_rig_lagging(rig->broker, true);
	struct sim_peer *pub =
		sim_client(rig->broker, MQTT_5_0, "pub", true, NULL);

	memset(large, 'x', sizeof(large) - 1);
	full_rig_publish(pub, large, 1);
	sim_peer_receive(sub, "t", large, 1);
	sim_peer_close(sub);
	sim_peer_close(pub);
}

/* A will has no publisher any more that could be told. */
static void test_a_will_without_room_is_counted(void **state)
{
	struct full_rig *rig = *state;
	struct sim_peer *pub =
		sim_client(rig->broker, MQTT_5_0, "pub", true, NULL);
	struct mqtt_connect packet = sim_connect(MQTT_5_0, "dying", true);
	struct sim_peer *dying = sim_peer_open(rig->broker);
	uint64_t dropped;

	packet.has_will = true;
	packet.will.topic = slice_str("t");
	packet.will.payload = slice_str("gone");
	packet.will.qos = 1;
	sim_peer_connect(dying, &packet);
	sim_peer_expect(dying, MQTT_CONNACK);
	full_rig_leave(rig, pub);
	dropped = rig->broker->count.messages_dropped;
	sim_peer_close(dying);
	assert_int_equal(rig->broker->count.messages_dropped - dropped, 1);
	assert_int_equal(full_rig_session(rig, "ghost")->outbox.sums->dropped,
			 1);
	sim_peer_close(pub);
}

/* A member without room is passed over; only when all are full it is refused. */
static void test_a_shared_message_goes_where_there_is_room(void **state)
{
	struct full_rig *rig = *state;
	struct sim_peer *pub =
		sim_client(rig->broker, MQTT_5_0, "pub", true, NULL);

	for (int i = 0; i < 2; i++) {
		struct sim_peer *member = sim_client(
			rig->broker, MQTT_5_0, i ? "b" : "a", false, NULL);

		sim_peer_subscribed(member, "$share/g/t", 1);
		if (i == 0) /* twice as many as its fellow */
			sim_peer_subscribed(member, "u", 1);
		sim_peer_close(member);
	}
	for (uint16_t i = 0; i < FULL / 2; i++) {
		sim_peer_publish(pub, "u", "x", 1, false, 1);
		sim_peer_acked(pub, MQTT_PUBACK, 1);
	}
	for (int i = 0; i < FULL + FULL / 2; i++)
		full_rig_publish(pub, "x", 1);
	assert_int_equal(full_rig_session(rig, "a")->outbox.queued, FULL);
	assert_int_equal(full_rig_session(rig, "b")->outbox.queued, FULL);
	sim_peer_publish(pub, "t", "x", 1, false, 1);
	assert_int_equal(sim_peer_acked(pub, MQTT_PUBACK, 1),
			 MQTT_QUOTA_EXCEEDED);
	sim_peer_close(pub);
}

/* They are the retained set's, which has its own limit. */
static void test_replays_of_one_leave_the_others_their_room(void **state)
{
	static char large[600];
	struct full_rig *rig = *state;
	struct sim_peer *pub =
		sim_client(rig->broker, MQTT_5_0, "pub", true, NULL);
	struct sim_peer *greedy = full_rig_lagging(rig->broker, true);
	struct sim_peer *ghost =
		sim_client(rig->broker, MQTT_3_1_1, "ghost", false, NULL);

	memset(large, 'x', sizeof(large) - 1);
	rig->broker->options.max_queue_bytes_total = 1000;
	sim_peer_publish(pub, "r/a", large, 1, true, 1);
	sim_peer_acked(pub, MQTT_PUBACK, 1);
	sim_peer_publish(pub, "r/b", large, 1, true, 1);
	sim_peer_acked(pub, MQTT_PUBACK, 1);
	sim_peer_subscribe(greedy, "r/#", 1);
	assert_int_equal(full_rig_session(rig, "slow")->outbox.queued, 1);
	assert_int_equal(rig->broker->queued_bytes, 0);
	sim_peer_subscribed(ghost, "u", 1);
	sim_peer_close(ghost);
	sim_peer_publish(pub, "u", large, 1, false, 1);
	assert_int_equal(sim_peer_acked(pub, MQTT_PUBACK, 1), MQTT_SUCCESS);
	assert_int_equal(rig->broker->queued_bytes, sizeof(large));
	sim_peer_close(greedy);
	sim_peer_close(pub);
}

static void test_replays_have_a_limit_of_their_own(void **state)
{
	struct full_rig *rig = *state;
	struct sim_peer *pub =
		sim_client(rig->broker, MQTT_5_0, "pub", true, NULL);
	struct sim_peer *sub = full_rig_lagging(rig->broker, true);

	for (int i = 0; i < 3; i++)
		sim_peer_publish(pub,
				 i == 0	  ? "r/a"
				 : i == 1 ? "r/b"
					  : "r/c",
				 "x", 0, true, 0);
	for (int i = 0; i < 3; i++)
		sim_peer_publish(pub,
				 i == 0	  ? "r/a"
				 : i == 1 ? "r/b"
					  : "r/c",
				 "x", 1, true, 1);
	for (int i = 0; i < 2; i++)
		sim_peer_subscribe(sub, "r/#", 1);
	assert_non_null(full_rig_session(rig, "slow"));
	/* They take no place from what is published. */
	assert_int_equal(full_rig_session(rig, "slow")->outbox.queued, 5);
	for (int i = 0; i < 3; i++)
		sim_peer_acked(pub, MQTT_PUBACK, 1);
	for (int i = 0; i < FULL; i++)
		full_rig_publish(pub, "x", 1);
	sim_peer_subscribe(sub, "r/#", 1);
	assert_null(full_rig_session(rig, "slow"));
	sim_peer_close(sub);
	sim_peer_close(pub);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, full_rig_teardown)
	const struct CMUnitTest tests[] = {
		T(test_a_publish_without_room_is_refused),
		T(test_a_full_queue_is_full_after_a_restart),
		T(test_a_queue_is_full_when_the_limit_is_lowered),
		T(test_publishers_wait_for_one_that_lags),
		T(test_one_that_stands_still_is_disconnected),
		T(test_a_publisher_waits_no_longer_than_it_may),
		T(test_nobody_waits_for_itself),
		T(test_a_publisher_that_goes_while_it_waits),
		T(test_a_message_larger_than_the_queue_goes_through_alone),
		T(test_a_will_without_room_is_counted),
		T(test_a_shared_message_goes_where_there_is_room),
		T(test_replays_of_one_leave_the_others_their_room),
		T(test_replays_have_a_limit_of_their_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

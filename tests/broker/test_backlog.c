/* Queues that are full: who is told, who waits, what goes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "broker/limits.h"
#include "broker/session/backlog.h"
#include "broker/session/session.h"
#include "tests/broker/sim_check.h"
#include "tests/broker/sim_clock.h"
#include "tests/broker/sim_peer.h"

/* Messages in a queue here. */
#define FULL 4

struct rig {
	struct broker *broker;
	struct sim_store *store;
};

static struct broker *make(struct sim_store *store, enum full_queue full_queue)
{
	const struct broker_options options = {
		.node = "test",
		.store = sim_store_door(store),
		.max_queue_messages = FULL,
		.max_queue_bytes = 1000,
		.max_retained = 3,
		.full_queue = full_queue,
	};

	return sim_broker_with(&options);
}

static int start(void **state, enum full_queue full_queue)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	sim_clock_start();
	rig->store = sim_store_new();
	rig->broker = make(rig->store, full_queue);
	*state = rig;
	return rig->broker ? 0 : -1;
}

static int setup(void **state)
{
	return start(state, FULL_QUEUE_REFUSE);
}

static int setup_dropping(void **state)
{
	return start(state, FULL_QUEUE_DROP_OLDEST);
}

static int teardown(void **state)
{
	struct rig *rig = *state;

	sim_run(rig->broker);
	sim_check(rig->broker);
	assert_int_equal(rig->broker->connection_count, 0);
	broker_free(rig->broker);
	sim_store_free(rig->store);
	sim_clock_stop();
	free(rig);
	return 0;
}

static struct session *session_of(struct rig *rig, const char *id)
{
	return session_find(rig->broker, slice_str(id));
}

static enum mqtt_packet_type answer(uint8_t qos)
{
	return qos == 1 ? MQTT_PUBACK : MQTT_PUBREC;
}

/* Acknowledged, and for QoS 2 finished. */
static void published(struct sim_peer *pub, const char *payload, uint8_t qos)
{
	sim_peer_publish(pub, "t", payload, qos, false, 1);
	assert_int_equal(sim_peer_acked(pub, answer(qos), 1), MQTT_SUCCESS);
	if (qos < 2)
		return;
	sim_peer_ack(pub, MQTT_PUBREL, 1);
	sim_peer_acked(pub, MQTT_PUBCOMP, 1);
}

/* A subscriber that went away, and has no room any more. */
static void leave_full(struct rig *rig, struct sim_peer *pub)
{
	struct sim_peer *sub =
		sim_client(rig->broker, MQTT_3_1_1, "ghost", false, NULL);
	char payload[8];

	sim_peer_subscribed(sub, "t", 2);
	sim_peer_close(sub);
	for (int i = 0; i < FULL; i++) {
		snprintf(payload, sizeof(payload), "%d", i);
		published(pub, payload, 1);
	}
}

/* It comes back and gets exactly what was acknowledged, from the first on. */
static struct sim_peer *come_back(struct rig *rig, int first, int count,
				  uint8_t qos)
{
	bool present;
	struct sim_peer *sub =
		sim_client(rig->broker, MQTT_3_1_1, "ghost", false, &present);
	char payload[8];

	assert_true(present);
	for (int i = first; i < first + count; i++) {
		snprintf(payload, sizeof(payload), "%d", i);
		sim_peer_ack(sub, MQTT_PUBACK,
			     sim_peer_receive(sub, "t", payload, qos));
	}
	sim_peer_expect_nothing(sub);
	return sub;
}

static const enum mqtt_version versions[] = { MQTT_3_1, MQTT_3_1_1, MQTT_5_0 };

/* Nobody gets what not everybody can get, and its publisher knows. */
static void refuse(struct rig *rig, enum mqtt_version version, uint8_t qos)
{
	struct broker *broker = rig->broker;
	struct sim_peer *pub = sim_client(broker, version, "pub", true, NULL);
	struct sim_peer *other =
		sim_client(broker, MQTT_5_0, "other", true, NULL);
	const uint64_t refused = broker->count.publishes_refused;
	const uint64_t dropped = broker->count.messages_dropped;
	struct mqtt_ack ack;

	leave_full(rig, pub);
	sim_peer_subscribed(other, "t", 1);
	sim_peer_publish(pub, "t", "no", qos, true, 7);
	if (version == MQTT_5_0) {
		assert_int_equal(ack_decode(version, answer(qos),
					    sim_peer_expect(pub, answer(qos)),
					    &ack),
				 MQTT_SUCCESS);
		assert_int_equal(ack.packet_id, 7);
		assert_int_equal(ack.reason, MQTT_QUOTA_EXCEEDED);
		assert_true(properties_has(&ack.properties,
					   MQTT_PROP_REASON_STRING));
		assert_false(session_inbound_has(session_of(rig, "pub"), 7));
	} else {
		sim_peer_expect_nothing(pub);
		assert_true(sim_peer_ended(pub));
		sim_peer_close(pub);
		pub = sim_client(broker, version, "pub", true, NULL);
	}
	sim_peer_expect_nothing(other);
	assert_int_equal(sim_store_retained(rig->store), 0);
	assert_int_equal(broker->count.publishes_refused - refused, 1);
	assert_int_equal(session_of(rig, "ghost")->outbox.sums->refused, 1);
	/* QoS 0 is for those who are there. */
	sim_peer_publish(pub, "t", "zero", 0, false, 0);
	sim_peer_receive(other, "t", "zero", 0);
	assert_int_equal(broker->count.messages_dropped, dropped);
	sim_peer_close(other);
	other = come_back(rig, 0, FULL, 1);
	/* And there is room again. */
	sim_peer_publish(pub, "t", "4", qos, false, 7);
	assert_int_equal(sim_peer_acked(pub, answer(qos), 7), MQTT_SUCCESS);
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
	struct rig *rig = *state;
	struct sim_peer *pub =
		sim_client(rig->broker, MQTT_5_0, "pub", true, NULL);

	leave_full(rig, pub);
	sim_peer_close(pub);
	broker_free(rig->broker);
	rig->broker = make(rig->store, FULL_QUEUE_REFUSE);
	pub = sim_client(rig->broker, MQTT_5_0, "pub", true, NULL);
	sim_peer_publish(pub, "t", "no", 1, false, 1);
	assert_int_equal(sim_peer_acked(pub, MQTT_PUBACK, 1),
			 MQTT_QUOTA_EXCEEDED);
	sim_peer_close(pub);
}

static void test_a_queue_is_full_when_the_limit_is_lowered(void **state)
{
	struct rig *rig = *state;
	struct sim_peer *pub =
		sim_client(rig->broker, MQTT_5_0, "pub", true, NULL);

	rig->broker->options.max_queue_messages = 3 * FULL;
	leave_full(rig, pub);
	assert_int_equal(rig->broker->crowded_count, 0);
	rig->broker->options.max_queue_messages = FULL;
	backlog_configure(rig->broker);
	sim_peer_publish(pub, "t", "no", 1, false, 1);
	assert_int_equal(sim_peer_acked(pub, MQTT_PUBACK, 1),
			 MQTT_QUOTA_EXCEEDED);
	rig->broker->options.max_queue_messages = 3 * FULL;
	backlog_configure(rig->broker);
	assert_int_equal(rig->broker->crowded_count, 0);
	published(pub, "4", 1);
	sim_peer_close(pub);
}

/* One that takes a message at a time. */
static struct sim_peer *lagging(struct broker *broker, bool clean)
{
	struct mqtt_connect packet = sim_connect(MQTT_5_0, "slow", clean);
	struct sim_peer *sub = sim_peer_open(broker);

	packet.properties.receive_maximum = 1;
	properties_set(&packet.properties, MQTT_PROP_RECEIVE_MAXIMUM);
	sim_peer_connect(sub, &packet);
	sim_peer_expect(sub, MQTT_CONNACK);
	sim_peer_subscribed(sub, "t", 1);
	return sub;
}

/* One under way, and a full queue behind it. */
static void fill(struct sim_peer *pub)
{
	for (int i = 0; i <= FULL; i++)
		published(pub, "x", 1);
}

static void test_publishers_wait_for_one_that_lags(void **state)
{
	struct rig *rig = *state;

	for (size_t i = 0; i < 3; i++) {
		struct sim_peer *sub = lagging(rig->broker, true);
		struct sim_peer *pub =
			sim_client(rig->broker, versions[i], "pub", true, NULL);
		uint16_t id;

		fill(pub);
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
	struct rig *rig = *state;
	struct sim_peer *sub = lagging(rig->broker, true);
	struct sim_peer *pub =
		sim_client(rig->broker, MQTT_3_1_1, "pub", true, NULL);

	fill(pub);
	sim_peer_publish(pub, "t", "y", 1, false, 9);
	sim_clock_advance(rig->broker, LIMIT_STANDSTILL - 1000);
	sim_peer_expect_nothing(pub);
	sim_clock_advance(rig->broker, 2000);
	sim_peer_receive(sub, "t", "x", 1);
	assert_int_equal(sim_peer_disconnected(sub), MQTT_QUOTA_EXCEEDED);
	assert_int_equal(sim_peer_acked(pub, MQTT_PUBACK, 9), MQTT_SUCCESS);
	assert_null(session_of(rig, "slow"));
	sim_peer_close(sub);
	sim_peer_close(pub);
}

/* The queue moves, but never far enough for this one. */
static void test_a_publisher_waits_no_longer_than_it_may(void **state)
{
	static char large[901];
	struct rig *rig = *state;
	struct sim_peer *sub = lagging(rig->broker, true);
	struct sim_peer *small =
		sim_client(rig->broker, MQTT_5_0, "small", true, NULL);
	struct sim_peer *pub =
		sim_client(rig->broker, MQTT_5_0, "pub", true, NULL);

	memset(large, 'x', sizeof(large) - 1);
	large[200] = '\0';
	for (int i = 0; i < FULL; i++)
		published(small, large, 1);
	large[200] = 'x';
	sim_peer_publish(pub, "t", large, 1, false, 9);
	large[200] = '\0';
	for (unsigned int passed = 0; passed < LIMIT_STALL; passed += 1000) {
		sim_peer_expect_nothing(pub);
		sim_peer_ack(sub, MQTT_PUBACK,
			     sim_peer_receive(sub, "t", large, 1));
		published(small, large, 1);
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
	struct rig *rig = *state;
	struct sim_peer *peer = lagging(rig->broker, true);

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
	struct rig *rig = *state;
	struct sim_peer *sub = lagging(rig->broker, false);
	struct sim_peer *pub =
		sim_client(rig->broker, MQTT_3_1_1, "pub", true, NULL);

	fill(pub);
	sim_peer_publish(pub, "t", "y", 1, false, 9);
	sim_peer_close(pub);
	sim_peer_close(sub);
	assert_true(list_empty(&rig->broker->stalled));
}

static void
test_a_message_larger_than_the_queue_goes_through_alone(void **state)
{
	static char large[2001];
	struct rig *rig = *state;
	struct sim_peer *sub = lagging(rig->broker, true);
	struct sim_peer *pub =
		sim_client(rig->broker, MQTT_5_0, "pub", true, NULL);

	memset(large, 'x', sizeof(large) - 1);
	published(pub, large, 1);
	sim_peer_receive(sub, "t", large, 1);
	sim_peer_close(sub);
	sim_peer_close(pub);
}

/* A will has no publisher any more that could be told. */
static void test_a_will_without_room_is_counted(void **state)
{
	struct rig *rig = *state;
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
	leave_full(rig, pub);
	dropped = rig->broker->count.messages_dropped;
	sim_peer_close(dying);
	assert_int_equal(rig->broker->count.messages_dropped - dropped, 1);
	assert_int_equal(session_of(rig, "ghost")->outbox.sums->dropped, 1);
	sim_peer_close(pub);
}

/* A member without room is passed over; only when all are full it is refused. */
static void test_a_shared_message_goes_where_there_is_room(void **state)
{
	struct rig *rig = *state;
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
		published(pub, "x", 1);
	assert_int_equal(session_of(rig, "a")->outbox.queued, FULL);
	assert_int_equal(session_of(rig, "b")->outbox.queued, FULL);
	sim_peer_publish(pub, "t", "x", 1, false, 1);
	assert_int_equal(sim_peer_acked(pub, MQTT_PUBACK, 1),
			 MQTT_QUOTA_EXCEEDED);
	sim_peer_close(pub);
}

static void test_the_oldest_go_and_the_client_is_told(void **state)
{
	struct rig *rig = *state;
	struct sim_peer *pub =
		sim_client(rig->broker, MQTT_3_1_1, "pub", true, NULL);
	struct mqtt_connect packet = sim_connect(MQTT_5_0, "ghost", false);
	struct mqtt_connack connack;
	struct sim_peer *sub;

	leave_full(rig, pub);
	published(pub, "4", 1);
	published(pub, "5", 2);
	assert_int_equal(rig->broker->count.messages_dropped, 2);
	assert_int_equal(sim_store_queued(rig->store), FULL);
	assert_int_equal(sim_store_messages(rig->store), FULL);
	sub = sim_peer_open(rig->broker);
	sim_peer_connect(sub, &packet);
	assert_int_equal(connack_decode(MQTT_5_0,
					sim_peer_expect(sub, MQTT_CONNACK),
					&connack),
			 MQTT_SUCCESS);
	assert_true(slice_equal(
		connack.properties.reason_string,
		slice_str("2 messages found no room in the queue")));
	sim_peer_receive(sub, "t", "2", 1);
	sim_peer_close(sub);
	/* Once is enough. */
	sub = sim_peer_open(rig->broker);
	sim_peer_connect(sub, &packet);
	connack_decode(MQTT_5_0, sim_peer_expect(sub, MQTT_CONNACK), &connack);
	assert_false(
		properties_has(&connack.properties, MQTT_PROP_REASON_STRING));
	sim_peer_close(sub);
	sim_peer_close(pub);
}

/* As long as its client is there, nothing that was acknowledged goes. */
static void test_the_oldest_stay_while_the_client_is_there(void **state)
{
	struct rig *rig = *state;
	struct sim_peer *sub = lagging(rig->broker, true);
	struct sim_peer *pub =
		sim_client(rig->broker, MQTT_5_0, "pub", true, NULL);

	fill(pub);
	sim_peer_publish(pub, "t", "y", 1, false, 9);
	sim_peer_expect_nothing(pub);
	assert_int_equal(rig->broker->count.messages_dropped, 0);
	sim_peer_close(sub);
	sim_peer_close(pub);
}

/* A month of it: what was dropped leaves nothing behind. */
static void test_an_outbox_that_drops_does_not_grow(void **state)
{
	struct rig *rig = *state;
	struct sim_peer *pub =
		sim_client(rig->broker, MQTT_5_0, "pub", true, NULL);

	leave_full(rig, pub);
	for (int i = 0; i < 1000; i++)
		published(pub, "x", 1);
	assert_int_equal(session_of(rig, "ghost")->outbox.count, FULL);
	sim_peer_close(pub);
}

/* What it was sent and has not answered, then went away. */
static void leave_unanswered(struct rig *rig, struct sim_peer *pub, int count,
			     uint8_t qos)
{
	struct sim_peer *sub =
		sim_client(rig->broker, MQTT_5_0, "ghost", false, NULL);
	char payload[8];

	sim_peer_subscribed(sub, "t", 2);
	for (int i = 0; i < count; i++) {
		snprintf(payload, sizeof(payload), "%d", i);
		published(pub, payload, qos);
		sim_peer_receive(sub, "t", payload, qos);
	}
	sim_peer_close(sub);
}

/* More of them than there used to be places for. */
static void test_the_oldest_go_behind_one_that_stays(void **state)
{
	struct rig *rig = *state;
	struct sim_peer *pub =
		sim_client(rig->broker, MQTT_5_0, "pub", true, NULL);
	struct sim_peer *sub;
	const int many = 2 * FULL + LIMIT_INFLIGHT_SPAN + 100;
	struct session *s;

	leave_unanswered(rig, pub, 1, 2);
	for (int i = 0; i < many; i++)
		published(pub, "x", 1);
	s = session_of(rig, "ghost");
	assert_int_equal(s->outbox.queued, FULL);
	assert_true(s->outbox.count <= 4 * FULL);
	assert_int_equal(sim_store_queued(rig->store), FULL);
	sim_check(rig->broker);
	/* What it began is finished first, and then come the others. */
	sub = sim_client(rig->broker, MQTT_5_0, "ghost", false, NULL);
	sim_peer_ack(sub, MQTT_PUBREC, sim_peer_receive(sub, "t", "0", 2));
	sim_peer_expect(sub, MQTT_PUBREL);
	sim_peer_ack(sub, MQTT_PUBCOMP, 1);
	for (int i = 1; i < FULL; i++)
		sim_peer_ack(sub, MQTT_PUBACK,
			     sim_peer_receive(sub, "t", "x", 1));
	sim_peer_expect_nothing(sub);
	assert_int_equal(s->outbox.count, 0);
	sim_peer_close(sub);
	sim_peer_close(pub);
}

static void test_what_was_sent_goes_after_what_was_not(void **state)
{
	struct rig *rig = *state;
	struct sim_peer *pub =
		sim_client(rig->broker, MQTT_5_0, "pub", true, NULL);

	leave_unanswered(rig, pub, FULL - 1, 1);
	published(pub, "old", 1);
	published(pub, "3", 1);
	assert_int_equal(rig->broker->count.messages_dropped, 1);
	sim_peer_close(come_back(rig, 0, FULL, 1));
	leave_unanswered(rig, pub, FULL, 1);
	published(pub, "4", 1);
	sim_peer_close(come_back(rig, 1, FULL, 1));
	assert_int_equal(session_of(rig, "ghost")->outbox.count, 0);
	sim_peer_close(pub);
}

/* A new message under an identifier that the client still holds would be lost
 * without a word. */
static void test_what_was_begun_at_qos2_never_goes(void **state)
{
	struct rig *rig = *state;
	struct sim_peer *pub =
		sim_client(rig->broker, MQTT_5_0, "pub", true, NULL);
	struct sim_peer *sub;

	leave_unanswered(rig, pub, FULL, 2);
	sim_peer_publish(pub, "t", "no", 1, false, 7);
	assert_int_equal(sim_peer_acked(pub, MQTT_PUBACK, 7),
			 MQTT_QUOTA_EXCEEDED);
	assert_int_equal(rig->broker->count.messages_dropped, 0);
	sub = sim_client(rig->broker, MQTT_5_0, "ghost", false, NULL);
	for (int i = 0; i < FULL; i++)
		assert_int_equal(sim_peer_message(sub).packet_id, i + 1);
	sim_peer_close(sub);
	sim_peer_close(pub);
}

/* They are the retained set's, which has its own limit. */
static void test_replays_of_one_leave_the_others_their_room(void **state)
{
	static char large[600];
	struct rig *rig = *state;
	struct sim_peer *pub =
		sim_client(rig->broker, MQTT_5_0, "pub", true, NULL);
	struct sim_peer *greedy = lagging(rig->broker, true);
	struct sim_peer *ghost =
		sim_client(rig->broker, MQTT_3_1_1, "ghost", false, NULL);

	memset(large, 'x', sizeof(large) - 1);
	rig->broker->options.max_queue_bytes_total = 1000;
	sim_peer_publish(pub, "r/a", large, 1, true, 1);
	sim_peer_acked(pub, MQTT_PUBACK, 1);
	sim_peer_publish(pub, "r/b", large, 1, true, 1);
	sim_peer_acked(pub, MQTT_PUBACK, 1);
	sim_peer_subscribe(greedy, "r/#", 1);
	assert_int_equal(session_of(rig, "slow")->outbox.queued, 1);
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
	struct rig *rig = *state;
	struct sim_peer *pub =
		sim_client(rig->broker, MQTT_5_0, "pub", true, NULL);
	struct sim_peer *sub = lagging(rig->broker, true);

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
	assert_non_null(session_of(rig, "slow"));
	/* They take no place from what is published. */
	assert_int_equal(session_of(rig, "slow")->outbox.queued, 5);
	for (int i = 0; i < 3; i++)
		sim_peer_acked(pub, MQTT_PUBACK, 1);
	for (int i = 0; i < FULL; i++)
		published(pub, "x", 1);
	sim_peer_subscribe(sub, "r/#", 1);
	assert_null(session_of(rig, "slow"));
	sim_peer_close(sub);
	sim_peer_close(pub);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define D(name) cmocka_unit_test_setup_teardown(name, setup_dropping, teardown)
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
		D(test_the_oldest_go_and_the_client_is_told),
		D(test_the_oldest_stay_while_the_client_is_there),
		D(test_an_outbox_that_drops_does_not_grow),
		D(test_the_oldest_go_behind_one_that_stays),
		D(test_what_was_sent_goes_after_what_was_not),
		D(test_what_was_begun_at_qos2_never_goes),
		T(test_replays_of_one_leave_the_others_their_room),
		T(test_replays_have_a_limit_of_their_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

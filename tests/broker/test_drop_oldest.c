/* full_queue = drop-oldest: what makes room for new messages, and what never. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "broker/limits.h"
#include "broker/session/session.h"
#include "tests/broker/full_rig.h"
#include "tests/broker/sim_check.h"

static int setup(void **state)
{
	return full_rig_start(state, FULL_QUEUE_DROP_OLDEST);
}

static void test_the_oldest_go_and_the_client_is_told(void **state)
{
	struct full_rig *rig = *state;
	struct sim_peer *pub =
		sim_client(rig->broker, MQTT_3_1_1, "pub", true, NULL);
	struct mqtt_connect packet = sim_connect(MQTT_5_0, "ghost", false);
	struct mqtt_connack connack;
	struct sim_peer *sub;

	full_rig_leave(rig, pub);
	full_rig_publish(pub, "4", 1);
	full_rig_publish(pub, "5", 2);
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
	struct full_rig *rig = *state;
	struct sim_peer *sub = full_rig_lagging(rig->broker, true);
	struct sim_peer *pub =
		sim_client(rig->broker, MQTT_5_0, "pub", true, NULL);

	full_rig_fill(pub);
	sim_peer_publish(pub, "t", "y", 1, false, 9);
	sim_peer_expect_nothing(pub);
	assert_int_equal(rig->broker->count.messages_dropped, 0);
	sim_peer_close(sub);
	sim_peer_close(pub);
}

/* A month of it: what was dropped leaves nothing behind. */
static void test_an_outbox_that_drops_does_not_grow(void **state)
{
	struct full_rig *rig = *state;
	struct sim_peer *pub =
		sim_client(rig->broker, MQTT_5_0, "pub", true, NULL);

	full_rig_leave(rig, pub);
	for (int i = 0; i < 1000; i++)
		full_rig_publish(pub, "x", 1);
	assert_int_equal(full_rig_session(rig, "ghost")->outbox.count, FULL);
	sim_peer_close(pub);
}

/* What it was sent and has not answered, then went away. */
static void leave_unanswered(struct full_rig *rig, struct sim_peer *pub,
			     int count, uint8_t qos)
{
	struct sim_peer *sub =
		sim_client(rig->broker, MQTT_5_0, "ghost", false, NULL);
	char payload[8];

	sim_peer_subscribed(sub, "t", 2);
	for (int i = 0; i < count; i++) {
		snprintf(payload, sizeof(payload), "%d", i);
		full_rig_publish(pub, payload, qos);
		sim_peer_receive(sub, "t", payload, qos);
	}
	sim_peer_close(sub);
}

/* More of them than there used to be places for. */
static void test_the_oldest_go_behind_one_that_stays(void **state)
{
	struct full_rig *rig = *state;
	struct sim_peer *pub =
		sim_client(rig->broker, MQTT_5_0, "pub", true, NULL);
	struct sim_peer *sub;
	const int many = 2 * FULL + LIMIT_INFLIGHT_SPAN + 100;
	struct session *s;

	leave_unanswered(rig, pub, 1, 2);
	for (int i = 0; i < many; i++)
		full_rig_publish(pub, "x", 1);
	s = full_rig_session(rig, "ghost");
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
	struct full_rig *rig = *state;
	struct sim_peer *pub =
		sim_client(rig->broker, MQTT_5_0, "pub", true, NULL);

	leave_unanswered(rig, pub, FULL - 1, 1);
	full_rig_publish(pub, "old", 1);
	full_rig_publish(pub, "3", 1);
	assert_int_equal(rig->broker->count.messages_dropped, 1);
	sim_peer_close(full_rig_come_back(rig, 0, FULL, 1));
	leave_unanswered(rig, pub, FULL, 1);
	full_rig_publish(pub, "4", 1);
	sim_peer_close(full_rig_come_back(rig, 1, FULL, 1));
	assert_int_equal(full_rig_session(rig, "ghost")->outbox.count, 0);
	sim_peer_close(pub);
}

/* A new message under an identifier that the client still holds would be lost
 * without a word. */
static void test_what_was_begun_at_qos2_never_goes(void **state)
{
	struct full_rig *rig = *state;
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

/* A restart does not know what its client was sent before. */
static void test_what_may_have_begun_at_qos2_never_goes(void **state)
{
	struct full_rig *rig = *state;
	struct sim_peer *pub =
		sim_client(rig->broker, MQTT_5_0, "pub", true, NULL);
	struct sim_peer *sub =
		sim_client(rig->broker, MQTT_5_0, "ghost", false, NULL);

	sim_peer_subscribed(sub, "t", 2);
	sim_peer_close(sub);
	for (int i = 0; i < FULL; i++)
		full_rig_publish(pub, "x", i < FULL - 1 ? 2 : 1);
	sim_peer_close(pub);
	broker_free(rig->broker);
	rig->broker = full_rig_make(rig->store, FULL_QUEUE_DROP_OLDEST);
	sim_check(rig->broker);
	pub = sim_client(rig->broker, MQTT_5_0, "pub", true, NULL);
	full_rig_publish(pub, "y", 2);
	full_rig_publish(pub, "z", 1);
	assert_int_equal(rig->broker->count.messages_dropped, 2);
	sub = sim_client(rig->broker, MQTT_5_0, "ghost", false, NULL);
	for (uint16_t i = 1; i < FULL; i++)
		assert_int_equal(sim_peer_receive(sub, "t", "x", 2), i);
	sim_peer_receive(sub, "t", "z", 1);
	sim_peer_expect_nothing(sub);
	sim_peer_close(sub);
	sim_peer_close(pub);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, full_rig_teardown)
	const struct CMUnitTest tests[] = {
		T(test_the_oldest_go_and_the_client_is_told),
		T(test_the_oldest_stay_while_the_client_is_there),
		T(test_an_outbox_that_drops_does_not_grow),
		T(test_the_oldest_go_behind_one_that_stays),
		T(test_what_was_sent_goes_after_what_was_not),
		T(test_what_was_begun_at_qos2_never_goes),
		T(test_what_may_have_begun_at_qos2_never_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What an acknowledgement promises is on disk before it leaves, and comes back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/broker/sim_peer.h"
#include "tests/failing_malloc.h"

struct rig {
	struct sim_store *store;
	struct broker *broker;
};

static int setup(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	rig->store = sim_store_new();
	rig->broker = sim_broker(rig->store, NULL);
	*state = rig;
	return rig->broker ? 0 : -1;
}

static int teardown(void **state)
{
	struct rig *rig = *state;

	broker_free(rig->broker);
	sim_store_free(rig->store);
	free(rig);
	return 0;
}

/* The plug is pulled and put in again. Peers of before are dead. */
static void restart(struct rig *rig)
{
	sim_store_cut(rig->store);
	broker_free(rig->broker);
	sim_store_set_auto(rig->store, true);
	rig->broker = sim_broker(rig->store, NULL);
	assert_non_null(rig->broker);
}

static void commit(struct rig *rig)
{
	sim_store_commit(rig->store);
	sim_run(rig->broker);
}

/* A durable subscriber to "t" that has gone away. */
static void leave_subscriber(struct rig *rig, uint8_t qos)
{
	struct sim_peer *sub =
		sim_client(rig->broker, MQTT_5_0, "sub", false, NULL);

	assert_int_equal(sim_peer_subscribed(sub, "t", qos), qos);
	sim_peer_close(sub);
}

static void free_peer(struct sim_peer *peer)
{
	free(peer);
}

static void test_puback_waits_for_the_commit(void **state)
{
	struct rig *rig = *state;
	struct sim_peer *pub;

	leave_subscriber(rig, 1);
	pub = sim_client(rig->broker, MQTT_5_0, "pub", true, NULL);
	sim_store_set_auto(rig->store, false);
	sim_peer_publish(pub, "t", "one", 1, false, 7);
	sim_peer_expect_nothing(pub);
	commit(rig);
	assert_int_equal(sim_peer_acked(pub, MQTT_PUBACK, 7), 0);
	sim_peer_close(pub);
}

static void test_acknowledgements_keep_their_order(void **state)
{
	struct rig *rig = *state;
	struct sim_peer *pub;

	leave_subscriber(rig, 1);
	pub = sim_client(rig->broker, MQTT_3_1_1, "pub", true, NULL);
	sim_store_set_auto(rig->store, false);
	sim_peer_publish(pub, "t", "one", 1, false, 1);
	/* Nobody waits for this one, yet its answer is not the first. */
	sim_peer_publish(pub, "elsewhere", "two", 1, false, 2);
	sim_peer_expect_nothing(pub);
	commit(rig);
	sim_peer_acked(pub, MQTT_PUBACK, 1);
	sim_peer_acked(pub, MQTT_PUBACK, 2);
	sim_peer_close(pub);
}

static void test_no_receiver_no_wait(void **state)
{
	struct rig *rig = *state;
	struct sim_peer *pub =
		sim_client(rig->broker, MQTT_3_1_1, "pub", true, NULL);
	struct sim_peer *sub =
		sim_client(rig->broker, MQTT_3_1_1, "sub", true, NULL);

	sim_store_set_auto(rig->store, false);
	sim_peer_subscribed(sub, "t", 2);
	sim_peer_publish(pub, "t", "x", 1, false, 1);
	sim_peer_acked(pub, MQTT_PUBACK, 1);
	sim_peer_receive(sub, "t", "x", 1);
	sim_peer_close(pub);
	sim_peer_close(sub);
}

static void test_suback_connack_and_retained_wait_too(void **state)
{
	struct rig *rig = *state;
	struct mqtt_connect packet = sim_connect(MQTT_5_0, "dev", false);
	struct sim_peer *peer = sim_peer_open(rig->broker);

	sim_store_set_auto(rig->store, false);
	sim_peer_connect(peer, &packet);
	sim_peer_expect_nothing(peer);
	commit(rig);
	sim_peer_expect(peer, MQTT_CONNACK);

	sim_peer_subscribe(peer, "a/#", 1);
	sim_peer_expect_nothing(peer);
	commit(rig);
	sim_peer_expect(peer, MQTT_SUBACK);

	sim_peer_publish(peer, "r", "kept", 1, true, 3);
	sim_peer_expect_nothing(peer);
	commit(rig);
	sim_peer_acked(peer, MQTT_PUBACK, 3);

	/* Clearing it is a promise as well, even at QoS 1 without a match. */
	sim_peer_publish(peer, "r", "", 1, true, 4);
	sim_peer_expect_nothing(peer);
	commit(rig);
	sim_peer_acked(peer, MQTT_PUBACK, 4);
	assert_int_equal(sim_store_retained(rig->store), 0);
	sim_peer_close(peer);
}

static void test_everything_acknowledged_comes_back(void **state)
{
	static const char *const payloads[] = { "one", "two", "three" };
	struct rig *rig = *state;
	struct sim_peer *pub, *sub;
	bool present;

	leave_subscriber(rig, 1);
	pub = sim_client(rig->broker, MQTT_3_1_1, "pub", true, NULL);
	for (uint16_t i = 0; i < 3; i++) {
		sim_peer_publish(pub, "t", payloads[i], 1, false,
				 (uint16_t)(i + 1));
		sim_peer_acked(pub, MQTT_PUBACK, (uint16_t)(i + 1));
	}
	sim_peer_publish(pub, "state/lamp", "ON", 1, true, 9);
	sim_peer_acked(pub, MQTT_PUBACK, 9);
	free_peer(pub);
	restart(rig);

	sub = sim_client(rig->broker, MQTT_5_0, "sub", false, &present);
	assert_true(present);
	for (size_t i = 0; i < 3; i++)
		sim_peer_ack(sub, MQTT_PUBACK,
			     sim_peer_receive(sub, "t", payloads[i], 1));
	/* It need not wait for the SUBACK, which waits for the disk (3.8.4). */
	sim_peer_subscribe(sub, "state/#", 0);
	sim_peer_receive(sub, "state/lamp", "ON", 0);
	sim_peer_expect(sub, MQTT_SUBACK);

	/* The subscription itself came back, too. */
	pub = sim_client(rig->broker, MQTT_3_1_1, "pub", true, NULL);
	sim_peer_publish(pub, "t", "four", 0, false, 0);
	sim_peer_receive(sub, "t", "four", 0);
	sim_peer_close(pub);
	sim_peer_close(sub);
	assert_int_equal(sim_store_queued(rig->store), 0);
	assert_int_equal(sim_store_messages(rig->store), 0);
}

static void test_payload_is_kept_once_and_goes_with_the_last(void **state)
{
	struct rig *rig = *state;
	struct sim_peer *a =
		sim_client(rig->broker, MQTT_5_0, "a", false, NULL);
	struct sim_peer *b =
		sim_client(rig->broker, MQTT_5_0, "b", false, NULL);
	struct sim_peer *pub;

	sim_peer_subscribed(a, "t", 1);
	sim_peer_subscribed(b, "t", 2);
	sim_peer_close(b);
	pub = sim_client(rig->broker, MQTT_5_0, "pub", true, NULL);
	sim_peer_publish(pub, "t", "x", 2, false, 1);
	assert_int_equal(sim_store_messages(rig->store), 1);
	assert_int_equal(sim_store_queued(rig->store), 2);
	sim_peer_ack(a, MQTT_PUBACK, sim_peer_receive(a, "t", "x", 1));
	assert_int_equal(sim_store_messages(rig->store), 1);
	assert_int_equal(sim_store_queued(rig->store), 1);

	/* A clean start throws the other one's away. */
	b = sim_client(rig->broker, MQTT_5_0, "b", true, NULL);
	assert_int_equal(sim_store_messages(rig->store), 0);
	assert_int_equal(sim_store_queued(rig->store), 0);
	assert_int_equal(sim_store_sessions(rig->store), 1);
	sim_peer_close(a);
	sim_peer_close(b);
	sim_peer_close(pub);
}

/* The publisher's side of QoS 2 over a cut: the identifier is remembered. */
static void test_qos2_is_taken_once_over_a_cut(void **state)
{
	struct rig *rig = *state;
	struct sim_peer *pub, *sub;

	leave_subscriber(rig, 2);
	pub = sim_client(rig->broker, MQTT_5_0, "pub", false, NULL);
	sim_peer_publish(pub, "t", "once", 2, false, 5);
	sim_peer_acked(pub, MQTT_PUBREC, 5);
	assert_int_equal(sim_store_inbound(rig->store), 1);
	free_peer(pub);
	restart(rig);

	pub = sim_client(rig->broker, MQTT_5_0, "pub", false, NULL);
	sim_peer_publish(pub, "t", "once", 2, false, 5);
	sim_peer_acked(pub, MQTT_PUBREC, 5);
	sim_peer_ack(pub, MQTT_PUBREL, 5);
	assert_int_equal(sim_peer_acked(pub, MQTT_PUBCOMP, 5), 0);
	assert_int_equal(sim_store_inbound(rig->store), 0);

	sub = sim_client(rig->broker, MQTT_5_0, "sub", false, NULL);
	sim_peer_receive(sub, "t", "once", 2);
	sim_peer_expect_nothing(sub);
	sim_peer_close(pub);
	sim_peer_close(sub);
}

static void test_pubrec_and_pubcomp_wait_for_the_commit(void **state)
{
	struct rig *rig = *state;
	struct sim_peer *pub =
		sim_client(rig->broker, MQTT_5_0, "pub", false, NULL);

	sim_store_set_auto(rig->store, false);
	sim_peer_publish(pub, "t", "x", 2, false, 5);
	sim_peer_expect_nothing(pub);
	/* Asked again while the first answer waits: still none. */
	sim_peer_publish(pub, "t", "x", 2, false, 5);
	sim_peer_expect_nothing(pub);
	commit(rig);
	sim_peer_acked(pub, MQTT_PUBREC, 5);
	sim_peer_acked(pub, MQTT_PUBREC, 5);
	sim_peer_ack(pub, MQTT_PUBREL, 5);
	sim_peer_expect_nothing(pub);
	commit(rig);
	sim_peer_acked(pub, MQTT_PUBCOMP, 5);
	sim_peer_close(pub);
}

/* Our side of QoS 2: identifier on disk before PUBLISH, PUBREC before PUBREL. */
static void test_outgoing_qos2_waits_at_both_steps(void **state)
{
	struct rig *rig = *state;
	struct sim_peer *sub =
		sim_client(rig->broker, MQTT_5_0, "sub", false, NULL);
	struct sim_peer *pub =
		sim_client(rig->broker, MQTT_5_0, "pub", true, NULL);
	uint16_t id;

	sim_peer_subscribed(sub, "t", 2);
	sim_store_set_auto(rig->store, false);
	sim_peer_publish(pub, "t", "x", 2, false, 1);
	sim_peer_expect_nothing(sub);
	sim_peer_expect_nothing(pub);
	commit(rig);
	sim_peer_acked(pub, MQTT_PUBREC, 1);
	id = sim_peer_receive(sub, "t", "x", 2);
	sim_peer_ack(sub, MQTT_PUBREC, id);
	sim_peer_expect_nothing(sub);
	commit(rig);
	sim_peer_acked(sub, MQTT_PUBREL, id);
	sim_peer_ack(sub, MQTT_PUBCOMP, id);
	commit(rig);
	assert_int_equal(sim_store_queued(rig->store), 0);
	assert_int_equal(sim_store_messages(rig->store), 0);
	sim_peer_close(pub);
	sim_peer_close(sub);
}

static void test_released_message_is_not_sent_again_after_a_cut(void **state)
{
	struct rig *rig = *state;
	struct sim_peer *sub, *pub;
	uint16_t id;

	leave_subscriber(rig, 2);
	pub = sim_client(rig->broker, MQTT_5_0, "pub", true, NULL);
	sim_peer_publish(pub, "t", "x", 2, false, 1);
	sim_peer_acked(pub, MQTT_PUBREC, 1);
	sim_peer_close(pub);
	sub = sim_client(rig->broker, MQTT_5_0, "sub", false, NULL);
	id = sim_peer_receive(sub, "t", "x", 2);
	sim_peer_ack(sub, MQTT_PUBREC, id);
	sim_peer_acked(sub, MQTT_PUBREL, id);
	free_peer(sub);
	restart(rig);

	sub = sim_client(rig->broker, MQTT_5_0, "sub", false, NULL);
	sim_peer_acked(sub, MQTT_PUBREL, id);
	sim_peer_ack(sub, MQTT_PUBCOMP, id);
	sim_peer_expect_nothing(sub);
	assert_int_equal(sim_store_queued(rig->store), 0);
	sim_peer_close(sub);
}

/* The identifier that a QoS 2 message was sent under is the one after the cut. */
static void test_packet_identifier_survives_a_cut(void **state)
{
	struct rig *rig = *state;
	struct sim_peer *sub =
		sim_client(rig->broker, MQTT_5_0, "sub", false, NULL);
	struct sim_peer *pub =
		sim_client(rig->broker, MQTT_5_0, "pub", true, NULL);
	uint16_t first, second;

	sim_peer_subscribed(sub, "t", 2);
	for (uint16_t i = 1; i <= 3; i++) {
		sim_peer_publish(pub, "t", "x", 2, false, i);
		sim_peer_acked(pub, MQTT_PUBREC, i);
		sim_peer_ack(pub, MQTT_PUBREL, i);
		sim_peer_acked(pub, MQTT_PUBCOMP, i);
	}
	first = sim_peer_receive(sub, "t", "x", 2);
	second = sim_peer_receive(sub, "t", "x", 2);
	/* The second is finished, the first and third are not. */
	sim_peer_receive(sub, "t", "x", 2);
	sim_peer_ack(sub, MQTT_PUBREC, second);
	sim_peer_acked(sub, MQTT_PUBREL, second);
	sim_peer_ack(sub, MQTT_PUBCOMP, second);
	free_peer(sub);
	free_peer(pub);
	restart(rig);

	sub = sim_client(rig->broker, MQTT_5_0, "sub", false, NULL);
	assert_int_equal(sim_peer_receive(sub, "t", "x", 2), first);
	assert_int_equal(sim_peer_receive(sub, "t", "x", 2), first + 2);
	sim_peer_expect_nothing(sub);
	sim_peer_close(sub);
}

static void test_unsubscribe_is_kept(void **state)
{
	struct rig *rig = *state;
	const struct slice filter = slice_str("t");
	uint8_t bytes[64];
	struct writer w = writer_of(bytes, sizeof(bytes));
	struct sim_peer *sub =
		sim_client(rig->broker, MQTT_3_1_1, "sub", false, NULL);

	sim_peer_subscribed(sub, "t", 1);
	assert_int_equal(sim_store_subscriptions(rig->store), 1);
	sim_store_set_auto(rig->store, false);
	unsubscribe_encode(&w, MQTT_3_1_1, 4, &filter, 1);
	sim_peer_send(sub, bytes, w.len);
	sim_peer_expect_nothing(sub);
	commit(rig);
	sim_peer_expect(sub, MQTT_UNSUBACK);
	assert_int_equal(sim_store_subscriptions(rig->store), 0);
	sim_peer_close(sub);
}

static void test_publishers_are_not_read_while_the_store_is_behind(void **state)
{
	struct rig *rig = *state;
	struct sim_peer *pub;

	leave_subscriber(rig, 1);
	pub = sim_client(rig->broker, MQTT_3_1_1, "pub", true, NULL);
	sim_store_set_auto(rig->store, false);
	sim_peer_publish(pub, "t", "one", 1, false, 1);
	sim_store_set_congested(rig->store, true);
	sim_peer_publish(pub, "t", "two", 1, false, 2);
	commit(rig);
	sim_peer_acked(pub, MQTT_PUBACK, 1);
	sim_peer_expect_nothing(pub);
	assert_int_equal(sim_store_queued(rig->store), 1);

	sim_store_set_congested(rig->store, false);
	commit(rig);
	commit(rig);
	sim_peer_acked(pub, MQTT_PUBACK, 2);
	assert_int_equal(sim_store_queued(rig->store), 2);
	sim_peer_close(pub);
}

/* Whatever the store cannot take is not acknowledged. */
static void test_nothing_is_acknowledged_that_was_not_stored(void **state)
{
	struct rig *rig = *state;
	unsigned int n = 0;

	leave_subscriber(rig, 2);
	for (;;) {
		struct sim_peer *pub =
			sim_client(rig->broker, MQTT_5_0, "pub", true, NULL);
		struct frame frame;
		size_t before = sim_store_queued(rig->store);
		bool acked = false;

		sim_store_fail(rig->store, n++);
		sim_peer_publish(pub, "t", "x", 2, true, 1);
		while (sim_peer_next(pub, &frame))
			acked |= frame.type == MQTT_PUBREC;
		if (acked) {
			assert_int_equal(sim_store_queued(rig->store),
					 before + 1);
			assert_int_equal(sim_store_retained(rig->store), 1);
		}
		sim_peer_close(pub);
		if (!sim_store_failed(rig->store))
			break;
		assert_false(acked);
	}
	assert_true(n > 3);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_puback_waits_for_the_commit),
		T(test_acknowledgements_keep_their_order),
		T(test_no_receiver_no_wait),
		T(test_suback_connack_and_retained_wait_too),
		T(test_everything_acknowledged_comes_back),
		T(test_payload_is_kept_once_and_goes_with_the_last),
		T(test_qos2_is_taken_once_over_a_cut),
		T(test_pubrec_and_pubcomp_wait_for_the_commit),
		T(test_outgoing_qos2_waits_at_both_steps),
		T(test_released_message_is_not_sent_again_after_a_cut),
		T(test_packet_identifier_survives_a_cut),
		T(test_unsubscribe_is_kept),
		T(test_publishers_are_not_read_while_the_store_is_behind),
		T(test_nothing_is_acknowledged_that_was_not_stored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* A row is written only for who does not acknowledge in time, and nobody is told
 * of a message before it is safe. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "broker/session/hold.h"
#include "tests/broker/sim_check.h"
#include "tests/broker/sim_clock.h"
#include "tests/broker/sim_peer.h"
#include "tests/failing_malloc.h"

#define DELAY 10

struct rig {
	struct sim_store *store;
	struct broker *broker;
	struct sim_peer *sub; /* durable, subscribed to "t" with QoS 1 */
	struct sim_peer *pub;
};

static void start(struct rig *rig)
{
	rig->broker = sim_broker(rig->store, NULL);
	assert_non_null(rig->broker);
	rig->broker->options.max_delay = DELAY;
}

static int setup(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	sim_clock_start();
	rig->store = sim_store_new();
	start(rig);
	rig->sub = sim_client(rig->broker, MQTT_5_0, "sub", false, NULL);
	sim_peer_subscribed(rig->sub, "t", 1);
	rig->pub = sim_client(rig->broker, MQTT_3_1_1, "pub", true, NULL);
	sim_store_set_auto(rig->store, false);
	*state = rig;
	return 0;
}

static int teardown(void **state)
{
	struct rig *rig = *state;

	sim_check(rig->broker);
	sim_peer_close(rig->sub);
	sim_peer_close(rig->pub);
	broker_free(rig->broker);
	sim_store_free(rig->store);
	sim_clock_stop();
	free(rig);
	return 0;
}

static void commit(struct rig *rig)
{
	sim_store_commit(rig->store);
	sim_run(rig->broker);
}

/* The plug is pulled and put in again. */
static void restart(struct rig *rig)
{
	free(rig->sub);
	free(rig->pub);
	rig->sub = NULL;
	rig->pub = NULL;
	sim_store_cut(rig->store);
	broker_free(rig->broker);
	sim_store_set_auto(rig->store, true);
	start(rig);
}

/* Nothing has been given to the store since. */
static bool untouched(const struct rig *rig, uint64_t written)
{
	return rig->broker->written == written;
}

static void test_what_is_acknowledged_in_time_is_not_written(void **state)
{
	struct rig *rig = *state;
	const uint64_t written = rig->broker->written;
	uint16_t id;

	sim_peer_publish(rig->pub, "t", "x", 1, false, 7);
	id = sim_peer_receive(rig->sub, "t", "x", 1);
	sim_peer_expect_nothing(rig->pub);
	sim_peer_ack(rig->sub, MQTT_PUBACK, id);
	sim_peer_acked(rig->pub, MQTT_PUBACK, 7);
	sim_clock_advance(rig->broker, 5 * DELAY);
	assert_true(untouched(rig, written));
	commit(rig);
	assert_int_equal(sim_store_messages(rig->store), 0);
}

static void test_what_is_late_is_written_first(void **state)
{
	struct rig *rig = *state;
	const uint64_t written = rig->broker->written;

	sim_peer_publish(rig->pub, "t", "x", 1, false, 7);
	sim_peer_receive(rig->sub, "t", "x", 1);
	sim_clock_advance(rig->broker, DELAY - 1);
	assert_true(untouched(rig, written));
	sim_clock_advance(rig->broker, 1);
	assert_false(untouched(rig, written));
	sim_peer_expect_nothing(rig->pub);
	commit(rig);
	sim_peer_acked(rig->pub, MQTT_PUBACK, 7);
	assert_int_equal(sim_store_queued(rig->store), 1);

	restart(rig);
	rig->sub = sim_client(rig->broker, MQTT_5_0, "sub", false, NULL);
	sim_peer_receive(rig->sub, "t", "x", 1);
}

/* Written, but not committed, when the answer comes: that is enough. */
static void test_a_late_acknowledgement_need_not_wait(void **state)
{
	struct rig *rig = *state;
	uint16_t id;

	sim_peer_publish(rig->pub, "t", "x", 1, false, 7);
	id = sim_peer_receive(rig->sub, "t", "x", 1);
	sim_clock_advance(rig->broker, DELAY);
	sim_peer_ack(rig->sub, MQTT_PUBACK, id);
	commit(rig);
	sim_peer_acked(rig->pub, MQTT_PUBACK, 7);
	assert_int_equal(sim_store_queued(rig->store), 0);
	assert_int_equal(sim_store_messages(rig->store), 0);
}

static void test_who_goes_away_gets_a_row(void **state)
{
	struct rig *rig = *state;

	sim_peer_publish(rig->pub, "t", "one", 1, false, 1);
	sim_peer_publish(rig->pub, "t", "two", 1, false, 2);
	sim_peer_close(rig->sub);
	rig->sub = NULL;
	sim_peer_publish(rig->pub, "t", "three", 1, false, 3);
	sim_peer_expect_nothing(rig->pub);
	commit(rig);
	for (uint16_t i = 1; i <= 3; i++)
		sim_peer_acked(rig->pub, MQTT_PUBACK, i);

	restart(rig);
	rig->sub = sim_client(rig->broker, MQTT_5_0, "sub", false, NULL);
	sim_peer_receive(rig->sub, "t", "one", 1);
	sim_peer_receive(rig->sub, "t", "two", 1);
	sim_peer_receive(rig->sub, "t", "three", 1);
}

static void test_all_who_were_sent_it_are_waited_for(void **state)
{
	struct rig *rig = *state;
	struct sim_peer *other;
	uint16_t id;

	sim_store_set_auto(rig->store, true);
	other = sim_client(rig->broker, MQTT_3_1_1, "other", false, NULL);
	sim_peer_subscribed(other, "t", 1);
	sim_store_set_auto(rig->store, false);
	sim_peer_publish(rig->pub, "t", "x", 1, false, 7);
	id = sim_peer_receive(rig->sub, "t", "x", 1);
	sim_peer_ack(rig->sub, MQTT_PUBACK, id);
	sim_peer_expect_nothing(rig->pub);
	sim_clock_advance(rig->broker, DELAY);
	sim_peer_expect_nothing(rig->pub);
	commit(rig);
	sim_peer_acked(rig->pub, MQTT_PUBACK, 7);
	assert_int_equal(sim_store_queued(rig->store), 1);
	sim_peer_receive(other, "t", "x", 1);
	sim_peer_close(other);
}

static void test_acknowledgements_keep_their_order(void **state)
{
	struct rig *rig = *state;
	uint16_t id;

	sim_peer_publish(rig->pub, "t", "x", 1, false, 1);
	sim_peer_publish(rig->pub, "elsewhere", "y", 1, false, 2);
	sim_peer_expect_nothing(rig->pub);
	id = sim_peer_receive(rig->sub, "t", "x", 1);
	sim_peer_ack(rig->sub, MQTT_PUBACK, id);
	sim_peer_acked(rig->pub, MQTT_PUBACK, 1);
	sim_peer_acked(rig->pub, MQTT_PUBACK, 2);
}

/* Its identifier is on disk before PUBREC, and would swallow the repetition of a
 * message that is not. */
static void test_qos2_is_written_at_once(void **state)
{
	struct rig *rig = *state;
	const uint64_t written = rig->broker->written;

	sim_peer_publish(rig->pub, "t", "x", 2, false, 7);
	assert_false(untouched(rig, written));
	commit(rig);
	sim_peer_acked(rig->pub, MQTT_PUBREC, 7);
	assert_int_equal(sim_store_queued(rig->store), 1);
}

static void test_the_end_of_a_session_ends_the_wait(void **state)
{
	struct rig *rig = *state;
	struct mqtt_connect clean = sim_connect(MQTT_5_0, "sub", true);

	sim_peer_publish(rig->pub, "t", "x", 1, false, 7);
	sim_peer_receive(rig->sub, "t", "x", 1);
	sim_peer_close(rig->sub);
	rig->sub = sim_peer_open(rig->broker);
	sim_peer_connect(rig->sub, &clean);
	commit(rig);
	sim_peer_acked(rig->pub, MQTT_PUBACK, 7);
	assert_int_equal(sim_store_queued(rig->store), 0);
	assert_int_equal(sim_store_messages(rig->store), 0);
}

static void test_a_publisher_that_goes_leaves_the_rest(void **state)
{
	struct rig *rig = *state;

	sim_peer_publish(rig->pub, "t", "x", 1, false, 7);
	sim_peer_close(rig->pub);
	rig->pub = NULL;
	sim_clock_advance(rig->broker, DELAY);
	commit(rig);
	assert_int_equal(sim_store_queued(rig->store), 1);
}

/* No memory for the row: it is tried again, and nobody is told before. */
static void test_without_memory_it_is_written_later(void **state)
{
	struct rig *rig = *state;

	for (unsigned int n = 0; n < 2; n++) {
		uint16_t id = (uint16_t)(n + 1);

		sim_peer_publish(rig->pub, "t", "x", 1, false, id);
		sim_store_fail(rig->store, n);
		sim_clock_advance(rig->broker, DELAY);
		assert_true(sim_store_failed(rig->store));
		commit(rig);
		sim_peer_expect_nothing(rig->pub);
		assert_int_equal(sim_store_queued(rig->store), n);
		sim_clock_advance(rig->broker, DELAY);
		commit(rig);
		sim_peer_acked(rig->pub, MQTT_PUBACK, id);
		assert_int_equal(sim_store_queued(rig->store), n + 1);
	}
}

/* What its socket holds is read on when those before it have been acknowledged,
 * without the store having said anything. */
static void test_a_paused_publisher_goes_on(void **state)
{
	struct rig *rig = *state;
	uint16_t id;

	sim_peer_publish(rig->pub, "t", "one", 1, false, 1);
	sim_store_set_congested(rig->store, true);
	sim_peer_publish(rig->pub, "t", "two", 1, false, 2);
	id = sim_peer_receive(rig->sub, "t", "one", 1);
	sim_peer_expect_nothing(rig->sub);
	sim_store_set_congested(rig->store, false);
	sim_peer_ack(rig->sub, MQTT_PUBACK, id);
	sim_peer_acked(rig->pub, MQTT_PUBACK, 1);
	sim_peer_receive(rig->sub, "t", "two", 1);
}

/* Whatever there is no memory for, a message is acknowledged only when it is safe:
 * where it cannot be held its row is written at once. */
static void test_without_memory_nothing_is_held(void **state)
{
	/* At QoS 1 to "t", identifier 7: "x". */
	static const uint8_t publish[] = { 0x32, 6, 0, 1, 't', 0, 7, 'x' };
	struct rig *rig = *state;
	unsigned int at_once = 0, rows = 0, n = 0;
	struct frame frame;
	bool failed;

	do {
		const uint64_t written = rig->broker->written;

		failing_malloc_arm(n++);
		sim_peer_send(rig->pub, publish, sizeof(publish));
		failed = failing_malloc_disarm();
		at_once += !untouched(rig, written);
		sim_check(rig->broker);
		assert_int_equal(hold_count(rig->broker), !failed);
		sim_peer_expect_nothing(rig->pub);
		sim_clock_advance(rig->broker, DELAY);
		commit(rig);
		if (sim_peer_next(rig->pub, &frame)) {
			assert_int_equal(frame.type, MQTT_PUBACK);
			rows++;
		} else {
			assert_true(sim_peer_ended(rig->pub));
			sim_peer_close(rig->pub);
			rig->pub = sim_client(rig->broker, MQTT_3_1_1, "pub",
					      true, NULL);
		}
		assert_true(sim_store_queued(rig->store) >= rows);
	} while (failed);
	assert_int_equal(at_once, 1);
	assert_true(rows >= 2);
	assert_int_equal(hold_count(rig->broker), 0);
}

/* What waits when the hub stops is written, and then acknowledged. */
static void test_the_stop_writes_what_waits(void **state)
{
	struct rig *rig = *state;

	sim_peer_publish(rig->pub, "t", "one", 1, false, 7);
	sim_peer_publish(rig->pub, "t", "two", 1, false, 8);
	assert_int_equal(hold_count(rig->broker), 2);
	sim_peer_expect_nothing(rig->pub);
	sim_store_set_auto(rig->store, true);
	broker_stop(rig->broker);
	assert_int_equal(broker_run(rig->broker), 0);
	sim_peer_acked(rig->pub, MQTT_PUBACK, 7);
	sim_peer_acked(rig->pub, MQTT_PUBACK, 8);
	assert_int_equal(sim_store_queued(rig->store), 2);

	restart(rig);
	rig->sub = sim_client(rig->broker, MQTT_5_0, "sub", false, NULL);
	sim_peer_receive(rig->sub, "t", "one", 1);
	sim_peer_receive(rig->sub, "t", "two", 1);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_what_is_acknowledged_in_time_is_not_written),
		T(test_what_is_late_is_written_first),
		T(test_a_late_acknowledgement_need_not_wait),
		T(test_who_goes_away_gets_a_row),
		T(test_all_who_were_sent_it_are_waited_for),
		T(test_acknowledgements_keep_their_order),
		T(test_qos2_is_written_at_once),
		T(test_the_end_of_a_session_ends_the_wait),
		T(test_a_publisher_that_goes_leaves_the_rest),
		T(test_without_memory_it_is_written_later),
		T(test_a_paused_publisher_goes_on),
		T(test_without_memory_nothing_is_held),
		T(test_the_stop_writes_what_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

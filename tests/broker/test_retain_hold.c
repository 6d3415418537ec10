/* Of values that follow one another at once only the last is written, and nobody
 * is told before that is safe. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/broker/sim_check.h"
#include "tests/broker/sim_clock.h"
#include "tests/broker/sim_peer.h"

#define DELAY 10

struct rig {
	struct sim_store *store;
	struct broker *broker;
	struct sim_peer *pub;
	struct sim_peer *other;
};

static void start(struct rig *rig)
{
	rig->broker = sim_broker(rig->store, NULL);
	assert_non_null(rig->broker);
	rig->broker->options.max_delay = DELAY;
	rig->pub = sim_client(rig->broker, MQTT_3_1_1, "pub", true, NULL);
	rig->other = sim_client(rig->broker, MQTT_3_1_1, "other", true, NULL);
}

static void end(struct rig *rig)
{
	sim_check(rig->broker);
	sim_peer_close(rig->pub);
	sim_peer_close(rig->other);
	broker_free(rig->broker);
}

static int setup(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	sim_clock_start();
	rig->store = sim_store_new();
	start(rig);
	sim_store_set_auto(rig->store, false);
	*state = rig;
	return 0;
}

static int teardown(void **state)
{
	struct rig *rig = *state;

	end(rig);
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

/* After a cut, this is what a subscriber gets; NULL: nothing. */
static void check_kept(struct rig *rig, const char *payload)
{
	struct sim_peer *sub;

	end(rig);
	sim_store_cut(rig->store);
	start(rig);
	sub = sim_client(rig->broker, MQTT_3_1_1, "sub", true, NULL);
	sim_peer_subscribed(sub, "r", 0);
	if (payload)
		sim_peer_receive(sub, "r", payload, 0);
	sim_peer_expect_nothing(sub);
	sim_peer_close(sub);
}

static void value(struct rig *rig, const char *payload, uint16_t id)
{
	sim_peer_publish(rig->pub, "r", payload, 1, true, id);
}

/* One that is written at once, and committed. */
static void begin(struct rig *rig)
{
	value(rig, "0", 1);
	commit(rig);
	sim_peer_acked(rig->pub, MQTT_PUBACK, 1);
}

static void test_the_first_is_written_at_once(void **state)
{
	struct rig *rig = *state;
	const uint64_t written = rig->broker->written;

	value(rig, "0", 1);
	assert_true(rig->broker->written > written);
	sim_peer_expect_nothing(rig->pub);
	commit(rig);
	sim_peer_acked(rig->pub, MQTT_PUBACK, 1);
	sim_clock_advance(rig->broker, DELAY);
	value(rig, "1", 2);
	commit(rig);
	sim_peer_acked(rig->pub, MQTT_PUBACK, 2);
	check_kept(rig, "1");
}

static void test_of_those_behind_it_only_the_last(void **state)
{
	struct rig *rig = *state;
	uint64_t written;

	begin(rig);
	written = rig->broker->written;
	value(rig, "1", 2);
	sim_peer_publish(rig->other, "r", "2", 1, true, 7);
	value(rig, "3", 3);
	sim_clock_advance(rig->broker, DELAY - 1);
	commit(rig);
	assert_int_equal(rig->broker->written, written);
	sim_peer_expect_nothing(rig->pub);
	sim_peer_expect_nothing(rig->other);

	sim_clock_advance(rig->broker, 1);
	assert_int_equal(rig->broker->written, written + 1);
	sim_peer_expect_nothing(rig->pub);
	sim_peer_expect_nothing(rig->other);
	commit(rig);
	sim_peer_acked(rig->pub, MQTT_PUBACK, 2);
	sim_peer_acked(rig->pub, MQTT_PUBACK, 3);
	sim_peer_acked(rig->other, MQTT_PUBACK, 7);
	check_kept(rig, "3");
}

/* However long it goes on, none waits for longer. */
static void test_a_value_that_never_rests_is_written(void **state)
{
	struct rig *rig = *state;
	uint64_t written;

	begin(rig);
	written = rig->broker->written;
	for (uint16_t i = 0; i < 10 * DELAY; i++) {
		value(rig, "x", (uint16_t)(2 + i));
		sim_clock_advance(rig->broker, 1);
		commit(rig);
		sim_store_commit(rig->store);
	}
	assert_true(rig->broker->written >= written + 9);
	assert_true(rig->broker->written <= written + 10);
	sim_peer_acked(rig->pub, MQTT_PUBACK, 2);
}

static void test_a_cut_before_it_loses_nothing_promised(void **state)
{
	struct rig *rig = *state;

	begin(rig);
	value(rig, "1", 2);
	sim_clock_advance(rig->broker, DELAY);
	sim_peer_expect_nothing(rig->pub);
	check_kept(rig, "0");
}

/* Nobody was promised the last one, but the one before it was. */
static void test_a_lazy_value_stands_for_what_it_replaced(void **state)
{
	struct rig *rig = *state;

	begin(rig);
	value(rig, "1", 2);
	sim_peer_publish(rig->pub, "r", "2", 0, true, 0);
	sim_clock_advance(rig->broker, DELAY);
	sim_peer_expect_nothing(rig->pub);
	commit(rig);
	sim_peer_acked(rig->pub, MQTT_PUBACK, 2);
	check_kept(rig, "2");
}

static void test_what_is_cleared_is_not_written(void **state)
{
	struct rig *rig = *state;

	begin(rig);
	value(rig, "1", 2);
	value(rig, "", 3);
	sim_clock_advance(rig->broker, DELAY);
	sim_peer_expect_nothing(rig->pub);
	commit(rig);
	sim_peer_acked(rig->pub, MQTT_PUBACK, 2);
	sim_peer_acked(rig->pub, MQTT_PUBACK, 3);
	check_kept(rig, NULL);
}

/* Its identifier must not be on disk before it. */
static void test_qos2_is_written_at_once(void **state)
{
	struct rig *rig = *state;
	uint64_t written;

	begin(rig);
	written = rig->broker->written;
	sim_peer_publish(rig->pub, "r", "1", 2, true, 2);
	assert_true(rig->broker->written > written);
	commit(rig);
	sim_peer_acked(rig->pub, MQTT_PUBREC, 2);
	check_kept(rig, "1");
}

static void test_a_publisher_that_goes_leaves_its_value(void **state)
{
	struct rig *rig = *state;

	begin(rig);
	value(rig, "1", 2);
	sim_peer_close(rig->pub);
	sim_run(rig->broker);
	sim_clock_advance(rig->broker, DELAY);
	commit(rig);
	rig->pub = sim_client(rig->broker, MQTT_3_1_1, "pub", true, NULL);
	check_kept(rig, "1");
}

static void test_without_memory_it_is_written_later(void **state)
{
	struct rig *rig = *state;

	begin(rig);
	value(rig, "1", 2);
	sim_store_fail(rig->store, 0);
	sim_clock_advance(rig->broker, DELAY);
	assert_true(sim_store_failed(rig->store));
	commit(rig);
	sim_peer_expect_nothing(rig->pub);
	sim_clock_advance(rig->broker, DELAY);
	commit(rig);
	sim_peer_acked(rig->pub, MQTT_PUBACK, 2);
	check_kept(rig, "1");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_the_first_is_written_at_once),
		T(test_of_those_behind_it_only_the_last),
		T(test_a_value_that_never_rests_is_written),
		T(test_a_cut_before_it_loses_nothing_promised),
		T(test_a_lazy_value_stands_for_what_it_replaced),
		T(test_what_is_cleared_is_not_written),
		T(test_qos2_is_written_at_once),
		T(test_a_publisher_that_goes_leaves_its_value),
		T(test_without_memory_it_is_written_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

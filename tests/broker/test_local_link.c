/* The broker's half of a local client, turn by turn. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "broker/local_client.h"
#include "broker/session/session.h"
#include "tests/broker/sim_check.h"
#include "tests/broker/sim_peer.h"
#include "tests/failing_malloc.h"

struct rig {
	struct sim_store *store;
	struct broker *broker;
	struct local_client *lc;
};

static struct local_client *open_client(struct broker *broker, const char *id)
{
	const struct local_client_options options = {
		.client_id = id,
		.mailbox = 16,
	};

	return local_client_new(broker, &options);
}

static int setup(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));
	struct sim_peer *away;

	rig->store = sim_store_new();
	rig->broker = sim_broker(rig->store, NULL);
	rig->lc = open_client(rig->broker, "$a");
	sim_run(rig->broker);
	/* A durable subscriber that is away: who publishes to it must wait. */
	away = sim_client(rig->broker, MQTT_5_0, "away", false, NULL);
	sim_peer_subscribed(away, "t", 1);
	sim_peer_close(away);
	*state = rig;
	return rig->lc ? 0 : -1;
}

static int teardown(void **state)
{
	struct rig *rig = *state;

	sim_store_set_auto(rig->store, true);
	local_client_free(rig->lc);
	sim_run(rig->broker);
	sim_check(rig->broker);
	assert_int_equal(rig->broker->session_count, 1);
	broker_free(rig->broker);
	sim_store_free(rig->store);
	free(rig);
	return 0;
}

static void publish(struct rig *rig, const char *topic, uint64_t token)
{
	assert_int_equal(local_client_publish(rig->lc, slice_str(topic),
					      slice_str("x"), 1, false, token),
			 0);
	sim_run(rig->broker);
}

static void expect_answer(struct rig *rig, uint64_t token,
			  enum mqtt_reason reason)
{
	struct local_event *event = local_client_next(rig->lc);

	assert_non_null(event);
	assert_int_equal(event->type, LOCAL_CLIENT_ANSWER);
	assert_int_equal(event->token, token);
	assert_int_equal(event->reason, reason);
	local_event_free(event);
}

static void test_answers_wait_for_the_disk_in_order(void **state)
{
	struct rig *rig = *state;

	sim_store_set_auto(rig->store, false);
	publish(rig, "t", 1);
	publish(rig, "elsewhere", 2); /* nothing to wait for but the first */
	publish(rig, "t", 3);
	assert_null(local_client_next(rig->lc));
	sim_store_commit(rig->store);
	sim_run(rig->broker);
	expect_answer(rig, 1, MQTT_SUCCESS);
	expect_answer(rig, 2, MQTT_NO_MATCHING_SUBSCRIBERS);
	expect_answer(rig, 3, MQTT_SUCCESS);
	assert_null(local_client_next(rig->lc));
	assert_int_equal(sim_store_queued(rig->store), 2);
}

/* Freed with answers outstanding and events untaken: teardown looks. */
static void test_one_that_goes_while_answers_wait(void **state)
{
	struct rig *rig = *state;

	assert_int_equal(local_client_subscribe(rig->lc, slice_str("t"), 1, 9),
			 0);
	sim_store_set_auto(rig->store, false);
	publish(rig, "t", 1);
	publish(rig, "t", 2);
}

static void test_what_the_store_refuses_is_told(void **state)
{
	struct rig *rig = *state;

	sim_store_fail(rig->store, 0);
	publish(rig, "t", 1);
	expect_answer(rig, 1, MQTT_UNSPECIFIED_ERROR);
	publish(rig, "t", 2);
	expect_answer(rig, 2, MQTT_SUCCESS);
}

static void test_a_full_mailbox_of_the_broker_is_told(void **state)
{
	struct rig *rig = *state;
	unsigned int n = 0;

	while (local_client_subscribe(rig->lc, slice_str("s"), 0, n) == 0 &&
	       n < 100000)
		n++;
	assert_in_range(n, 100, 99999);
	assert_int_equal(local_client_subscribe(rig->lc, slice_str("s"), 0, n),
			 -EAGAIN);
	assert_null(open_client(rig->broker, "$b"));
	assert_int_equal(errno, EAGAIN);
	sim_run(rig->broker);
	/* Its own is full by now: that is its end. */
	for (unsigned int i = 0; i < 16; i++)
		expect_answer(rig, i, MQTT_SUCCESS);
}

static void test_a_client_is_made_whole_or_not(void **state)
{
	struct rig *rig = *state;
	struct local_client *lc;
	unsigned int n = 0;

	do {
		failing_malloc_arm(n++);
		lc = open_client(rig->broker, "$b");
		assert_int_equal(failing_malloc_disarm(), !lc);
		if (!lc)
			assert_int_equal(errno, ENOMEM);
		sim_run(rig->broker);
	} while (!lc);
	assert_true(n > 5);
	local_client_free(lc);
}

/* On the broker's side: the client may be closed, the broker lives. */
static void test_memory_may_run_out_in_the_broker(void **state)
{
	struct rig *rig = *state;
	unsigned int n = 0;
	bool failed;

	do {
		struct local_client *lc = open_client(rig->broker, "$b");
		struct local_event *event;

		assert_non_null(lc);
		assert_int_equal(
			local_client_subscribe(lc, slice_str("u/+"), 1, 1), 0);
		assert_int_equal(local_client_publish(lc, slice_str("u/x"),
						      slice_str("x"), 1, true,
						      2),
				 0);
		assert_int_equal(
			local_client_unsubscribe(lc, slice_str("u/+"), 3), 0);
		failing_malloc_arm(n++);
		sim_run(rig->broker);
		failed = failing_malloc_disarm();
		sim_check(rig->broker);
		while ((event = local_client_next(lc)))
			local_event_free(event);
		local_client_free(lc);
		sim_run(rig->broker);
	} while (failed);
	assert_true(n > 10);
	publish(rig, "t", 7);
	expect_answer(rig, 7, MQTT_SUCCESS);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_answers_wait_for_the_disk_in_order),
		T(test_one_that_goes_while_answers_wait),
		T(test_what_the_store_refuses_is_told),
		T(test_a_full_mailbox_of_the_broker_is_told),
		T(test_a_client_is_made_whole_or_not),
		T(test_memory_may_run_out_in_the_broker),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* $history/...: how a replay ends, and what bounds it. */
#include "broker/session/playback.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "broker/limits.h"
#include "broker/session/session.h"
#include "tests/broker/match_requests.h"
#include "tests/broker/playback_rig.h"
#include "tests/broker/sim_check.h"
#include "tests/broker/sim_clock.h"
#include "tests/failing_malloc.h"

/* ---- the end ------------------------------------------------------------ */

static void test_unsubscribing_ends_it(void **state)
{
	struct rig *rig = *state;
	struct sim_peer *a = rig_half_way(rig, false, 0);

	match_unsubscribe(a, "$history/last/10/t", slice_of(NULL, 0),
			  MQTT_SUCCESS);
	/* It was published while it was subscribed to. */
	rig_receive(a, "t", 10, 0);
	sim_history_answer(rig->history);
	sim_run(rig->broker);
	rig_publish(rig, "t", 11, 0);
	sim_peer_expect_nothing(a);
	sim_peer_close(a);
}

static void test_subscribing_again_begins_anew(void **state)
{
	struct rig *rig = *state;
	struct sim_peer *a = rig_half_way(rig, false, 0);

	assert_int_equal(sim_peer_subscribed(a, "$history/last/10/t", 0), 0);
	for (int i = 0; i < 3; i++) {
		sim_history_answer(rig->history);
		sim_run(rig->broker);
	}
	/* What had been held belonged to the one before. */
	rig_receive(a, "t", 10, 0);
	rig_receive_all(a, 1, 11, 0);
	sim_peer_expect_nothing(a);
	sim_peer_close(a);
}

static void test_disconnecting_ends_it(void **state)
{
	struct rig *rig = *state;

	sim_peer_close(rig_half_way(rig, false, 0));
	assert_int_equal(rig->broker->session_count, 1);
	/* The request is still away. */
	assert_int_equal(rig->broker->playback_count, 1);
	sim_history_answer(rig->history);
	sim_run(rig->broker);
	assert_int_equal(rig->broker->playback_count, 0);
}

/* Who comes back gets what was published since it subscribed, not the rest of what
 * was stored; also after a cut of the power. */
static void test_a_durable_session_goes_on_with_what_came_since(void **state)
{
	struct rig *rig = *state;
	struct sim_peer *a = rig_half_way(rig, true, 1);
	bool present;

	sim_peer_close(a);
	rig_publish(rig, "t", 11, 1);
	sim_peer_close(rig->pub);
	sim_history_answer(rig->history);
	sim_run(rig->broker);
	broker_free(rig->broker);
	rig->broker = rig_new_broker(rig, NULL);
	rig->pub = sim_client(rig->broker, MQTT_5_0, "pub", true, NULL);
	rig_publish(rig, "t", 12, 1);
	a = sim_client(rig->broker, MQTT_5_0, "a", false, &present);
	assert_true(present);
	rig_receive_all(a, 10, 13, 1);
	match_unsubscribe(a, "$history/last/10/t", slice_of(NULL, 0),
			  MQTT_SUCCESS);
	sim_peer_close(a);
	sim_peer_close(rig_client(rig, "a"));
}

/* Though that waits for the disk. */
static void test_the_answer_goes_first(void **state)
{
	struct rig *rig = *state;
	struct sim_peer *a =
		sim_client(rig->broker, MQTT_5_0, "a", false, NULL);

	rig_store(rig, 0, 10);
	sim_store_set_auto(rig->store, false);
	sim_peer_subscribe(a, "$history/last/10/t", 1);
	sim_peer_expect_nothing(a);
	sim_store_commit(rig->store);
	sim_run(rig->broker);
	sim_peer_expect(a, MQTT_SUBACK);
	rig_receive_all(a, 0, 10, 0);
	sim_store_set_auto(rig->store, true);
	sim_peer_close(a);
	sim_peer_close(rig_client(rig, "a"));
}

static void test_a_take_over_ends_it(void **state)
{
	struct rig *rig = *state;
	struct sim_peer *old = rig_half_way(rig, true, 1);
	struct sim_peer *a =
		sim_client(rig->broker, MQTT_5_0, "a", false, NULL);

	assert_int_equal(sim_peer_disconnected(old), MQTT_SESSION_TAKEN_OVER);
	rig_receive(a, "t", 10, 1);
	sim_history_answer(rig->history);
	sim_run(rig->broker);
	sim_peer_expect_nothing(a);
	sim_peer_close(old);
	sim_peer_close(a);
	sim_peer_close(rig_client(rig, "a"));
}

static void test_a_broker_that_ends_leaves_nothing(void **state)
{
	struct rig *rig = *state;
	struct sim_peer *a = rig_half_way(rig, true, 1);

	broker_free(rig->broker);
	sim_history_free(rig->history);
	rig->history = sim_history_new(rig->store, PAGE);
	rig->broker = rig_new_broker(rig, NULL);
	a->broker = rig->broker;
	rig->pub->broker = rig->broker;
	sim_peer_close(a);
	sim_peer_close(rig_client(rig, "a"));
}

/* Rather no messages than fewer. */
static void test_what_cannot_be_read_closes_the_connection(void **state)
{
	struct rig *rig = *state;
	struct sim_peer *a = rig_half_way(rig, false, 0);

	sim_history_set_error(rig->history, -EIO);
	sim_history_answer(rig->history);
	sim_run(rig->broker);
	assert_int_equal(sim_peer_disconnected(a),
			 MQTT_IMPLEMENTATION_SPECIFIC_ERROR);
	sim_peer_close(a);
	sim_history_set_error(rig->history, 0);
}

static void test_a_door_without_memory_closes_the_connection(void **state)
{
	struct rig *rig = *state;
	struct sim_peer *a = rig_client(rig, "c");
	struct sim_peer *b = rig_half_way(rig, false, 0);

	sim_history_refuse(rig->history, -ENOMEM);
	sim_peer_subscribe(a, "$history/last/5/t", 0);
	sim_peer_expect(a, MQTT_SUBACK);
	assert_int_equal(sim_peer_disconnected(a), MQTT_UNSPECIFIED_ERROR);
	sim_history_answer(rig->history);
	sim_run(rig->broker);
	rig_receive_all(b, PAGE, 2 * PAGE, 0);
	assert_int_equal(sim_peer_disconnected(b), MQTT_UNSPECIFIED_ERROR);
	sim_history_refuse(rig->history, 0);
	sim_peer_close(a);
	sim_peer_close(b);
}

/* ---- limits ------------------------------------------------------------- */

static void test_a_session_has_so_many_at_a_time(void **state)
{
	struct rig *rig = *state;
	struct sim_peer *a = rig_client(rig, "a");
	char filter[64];

	sim_history_set_auto(rig->history, false);
	for (unsigned int i = 1; i <= LIMIT_PLAYBACKS_PER_SESSION; i++) {
		(void)snprintf(filter, sizeof(filter), "$history/last/%u/t", i);
		assert_int_equal(sim_peer_subscribed(a, filter, 0), 0);
	}
	assert_int_equal(sim_peer_subscribed(a, "$history/last/100/t", 0),
			 MQTT_QUOTA_EXCEEDED);
	sim_history_answer(rig->history);
	sim_run(rig->broker);
	assert_int_equal(rig->broker->playback_count, 0);
	assert_int_equal(sim_peer_subscribed(a, "$history/last/100/t", 0), 0);
	sim_peer_close(a);
}

/* Those whose clients have gone count until their answers come: nobody can make
 * the door work for more by coming and going. */
static void test_all_together_have_so_many(void **state)
{
	struct rig *rig = *state;
	struct sim_peer *a;
	char filter[64];

	sim_history_set_auto(rig->history, false);
	for (unsigned int i = 0; i < LIMIT_PLAYBACKS; i++) {
		a = rig_client(rig, "a");
		(void)snprintf(filter, sizeof(filter), "$history/last/%u/t",
			       i + 1);
		assert_int_equal(sim_peer_subscribed(a, filter, 0), 0);
		sim_peer_close(a);
	}
	a = rig_client(rig, "a");
	assert_int_equal(sim_peer_subscribed(a, "$history/last/1/t", 0),
			 MQTT_QUOTA_EXCEEDED);
	sim_history_answer(rig->history);
	sim_run(rig->broker);
	assert_int_equal(sim_peer_subscribed(a, "$history/last/1/t", 0), 0);
	sim_peer_close(a);
}

/* As many as LIMIT_PLAYBACK_HELD beyond the usual. */
static void test_the_queue_may_be_longer_meanwhile(void **state)
{
	struct rig *rig = *state;
	struct sim_peer *a = rig_half_way(rig, false, 0);
	const unsigned int more = 3 * LIMIT_QUEUE_MESSAGES;
	struct session *s = session_find(rig->broker, slice_str("a"));

	for (unsigned int n = 11; n < 11 + more; n++)
		rig_publish(rig, "t", n, 0);
	assert_true(s->extended);
	for (int i = 0; i < 2; i++) {
		sim_history_answer(rig->history);
		sim_run(rig->broker);
	}
	rig_receive_all(a, PAGE, 11 + more, 0);
	sim_peer_expect_nothing(a);
	assert_int_equal(rig->broker->count.messages_dropped, 0);
	assert_false(s->extended);
	sim_peer_close(a);
}

/* No page is asked for before the socket has taken the last one. */
static void test_who_does_not_read_is_not_read_for(void **state)
{
	enum { ROWS = 600, SIZE = 8000 };
	struct rig *rig = *state;
	struct sim_peer *a = rig_client(rig, "a");
	char *payload = calloc(1, SIZE + 1);
	size_t pages;

	memset(payload, 'x', SIZE);
	for (int i = 0; i < ROWS; i++)
		sim_history_add(rig->history, "t", payload, T0 + i);
	sim_peer_subscribe(a, "$history/last/1000/t", 0);
	sim_run(rig->broker);
	pages = sim_history_pages(rig->history);
	assert_true(pages < ROWS / PAGE / 2);
	sim_run(rig->broker);
	assert_int_equal(sim_history_pages(rig->history), pages);
	sim_peer_expect(a, MQTT_SUBACK);
	for (int i = 0; i < ROWS; i++)
		sim_peer_receive(a, "t", payload, 0);
	assert_int_equal(rig->broker->playback_count, 0);

	sim_peer_subscribe(a, "$history/last/1000/t", 0);
	sim_clock_advance(rig->broker, LIMIT_PLAYBACK_STALL / 2);
	assert_int_equal(rig->broker->playback_count, 1);
	for (int i = 0; i < 4; i++)
		sim_clock_advance(rig->broker, LIMIT_PLAYBACK_STALL / 2);
	assert_int_equal(rig->broker->playback_count, 0);
	sim_peer_close(a);
	free(payload);
}

/* ---- memory ------------------------------------------------------------- */

/* Each allocation in turn: the client is told, or comes to know by being
 * disconnected; what it gets is never with a gap. */
static void test_every_allocation_may_fail(void **state)
{
	struct rig *rig = *state;
	bool failed = true;
	unsigned int whole = 0;

	rig_store(rig, 0, 10);
	for (unsigned int n = 0; failed; n++) {
		struct sim_peer *a = rig_client(rig, "a");
		struct frame frame;
		unsigned int got = 0;

		failing_malloc_arm(n);
		sim_peer_subscribe(a, "$history/last/10/t", 0);
		failed = failing_malloc_disarm();
		while (sim_peer_next(a, &frame) &&
		       frame.type != MQTT_DISCONNECT) {
			struct mqtt_publish m;

			if (frame.type == MQTT_SUBACK)
				continue;
			assert_int_equal(frame.type, MQTT_PUBLISH);
			publish_decode(MQTT_5_0, frame.flags, frame.body, &m);
			assert_int_equal(m.payload.data[0], '0' + got);
			got++;
		}
		assert_true(got == 10 || failed);
		whole += got == 10;
		sim_peer_close(a);
		sim_check(rig->broker);
		assert_int_equal(rig->broker->subscription_count, 0);
		assert_int_equal(rig->broker->playback_count, 0);
		assert_true(n < 100);
	}
	assert_true(whole >= 1);
}

#define T(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_unsubscribing_ends_it),
		T(test_subscribing_again_begins_anew),
		T(test_disconnecting_ends_it),
		T(test_a_durable_session_goes_on_with_what_came_since),
		T(test_the_answer_goes_first),
		T(test_a_take_over_ends_it),
		T(test_a_broker_that_ends_leaves_nothing),
		T(test_what_cannot_be_read_closes_the_connection),
		T(test_a_door_without_memory_closes_the_connection),
		T(test_a_session_has_so_many_at_a_time),
		T(test_all_together_have_so_many),
		T(test_the_queue_may_be_longer_meanwhile),
		T(test_who_does_not_read_is_not_read_for),
		T(test_every_allocation_may_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

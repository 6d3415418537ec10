/* Shared subscriptions (MQTT 5.0, section 4.8.2). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "broker/routing/subscriptions.h"
#include "broker/routing/topic_tree.h"
#include "broker/session/session.h"
#include "tests/broker/sim_peer.h"
#include "tests/failing_malloc.h"

static int setup(void **state)
{
	*state = sim_broker(NULL, NULL);
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	struct broker *broker = *state;

	assert_int_equal(broker->shares.count, 0);
	broker_free(broker);
	return 0;
}

static struct sim_peer *member(struct broker *broker, const char *id,
			       const char *filter, uint8_t qos)
{
	struct sim_peer *peer = sim_client(broker, MQTT_5_0, id, true, NULL);

	assert_int_equal(sim_peer_subscribed(peer, filter, qos), qos);
	return peer;
}

static size_t take_all(struct sim_peer *peer)
{
	struct frame frame;
	size_t n = 0;

	while (sim_peer_next(peer, &frame)) {
		assert_int_equal(frame.type, MQTT_PUBLISH);
		n++;
	}
	return n;
}

static void test_members_take_turns(void **state)
{
	struct sim_peer *a = member(*state, "a", "$share/g/t/+", 0);
	struct sim_peer *b = member(*state, "b", "$share/g/t/+", 0);
	struct sim_peer *c = member(*state, "c", "$share/g/t/+", 0);
	struct sim_peer *other = member(*state, "other", "$share/h/t/+", 0);
	struct sim_peer *plain = member(*state, "plain", "t/#", 0);
	struct sim_peer *pub =
		sim_client(*state, MQTT_3_1_1, "pub", true, NULL);

	for (int i = 0; i < 9; i++)
		sim_peer_publish(pub, "t/x", "m", 0, false, 0);
	assert_int_equal(take_all(a), 3);
	assert_int_equal(take_all(b), 3);
	assert_int_equal(take_all(c), 3);
	assert_int_equal(take_all(other), 9);
	assert_int_equal(take_all(plain), 9);

	sim_peer_close(b);
	for (int i = 0; i < 4; i++)
		sim_peer_publish(pub, "t/x", "m", 0, false, 0);
	assert_int_equal(take_all(a), 2);
	assert_int_equal(take_all(c), 2);
	sim_peer_close(a);
	sim_peer_close(c);
	sim_peer_close(other);
	sim_peer_close(plain);
	sim_peer_close(pub);
}

static void test_retained_messages_are_not_shared(void **state)
{
	struct sim_peer *pub = sim_client(*state, MQTT_5_0, "pub", true, NULL);
	struct sim_peer *a;

	sim_peer_publish(pub, "t", "kept", 0, true, 0);
	a = member(*state, "a", "$share/g/t", 1);
	sim_peer_expect_nothing(a);
	sim_peer_close(a);
	sim_peer_close(pub);
}

static void test_unacknowledged_goes_to_another_member(void **state)
{
	struct sim_peer *a = member(*state, "a", "$share/g/t", 1);
	struct sim_peer *pub = sim_client(*state, MQTT_5_0, "pub", true, NULL);
	struct sim_peer *b;

	sim_peer_publish(pub, "t", "work", 1, false, 1);
	sim_peer_receive(a, "t", "work", 1);
	b = member(*state, "b", "$share/g/t", 1);
	sim_peer_expect_nothing(b);
	sim_peer_close(a); /* without having acknowledged */
	sim_peer_receive(b, "t", "work", 1);
	sim_peer_close(b);
	sim_peer_close(pub);
}

/* [MQTT-4.8.2-5] */
static void test_qos2_under_way_is_given_to_nobody_else(void **state)
{
	struct sim_peer *a = member(*state, "a", "$share/g/t", 2);
	struct sim_peer *pub = sim_client(*state, MQTT_5_0, "pub", true, NULL);
	struct sim_peer *b;

	sim_peer_publish(pub, "t", "work", 2, false, 1);
	sim_peer_receive(a, "t", "work", 2);
	b = member(*state, "b", "$share/g/t", 2);
	sim_peer_close(a);
	sim_peer_expect_nothing(b);
	sim_peer_close(b);
	sim_peer_close(pub);
}

static void test_an_absent_member_gets_it_only_if_nobody_is_there(void **state)
{
	struct sim_peer *a = sim_client(*state, MQTT_5_0, "a", false, NULL);
	struct sim_peer *b = member(*state, "b", "$share/g/t", 1);
	struct sim_peer *pub = sim_client(*state, MQTT_5_0, "pub", true, NULL);

	sim_peer_subscribed(a, "$share/g/t", 1);
	sim_peer_close(a);
	for (uint16_t i = 1; i <= 3; i++)
		sim_peer_publish(pub, "t", "here", 1, false, i);
	assert_int_equal(take_all(b), 3);
	sim_peer_close(b);
	/* What b had not acknowledged, and what comes now, waits for a. */
	sim_peer_publish(pub, "t", "late", 1, false, 4);
	a = sim_client(*state, MQTT_5_0, "a", false, NULL);
	assert_int_equal(take_all(a), 4);
	sim_peer_close(a);
	a = sim_client(*state, MQTT_5_0, "a", true, NULL);
	sim_peer_close(a);
	sim_peer_close(pub);
}

static void test_malformed_groups_are_refused(void **state)
{
	static const char *const wrong[] = { "$share//t", "$share/g/",
					     "$share/g", "$share/+/t",
					     "$share/g/t#" };
	struct sim_peer *a = sim_client(*state, MQTT_5_0, "a", true, NULL);

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(sim_peer_subscribed(a, wrong[i], 1),
				 MQTT_TOPIC_FILTER_INVALID);
	sim_peer_close(a);
}

static void test_a_filter_is_read_back_as_it_was_given(void **state)
{
	struct broker *broker = *state;
	struct sim_peer *a = member(broker, "a", "$share/g/t/+/#", 1);
	struct session *s = session_find(broker, slice_str("a"));
	char filter[64];
	size_t len;

	len = subscription_filter(list_entry(s->subscriptions.next,
					     struct subscription, in_session),
				  filter, sizeof(filter));
	assert_true(slice_equal(slice_of(filter, len),
				slice_str("$share/g/t/+/#")));
	assert_int_equal(subscriptions_remove(s, slice_str("t/+/#")), -2);
	assert_int_equal(subscriptions_remove(s, slice_str("$share/x/t/+/#")),
			 -2);
	assert_int_equal(subscriptions_remove(s, slice_str("$share/g/t/+/#")),
			 0);
	sim_peer_close(a);
}

static void test_nothing_is_left_of_a_subscription_without_memory(void **state)
{
	struct broker *broker = *state;
	struct sim_peer *a = sim_client(broker, MQTT_5_0, "a", true, NULL);
	struct session *s = session_find(broker, slice_str("a"));
	unsigned int n = 0;
	bool replaced;
	int r;

	do {
		failing_malloc_arm(n++);
		r = subscriptions_add(s, slice_str("$share/g/x/y/z"), 1, 0,
				      &replaced);
		if (!failing_malloc_disarm())
			break;
		assert_int_equal(r, -12);
		assert_int_equal(broker->shares.count, 0);
		assert_int_equal(s->subscription_count, 0);
	} while (n < 100);
	assert_int_equal(r, 0);
	assert_int_equal(n, 6); /* three levels, the group, the subscription */
	sim_peer_close(a);
}

/* Three messages in the queues of two members that are away. */
static void fill_queues(struct sim_store *store)
{
	struct broker *broker = sim_broker(store, NULL);
	struct sim_peer *pub =
		sim_client(broker, MQTT_3_1_1, "pub", true, NULL);

	for (unsigned int i = 0; i < 2; i++) {
		struct sim_peer *peer = sim_client(broker, MQTT_3_1_1,
						   i ? "b" : "a", false, NULL);

		/* Another group of the same name, which has no part in it. */
		assert_int_equal(sim_peer_subscribed(peer, "$share/g/other", 1),
				 1);
		assert_int_equal(sim_peer_subscribed(peer, "$share/g/t", 1), 1);
		sim_peer_close(peer);
	}
	for (uint16_t i = 1; i <= 3; i++) {
		sim_peer_publish(pub, "t", "m", 1, false, i);
		sim_peer_expect(pub, MQTT_PUBACK);
	}
	sim_peer_close(pub);
	broker_free(broker);
}

static void
test_what_a_member_leaves_after_a_restart_goes_to_another(void **state)
{
	struct sim_store *store = sim_store_new();
	struct broker *broker;
	struct sim_peer *peer;

	(void)state;
	assert_non_null(store);
	fill_queues(store);
	broker = sim_broker(store, NULL);
	/* A clean start ends the session that has waited. */
	sim_peer_close(sim_client(broker, MQTT_3_1_1, "a", true, NULL));
	peer = sim_client(broker, MQTT_3_1_1, "b", false, NULL);
	assert_int_equal(take_all(peer), 3);
	sim_peer_close(peer);
	broker_free(broker);
	sim_store_free(store);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_members_take_turns),
		T(test_retained_messages_are_not_shared),
		T(test_what_a_member_leaves_after_a_restart_goes_to_another),
		T(test_unacknowledged_goes_to_another_member),
		T(test_qos2_under_way_is_given_to_nobody_else),
		T(test_an_absent_member_gets_it_only_if_nobody_is_there),
		T(test_malformed_groups_are_refused),
		T(test_a_filter_is_read_back_as_it_was_given),
		T(test_nothing_is_left_of_a_subscription_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

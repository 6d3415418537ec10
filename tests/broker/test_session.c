#include "broker/session/session.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "broker/limits.h"
#include "broker/routing/subscriptions.h"
#include "tests/broker/sim_peer.h"
#include "tests/failing_malloc.h"

static int setup(void **state)
{
	*state = sim_broker(NULL, NULL);
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	broker_free(*state);
	return 0;
}

static struct session *make(struct broker *broker, const char *id)
{
	struct session *s = session_new(broker, slice_str(id), "anna");

	assert_non_null(s);
	return s;
}

static int subscribe(struct session *s, const char *filter, bool *replaced)
{
	return subscriptions_add(s, slice_str(filter), 1, 0, replaced);
}

static void test_sessions_are_found_by_their_identifier(void **state)
{
	struct session *a = make(*state, "a");
	struct session *b = make(*state, "a/b");

	assert_ptr_equal(session_find(*state, slice_str("a")), a);
	assert_ptr_equal(session_find(*state, slice_str("a/b")), b);
	assert_null(session_find(*state, slice_str("A")));
	assert_null(session_find(*state, slice_str("")));
	assert_int_not_equal(a->id, b->id);
	session_remove(a);
	assert_null(session_find(*state, slice_str("a")));
	session_remove(b);
}

static void test_a_session_is_made_whole_or_not(void **state)
{
	struct broker *broker = *state;
	struct session *s;
	unsigned int n = 0;

	do {
		failing_malloc_arm(n++);
		s = session_new(broker, slice_str("a"), "anna");
		assert_int_equal(failing_malloc_disarm(), !s);
		assert_int_equal(broker->session_count, s != NULL);
	} while (!s);
	session_remove(s);
	assert_int_equal(broker->session_count, 0);
}

static void test_inbound_identifiers_are_a_set(void **state)
{
	static const uint16_t ids[] = { 1, 7, 8, 255, 256, 32768, 65535 };
	struct session *s = make(*state, "a");

	assert_false(session_inbound_has(s, 1));
	assert_int_equal(session_inbound_remove(s, 1), -ENOENT);
	failing_malloc_arm(0);
	assert_int_equal(session_inbound_add(s, 1), -ENOMEM);
	assert_true(failing_malloc_disarm());
	assert_int_equal(s->inbound_count, 0);
	for (size_t i = 0; i < 7; i++) {
		assert_int_equal(session_inbound_add(s, ids[i]), 0);
		assert_int_equal(session_inbound_add(s, ids[i]), -EALREADY);
		assert_int_equal(s->inbound_count, i + 1);
	}
	assert_false(session_inbound_has(s, 2));
	assert_false(session_inbound_has(s, 9));
	for (size_t i = 0; i < 7; i++) {
		assert_true(session_inbound_has(s, ids[i]));
		assert_int_equal(session_inbound_remove(s, ids[i]), 0);
		assert_int_equal(session_inbound_remove(s, ids[i]), -ENOENT);
	}
	assert_int_equal(s->inbound_count, 0);
	session_remove(s);
}

static void test_subscriptions_have_a_limit(void **state)
{
	struct broker *broker = *state;
	struct session *s = make(broker, "a");
	char filter[32];
	bool replaced;

	for (unsigned int i = 0; i < LIMIT_SUBSCRIPTIONS_PER_SESSION; i++) {
		snprintf(filter, sizeof(filter), "t/%u", i);
		assert_int_equal(subscribe(s, filter, &replaced), 0);
		assert_false(replaced);
	}
	assert_int_equal(subscribe(s, "one/more", &replaced), -EDQUOT);
	assert_int_equal(subscribe(s, "$share/g/more", &replaced), -EDQUOT);
	/* One it has may be changed, or exchanged. */
	assert_int_equal(subscribe(s, "t/7", &replaced), 0);
	assert_true(replaced);
	assert_non_null(subscriptions_find(s, slice_str("t/7")));
	assert_int_equal(subscriptions_remove(s, slice_str("t/7")), 0);
	assert_null(subscriptions_find(s, slice_str("t/7")));
	assert_int_equal(subscriptions_remove(s, slice_str("t/7")), -ENOENT);
	assert_int_equal(subscribe(s, "one/more", &replaced), 0);
	assert_int_equal(broker->subscription_count,
			 LIMIT_SUBSCRIPTIONS_PER_SESSION);
	session_remove(s);
	assert_int_equal(broker->subscription_count, 0);
}

static void test_a_filter_and_its_shared_one_are_two(void **state)
{
	struct session *s = make(*state, "a");
	bool replaced;

	assert_int_equal(subscribe(s, "t/+", &replaced), 0);
	assert_int_equal(subscribe(s, "$share/g/t/+", &replaced), 0);
	assert_false(replaced);
	assert_int_equal(subscribe(s, "$share/h/t/+", &replaced), 0);
	assert_false(replaced);
	assert_int_equal(s->subscription_count, 3);
	assert_int_equal(subscriptions_remove(s, slice_str("t/+")), 0);
	assert_null(subscriptions_find(s, slice_str("t/+")));
	assert_non_null(subscriptions_find(s, slice_str("$share/g/t/+")));
	assert_null(subscriptions_find(s, slice_str("$share/i/t/+")));
	session_remove(s);
}

static void test_a_subscription_is_taken_whole_or_not(void **state)
{
	static const char *const filters[] = { "a/+/c", "$share/g/a/#" };
	struct broker *broker = *state;
	struct session *s = make(broker, "a");

	for (uint32_t i = 0; i < 2; i++) {
		unsigned int n = 0;
		bool replaced;
		int r;

		do {
			failing_malloc_arm(n++);
			r = subscribe(s, filters[i], &replaced);
			assert_int_equal(failing_malloc_disarm(), r == -ENOMEM);
			assert_int_equal(s->subscription_count, i + (r == 0));
		} while (r < 0);
		assert_true(n > 2);
	}
	assert_int_equal(broker->subscription_count, 2);
	session_remove(s);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_sessions_are_found_by_their_identifier),
		T(test_a_session_is_made_whole_or_not),
		T(test_inbound_identifiers_are_a_set),
		T(test_subscriptions_have_a_limit),
		T(test_a_filter_and_its_shared_one_are_two),
		T(test_a_subscription_is_taken_whole_or_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

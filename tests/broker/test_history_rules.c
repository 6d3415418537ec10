#include "broker/history_rules.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/failing_malloc.h"

static int setup(void **state)
{
	*state = history_rules_new();
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	history_rules_unref(*state);
	return 0;
}

/* Told apart by their interval. */
static int add(void **state, const char *filter, uint32_t interval)
{
	const struct history_policy policy = { .keep = true,
					       .min_interval_ms = interval };

	return history_rules_add(*state, slice_str(filter), &policy);
}

/* 0: none. */
static uint32_t found(void **state, const char *topic)
{
	const struct history_policy *policy =
		history_rules_find(*state, slice_str(topic));

	return policy ? policy->min_interval_ms : 0;
}

static void test_the_most_exact_one_says(void **state)
{
	static const char *const filters[] = {
		"#",	       "home/#",	 "home/+/temp", "home/hall/+",
		"+/hall/temp", "home/hall/temp", "home",
	};
	static const struct {
		const char *topic;
		uint32_t filter; /* from 1 */
	} cases[] = {
		{ "attic", 1 },
		{ "home", 7 },
		{ "home/x", 2 },
		{ "home/bath/temp", 3 },
		{ "home/hall/lamp", 4 },
		{ "home/hall/temp", 6 },
		{ "barn/hall/temp", 5 },
		{ "home/hall/temp/x", 2 },
		{ "$SYS/broker/load", 0 },
	};
	const size_t count = sizeof(filters) / sizeof(filters[0]);

	/* In whatever order they come. */
	for (size_t first = 0; first < count; first++) {
		for (size_t i = 0; i < count; i++) {
			size_t at = (first + i * 3) % count;

			assert_int_equal(
				add(state, filters[at], (uint32_t)at + 1), 0);
		}
		for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
			if (found(state, cases[i].topic) != cases[i].filter)
				fail_msg("%s: %u", cases[i].topic,
					 found(state, cases[i].topic));
		}
		teardown(state);
		assert_int_equal(setup(state), 0);
	}
}

static void test_commands_are_kept_where_they_are_named(void **state)
{
	assert_int_equal(add(state, "a/#", 1), 0);
	assert_int_equal(add(state, "b/+", 2), 0);
	assert_int_equal(add(state, "a/+/set", 3), 0);
	assert_int_equal(add(state, "c/result", 4), 0);
	assert_int_equal(found(state, "a/x/set"), 3);
	assert_int_equal(found(state, "a/set"), 0);
	assert_int_equal(found(state, "a/x/result"), 0);
	assert_int_equal(found(state, "b/set"), 0);
	assert_int_equal(found(state, "b/setting"), 2);
	assert_int_equal(found(state, "c/result"), 4);
	assert_int_equal(found(state, "set"), 0);
}

static void test_what_is_wrong_changes_nothing(void **state)
{
	char filter[16];

	assert_int_equal(add(state, "a/#/b", 1), -EINVAL);
	assert_int_equal(add(state, "", 1), -EINVAL);
	assert_int_equal(add(state, "a", 1), 0);
	assert_int_equal(add(state, "a", 2), -EEXIST);
	assert_int_equal(found(state, "a"), 1);
	for (int i = 1; i < HISTORY_RULES_MAX; i++) {
		snprintf(filter, sizeof(filter), "f/%d", i);
		assert_int_equal(add(state, filter, 3), 0);
	}
	assert_int_equal(add(state, "more", 4), -ENFILE);
	assert_int_equal(found(state, "more"), 0);
}

static void test_limits_are_the_usual_ones_until_they_are_set(void **state)
{
	const struct history_limits mine = { .days = 3, .budget = 0 };

	assert_int_equal(history_rules_limits(NULL).days, HISTORY_DAYS);
	assert_int_equal(history_rules_limits(*state).budget, HISTORY_BUDGET);
	history_rules_limit(*state, &mine);
	assert_int_equal(history_rules_limits(*state).days, 3);
	assert_int_equal(history_rules_limits(*state).budget, 0);
	assert_null(history_rules_find(NULL, slice_str("a")));
}

static void test_rules_survive_allocation_failure(void **state)
{
	failing_malloc_arm(0);
	assert_null(history_rules_new());
	assert_true(failing_malloc_disarm());
	failing_malloc_arm(0);
	assert_int_equal(add(state, "a", 1), -ENOMEM);
	assert_true(failing_malloc_disarm());
	assert_int_equal(found(state, "a"), 0);
	assert_int_equal(add(state, "a", 1), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_the_most_exact_one_says),
		TEST(test_commands_are_kept_where_they_are_named),
		TEST(test_what_is_wrong_changes_nothing),
		TEST(test_limits_are_the_usual_ones_until_they_are_set),
		TEST(test_rules_survive_allocation_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

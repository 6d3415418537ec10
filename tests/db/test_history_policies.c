#include "db/history_policies.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "db/config.h"
#include "db/db.h"
#include "db/settings.h"
#include "tests/db/scratch.h"
#include "tests/db/scratch_config.h"
#include "tests/failing_malloc.h"

static int put(const char *filter, const struct history_policy *policy)
{
	struct db_history_policy row = { .policy = *policy };

	(void)snprintf(row.filter, sizeof(row.filter), "%s", filter);
	return db_history_policies_put(config, &row);
}

static size_t list(struct db_history_policy **out)
{
	size_t count;

	assert_int_equal(db_history_policies_list(config, out, &count), 0);
	return count;
}

static void test_policies_come_back_as_they_were_put(void **state)
{
	const struct history_policy a = { .keep = true, .averages = true };
	const struct history_policy b = {
		.on_change = true,
		.min_interval_ms = HISTORY_INTERVAL_MAX_MS,
		.days = HISTORY_KEEP_DAYS_MAX,
		.rows = HISTORY_KEEP_ROWS_MAX,
	};
	struct db_history_policy *got;

	(void)state;
	assert_int_equal(put("b", &a), 0);
	assert_int_equal(put("a/#", &a), 0);
	assert_int_equal(put("b", &b), 0);
	assert_int_equal(list(&got), 2);
	assert_string_equal(got[0].filter, "a/#");
	assert_memory_equal(&got[0].policy, &a, sizeof(a));
	assert_string_equal(got[1].filter, "b");
	assert_memory_equal(&got[1].policy, &b, sizeof(b));
	free(got);
	assert_int_equal(db_history_policies_remove(config, "b"), 0);
	assert_int_equal(db_history_policies_remove(config, "b"), -ENOENT);
	assert_int_equal(list(&got), 1);
	free(got);
}

static void test_what_is_out_of_range_is_refused(void **state)
{
	const struct history_policy bad[] = {
		{ .min_interval_ms = HISTORY_INTERVAL_MAX_MS + 1 },
		{ .days = HISTORY_KEEP_DAYS_MAX + 1 },
		{ .rows = HISTORY_KEEP_ROWS_MAX + 1 },
	};
	const struct history_policy good = { .keep = true };
	struct db_history_policy *got;
	char filter[16];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(put("a", &bad[i]), -EINVAL);
	assert_int_equal(put("a/#/b", &good), -EINVAL);
	assert_int_equal(put("", &good), -EINVAL);
	for (int i = 0; i < HISTORY_RULES_MAX; i++) {
		(void)snprintf(filter, sizeof(filter), "f/%d", i);
		assert_int_equal(put(filter, &good), 0);
	}
	assert_int_equal(put("more", &good), -ENFILE);
	assert_int_equal(put("f/3", &good), 0); /* no more than before */
	assert_int_equal(list(&got), HISTORY_RULES_MAX);
	free(got);
}

static void test_a_new_house_keeps_what_its_pins_say(void **state)
{
	struct db_history_policy *got;

	(void)state;
	assert_int_equal(db_history_policies_seed(config, "den"), 0);
	assert_int_equal(list(&got), 1);
	assert_string_equal(got[0].filter, "hearth/den/#");
	assert_true(got[0].policy.keep && got[0].policy.averages);
	free(got);
	/* Who wants none has none, also after the next start. */
	assert_int_equal(db_history_policies_remove(config, "hearth/den/#"), 0);
	assert_int_equal(db_history_policies_seed(config, "den"), 0);
	assert_int_equal(list(&got), 0);
	free(got);
}

static void test_an_older_house_keeps_what_it_kept(void **state)
{
	struct db_history_policy *got;
	char *value;

	(void)state;
	assert_int_equal(db_settings_set(config, DB_SETTING_HISTORY_FILTERS,
					 "a/#\nnot#valid\nb"),
			 0);
	assert_int_equal(db_history_policies_seed(config, "den"), 0);
	assert_int_equal(list(&got), 2);
	assert_string_equal(got[0].filter, "a/#");
	assert_string_equal(got[1].filter, "b");
	free(got);
	assert_int_equal(
		db_settings_get(config, DB_SETTING_HISTORY_FILTERS, &value),
		-ENOENT);
}

static void test_limits(void **state)
{
	struct history_limits limits;

	(void)state;
	assert_int_equal(db_history_limits_get(config, &limits), 0);
	assert_int_equal(limits.days, HISTORY_DAYS);
	assert_int_equal(limits.budget, HISTORY_BUDGET);
	limits = (struct history_limits){ .days = 7, .budget = 0 };
	assert_int_equal(db_history_limits_set(config, &limits), 0);
	assert_int_equal(db_history_limits_get(config, &limits), 0);
	assert_int_equal(limits.days, 7);
	assert_int_equal(limits.budget, 0);
	limits.days = 0;
	assert_int_equal(db_history_limits_set(config, &limits), -EINVAL);
	limits = (struct history_limits){ .days = 1, .budget = 1 };
	assert_int_equal(db_history_limits_set(config, &limits), -EINVAL);
	limits.budget = (uint64_t)(DB_HISTORY_BUDGET_MB_MAX + 1) << 20;
	assert_int_equal(db_history_limits_set(config, &limits), -EINVAL);
	limits.budget = (uint64_t)DB_HISTORY_BUDGET_MB_MAX << 20;
	assert_int_equal(db_history_limits_set(config, &limits), 0);
	/* A number somebody has spoilt is none. */
	assert_int_equal(db_settings_set(config, "history_days", "x"), 0);
	assert_int_equal(db_history_limits_get(config, &limits), 0);
	assert_int_equal(limits.days, HISTORY_DAYS);
}

static void test_the_table_says_what_was_put(void **state)
{
	const struct history_policy policy = { .keep = true, .days = 3 };
	const struct history_limits limits = { .days = 5, .budget = 1 << 20 };
	struct history_rules *rules;

	(void)state;
	assert_int_equal(put("a/#", &policy), 0);
	assert_int_equal(db_history_limits_set(config, &limits), 0);
	assert_int_equal(db_history_policies_build(config, &rules), 0);
	assert_int_equal(history_rules_find(rules, slice_str("a/b"))->days, 3);
	assert_null(history_rules_find(rules, slice_str("b")));
	assert_int_equal(history_rules_limits(rules).days, 5);
	assert_int_equal(history_rules_limits(rules).budget, 1 << 20);
	history_rules_unref(rules);
}

static void test_policies_survive_allocation_failure(void **state)
{
	struct history_rules *rules = NULL;
	unsigned int n = 0;
	int r;

	(void)state;
	do {
		failing_malloc_arm(n++);
		r = db_history_policies_seed(config, "den");
		if (!failing_malloc_disarm())
			break;
		assert_int_equal(r, -ENOMEM);
	} while (n < 20);
	assert_int_equal(r, 0);
	n = 0;
	do {
		failing_malloc_arm(n++);
		r = db_history_policies_build(config, &rules);
		if (!failing_malloc_disarm())
			break;
		assert_int_equal(r, -ENOMEM);
	} while (n < 20);
	assert_int_equal(r, 0);
	assert_non_null(history_rules_find(rules, slice_str("hearth/den/x")));
	history_rules_unref(rules);
}

#define TEST(name)                                                  \
	cmocka_unit_test_setup_teardown(name, scratch_config_setup, \
					scratch_config_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_policies_come_back_as_they_were_put),
		TEST(test_what_is_out_of_range_is_refused),
		TEST(test_a_new_house_keeps_what_its_pins_say),
		TEST(test_an_older_house_keeps_what_it_kept),
		TEST(test_limits),
		TEST(test_the_table_says_what_was_put),
		TEST(test_policies_survive_allocation_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

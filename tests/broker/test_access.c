#include "broker/access.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "broker/base/hash.h"
#include "tests/failing_malloc.h"

#define R ACCESS_READ
#define W ACCESS_WRITE
#define RW ACCESS_READWRITE

/* The house that most tests live in. */
static const struct access_rule house[] = {
	{ 1, NULL, "public/#", RW, true },
	{ 2, "anna", "home/+/light/#", RW, true },
	{ 3, "anna", "home/cellar/#", W, false },
	{ 4, "bert", "own/%u/#", RW, true },
	{ 5, "bert", "dev/%c/state", W, true },
	{ 6, NULL, "%c/#", R, true },
	{ 7, "", "guest/#", R, true },
	{ 8, "anna", "#", R, true },
	{ 9, "bert", "public/secret/#", R, false },
	{ 10, "anna", "$SYS/#", R, true },
};

static int setup(void **state)
{
	static const struct access_user users[] = {
		{ "root", "h", true, true, NULL },
		{ "fired", "h", true, false, NULL },
		{ "anna", "h", false, true, NULL },
	};
	struct access *access;

	hash_seed();
	access = access_new();
	for (size_t i = 0; i < 3; i++)
		if (access_add_user(access, &users[i]) < 0)
			return -1;
	for (size_t i = 0; i < sizeof(house) / sizeof(house[0]); i++)
		if (access_add_rule(access, &house[i]) < 0)
			return -1;
	*state = access;
	return 0;
}

static int teardown(void **state)
{
	access_free(*state);
	return 0;
}

static void test_verdicts(void **state)
{
	static const struct {
		const char *user;
		const char *client;
		const char *topic;
		enum access_action action;
		bool allowed;
		uint32_t rule;
	} rows[] = {
		{ "anna", "a", "public/x", W, true, 1 },
		{ "", "g", "public", R, true, 1 },
		{ "nobody", "n", "elsewhere", R, false, 0 },
		{ "anna", "a", "home/hall/light", W, true, 2 },
		{ "anna", "a", "home/hall/light/1/set", W, true, 2 },
		{ "anna", "a", "home/hall/heat", W, false, 0 },
		/* A refusal is stronger, wherever it stands. */
		{ "anna", "a", "home/cellar/light", W, false, 3 },
		{ "anna", "a", "home/cellar/light", R, true, 2 },
		{ "anna", "a", "any/thing", R, true, 8 },
		{ "anna", "a", "any/thing", W, false, 0 },
		{ "bert", "b", "public/secret/x", R, false, 9 },
		{ "bert", "b", "public/secret/x", W, true, 1 },
		/* Names put in. */
		{ "bert", "b", "own/bert/x", W, true, 4 },
		{ "bert", "b", "own/anna/x", W, false, 0 },
		{ "bert", "b7", "dev/b7/state", W, true, 5 },
		{ "bert", "b7", "dev/b8/state", W, false, 0 },
		{ "anna", "a", "own/anna/x", W, false, 0 }, /* bert's rule */
		{ "bert", "b7", "b7/x", R, true, 6 },
		{ "bert", "b7", "b7", R, true, 6 },
		/* Anonymous is a user of its own. */
		{ "", "g", "guest/x", R, true, 7 },
		{ "bert", "b", "guest/x", R, false, 0 },
		/* The server's own topics need to be named. */
		{ "anna", "a", "$SYS/uptime", R, true, 10 },
		{ "anna", "a", "$other/x", R, false, 0 },
		{ "bert", "b", "$SYS/uptime", R, false, 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct access_verdict v =
			access_may(*state, rows[i].user, rows[i].client,
				   slice_str(rows[i].topic), rows[i].action);

		assert_int_equal(v.allowed, rows[i].allowed);
		assert_int_equal(v.rule, rows[i].rule);
		assert_false(v.admin);
	}
}

/* CVE-2017-7650: a name is no pattern and no path, and not the server's. */
static void test_names_that_are_patterns_hold_no_rule(void **state)
{
	static const char *const names[] = { "#", "+", "a/b",  "a#",   "+a",
					     "/", "",  "$SYS", "$SYS/" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_false(access_may(*state, "bert", names[i],
					slice_str("$SYS/uptime"), R)
				     .allowed);
		assert_false(access_may(*state, "bert", names[i],
					slice_str("dev/x/state"), W)
				     .allowed);
		assert_false(access_may(*state, "bert", names[i],
					slice_str("a/b/c"), R)
				     .allowed);
		assert_false(access_may_subscribe(*state, "bert", names[i],
						  slice_str("a/b/#"))
				     .allowed);
		assert_false(access_may_subscribe(*state, "bert", names[i],
						  slice_str("$SYS/#"))
				     .allowed);
	}
}

static void test_administrators_may_all_while_enabled(void **state)
{
	struct access_verdict v =
		access_may(*state, "root", "r", slice_str("$SYS/x"), W);

	assert_true(v.allowed && v.admin);
	assert_int_equal(v.rule, 0);
	v = access_may_subscribe(*state, "root", "r", slice_str("#"));
	assert_true(v.allowed && v.admin);
	assert_false(
		access_may(*state, "fired", "f", slice_str("x"), W).allowed);
	assert_false(access_may_subscribe(*state, "fired", "f", slice_str("x"))
			     .allowed);
}

static void test_subscribing_is_judged_by_overlap(void **state)
{
	static const struct {
		const char *user;
		const char *filter;
		bool allowed;
	} rows[] = {
		{ "bert", "public/#", true },
		{ "bert", "public/+", true },
		{ "bert", "#", true }, /* each message is judged again */
		{ "bert", "+/x", true },
		{ "bert", "own/bert/#", true },
		{ "bert", "own/+/x", true },
		{ "bert", "own/anna/#", false },
		{ "bert", "elsewhere/#", false },
		/* Covered whole by a refusal. */
		{ "bert", "public/secret/#", false },
		{ "bert", "public/secret/a/+", false },
		{ "bert", "public/secret", false },
		{ "bert", "$SYS/#", false },
		{ "anna", "$SYS/#", true },
		{ "anna", "$SYS/+/x", true },
		{ "", "guest/x", true },
		{ "", "home/#", false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(access_may_subscribe(*state, rows[i].user,
						      "c1",
						      slice_str(rows[i].filter))
					 .allowed,
				 rows[i].allowed);
}

static void test_without_a_table_all_but_the_servers_own(void **state)
{
	(void)state;
	assert_true(access_may(NULL, "", "c", slice_str("a"), W).allowed);
	assert_false(access_may(NULL, "", "c", slice_str("$a"), R).allowed);
	assert_true(
		access_may_subscribe(NULL, "", "c", slice_str("#")).allowed);
	assert_false(access_may_subscribe(NULL, "", "c", slice_str("$SYS/#"))
			     .allowed);
}

static void test_what_is_no_rule_or_user_is_refused(void **state)
{
	struct access_rule rule = { 1, NULL, "a/#/b", RW, true };
	const struct access_user anna = { "anna", "other", true, true, NULL };

	assert_int_equal(access_add_rule(*state, &rule), -EINVAL);
	rule.filter = "";
	assert_int_equal(access_add_rule(*state, &rule), -EINVAL);
	rule.filter = "a";
	rule.id = 0;
	assert_int_equal(access_add_rule(*state, &rule), -EINVAL);
	rule.id = 1;
	rule.action = (enum access_action)0;
	assert_int_equal(access_add_rule(*state, &rule), -EINVAL);
	assert_int_equal(access_add_user(*state, &anna), -EEXIST);
	assert_false(access_find_user(*state, slice_str("anna"))->admin);
	assert_null(access_find_user(*state, slice_str("ann")));
	assert_null(access_find_user(*state, slice_str("")));
}

static void test_a_table_is_built_whole_or_not(void **state)
{
	const struct access_rule rule = { 77, "carl", "new/#", RW, true };
	const struct access_user user = { "carl", "h", true, true, NULL };
	struct access *access;
	unsigned int n = 0;
	int r;

	do {
		failing_malloc_arm(n++);
		access = access_new();
		assert_int_equal(failing_malloc_disarm(), !access);
	} while (!access);
	access_free(access);
	access_free(NULL);
	n = 0;
	do {
		assert_false(
			access_may(*state, "carl", "c", slice_str("new/x"), W)
				.allowed);
		failing_malloc_arm(n++);
		r = access_add_rule(*state, &rule);
		assert_int_equal(failing_malloc_disarm(), r == -ENOMEM);
	} while (r < 0);
	assert_true(
		access_may(*state, "carl", "c", slice_str("new/x"), W).allowed);
	n = 0;
	do {
		assert_null(access_find_user(*state, slice_str("carl")));
		failing_malloc_arm(n++);
		r = access_add_user(*state, &user);
		assert_int_equal(failing_malloc_disarm(), r == -ENOMEM);
	} while (r < 0);
	assert_true(n > 1);
	assert_true(access_find_user(*state, slice_str("carl"))->admin);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_verdicts),
		T(test_names_that_are_patterns_hold_no_rule),
		T(test_administrators_may_all_while_enabled),
		T(test_subscribing_is_judged_by_overlap),
		T(test_without_a_table_all_but_the_servers_own),
		T(test_what_is_no_rule_or_user_is_refused),
		T(test_a_table_is_built_whole_or_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

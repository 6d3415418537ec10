#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "db/access_rules.h"
#include "db/config.h"
#include "db/db.h"
#include "db/users.h"
#include "tests/db/scratch.h"
#include "tests/db/scratch_config.h"
#include "tests/failing_malloc.h"

static struct db_user user(const char *name, bool admin)
{
	struct db_user u = { .hash = "$sha256$x$y",
			     .admin = admin,
			     .enabled = true };

	(void)snprintf(u.name, sizeof(u.name), "%s", name);
	return u;
}

static int add(const char *name, bool admin)
{
	struct db_user u = user(name, admin);

	return db_users_add(config, &u);
}

static void test_names(void **state)
{
	static const struct {
		const char *name;
		bool valid;
	} names[] = {
		{ "anna", true },
		{ "Kitchen sensor 2", true },
		{ "J\xc3\xb6rg", true },
		{ "a:b", true },
		{ "123456789012345678901234567890123456789012345678901234567890"
		  "1234",
		  true },
		{ "123456789012345678901234567890123456789012345678901234567890"
		  "12345",
		  false },
		{ "", false },
		{ "a/b", false },
		{ "a+b", false },
		{ "a#", false },
		{ "*", false },
		{ "$web", false },
		{ " anna", false },
		{ "anna ", false },
		{ "an\nna", false },
		{ "an\x7fna", false },
		{ "an\xc2\x85na", false },
		{ "an\xc2\xa0na", true },
		{ "\xff", false },
		{ "gpio", false },
		{ "gpio2", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (db_user_name_valid(names[i].name) != names[i].valid)
			fail_msg("'%s'", names[i].name);
	}
}

static void test_a_user_comes_back_as_given(void **state)
{
	struct db_user u = user("door lock", false);
	struct db_user got;

	(void)state;
	u.kind = DB_USER_DEVICE;
	u.enabled = false;
	assert_int_equal(db_users_add(config, &u), 0);
	assert_int_equal(db_users_get(config, "door lock", &got), 0);
	assert_string_equal(got.name, u.name);
	assert_string_equal(got.hash, u.hash);
	assert_int_equal(got.kind, DB_USER_DEVICE);
	assert_false(got.admin);
	assert_false(got.enabled);
	assert_true(got.created > 1600000000000);
	assert_true(got.version > 0);
	assert_int_equal(db_users_add(config, &u), -EEXIST);
	assert_int_equal(db_users_get(config, "nobody", &got), -ENOENT);
}

static void test_users_outlive_the_process(void **state)
{
	struct db_user got;

	(void)state;
	assert_int_equal(add("anna", true), 0);
	db_config_close(config);
	db_close(db);
	db = scratch_open();
	assert_int_equal(db_config_open(db, &config), 0);
	assert_int_equal(db_users_get(config, "anna", &got), 0);
	assert_true(got.admin);
}

static void test_list_is_in_order_of_name(void **state)
{
	struct db_user *users;
	size_t count;

	(void)state;
	assert_int_equal(db_users_list(config, &users, &count), 0);
	assert_int_equal(count, 0);
	free(users);
	assert_int_equal(add("carl", false), 0);
	assert_int_equal(add("anna", true), 0);
	assert_int_equal(add("bob", false), 0);
	assert_int_equal(db_users_list(config, &users, &count), 0);
	assert_int_equal(count, 3);
	assert_string_equal(users[0].name, "anna");
	assert_string_equal(users[1].name, "bob");
	assert_string_equal(users[2].name, "carl");
	free(users);
}

static void test_malformed_users_are_refused(void **state)
{
	struct db_user u = user("a/b", false);

	(void)state;
	assert_int_equal(db_users_add(config, &u), -EINVAL);
	u = user("anna", false);
	memcpy(u.hash, "two words", 10);
	assert_int_equal(db_users_add(config, &u), -EINVAL);
	memset(u.hash, 'x', sizeof(u.hash));
	assert_int_equal(db_users_add(config, &u), -EINVAL);
	u = user("gpio", true);
	assert_int_equal(db_users_add(config, &u), -EINVAL);
}

static void test_each_change_has_a_new_version(void **state)
{
	struct db_user first;
	struct db_user second;

	(void)state;
	assert_int_equal(add("anna", true), 0);
	assert_int_equal(db_users_get(config, "anna", &first), 0);
	memcpy(first.hash, "$new", 5);
	assert_int_equal(db_users_change(config, &first), 0);
	assert_int_equal(db_users_get(config, "anna", &second), 0);
	assert_string_equal(second.hash, "$new");
	assert_true(second.version > first.version);
	assert_int_equal(second.created, first.created);

	/* Somebody else was faster. */
	assert_int_equal(db_users_change(config, &first), -ESTALE);
	assert_int_equal(db_users_remove(config, "anna", first.version),
			 -ESTALE);
	first.version = 0;
	assert_int_equal(db_users_change(config, &first), 0);

	/* Nor does a name that is used again get an old version. */
	assert_int_equal(add("bob", true), 0);
	assert_int_equal(db_users_remove(config, "anna", 0), 0);
	assert_int_equal(add("anna", true), 0);
	assert_int_equal(db_users_get(config, "anna", &first), 0);
	assert_true(first.version > second.version);
}

static void test_change_and_remove_need_a_user(void **state)
{
	struct db_user u = user("anna", true);

	(void)state;
	assert_int_equal(db_users_change(config, &u), -ENOENT);
	assert_int_equal(db_users_remove(config, "anna", 0), -ENOENT);
}

static void test_the_last_administrator_stays(void **state)
{
	struct db_user u = user("anna", true);

	(void)state;
	assert_int_equal(add("anna", true), 0);
	assert_int_equal(add("bob", false), 0);
	assert_int_equal(db_users_remove(config, "anna", 0), -EBUSY);
	u.admin = false;
	assert_int_equal(db_users_change(config, &u), -EBUSY);
	u.admin = true;
	u.enabled = false;
	assert_int_equal(db_users_change(config, &u), -EBUSY);
	assert_int_equal(db_users_get(config, "anna", &u), 0);
	assert_true(u.admin && u.enabled);

	/* A disabled administrator is none. */
	assert_int_equal(add("carl", true), 0);
	u = user("carl", true);
	u.enabled = false;
	assert_int_equal(db_users_change(config, &u), 0);
	assert_int_equal(db_users_remove(config, "anna", 0), -EBUSY);
	u.enabled = true;
	assert_int_equal(db_users_change(config, &u), 0);
	assert_int_equal(db_users_remove(config, "anna", 0), 0);
}

static size_t rules_of(const char *name, struct db_rule *first)
{
	struct db_rule *rules = NULL;
	size_t count = 0;

	assert_int_equal(db_rules_list(config, name, &rules, &count), 0);
	if (count)
		*first = rules[0];
	free(rules);

	return count;
}

static void test_new_users_have_rules_that_go_with_them(void **state)
{
	struct db_user device = user("sensor", false);
	struct db_rule rule = { 0 };

	(void)state;
	device.kind = DB_USER_DEVICE;
	assert_int_equal(add("anna", true), 0);
	assert_int_equal(add("bob", false), 0);
	assert_int_equal(db_users_add(config, &device), 0);
	assert_int_equal(rules_of("bob", &rule), 4);
	assert_string_equal(rule.filter, "hearth/#");
	assert_int_equal(rule.action, ACCESS_READ);
	assert_int_equal(rules_of("sensor", &rule), 1);
	assert_string_equal(rule.filter, "%u/#");
	assert_int_equal(rule.action, ACCESS_READWRITE);
	assert_int_equal(db_users_remove(config, "bob", 0), 0);
	assert_int_equal(rules_of("bob", &rule), 0);
	assert_int_equal(rules_of("sensor", &rule), 1);
}

static void test_a_transaction_is_all_or_nothing(void **state)
{
	struct db_user got;

	(void)state;
	assert_int_equal(db_config_begin(config), 0);
	assert_int_equal(add("anna", true), 0);
	assert_int_equal(db_config_begin(config), 0);
	assert_int_equal(add("bob", true), 0);
	assert_int_equal(db_config_end(config, false), 0);
	assert_int_equal(db_config_end(config, true), -ECANCELED);
	assert_int_equal(db_users_get(config, "anna", &got), -ENOENT);

	assert_int_equal(db_config_begin(config), 0);
	assert_int_equal(add("anna", true), 0);
	assert_int_equal(db_config_end(config, true), 0);
	assert_int_equal(db_users_get(config, "anna", &got), 0);
}

static void test_list_survives_allocation_failure(void **state)
{
	struct db_user *users = NULL;
	unsigned int n = 0;
	size_t count = 0;
	int r;

	(void)state;
	assert_int_equal(add("anna", true), 0);
	do {
		failing_malloc_arm(n++);
		r = db_users_list(config, &users, &count);
		if (!failing_malloc_disarm())
			break;
		assert_int_equal(r, -ENOMEM);
	} while (n < 10);
	assert_int_equal(r, 0);
	assert_int_equal(n, 2);
	assert_int_equal(count, 1);
	free(users);
}

#define TEST(name)                                                  \
	cmocka_unit_test_setup_teardown(name, scratch_config_setup, \
					scratch_config_teardown)

/* Keys of the old password would let it in for ever. */
static void test_scram_keys_go_with_their_password(void **state)
{
	struct db_user u = user("lamp", false);
	struct db_user got;

	(void)state;
	memcpy(u.scram, "$one", 5);
	assert_int_equal(db_users_add(config, &u), 0);
	assert_int_equal(db_users_get(config, "lamp", &got), 0);
	assert_string_equal(got.scram, "$one");

	/* The same password: they stay. */
	got.enabled = false;
	assert_int_equal(db_users_change(config, &got), 0);
	assert_int_equal(db_users_get(config, "lamp", &got), 0);
	assert_string_equal(got.scram, "$one");

	/* Another password, and nobody thought of them. */
	memcpy(got.hash, "$sha256$x$z", 12);
	assert_int_equal(db_users_change(config, &got), 0);
	assert_int_equal(db_users_get(config, "lamp", &got), 0);
	assert_string_equal(got.hash, "$sha256$x$z");
	assert_string_equal(got.scram, "");

	/* Both new. */
	memcpy(got.hash, "$sha256$x$y", 12);
	memcpy(got.scram, "$two", 5);
	assert_int_equal(db_users_change(config, &got), 0);
	assert_int_equal(db_users_get(config, "lamp", &got), 0);
	assert_string_equal(got.scram, "$two");

	memcpy(got.scram, "$t o", 5);
	assert_int_equal(db_users_change(config, &got), -EINVAL);
	memset(got.scram, 'x', sizeof(got.scram));
	assert_int_equal(db_users_change(config, &got), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		TEST(test_a_user_comes_back_as_given),
		TEST(test_users_outlive_the_process),
		TEST(test_list_is_in_order_of_name),
		TEST(test_malformed_users_are_refused),
		TEST(test_each_change_has_a_new_version),
		TEST(test_scram_keys_go_with_their_password),
		TEST(test_change_and_remove_need_a_user),
		TEST(test_the_last_administrator_stays),
		TEST(test_new_users_have_rules_that_go_with_them),
		TEST(test_a_transaction_is_all_or_nothing),
		TEST(test_list_survives_allocation_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "db/bans.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "broker/base/clock.h"
#include "db/config.h"
#include "db/db.h"
#include "tests/db/scratch.h"
#include "tests/db/scratch_config.h"
#include "tests/failing_malloc.h"

static int add(enum ban_kind kind, const char *what, int64_t until,
	       struct db_ban *out)
{
	struct db_ban ban = {
		.kind = kind,
		.reason = "why",
		.until = until,
		.created = 1000,
		.by = "anna",
	};
	int r;

	(void)snprintf(ban.what, sizeof(ban.what), "%s", what);
	r = db_bans_add(config, &ban);
	if (out)
		*out = ban;
	return r;
}

static size_t count(int64_t now)
{
	struct db_ban *bans;
	size_t n;

	assert_int_equal(db_bans_list(config, now, &bans, &n), 0);
	free(bans);
	return n;
}

static void test_a_ban_comes_back_as_given(void **state)
{
	struct db_ban made, *bans;
	size_t n;

	(void)state;
	assert_int_equal(add(BAN_ADDRESS, "192.0.2.9/24", 5000, &made), 0);
	assert_string_equal(made.what, "192.0.2.0/24");
	/* It is there after a restart. */
	db_config_close(config);
	db_close(db);
	db = scratch_open();
	assert_int_equal(db_config_open(db, &config), 0);
	assert_int_equal(db_bans_list(config, 1000, &bans, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(bans[0].id, made.id);
	assert_int_equal(bans[0].kind, BAN_ADDRESS);
	assert_string_equal(bans[0].what, "192.0.2.0/24");
	assert_string_equal(bans[0].reason, "why");
	assert_string_equal(bans[0].by, "anna");
	assert_int_equal(bans[0].until, 5000);
	assert_int_equal(bans[0].created, 1000);
	free(bans);
	assert_int_equal(db_bans_remove(config, made.id), 0);
	assert_int_equal(db_bans_remove(config, made.id), -ENOENT);
	assert_int_equal(count(1000), 0);
}

static void test_the_same_again_keeps_its_number(void **state)
{
	struct db_ban first, second;

	(void)state;
	assert_int_equal(add(BAN_ADDRESS, "192.0.2.9", 5000, &first), 0);
	assert_int_equal(add(BAN_ADDRESS, "192.0.2.9/32", 0, &second), 0);
	assert_int_equal(second.id, first.id);
	assert_int_equal(count(9999), 1);
	/* The same name as a user is another ban. */
	assert_int_equal(add(BAN_USER, "192.0.2.9", 0, &second), 0);
	assert_int_not_equal(second.id, first.id);
}

static void test_those_that_are_over_go(void **state)
{
	struct db_ban first, second;

	(void)state;
	assert_int_equal(add(BAN_USER, "bob", 900, &first), 0);
	assert_int_equal(count(899), 1);
	assert_int_equal(count(900), 0);
	assert_int_equal(add(BAN_USER, "carl", 5000, &second), 0);
	assert_int_equal(count(0), 1);
	/* A number is never used again. */
	assert_true(second.id > first.id);
}

static void test_malformed_ones_are_refused(void **state)
{
	(void)state;
	assert_int_equal(add(BAN_USER, "", 0, NULL), -EINVAL);
	assert_int_equal(add(BAN_USER, "\xff", 0, NULL), -EINVAL);
	assert_int_equal(add(BAN_USER, "bob", -1, NULL), -EINVAL);
	assert_int_equal(add(BAN_ADDRESS, "kitchen", 0, NULL), -EINVAL);
	assert_int_equal(count(0), 0);
}

static void test_no_more_fit_than_the_broker_takes(void **state)
{
	char name[16];

	(void)state;
	assert_int_equal(db_config_begin(config), 0);
	for (unsigned int i = 0; i < LIMIT_BANS; i++) {
		(void)snprintf(name, sizeof(name), "u%u", i);
		assert_int_equal(add(BAN_USER, name, 0, NULL), 0);
	}
	assert_int_equal(db_config_end(config, true), 0);
	assert_int_equal(add(BAN_USER, "more", 0, NULL), -ENFILE);
	assert_int_equal(add(BAN_USER, "u7", 5000, NULL), 0);
	assert_int_equal(count(0), LIMIT_BANS);
}

static void test_the_table_holds_what_is_left_of_each(void **state)
{
	const int64_t wall = clock_wall_ms();
	const uint64_t now = clock_ms();
	struct bans *bans;
	struct ban *ban;

	(void)state;
	assert_int_equal(add(BAN_USER, "for good", 0, NULL), 0);
	assert_int_equal(add(BAN_USER, "past", wall - 1, NULL), 0);
	assert_int_equal(add(BAN_USER, "hour", wall + 3600000, NULL), 0);
	assert_int_equal(db_bans_build(config, &bans), 0);
	ban = bans_next(bans, NULL);
	assert_string_equal(ban->what, "for good");
	assert_int_equal(ban->ends, UINT64_MAX);
	ban = bans_next(bans, ban);
	assert_string_equal(ban->what, "hour");
	assert_in_range(ban->ends, now + 3600000 - 60000,
			now + 3600000 + 60000);
	assert_int_equal(ban->until, wall + 3600000);
	assert_null(bans_next(bans, ban));
	bans_free(bans);
}

static void test_build_survives_allocation_failure(void **state)
{
	struct bans *bans = NULL;
	unsigned int n = 0;
	int r;

	(void)state;
	assert_int_equal(add(BAN_USER, "bob", 0, NULL), 0);
	assert_int_equal(add(BAN_ADDRESS, "::1", 0, NULL), 0);
	do {
		failing_malloc_arm(n++);
		r = db_bans_build(config, &bans);
		if (!failing_malloc_disarm())
			break;
		assert_int_equal(r, -ENOMEM);
	} while (n < 200);
	assert_int_equal(r, 0);
	assert_true(n > 3);
	bans_free(bans);
}

#define TEST(name)                                                  \
	cmocka_unit_test_setup_teardown(name, scratch_config_setup, \
					scratch_config_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_ban_comes_back_as_given),
		TEST(test_the_same_again_keeps_its_number),
		TEST(test_those_that_are_over_go),
		TEST(test_malformed_ones_are_refused),
		TEST(test_no_more_fit_than_the_broker_takes),
		TEST(test_the_table_holds_what_is_left_of_each),
		TEST(test_build_survives_allocation_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

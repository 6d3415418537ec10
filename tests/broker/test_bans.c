#include "broker/bans.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "broker/limits.h"
#include "tests/failing_malloc.h"

static int setup(void **state)
{
	*state = bans_new();
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	bans_free(*state);
	return 0;
}

static int add(struct bans *bans, uint32_t id, enum ban_kind kind,
	       const char *what, uint64_t ends)
{
	const struct ban ban = {
		.id = id,
		.kind = kind,
		.what = what,
		.reason = "noise",
		.ends = ends,
	};

	return bans_add(bans, &ban);
}

/* The id of the ban that holds, or 0. */
static uint32_t find(struct bans *bans, enum ban_kind kind, const char *text,
		     uint64_t now)
{
	const struct ban *ban = bans_find(bans, kind, slice_str(text), now);

	return ban ? ban->id : 0;
}

static void test_each_kind_means_its_own(void **state)
{
	struct bans *bans = *state;

	assert_int_equal(find(bans, BAN_USER, "anna", 0), 0);
	assert_int_equal(add(bans, 1, BAN_USER, "anna", UINT64_MAX), 0);
	assert_int_equal(add(bans, 2, BAN_CLIENT, "tv", UINT64_MAX), 0);
	assert_int_equal(add(bans, 3, BAN_ADDRESS, "192.0.2.0/24", UINT64_MAX),
			 0);
	assert_int_equal(find(bans, BAN_USER, "anna", 0), 1);
	assert_int_equal(find(bans, BAN_USER, "ann", 0), 0);
	assert_int_equal(find(bans, BAN_USER, "anna2", 0), 0);
	assert_int_equal(find(bans, BAN_CLIENT, "anna", 0), 0);
	assert_int_equal(find(bans, BAN_CLIENT, "tv", 0), 2);
	assert_int_equal(find(bans, BAN_ADDRESS, "192.0.2.9:1", 0), 3);
	assert_int_equal(find(bans, BAN_ADDRESS, "192.0.3.9:1", 0), 0);
	assert_int_equal(find(bans, BAN_ADDRESS, "unix", 0), 0);
	/* An anonymous client has no user name to be banned by. */
	assert_int_equal(find(bans, BAN_USER, "", 0), 0);
}

static void test_it_is_over_when_its_time_has_come(void **state)
{
	struct bans *bans = *state;

	assert_int_equal(add(bans, 1, BAN_USER, "anna", 1000), 0);
	assert_int_equal(find(bans, BAN_USER, "anna", 999), 1);
	assert_int_equal(find(bans, BAN_USER, "anna", 1000), 0);
	assert_int_equal(bans_count(bans, 999), 1);
	assert_int_equal(bans_count(bans, 1000), 0);
	assert_null(bans_next(bans, NULL));
}

static void test_the_same_again_replaces_it(void **state)
{
	struct bans *bans = *state;
	struct ban *ban;

	assert_int_equal(add(bans, 1, BAN_USER, "anna", 1000), 0);
	assert_int_equal(find(bans, BAN_USER, "anna", 0), 1);
	assert_int_equal(add(bans, 1, BAN_USER, "anna", 2000), 0);
	assert_int_equal(bans_count(bans, 0), 1);
	ban = bans_next(bans, NULL);
	assert_int_equal(ban->ends, 2000);
	assert_int_equal(ban->hits, 1);
	assert_string_equal(ban->reason, "noise");
}

static void test_they_are_listed_by_number_and_lifted(void **state)
{
	struct bans *bans = *state;
	struct ban *at;

	assert_int_equal(add(bans, 7, BAN_USER, "c", UINT64_MAX), 0);
	assert_int_equal(add(bans, BAN_AUTOMATIC, BAN_USER, "d", 9), 0);
	assert_int_equal(add(bans, 2, BAN_USER, "a", UINT64_MAX), 0);
	assert_int_equal(add(bans, 5, BAN_USER, "b", UINT64_MAX), 0);
	assert_int_equal((at = bans_next(bans, NULL))->id, 2);
	assert_int_equal((at = bans_next(bans, at))->id, 5);
	assert_int_equal((at = bans_next(bans, at))->id, 7);
	assert_int_equal((at = bans_next(bans, at))->id, BAN_AUTOMATIC);
	assert_null(bans_next(bans, at));
	assert_int_equal(bans_remove(bans, 5), 0);
	assert_int_equal(bans_remove(bans, 5), -ENOENT);
	assert_int_equal(find(bans, BAN_USER, "b", 0), 0);
	assert_int_equal(find(bans, BAN_USER, "c", 0), 7);
}

static void test_a_malformed_address_is_refused(void **state)
{
	assert_int_equal(add(*state, 1, BAN_ADDRESS, "192.0.2.0/33", 9),
			 -EINVAL);
	assert_int_equal(bans_count(*state, 0), 0);
}

static void test_people_reach_a_limit(void **state)
{
	struct bans *bans = *state;
	char name[16];

	for (unsigned int i = 1; i <= LIMIT_BANS; i++) {
		snprintf(name, sizeof(name), "u%u", i);
		assert_int_equal(add(bans, i, BAN_USER, name, UINT64_MAX), 0);
	}
	assert_int_equal(add(bans, LIMIT_BANS + 1, BAN_USER, "more", 9),
			 -ENFILE);
	/* What is there can be changed, and the broker still defends itself. */
	assert_int_equal(add(bans, 1, BAN_USER, "u1", 9), 0);
	assert_int_equal(add(bans, BAN_AUTOMATIC, BAN_USER, "more", 9), 0);
}

static void test_of_automatic_ones_the_oldest_goes(void **state)
{
	struct bans *bans = *state;
	char name[16];

	for (unsigned int i = 0; i < LIMIT_BANS + 2; i++) {
		snprintf(name, sizeof(name), "u%u", i);
		assert_int_equal(add(bans, BAN_AUTOMATIC, BAN_USER, name, 9),
				 0);
	}
	assert_int_equal(bans_count(bans, 0), LIMIT_BANS);
	assert_int_equal(find(bans, BAN_USER, "u0", 0), 0);
	assert_int_equal(find(bans, BAN_USER, "u1", 0), 0);
	assert_int_equal(find(bans, BAN_USER, "u2", 0), BAN_AUTOMATIC + 2);
}

static void test_a_new_table_keeps_what_the_broker_made(void **state)
{
	struct bans *bans = *state;
	struct bans *new = bans_new();

	assert_int_equal(add(bans, 1, BAN_USER, "anna", UINT64_MAX), 0);
	assert_int_equal(add(bans, 2, BAN_USER, "bob", UINT64_MAX), 0);
	assert_int_equal(add(bans, BAN_AUTOMATIC, BAN_ADDRESS, "192.0.2.7", 9),
			 0);
	assert_int_equal(find(bans, BAN_USER, "bob", 0), 2);
	assert_int_equal(add(new, 2, BAN_USER, "bob", UINT64_MAX), 0);
	bans_inherit(new, bans);
	*state = new;
	assert_int_equal(find(new, BAN_USER, "anna", 0), 0);
	assert_int_equal(find(new, BAN_ADDRESS, "192.0.2.7:1", 0),
			 BAN_AUTOMATIC);
	assert_int_equal(bans_next(new, NULL)->hits, 1);
	assert_int_equal(bans_count(new, 0), 2);
	/* Numbers go on where they were. */
	assert_int_equal(add(new, BAN_AUTOMATIC, BAN_ADDRESS, "192.0.2.8", 9),
			 0);
	assert_int_equal(find(new, BAN_ADDRESS, "192.0.2.8:1", 0),
			 BAN_AUTOMATIC + 1);
}

static void test_add_survives_allocation_failure(void **state)
{
	struct bans *bans = *state;

	assert_int_equal(add(bans, 1, BAN_USER, "anna", 9), 0);
	failing_malloc_arm(0);
	assert_int_equal(add(bans, 1, BAN_USER, "anna", 20), -ENOMEM);
	assert_true(failing_malloc_disarm());
	assert_int_equal(bans_next(bans, NULL)->ends, 9);
	failing_malloc_arm(0);
	assert_null(bans_new());
	assert_true(failing_malloc_disarm());
}

static void test_words_are_those_of_rest(void **state)
{
	enum ban_kind kind;

	(void)state;
	for (unsigned int i = BAN_USER; i <= BAN_ADDRESS; i++) {
		assert_int_equal(
			ban_kind_parse(ban_kind_text((enum ban_kind)i), &kind),
			0);
		assert_int_equal(kind, i);
	}
	assert_int_equal(ban_kind_parse("house", &kind), -EINVAL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_each_kind_means_its_own),
		TEST(test_it_is_over_when_its_time_has_come),
		TEST(test_the_same_again_replaces_it),
		TEST(test_they_are_listed_by_number_and_lifted),
		TEST(test_a_malformed_address_is_refused),
		TEST(test_people_reach_a_limit),
		TEST(test_of_automatic_ones_the_oldest_goes),
		TEST(test_a_new_table_keeps_what_the_broker_made),
		TEST(test_add_survives_allocation_failure),
		cmocka_unit_test(test_words_are_those_of_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "db/gather.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define MS 1000000u

/* A commit of 10 ms that ended at 50 ms, and 40 operations under way. */
static struct gather after_a_commit(void)
{
	struct gather gather;

	gather_expect(&gather, 40, 40 * MS, 50 * MS);
	return gather;
}

static void test_nothing_waits_before_the_first_commit(void **state)
{
	struct gather gather = { 0 };

	(void)state;
	assert_int_equal(gather_left(&gather, 1, 50 * MS), 0);
}

static void test_a_commit_waits_for_those_just_acknowledged(void **state)
{
	struct gather gather = after_a_commit();

	(void)state;
	assert_int_equal(gather_left(&gather, 1, 50 * MS), 10 * MS / 8);
	assert_int_equal(gather_left(&gather, 39, 51 * MS), 10 * MS / 8 - MS);
}

static void test_a_commit_that_has_them_all_does_not_wait(void **state)
{
	struct gather gather = after_a_commit();

	(void)state;
	assert_int_equal(gather_left(&gather, 40, 50 * MS), 0);
	assert_int_equal(gather_left(&gather, 41, 50 * MS), 0);
}

static void test_what_comes_later_does_not_wait(void **state)
{
	struct gather gather = after_a_commit();

	(void)state;
	assert_int_equal(gather_left(&gather, 1, 50 * MS + 10 * MS / 8), 0);
	assert_int_equal(gather_left(&gather, 1, 3600000ull * MS), 0);
}

static void test_a_card_that_stopped_is_not_waited_for(void **state)
{
	struct gather gather;

	(void)state;
	gather_expect(&gather, 40, 0, 5000ull * MS);
	assert_int_equal(gather_left(&gather, 1, 5000ull * MS), GATHER_MAX_NS);
}

static void test_removals_wait_for_more_for_a_while(void **state)
{
	struct gather gather = after_a_commit();

	(void)state;
	gather_begin(&gather, 60 * MS);
	assert_int_equal(gather_removals_left(&gather, 60 * MS),
			 GATHER_REMOVALS_NS);
	assert_int_equal(
		gather_removals_left(&gather, 59 * MS + GATHER_REMOVALS_NS),
		MS);
	assert_int_equal(
		gather_removals_left(&gather, 60 * MS + GATHER_REMOVALS_NS), 0);
	assert_int_equal(gather_removals_left(&gather, 3600000ull * MS), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_waits_before_the_first_commit),
		cmocka_unit_test(
			test_a_commit_waits_for_those_just_acknowledged),
		cmocka_unit_test(test_a_commit_that_has_them_all_does_not_wait),
		cmocka_unit_test(test_what_comes_later_does_not_wait),
		cmocka_unit_test(test_a_card_that_stopped_is_not_waited_for),
		cmocka_unit_test(test_removals_wait_for_more_for_a_while),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

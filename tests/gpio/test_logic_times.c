#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/gpio/logic_bench.h"

enum { A, B, C };

static void test_on_time_ends_when_it_said(void **state)
{
	(void)state;
	bench_begin();
	bench_order_for(A, LOGIC_ON, 5000, 0);
	assert_int_equal(logic_next(&bench.logic, bench.now), bench.now + 5000);
	bench_pass(4999);
	assert_true(bench_on(A));
	bench_pass(1);
	assert_false(bench_on(A));
	assert_int_equal(logic_next(&bench.logic, bench.now), UINT64_MAX);
}

static void test_a_later_order_ends_an_earlier_ones_time(void **state)
{
	(void)state;
	bench_begin();
	bench_order_for(A, LOGIC_ON, 5000, 0);
	bench_pass(1000);
	bench_order_for(A, LOGIC_ON, 9000, 0);
	assert_int_equal(logic_next(&bench.logic, bench.now), bench.now + 9000);
	bench_order(A, LOGIC_ON);
	assert_int_equal(logic_next(&bench.logic, bench.now), UINT64_MAX);
	bench_order_for(A, LOGIC_ON, 5000, 0);
	bench_order(A, LOGIC_OFF);
	assert_int_equal(logic_next(&bench.logic, bench.now), UINT64_MAX);
	/* A toggle to ON takes the time, one to OFF has none. */
	bench_order_for(A, LOGIC_TOGGLE, 5000, 0);
	assert_int_equal(logic_next(&bench.logic, bench.now), bench.now + 5000);
	bench_order_for(A, LOGIC_TOGGLE, 5000, 0);
	assert_int_equal(logic_next(&bench.logic, bench.now), UINT64_MAX);
}

/* The hub was slow: an order comes when the time is up, and is not done. */
static void test_what_was_due_stays_due_until_an_order_is_done(void **state)
{
	(void)state;
	bench_begin();
	for (int lease = 0; lease < 2; lease++) {
		assert_int_equal(bench_order_for(A, LOGIC_ON, lease ? 0 : 5000,
						 lease ? 5000 : 0),
				 LOGIC_APPLIED);
		bench.now += 6000;
		bench.broken[A] = true;
		assert_int_equal(bench_order(A, LOGIC_OFF), LOGIC_FAULT);
		assert_true(bench_on(A));
		bench.broken[A] = false;
		bench_pass(LOGIC_RETRY_MS);
		assert_false(bench_on(A));
	}
}

static void test_who_renews_at_the_last_moment_is_heard(void **state)
{
	(void)state;
	bench_begin();
	assert_int_equal(bench_order_for(A, LOGIC_ON, 5000, 5000),
			 LOGIC_APPLIED);
	bench.now += 5000;
	assert_int_equal(bench_order_for(A, LOGIC_ON, 5000, 5000),
			 LOGIC_APPLIED);
	assert_true(bench_on(A));
	bench_pass(4999);
	assert_true(bench_on(A));
	bench_pass(1);
	assert_false(bench_on(A));
}

static void test_auto_off_is_the_on_time_of_orders_without(void **state)
{
	(void)state;
	bench.rules[A].auto_off_ms = 3000;
	bench_begin();
	bench_order(A, LOGIC_ON);
	bench_pass(2999);
	assert_true(bench_on(A));
	bench_pass(1);
	assert_false(bench_on(A));
	bench_order_for(A, LOGIC_ON, 10000, 0);
	bench_pass(9999);
	assert_true(bench_on(A));
}

static void test_max_on_holds_whoever_renews(void **state)
{
	(void)state;
	bench.rules[A].max_on_ms = 10000;
	bench_begin();
	bench_order(A, LOGIC_ON);
	bench_pass(6000);
	assert_int_equal(bench_order_for(A, LOGIC_ON, 60000, 0), LOGIC_APPLIED);
	bench_pass(3999);
	assert_true(bench_on(A));
	bench_pass(1);
	assert_false(bench_on(A));
	assert_int_equal(bench_order(A, LOGIC_ON), LOGIC_APPLIED);
}

static void test_a_lease_ends_in_the_safe_value(void **state)
{
	(void)state;
	bench.rules[A].command_timeout_ms = 5000;
	bench.rules[B].safe = LOGIC_SAFE_ON;
	bench.rules[C].safe = LOGIC_SAFE_HOLD;
	bench_begin();
	bench_order(A, LOGIC_ON);
	bench_pass(3000);
	bench_order(A, LOGIC_ON);
	bench_pass(4999);
	assert_true(bench_on(A));
	bench_pass(1);
	assert_false(bench_on(A));
	bench_order_for(A, LOGIC_ON, 0, 100);
	bench_pass(100);
	assert_false(bench_on(A));
	bench_order_for(B, LOGIC_OFF, 0, 100);
	bench_pass(100);
	assert_true(bench_on(B));
	bench_order_for(C, LOGIC_ON, 0, 100);
	bench_pass(100);
	assert_true(bench_on(C));
}

static void test_what_boot_switches_on_ends_like_an_order(void **state)
{
	(void)state;
	bench.rules[A].boot = LOGIC_BOOT_ON;
	bench.rules[A].auto_off_ms = 5000;
	bench.rules[B].boot = LOGIC_BOOT_RESTORE;
	bench.rules[B].command_timeout_ms = 7000;
	bench.rules[C].auto_off_ms = 5000;
	bench_add(A, false, false, NULL);
	bench_add(B, false, true, NULL);
	bench_add(C, true, false, NULL); /* since when? */
	bench_run();
	assert_true(bench_on(A) && bench_on(B));
	assert_false(bench_on(C));
	bench_pass(5000);
	assert_false(bench_on(A));
	bench_pass(2000);
	assert_false(bench_on(B));
	/* And what has ended is not restored. */
	assert_false(logic_remember(&bench.logic, A)->told);
	assert_false(logic_remember(&bench.logic, B)->told);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup(name, bench_setup)
	const struct CMUnitTest tests[] = {
		T(test_on_time_ends_when_it_said),
		T(test_a_later_order_ends_an_earlier_ones_time),
		T(test_what_was_due_stays_due_until_an_order_is_done),
		T(test_who_renews_at_the_last_moment_is_heard),
		T(test_auto_off_is_the_on_time_of_orders_without),
		T(test_max_on_holds_whoever_renews),
		T(test_a_lease_ends_in_the_safe_value),
		T(test_what_boot_switches_on_ends_like_an_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

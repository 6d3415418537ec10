#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/gpio/logic_bench.h"

enum { A, B, C };

static void test_orders_do_what_they_say(void **state)
{
	(void)state;
	bench_begin();
	for (int i = 0; i < 2; i++)
		assert_int_equal(bench_order(A, LOGIC_ON), LOGIC_APPLIED);
	assert_true(bench_on(A));
	assert_int_equal(bench_order(A, LOGIC_TOGGLE), LOGIC_APPLIED);
	assert_false(bench_on(A));
	assert_int_equal(bench_order(A, LOGIC_TOGGLE), LOGIC_APPLIED);
	assert_true(bench_on(A));
	for (int i = 0; i < 2; i++)
		assert_int_equal(bench_order(A, LOGIC_OFF), LOGIC_APPLIED);
	assert_false(bench_on(A));
	assert_int_equal(logic_next(&bench.logic, bench.now), UINT64_MAX);
}

static void test_min_on_and_min_off(void **state)
{
	(void)state;
	bench.rules[A].min_on_ms = 5000;
	bench.rules[A].min_off_ms = 7000;
	bench_begin();
	/* The time of an order is no reason to break it. */
	assert_int_equal(bench_order_for(A, LOGIC_ON, 1000, 0), LOGIC_APPLIED);
	bench_pass(2000);
	assert_true(bench_on(A));
	assert_int_equal(bench_order(A, LOGIC_OFF), LOGIC_MIN_ON);
	assert_int_equal(bench.last.wait_ms, 3000);
	bench_pass(3000);
	assert_false(bench_on(A));
	bench_pass(1000);
	assert_int_equal(bench_order(A, LOGIC_ON), LOGIC_MIN_OFF);
	assert_int_equal(bench.last.wait_ms, 6000);
	assert_false(bench_on(A));
	bench_pass(6000);
	assert_int_equal(bench_order(A, LOGIC_ON), LOGIC_APPLIED);
}

static void test_a_start_counts_as_going_off(void **state)
{
	(void)state;
	bench.rules[A].min_off_ms = 7000;
	bench_add(A, false, false, NULL);
	assert_int_equal(bench_order(A, LOGIC_ON), LOGIC_MIN_OFF);
	bench_pass(7000);
	assert_int_equal(bench_order(A, LOGIC_ON), LOGIC_APPLIED);
}

static void test_cycles_in_any_hour(void **state)
{
	(void)state;
	bench.rules[A].cycles = 2;
	bench_begin();
	for (int i = 0; i < 2; i++) {
		assert_int_equal(bench_order(A, LOGIC_ON), LOGIC_APPLIED);
		bench_pass(60000);
		bench_order(A, LOGIC_OFF);
		bench_pass(60000);
	}
	assert_int_equal(bench_order(A, LOGIC_ON), LOGIC_CYCLES);
	assert_int_equal(bench.last.wait_ms, LOGIC_HOUR_MS - 240000);
	bench_pass(bench.last.wait_ms);
	assert_int_equal(bench_order(A, LOGIC_ON), LOGIC_APPLIED);
	bench_order(A, LOGIC_OFF);
	assert_int_equal(bench_order(A, LOGIC_ON), LOGIC_CYCLES);
	assert_int_equal(bench.last.wait_ms, 120000);
}

static void test_a_locked_output_moves_for_safety_only(void **state)
{
	(void)state;
	bench_begin();
	bench_order(A, LOGIC_ON);
	bench.rules[A].locked = true;
	bench.rules[A].max_on_ms = 1000;
	logic_set_rules(&bench.logic, A, &bench.rules[A]);
	assert_int_equal(bench_order(A, LOGIC_OFF), LOGIC_LOCKED);
	assert_true(bench_on(A));
	bench_pass(1000);
	assert_false(bench_on(A));
	assert_int_equal(bench_order(A, LOGIC_ON), LOGIC_LOCKED);
}

static void shutter(void)
{
	bench.rules[A].group = bench.rules[B].group = 1;
	bench.rules[A].dead_ms = 500;
	bench_begin();
}

static void test_interlocked_outputs_take_turns(void **state)
{
	(void)state;
	shutter();
	assert_int_equal(bench_order(A, LOGIC_ON), LOGIC_APPLIED);
	assert_int_equal(bench_order(B, LOGIC_ON), LOGIC_ACCEPTED);
	assert_false(bench_on(A));
	assert_false(bench_on(B));
	bench_pass(499);
	assert_false(bench_on(B));
	assert_int_equal(bench.last.result, LOGIC_ACCEPTED);
	bench_pass(1);
	assert_true(bench_on(B));
	assert_int_equal(bench.last.result, LOGIC_APPLIED);
	/* The third has nothing to do with it. */
	assert_int_equal(bench_order(C, LOGIC_ON), LOGIC_APPLIED);
	assert_true(bench_on(B));
}

static void test_in_the_dead_time_the_last_word_counts(void **state)
{
	(void)state;
	shutter();
	bench_order(A, LOGIC_ON);
	bench_order(B, LOGIC_ON);
	bench_pass(100);
	assert_int_equal(bench_order(A, LOGIC_ON), LOGIC_APPLIED);
	assert_true(bench_on(A)); /* the other has been off for long */
	bench_pass(10000);
	assert_true(bench_on(A));
	assert_false(bench_on(B));
	bench_order(B, LOGIC_ON);
	assert_int_equal(bench_order(B, LOGIC_OFF), LOGIC_APPLIED);
	bench_pass(10000);
	assert_false(bench_on(A));
	assert_false(bench_on(B));
	/* A toggle takes back what is still to come. */
	bench_order(A, LOGIC_ON);
	bench_order(B, LOGIC_ON);
	bench_order(B, LOGIC_TOGGLE);
	bench_pass(10000);
	assert_false(bench_on(B));
}

static void test_one_that_may_not_go_off_keeps_its_turn(void **state)
{
	(void)state;
	bench.rules[A].min_on_ms = 2000;
	shutter();
	bench_order(A, LOGIC_ON);
	assert_int_equal(bench_order(B, LOGIC_ON), LOGIC_INTERLOCK);
	assert_int_equal(bench.last.other, A);
	assert_int_equal(bench.last.wait_ms, 2000);
	assert_true(bench_on(A));
	bench.rules[A].min_on_ms = 0;
	bench.rules[A].locked = true;
	logic_set_rules(&bench.logic, A, &bench.rules[A]);
	assert_int_equal(bench_order(B, LOGIC_ON), LOGIC_INTERLOCK);
	assert_int_equal(bench.last.other, A);
	assert_int_equal(bench.last.wait_ms, 0);
}

static void test_one_that_does_not_go_off_keeps_the_other_off(void **state)
{
	(void)state;
	shutter();
	bench_order(A, LOGIC_ON);
	bench.broken[A] = true;
	assert_int_equal(bench_order(B, LOGIC_ON), LOGIC_INTERLOCK);
	assert_true(bench_on(A));
	assert_false(bench_on(B));
	bench_pass(100000);
	assert_false(bench_on(B));
}

static void test_two_found_on_go_off(void **state)
{
	(void)state;
	bench.rules[A].group = bench.rules[B].group = 7;
	bench.rules[A].min_on_ms = 5000;
	for (unsigned int i = 0; i < 2; i++)
		bench_add(i, true, false, NULL);
	bench_run();
	assert_false(bench_on(A));
	assert_false(bench_on(B));
}

static void test_fail_safe_comes_when_the_hub_is_gone_for_long(void **state)
{
	(void)state;
	bench.rules[A].failsafe_ms = 5000;
	bench.rules[A].min_on_ms = 60000;
	bench.rules[B].failsafe_ms = 7000;
	bench.rules[B].safe = LOGIC_SAFE_HOLD;
	bench_begin();
	for (unsigned int i = 0; i < 3; i++)
		bench_order(i, LOGIC_ON);
	logic_hub(&bench.logic, false, bench.now);
	bench_pass(3000);
	logic_hub(&bench.logic, true, bench.now);
	bench_pass(4000);
	assert_true(bench_on(A));
	logic_hub(&bench.logic, false, bench.now);
	bench_pass(1000);
	logic_hub(&bench.logic, false, bench.now); /* no news */
	bench_pass(3999);
	assert_true(bench_on(A));
	bench_pass(1);
	assert_false(bench_on(A)); /* min_on does not count against safety */
	assert_true(bench_on(B)); /* it holds */
	assert_true(bench_on(C)); /* it has no such rule */
	/* A button on the wall goes on working. */
	assert_int_equal(bench_order(A, LOGIC_ON), LOGIC_APPLIED);
	bench_pass(60000);
	assert_true(bench_on(A));
}

static void test_boot(void **state)
{
	static const struct {
		enum logic_boot boot;
		bool read, told, then;
	} rows[] = {
		{ LOGIC_BOOT_AS_READ, true, false, true },
		{ LOGIC_BOOT_AS_READ, false, true, false },
		{ LOGIC_BOOT_OFF, true, true, false },
		{ LOGIC_BOOT_ON, false, false, true },
		{ LOGIC_BOOT_RESTORE, false, true, true },
		{ LOGIC_BOOT_RESTORE, true, false, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bench_setup(state);
		bench.rules[A].boot = rows[i].boot;
		bench_add(A, rows[i].read, rows[i].told, NULL);
		bench_run();
		assert_int_equal(bench_on(A), rows[i].then);
	}
}

/* The process dies and comes back after so many milliseconds. */
static void restart(unsigned int output, bool reads_on, uint64_t after)
{
	struct logic_memory memory = *logic_remember(&bench.logic, output);

	bench.now += after;
	logic_init(&bench.logic, bench.now);
	bench_add(output, reads_on, memory.told, &memory);
	bench_run();
}

static void test_a_restart_changes_nothing_and_forgets_nothing(void **state)
{
	(void)state;
	bench.rules[A].boot =
		LOGIC_BOOT_OFF; /* of the board, not of the process */
	bench.rules[A].max_on_ms = 10000;
	bench.rules[A].min_off_ms = 3000;
	bench.rules[A].cycles = 2;
	bench_begin();
	bench_order(A, LOGIC_ON);
	restart(A, true, 4000);
	assert_true(bench_on(A));
	bench_pass(5999);
	assert_true(bench_on(A));
	bench_pass(1);
	assert_false(bench_on(A));
	restart(A, false, 1000);
	assert_int_equal(bench_order(A, LOGIC_ON), LOGIC_MIN_OFF);
	assert_int_equal(bench.last.wait_ms, 2000);
	bench_pass(2000);
	bench_order(A, LOGIC_ON);
	bench_pass(10000);
	restart(A, false, 5000);
	assert_int_equal(bench_order(A, LOGIC_ON), LOGIC_CYCLES);
	/* Its time was up while nobody was there. */
	bench_pass(LOGIC_HOUR_MS);
	bench_order(A, LOGIC_ON);
	restart(A, true, 20000);
	assert_false(bench_on(A));
}

static void test_what_memory_does_not_explain_is_judged_strictly(void **state)
{
	(void)state;
	bench.rules[A].max_on_ms = 10000;
	bench.rules[A].min_off_ms = 3000;
	bench.rules[B].min_on_ms = 3000;
	bench_begin();
	restart(A, true, 100); /* on, and nobody knows since when */
	assert_false(bench_on(A));
	bench_order(A, LOGIC_ON);
	assert_int_equal(bench.last.result, LOGIC_MIN_OFF);
	bench_setup(state);
	bench_begin();
	bench_order(A, LOGIC_ON);
	restart(A, false, 100); /* "--safe" was there */
	assert_false(bench_on(A));
}

static void test_a_line_that_does_not_obey(void **state)
{
	(void)state;
	bench_begin();
	bench.broken[A] = true;
	assert_int_equal(bench_order(A, LOGIC_ON), LOGIC_FAULT);
	assert_false(bench_on(A));
	/* It may be on: it is driven off until it obeys. */
	assert_int_equal(logic_next(&bench.logic, bench.now),
			 bench.now + LOGIC_RETRY_MS);
	bench.broken[A] = false;
	bench_pass(LOGIC_RETRY_MS);
	assert_int_equal(logic_next(&bench.logic, bench.now), UINT64_MAX);
	bench_order_for(A, LOGIC_ON, 5000, 0);
	bench.broken[A] = true;
	bench_pass(5000);
	/* Its time is up: it is tried until it obeys. */
	for (int i = 0; i < 5; i++) {
		assert_true(bench_on(A));
		assert_int_equal(logic_next(&bench.logic, bench.now),
				 bench.now + LOGIC_RETRY_MS);
		bench_pass(LOGIC_RETRY_MS);
	}
	bench.broken[A] = false;
	bench_pass(LOGIC_RETRY_MS);
	assert_false(bench_on(A));
	assert_int_equal(logic_next(&bench.logic, bench.now), UINT64_MAX);
}

/* Its fail-safe time is up, and it does not obey. */
static void lose_hub_and_fail(unsigned int output)
{
	bench.broken[output] = true;
	logic_hub(&bench.logic, false, bench.now);
	bench_pass(bench.rules[output].failsafe_ms);
	assert_true(bench_on(output));
}

static void test_what_must_go_off_does_whoever_orders_it_off(void **state)
{
	(void)state;
	bench.rules[A].failsafe_ms = 5000;
	bench_begin();
	bench_order(A, LOGIC_ON);
	lose_hub_and_fail(A);
	assert_int_equal(bench_order(A, LOGIC_OFF), LOGIC_FAULT);
	bench.broken[A] = false;
	bench_pass(LOGIC_RETRY_MS);
	assert_false(bench_on(A));
}

static void test_what_must_go_off_does_whoever_wants_its_turn(void **state)
{
	(void)state;
	bench.rules[A].group = bench.rules[B].group = 7;
	bench.rules[A].failsafe_ms = 5000;
	bench_begin();
	bench_order(A, LOGIC_ON);
	lose_hub_and_fail(A);
	bench_order(B, LOGIC_ON);
	bench_pass(LOGIC_RETRY_MS);
	assert_int_equal(bench.last.result, LOGIC_INTERLOCK);
	bench.broken[A] = false;
	bench_pass(LOGIC_RETRY_MS);
	assert_false(bench_on(A));
	assert_false(bench_on(B));
}

static void test_an_order_that_failed_sets_no_times(void **state)
{
	(void)state;
	bench.rules[A].safe = LOGIC_SAFE_ON;
	bench_begin();
	bench_order_for(A, LOGIC_ON, 100, 0);
	bench.broken[A] = true;
	bench_pass(100);
	assert_int_equal(bench_order_for(A, LOGIC_OFF, 0, 500), LOGIC_FAULT);
	bench.broken[A] = false;
	bench_pass(LOGIC_RETRY_MS);
	assert_false(bench_on(A));
	bench_pass(500);
	assert_false(bench_on(A));
}

static void test_what_the_wire_says_is_the_state(void **state)
{
	struct logic_command command = { LOGIC_ON, 5000, 0 };
	struct logic_action action;
	struct logic_verdict answer;

	(void)state;
	bench_begin();
	logic_order(&bench.logic, A, &command, 77, bench.now);
	assert_true(logic_act(&bench.logic, bench.now, &action));
	logic_done(&bench.logic, &action, false, bench.now);
	assert_false(bench_on(A));
	assert_true(logic_answer(&bench.logic, &answer));
	assert_int_equal(answer.result, LOGIC_FAULT);
	assert_int_equal(answer.token, 77);
	assert_false(logic_answer(&bench.logic, &answer));
	/* What it reads may come late: off is written. */
	assert_true(logic_act(&bench.logic, bench.now, &action));
	assert_int_equal(action.output, A);
	assert_false(action.on);
	logic_done(&bench.logic, &action, false, bench.now);
	assert_int_equal(logic_next(&bench.logic, bench.now), UINT64_MAX);
}

static void test_refusals(void **state)
{
	(void)state;
	bench_add(A, false, false, NULL);
	assert_int_equal(bench_order_for(A, LOGIC_ON, LOGIC_TIME_MAX_MS, 0),
			 LOGIC_APPLIED);
	assert_int_equal(bench_order_for(A, LOGIC_ON, LOGIC_TIME_MAX_MS + 1, 0),
			 LOGIC_TOO_LONG);
	assert_int_equal(bench_order_for(A, LOGIC_ON, 0, LOGIC_TIME_MAX_MS + 1),
			 LOGIC_TOO_LONG);
	assert_int_equal(bench_order(B, LOGIC_ON), LOGIC_NO_OUTPUT);
	assert_int_equal(bench_order(LOGIC_OUTPUTS_MAX, LOGIC_ON),
			 LOGIC_NO_OUTPUT);
	logic_remove(&bench.logic, A);
	assert_int_equal(bench_order(A, LOGIC_OFF), LOGIC_NO_OUTPUT);
	assert_int_equal(bench.logic.top, 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup(name, bench_setup)
	const struct CMUnitTest tests[] = {
		T(test_orders_do_what_they_say),
		T(test_min_on_and_min_off),
		T(test_a_start_counts_as_going_off),
		T(test_cycles_in_any_hour),
		T(test_a_locked_output_moves_for_safety_only),
		T(test_interlocked_outputs_take_turns),
		T(test_in_the_dead_time_the_last_word_counts),
		T(test_one_that_may_not_go_off_keeps_its_turn),
		T(test_one_that_does_not_go_off_keeps_the_other_off),
		T(test_two_found_on_go_off),
		T(test_fail_safe_comes_when_the_hub_is_gone_for_long),
		T(test_boot),
		T(test_a_restart_changes_nothing_and_forgets_nothing),
		T(test_what_memory_does_not_explain_is_judged_strictly),
		T(test_a_line_that_does_not_obey),
		T(test_what_must_go_off_does_whoever_orders_it_off),
		T(test_what_must_go_off_does_whoever_wants_its_turn),
		T(test_an_order_that_failed_sets_no_times),
		T(test_what_the_wire_says_is_the_state),
		T(test_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

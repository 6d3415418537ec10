#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gpio/logic.h"

/* A bench with three outputs. test_logic_property.c tries what nobody thought of. */
static struct logic logic;
static struct logic_rules rules[3];
static bool broken[LOGIC_OUTPUTS_MAX]; /* cannot be written */
static uint64_t now;
static struct logic_verdict last; /* answer or refusal */
static uint32_t tokens;

static int setup(void **state)
{
	*state = &logic;
	memset(rules, 0, sizeof(rules));
	memset(broken, 0, sizeof(broken));
	now = 1000000;
	logic_init(&logic, now);
	logic_hub(&logic, true, now);
	return 0;
}

static void run(void)
{
	struct logic_action action;
	struct logic_verdict answer;

	while (logic_act(&logic, now, &action)) {
		if (broken[action.output])
			logic_failed(&logic, &action, now);
		else
			logic_done(&logic, &action, action.on, now);
	}
	while (logic_answer(&logic, &answer))
		if (answer.token == tokens)
			last = answer;
}

static void add(unsigned int output, bool reads_on, bool told,
		const struct logic_memory *memory)
{
	struct logic_start start = { reads_on, told, memory };

	logic_add(&logic, output, &rules[output], start, now);
}

/* Outputs with the rules set, off, and past what a start forbids. */
static void begin(void)
{
	for (unsigned int i = 0; i < 3; i++)
		add(i, false, false, NULL);
	run();
	now += UINT64_C(10) * 1000 * 1000;
	run();
}

/* Let time pass, waking up when logic asks for it. */
static void pass(uint64_t ms)
{
	uint64_t end = now + ms;

	while (logic_next(&logic, now) < end) {
		now = logic_next(&logic, now);
		run();
	}
	now = end;
	run();
}

static enum logic_result order_for(unsigned int output, enum logic_verb verb,
				   uint64_t on_time, uint64_t lease)
{
	struct logic_command command = { verb, on_time, lease };

	last = logic_order(&logic, output, &command, ++tokens, now);
	if (last.result == LOGIC_ACCEPTED)
		run();
	return last.result;
}

static enum logic_result order(unsigned int output, enum logic_verb verb)
{
	return order_for(output, verb, 0, 0);
}

static bool on(unsigned int output)
{
	return logic.output[output].now.on;
}

enum { A, B, C };

static void test_orders_do_what_they_say(void **state)
{
	(void)state;
	begin();
	for (int i = 0; i < 2; i++)
		assert_int_equal(order(A, LOGIC_ON), LOGIC_APPLIED);
	assert_true(on(A));
	assert_int_equal(order(A, LOGIC_TOGGLE), LOGIC_APPLIED);
	assert_false(on(A));
	assert_int_equal(order(A, LOGIC_TOGGLE), LOGIC_APPLIED);
	assert_true(on(A));
	for (int i = 0; i < 2; i++)
		assert_int_equal(order(A, LOGIC_OFF), LOGIC_APPLIED);
	assert_false(on(A));
	assert_int_equal(logic_next(&logic, now), UINT64_MAX);
}

static void test_on_time_ends_when_it_said(void **state)
{
	(void)state;
	begin();
	order_for(A, LOGIC_ON, 5000, 0);
	assert_int_equal(logic_next(&logic, now), now + 5000);
	pass(4999);
	assert_true(on(A));
	pass(1);
	assert_false(on(A));
	assert_int_equal(logic_next(&logic, now), UINT64_MAX);
}

static void test_a_later_order_ends_an_earlier_ones_time(void **state)
{
	(void)state;
	begin();
	order_for(A, LOGIC_ON, 5000, 0);
	pass(1000);
	order_for(A, LOGIC_ON, 9000, 0);
	assert_int_equal(logic_next(&logic, now), now + 9000);
	order(A, LOGIC_ON);
	assert_int_equal(logic_next(&logic, now), UINT64_MAX);
	order_for(A, LOGIC_ON, 5000, 0);
	order(A, LOGIC_OFF);
	assert_int_equal(logic_next(&logic, now), UINT64_MAX);
	/* A toggle to ON takes the time, one to OFF has none. */
	order_for(A, LOGIC_TOGGLE, 5000, 0);
	assert_int_equal(logic_next(&logic, now), now + 5000);
	order_for(A, LOGIC_TOGGLE, 5000, 0);
	assert_int_equal(logic_next(&logic, now), UINT64_MAX);
}

/* The hub was slow: an order comes when the time is up, and is not done. */
static void test_what_was_due_stays_due_until_an_order_is_done(void **state)
{
	(void)state;
	begin();
	for (int lease = 0; lease < 2; lease++) {
		assert_int_equal(order_for(A, LOGIC_ON, lease ? 0 : 5000,
					   lease ? 5000 : 0),
				 LOGIC_APPLIED);
		now += 6000;
		broken[A] = true;
		assert_int_equal(order(A, LOGIC_OFF), LOGIC_FAULT);
		assert_true(on(A));
		broken[A] = false;
		pass(LOGIC_RETRY_MS);
		assert_false(on(A));
	}
}

static void test_who_renews_at_the_last_moment_is_heard(void **state)
{
	(void)state;
	begin();
	assert_int_equal(order_for(A, LOGIC_ON, 5000, 5000), LOGIC_APPLIED);
	now += 5000;
	assert_int_equal(order_for(A, LOGIC_ON, 5000, 5000), LOGIC_APPLIED);
	assert_true(on(A));
	pass(4999);
	assert_true(on(A));
	pass(1);
	assert_false(on(A));
}

static void test_auto_off_is_the_on_time_of_orders_without(void **state)
{
	(void)state;
	rules[A].auto_off_ms = 3000;
	begin();
	order(A, LOGIC_ON);
	pass(2999);
	assert_true(on(A));
	pass(1);
	assert_false(on(A));
	order_for(A, LOGIC_ON, 10000, 0);
	pass(9999);
	assert_true(on(A));
}

static void test_max_on_holds_whoever_renews(void **state)
{
	(void)state;
	rules[A].max_on_ms = 10000;
	begin();
	order(A, LOGIC_ON);
	pass(6000);
	assert_int_equal(order_for(A, LOGIC_ON, 60000, 0), LOGIC_APPLIED);
	pass(3999);
	assert_true(on(A));
	pass(1);
	assert_false(on(A));
	assert_int_equal(order(A, LOGIC_ON), LOGIC_APPLIED);
}

static void test_min_on_and_min_off(void **state)
{
	(void)state;
	rules[A].min_on_ms = 5000;
	rules[A].min_off_ms = 7000;
	begin();
	/* The time of an order is no reason to break it. */
	assert_int_equal(order_for(A, LOGIC_ON, 1000, 0), LOGIC_APPLIED);
	pass(2000);
	assert_true(on(A));
	assert_int_equal(order(A, LOGIC_OFF), LOGIC_MIN_ON);
	assert_int_equal(last.wait_ms, 3000);
	pass(3000);
	assert_false(on(A));
	pass(1000);
	assert_int_equal(order(A, LOGIC_ON), LOGIC_MIN_OFF);
	assert_int_equal(last.wait_ms, 6000);
	assert_false(on(A));
	pass(6000);
	assert_int_equal(order(A, LOGIC_ON), LOGIC_APPLIED);
}

static void test_a_start_counts_as_going_off(void **state)
{
	(void)state;
	rules[A].min_off_ms = 7000;
	add(A, false, false, NULL);
	assert_int_equal(order(A, LOGIC_ON), LOGIC_MIN_OFF);
	pass(7000);
	assert_int_equal(order(A, LOGIC_ON), LOGIC_APPLIED);
}

static void test_cycles_in_any_hour(void **state)
{
	(void)state;
	rules[A].cycles = 2;
	begin();
	for (int i = 0; i < 2; i++) {
		assert_int_equal(order(A, LOGIC_ON), LOGIC_APPLIED);
		pass(60000);
		order(A, LOGIC_OFF);
		pass(60000);
	}
	assert_int_equal(order(A, LOGIC_ON), LOGIC_CYCLES);
	assert_int_equal(last.wait_ms, LOGIC_HOUR_MS - 240000);
	pass(last.wait_ms);
	assert_int_equal(order(A, LOGIC_ON), LOGIC_APPLIED);
	order(A, LOGIC_OFF);
	assert_int_equal(order(A, LOGIC_ON), LOGIC_CYCLES);
	assert_int_equal(last.wait_ms, 120000);
}

static void test_a_locked_output_moves_for_safety_only(void **state)
{
	(void)state;
	begin();
	order(A, LOGIC_ON);
	rules[A].locked = true;
	rules[A].max_on_ms = 1000;
	logic_set_rules(&logic, A, &rules[A]);
	assert_int_equal(order(A, LOGIC_OFF), LOGIC_LOCKED);
	assert_true(on(A));
	pass(1000);
	assert_false(on(A));
	assert_int_equal(order(A, LOGIC_ON), LOGIC_LOCKED);
}

static void shutter(void)
{
	rules[A].group = rules[B].group = 1;
	rules[A].dead_ms = 500;
	begin();
}

static void test_interlocked_outputs_take_turns(void **state)
{
	(void)state;
	shutter();
	assert_int_equal(order(A, LOGIC_ON), LOGIC_APPLIED);
	assert_int_equal(order(B, LOGIC_ON), LOGIC_ACCEPTED);
	assert_false(on(A));
	assert_false(on(B));
	pass(499);
	assert_false(on(B));
	assert_int_equal(last.result, LOGIC_ACCEPTED);
	pass(1);
	assert_true(on(B));
	assert_int_equal(last.result, LOGIC_APPLIED);
	/* The third has nothing to do with it. */
	assert_int_equal(order(C, LOGIC_ON), LOGIC_APPLIED);
	assert_true(on(B));
}

static void test_in_the_dead_time_the_last_word_counts(void **state)
{
	(void)state;
	shutter();
	order(A, LOGIC_ON);
	order(B, LOGIC_ON);
	pass(100);
	assert_int_equal(order(A, LOGIC_ON), LOGIC_APPLIED);
	assert_true(on(A)); /* the other has been off for long */
	pass(10000);
	assert_true(on(A));
	assert_false(on(B));
	order(B, LOGIC_ON);
	assert_int_equal(order(B, LOGIC_OFF), LOGIC_APPLIED);
	pass(10000);
	assert_false(on(A));
	assert_false(on(B));
	/* A toggle takes back what is still to come. */
	order(A, LOGIC_ON);
	order(B, LOGIC_ON);
	order(B, LOGIC_TOGGLE);
	pass(10000);
	assert_false(on(B));
}

static void test_one_that_may_not_go_off_keeps_its_turn(void **state)
{
	(void)state;
	rules[A].min_on_ms = 2000;
	shutter();
	order(A, LOGIC_ON);
	assert_int_equal(order(B, LOGIC_ON), LOGIC_INTERLOCK);
	assert_int_equal(last.other, A);
	assert_int_equal(last.wait_ms, 2000);
	assert_true(on(A));
	rules[A].min_on_ms = 0;
	rules[A].locked = true;
	logic_set_rules(&logic, A, &rules[A]);
	assert_int_equal(order(B, LOGIC_ON), LOGIC_INTERLOCK);
	assert_int_equal(last.other, A);
	assert_int_equal(last.wait_ms, 0);
}

static void test_one_that_does_not_go_off_keeps_the_other_off(void **state)
{
	(void)state;
	shutter();
	order(A, LOGIC_ON);
	broken[A] = true;
	assert_int_equal(order(B, LOGIC_ON), LOGIC_INTERLOCK);
	assert_true(on(A));
	assert_false(on(B));
	pass(100000);
	assert_false(on(B));
}

static void test_two_found_on_go_off(void **state)
{
	(void)state;
	rules[A].group = rules[B].group = 7;
	rules[A].min_on_ms = 5000;
	for (unsigned int i = 0; i < 2; i++)
		add(i, true, false, NULL);
	run();
	assert_false(on(A));
	assert_false(on(B));
}

static void test_a_lease_ends_in_the_safe_value(void **state)
{
	(void)state;
	rules[A].command_timeout_ms = 5000;
	rules[B].safe = LOGIC_SAFE_ON;
	rules[C].safe = LOGIC_SAFE_HOLD;
	begin();
	order(A, LOGIC_ON);
	pass(3000);
	order(A, LOGIC_ON);
	pass(4999);
	assert_true(on(A));
	pass(1);
	assert_false(on(A));
	order_for(A, LOGIC_ON, 0, 100);
	pass(100);
	assert_false(on(A));
	order_for(B, LOGIC_OFF, 0, 100);
	pass(100);
	assert_true(on(B));
	order_for(C, LOGIC_ON, 0, 100);
	pass(100);
	assert_true(on(C));
}

static void test_fail_safe_comes_when_the_hub_is_gone_for_long(void **state)
{
	(void)state;
	rules[A].failsafe_ms = 5000;
	rules[A].min_on_ms = 60000;
	rules[B].failsafe_ms = 7000;
	rules[B].safe = LOGIC_SAFE_HOLD;
	begin();
	for (unsigned int i = 0; i < 3; i++)
		order(i, LOGIC_ON);
	logic_hub(&logic, false, now);
	pass(3000);
	logic_hub(&logic, true, now);
	pass(4000);
	assert_true(on(A));
	logic_hub(&logic, false, now);
	pass(1000);
	logic_hub(&logic, false, now); /* no news */
	pass(3999);
	assert_true(on(A));
	pass(1);
	assert_false(on(A)); /* min_on does not count against safety */
	assert_true(on(B)); /* it holds */
	assert_true(on(C)); /* it has no such rule */
	/* A button on the wall goes on working. */
	assert_int_equal(order(A, LOGIC_ON), LOGIC_APPLIED);
	pass(60000);
	assert_true(on(A));
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
		setup(state);
		rules[A].boot = rows[i].boot;
		add(A, rows[i].read, rows[i].told, NULL);
		run();
		assert_int_equal(on(A), rows[i].then);
	}
}

static void test_what_boot_switches_on_ends_like_an_order(void **state)
{
	(void)state;
	rules[A].boot = LOGIC_BOOT_ON;
	rules[A].auto_off_ms = 5000;
	rules[B].boot = LOGIC_BOOT_RESTORE;
	rules[B].command_timeout_ms = 7000;
	rules[C].auto_off_ms = 5000;
	add(A, false, false, NULL);
	add(B, false, true, NULL);
	add(C, true, false, NULL); /* since when? */
	run();
	assert_true(on(A) && on(B));
	assert_false(on(C));
	pass(5000);
	assert_false(on(A));
	pass(2000);
	assert_false(on(B));
	/* And what has ended is not restored. */
	assert_false(logic_remember(&logic, A)->told);
	assert_false(logic_remember(&logic, B)->told);
}

/* The process dies and comes back after so many milliseconds. */
static void restart(unsigned int output, bool reads_on, uint64_t after)
{
	struct logic_memory memory = *logic_remember(&logic, output);

	now += after;
	logic_init(&logic, now);
	add(output, reads_on, memory.told, &memory);
	run();
}

static void test_a_restart_changes_nothing_and_forgets_nothing(void **state)
{
	(void)state;
	rules[A].boot = LOGIC_BOOT_OFF; /* of the board, not of the process */
	rules[A].max_on_ms = 10000;
	rules[A].min_off_ms = 3000;
	rules[A].cycles = 2;
	begin();
	order(A, LOGIC_ON);
	restart(A, true, 4000);
	assert_true(on(A));
	pass(5999);
	assert_true(on(A));
	pass(1);
	assert_false(on(A));
	restart(A, false, 1000);
	assert_int_equal(order(A, LOGIC_ON), LOGIC_MIN_OFF);
	assert_int_equal(last.wait_ms, 2000);
	pass(2000);
	order(A, LOGIC_ON);
	pass(10000);
	restart(A, false, 5000);
	assert_int_equal(order(A, LOGIC_ON), LOGIC_CYCLES);
	/* Its time was up while nobody was there. */
	pass(LOGIC_HOUR_MS);
	order(A, LOGIC_ON);
	restart(A, true, 20000);
	assert_false(on(A));
}

static void test_what_memory_does_not_explain_is_judged_strictly(void **state)
{
	(void)state;
	rules[A].max_on_ms = 10000;
	rules[A].min_off_ms = 3000;
	rules[B].min_on_ms = 3000;
	begin();
	restart(A, true, 100); /* on, and nobody knows since when */
	assert_false(on(A));
	order(A, LOGIC_ON);
	assert_int_equal(last.result, LOGIC_MIN_OFF);
	setup(state);
	begin();
	order(A, LOGIC_ON);
	restart(A, false, 100); /* "--safe" was there */
	assert_false(on(A));
}

static void test_a_line_that_does_not_obey(void **state)
{
	(void)state;
	begin();
	broken[A] = true;
	assert_int_equal(order(A, LOGIC_ON), LOGIC_FAULT);
	assert_false(on(A));
	/* It may be on: it is driven off until it obeys. */
	assert_int_equal(logic_next(&logic, now), now + LOGIC_RETRY_MS);
	broken[A] = false;
	pass(LOGIC_RETRY_MS);
	assert_int_equal(logic_next(&logic, now), UINT64_MAX);
	order_for(A, LOGIC_ON, 5000, 0);
	broken[A] = true;
	pass(5000);
	/* Its time is up: it is tried until it obeys. */
	for (int i = 0; i < 5; i++) {
		assert_true(on(A));
		assert_int_equal(logic_next(&logic, now), now + LOGIC_RETRY_MS);
		pass(LOGIC_RETRY_MS);
	}
	broken[A] = false;
	pass(LOGIC_RETRY_MS);
	assert_false(on(A));
	assert_int_equal(logic_next(&logic, now), UINT64_MAX);
}

static void test_what_the_wire_says_is_the_state(void **state)
{
	struct logic_command command = { LOGIC_ON, 5000, 0 };
	struct logic_action action;
	struct logic_verdict answer;

	(void)state;
	begin();
	logic_order(&logic, A, &command, 77, now);
	assert_true(logic_act(&logic, now, &action));
	logic_done(&logic, &action, false, now);
	assert_false(on(A));
	assert_true(logic_answer(&logic, &answer));
	assert_int_equal(answer.result, LOGIC_FAULT);
	assert_int_equal(answer.token, 77);
	assert_false(logic_answer(&logic, &answer));
	/* What it reads may come late: off is written. */
	assert_true(logic_act(&logic, now, &action));
	assert_int_equal(action.output, A);
	assert_false(action.on);
	logic_done(&logic, &action, false, now);
	assert_int_equal(logic_next(&logic, now), UINT64_MAX);
}

static void test_refusals(void **state)
{
	(void)state;
	add(A, false, false, NULL);
	assert_int_equal(order_for(A, LOGIC_ON, LOGIC_TIME_MAX_MS, 0),
			 LOGIC_APPLIED);
	assert_int_equal(order_for(A, LOGIC_ON, LOGIC_TIME_MAX_MS + 1, 0),
			 LOGIC_TOO_LONG);
	assert_int_equal(order_for(A, LOGIC_ON, 0, LOGIC_TIME_MAX_MS + 1),
			 LOGIC_TOO_LONG);
	assert_int_equal(order(B, LOGIC_ON), LOGIC_NO_OUTPUT);
	assert_int_equal(order(LOGIC_OUTPUTS_MAX, LOGIC_ON), LOGIC_NO_OUTPUT);
	logic_remove(&logic, A);
	assert_int_equal(order(A, LOGIC_OFF), LOGIC_NO_OUTPUT);
	assert_int_equal(logic.top, 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup(name, setup)
	const struct CMUnitTest tests[] = {
		T(test_orders_do_what_they_say),
		T(test_on_time_ends_when_it_said),
		T(test_a_later_order_ends_an_earlier_ones_time),
		T(test_auto_off_is_the_on_time_of_orders_without),
		T(test_what_was_due_stays_due_until_an_order_is_done),
		T(test_auto_off_is_the_on_time_of_orders_without),
		T(test_who_renews_at_the_last_moment_is_heard),
		T(test_auto_off_is_the_on_time_of_orders_without),
		T(test_max_on_holds_whoever_renews),
		T(test_min_on_and_min_off),
		T(test_a_start_counts_as_going_off),
		T(test_cycles_in_any_hour),
		T(test_a_locked_output_moves_for_safety_only),
		T(test_interlocked_outputs_take_turns),
		T(test_in_the_dead_time_the_last_word_counts),
		T(test_one_that_may_not_go_off_keeps_its_turn),
		T(test_one_that_does_not_go_off_keeps_the_other_off),
		T(test_two_found_on_go_off),
		T(test_a_lease_ends_in_the_safe_value),
		T(test_fail_safe_comes_when_the_hub_is_gone_for_long),
		T(test_boot),
		T(test_what_boot_switches_on_ends_like_an_order),
		T(test_a_restart_changes_nothing_and_forgets_nothing),
		T(test_what_memory_does_not_explain_is_judged_strictly),
		T(test_a_line_that_does_not_obey),
		T(test_what_the_wire_says_is_the_state),
		T(test_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

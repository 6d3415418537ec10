#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gpio/logic.h"

#define PUMP 3u

static struct logic logic;

static int setup(void **state)
{
	*state = &logic;
	logic_init(&logic);
	logic_add(&logic, PUMP, LOGIC_SAFE_OFF, false);
	return 0;
}

/* Ask, write, read back: what a node does when the line obeys. */
static bool obey(enum logic_verb verb, uint64_t on_time_ms, uint64_t now)
{
	struct logic_command command = { verb, on_time_ms };
	struct logic_action action;

	assert_int_equal(logic_command(&logic, PUMP, &command, &action), 0);
	assert_int_equal(action.output, PUMP);
	logic_done(&logic, &action, action.on, now);
	return logic.output[PUMP].on;
}

static void test_commands_do_what_they_say(void **state)
{
	(void)state;
	assert_true(obey(LOGIC_ON, 0, 1));
	assert_true(obey(LOGIC_ON, 0, 2));
	assert_false(obey(LOGIC_TOGGLE, 0, 3));
	assert_true(obey(LOGIC_TOGGLE, 0, 4));
	assert_false(obey(LOGIC_OFF, 0, 5));
	assert_false(obey(LOGIC_OFF, 0, 6));
	assert_int_equal(logic_next(&logic), UINT64_MAX);
}

static void test_on_time_ends_when_it_said(void **state)
{
	struct logic_action action;

	(void)state;
	assert_true(obey(LOGIC_ON, 5000, 1000));
	assert_int_equal(logic_next(&logic), 6000);
	assert_false(logic_due(&logic, 5999, &action));
	assert_true(logic_due(&logic, 6000, &action));
	assert_int_equal(action.output, PUMP);
	assert_false(action.on);
	logic_done(&logic, &action, false, 6000);
	assert_false(logic.output[PUMP].on);
	assert_false(logic_due(&logic, UINT64_MAX - 1, &action));
}

static void test_a_later_command_ends_an_earlier_ones_time(void **state)
{
	(void)state;
	obey(LOGIC_ON, 5000, 1000);
	obey(LOGIC_ON, 9000, 2000);
	assert_int_equal(logic_next(&logic), 11000);
	obey(LOGIC_ON, 0, 3000);
	assert_int_equal(logic_next(&logic), UINT64_MAX);
	obey(LOGIC_ON, 5000, 4000);
	obey(LOGIC_OFF, 0, 5000);
	assert_int_equal(logic_next(&logic), UINT64_MAX);
	/* A toggle to ON takes the time, one to OFF has none. */
	obey(LOGIC_TOGGLE, 5000, 6000);
	assert_int_equal(logic_next(&logic), 11000);
	obey(LOGIC_TOGGLE, 5000, 7000);
	assert_int_equal(logic_next(&logic), UINT64_MAX);
}

/* A failed write must not change what is said to be. */
static void test_a_failed_write_changes_nothing(void **state)
{
	struct logic_command command = { LOGIC_ON, 5000 };
	struct logic_action action;

	(void)state;
	assert_int_equal(logic_command(&logic, PUMP, &command, &action), 0);
	logic_failed(&logic, &action, 10);
	assert_false(logic.output[PUMP].on);
	assert_int_equal(logic_next(&logic), UINT64_MAX);
}

static void test_an_output_that_will_not_go_off_is_tried_again(void **state)
{
	struct logic_action action;
	uint64_t now = 6000;

	(void)state;
	obey(LOGIC_ON, 5000, 1000);
	for (int i = 0; i < 5; i++) {
		assert_true(logic_due(&logic, now, &action));
		logic_failed(&logic, &action, now);
		assert_true(logic.output[PUMP].on);
		assert_false(logic_due(&logic, now, &action));
		assert_int_equal(logic_next(&logic), now + LOGIC_RETRY_MS);
		now += LOGIC_RETRY_MS;
	}
	/* Written, but the wire still reads as on: that is no success either. */
	assert_true(logic_due(&logic, now, &action));
	logic_done(&logic, &action, true, now);
	assert_int_equal(logic_next(&logic), now + LOGIC_RETRY_MS);
	now += LOGIC_RETRY_MS;
	assert_true(logic_due(&logic, now, &action));
	logic_done(&logic, &action, false, now);
	assert_int_equal(logic_next(&logic), UINT64_MAX);
}

static void test_what_the_wire_says_is_the_state(void **state)
{
	struct logic_command command = { LOGIC_ON, 5000 };
	struct logic_action action;

	(void)state;
	assert_int_equal(logic_command(&logic, PUMP, &command, &action), 0);
	logic_done(&logic, &action, false, 10);
	assert_false(logic.output[PUMP].on);
	assert_int_equal(logic_next(&logic), UINT64_MAX);
}

static void test_refusals(void **state)
{
	struct logic_command command = { LOGIC_ON, LOGIC_ON_TIME_MAX_MS };
	struct logic_action action;

	(void)state;
	assert_int_equal(logic_command(&logic, PUMP, &command, &action), 0);
	command.on_time_ms++;
	assert_int_equal(logic_command(&logic, PUMP, &command, &action),
			 -ERANGE);
	command.on_time_ms = 0;
	assert_int_equal(logic_command(&logic, PUMP + 1, &command, &action),
			 -ENOENT);
	assert_int_equal(
		logic_command(&logic, LOGIC_OUTPUTS_MAX, &command, &action),
		-ENOENT);
	logic_remove(&logic, PUMP);
	assert_int_equal(logic_command(&logic, PUMP, &command, &action),
			 -ENOENT);
}

static void test_safe_values(void **state)
{
	struct logic_action action;

	(void)state;
	assert_true(logic_make_safe(&logic, PUMP, &action));
	assert_false(action.on);
	logic_set_safe(&logic, PUMP, LOGIC_SAFE_ON);
	assert_true(logic_make_safe(&logic, PUMP, &action));
	assert_true(action.on);
	assert_int_equal(action.output, PUMP);
	logic_set_safe(&logic, PUMP, LOGIC_SAFE_HOLD);
	assert_false(logic_make_safe(&logic, PUMP, &action));
	assert_false(logic_make_safe(&logic, PUMP + 1, &action));
}

static void test_outputs_have_their_own_times(void **state)
{
	struct logic_command command = { LOGIC_ON, 300 };
	struct logic_action action;

	(void)state;
	logic_add(&logic, 0, LOGIC_SAFE_OFF, true);
	obey(LOGIC_ON, 500, 1000);
	assert_int_equal(logic_command(&logic, 0, &command, &action), 0);
	logic_done(&logic, &action, true, 1000);
	assert_int_equal(logic_next(&logic), 1300);
	assert_true(logic_due(&logic, 1300, &action));
	assert_int_equal(action.output, 0);
	logic_done(&logic, &action, false, 1300);
	assert_false(logic_due(&logic, 1300, &action));
	assert_int_equal(logic_next(&logic), 1500);
	assert_true(logic.output[PUMP].on);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_commands_do_what_they_say, setup),
		cmocka_unit_test_setup(test_on_time_ends_when_it_said, setup),
		cmocka_unit_test_setup(
			test_a_later_command_ends_an_earlier_ones_time, setup),
		cmocka_unit_test_setup(test_a_failed_write_changes_nothing,
				       setup),
		cmocka_unit_test_setup(
			test_an_output_that_will_not_go_off_is_tried_again,
			setup),
		cmocka_unit_test_setup(test_what_the_wire_says_is_the_state,
				       setup),
		cmocka_unit_test_setup(test_refusals, setup),
		cmocka_unit_test_setup(test_safe_values, setup),
		cmocka_unit_test_setup(test_outputs_have_their_own_times,
				       setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

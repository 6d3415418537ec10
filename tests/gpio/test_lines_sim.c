#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "gpio/lines_sim.h"
#include "tests/failing_malloc.h"
#include "tests/gpio/lines_contract.h"

static const struct line_config input22 = {
	.offset = 22,
	.direction = LINE_INPUT,
	.bias = LINE_BIAS_UP,
};

static void pull(struct rig *rig, unsigned int offset, int level)
{
	assert_int_equal(lines_sim_connect(rig->lines, offset, level), 0);
}

static bool level(struct rig *rig, unsigned int offset)
{
	return lines_sim_level(rig->lines, offset);
}

static int setup(void **state)
{
	static struct rig rig = { .pull = pull,
				  .level = level,
				  .second = "pcf8574" };

	*state = &rig;
	return lines_sim_open(&rig.lines);
}

static int teardown(void **state)
{
	struct rig *rig = *state;

	lines_close(rig->lines);
	return 0;
}

static struct line_event next_event(struct line_request *of)
{
	struct line_event event;

	for (;;) {
		struct pollfd fd = { .fd = of->fd, .events = POLLIN };
		int n;

		assert_int_equal(poll(&fd, 1, 30000), 1);
		n = lines_read(of, &event, 1);
		assert_true(n >= 0);
		if (n == 1)
			return event;
	}
}

static void test_a_press_goes_to_the_other_level_and_back(void **state)
{
	struct rig *rig = *state;
	struct line_request *made;
	struct line_event down;
	struct line_event up;

	assert_int_equal(lines_request(rig->lines, "t", &input22, 1, &made), 0);
	assert_int_equal(lines_sim_press(rig->lines, 22, 20), 0);
	down = next_event(made);
	assert_false(down.active);
	up = next_event(made);
	assert_true(up.active);
	assert_true(up.time_ns - down.time_ns >=
		    20 * UINT64_C(1000000) - UINT64_C(1000000));
	lines_release(made);
}

/* Pressed for less than the quiet time: nobody hears of it. */
static void test_a_press_shorter_than_the_debounce_is_nothing(void **state)
{
	struct rig *rig = *state;
	struct line_config config = input22;
	struct line_request *made;
	struct line_event event;

	config.debounce_us = 50000;
	assert_int_equal(lines_request(rig->lines, "t", &config, 1, &made), 0);
	assert_int_equal(lines_sim_press(rig->lines, 22, 10), 0);
	assert_int_equal(lines_sim_connect(rig->lines, 22, -1), 0);
	/* The next real press is the first event. */
	assert_int_equal(lines_sim_connect(rig->lines, 22, 0), 0);
	event = next_event(made);
	assert_int_equal(event.seqno, 1);
	assert_false(event.active);
	lines_release(made);
}

static void test_the_wire_of_an_output_is_not_the_worlds(void **state)
{
	struct rig *rig = *state;
	struct line_config config = { .offset = 17, .direction = LINE_OUTPUT };
	struct line_request *made;

	assert_int_equal(lines_request(rig->lines, "t", &config, 1, &made), 0);
	assert_int_equal(lines_sim_connect(rig->lines, 17, 1), -EPERM);
	assert_int_equal(lines_sim_press(rig->lines, 17, 10), -EPERM);
	lines_release(made);
	assert_int_equal(lines_sim_connect(rig->lines, 58, 1), -EINVAL);
	assert_int_equal(lines_sim_connect(rig->lines, 22, 2), -EINVAL);
	assert_int_equal(lines_sim_press(rig->lines, 22, 0), -EINVAL);
	assert_int_equal(
		lines_sim_press(rig->lines, 22, LINES_SIM_PRESS_MAX + 1),
		-EINVAL);
}

static void test_a_released_output_keeps_its_level(void **state)
{
	struct rig *rig = *state;
	struct line_config config = { .offset = 17,
				      .direction = LINE_OUTPUT,
				      .initial = true };
	struct line_request *made;

	assert_int_equal(lines_request(rig->lines, "t", &config, 1, &made), 0);
	lines_release(made);
	assert_true(lines_sim_level(rig->lines, 17));
	config.keep = true;
	config.initial = false;
	assert_int_equal(lines_request(rig->lines, "t", &config, 1, &made), 0);
	assert_true(lines_sim_level(rig->lines, 17));
	lines_release(made);
}

static void test_a_broken_line_says_so_and_works_again(void **state)
{
	struct rig *rig = *state;
	struct line_config config = { .offset = 17, .direction = LINE_OUTPUT };
	struct line_request *made;
	uint64_t values;

	assert_int_equal(lines_request(rig->lines, "t", &config, 1, &made), 0);
	lines_sim_break(rig->lines, 17, EIO);
	assert_int_equal(lines_set(made, 1, 1), -EIO);
	assert_int_equal(lines_get(made, &values), -EIO);
	assert_false(lines_sim_level(rig->lines, 17));
	lines_sim_break(rig->lines, 17, 0);
	assert_int_equal(lines_set(made, 1, 1), 0);
	assert_true(lines_sim_level(rig->lines, 17));
	lines_release(made);
}

static void test_an_occupied_line_is_busy_until_let_go(void **state)
{
	struct rig *rig = *state;
	struct line_request *made;

	lines_sim_occupy(rig->lines, 22, "spi0");
	assert_int_equal(lines_request(rig->lines, "t", &input22, 1, &made),
			 -EBUSY);
	lines_sim_occupy(rig->lines, 22, NULL);
	assert_int_equal(lines_request(rig->lines, "t", &input22, 1, &made), 0);
	lines_release(made);
}

static void fault(struct rig *rig, enum lines_sim_fault to)
{
	assert_int_equal(lines_sim_set_fault(rig->lines, 22, to), 0);
	assert_int_equal(lines_sim_get_fault(rig->lines, 22), to);
}

/* Goes to and fro, and ends where it should. */
static void test_a_bouncing_contact_comes_to_rest(void **state)
{
	struct rig *rig = *state;
	struct line_request *of;
	struct line_event event = { .active = true };

	assert_int_equal(lines_request(rig->lines, "test", &input22, 1, &of),
			 0);
	fault(rig, LINES_SIM_BOUNCE);
	pull(rig, 22, 0);
	for (uint32_t i = 1; i <= 7; i++) {
		bool before = event.active;

		event = next_event(of);
		assert_int_equal(event.seqno, i);
		assert_int_equal(event.active, !before);
	}
	assert_false(event.active);
	assert_false(level(rig, 22));
	/* What does not change does not bounce. */
	pull(rig, 22, 0);
	fault(rig, LINES_SIM_WORKS);
	pull(rig, 22, 1);
	event = next_event(of);
	assert_int_equal(event.seqno, 8);
	assert_true(event.active);
	lines_release(of);
}

static void test_debouncing_hides_the_bounces(void **state)
{
	struct rig *rig = *state;
	struct line_config config = input22;
	struct line_request *of;
	struct line_event event;

	config.debounce_us = 10000;
	assert_int_equal(lines_request(rig->lines, "test", &config, 1, &of), 0);
	fault(rig, LINES_SIM_BOUNCE);
	pull(rig, 22, 0);
	event = next_event(of);
	assert_false(event.active);
	assert_int_equal(event.seqno, 1);
	pull(rig, 22, 1);
	event = next_event(of);
	assert_true(event.active);
	assert_int_equal(event.seqno, 2);
	lines_release(of);
}

static void test_lost_events_leave_a_gap(void **state)
{
	struct rig *rig = *state;
	struct line_request *of;

	assert_int_equal(lines_request(rig->lines, "test", &input22, 1, &of),
			 0);
	fault(rig, LINES_SIM_LOST_EVENTS);
	pull(rig, 22, 0);
	assert_int_equal(next_event(of).seqno, 3);
	fault(rig, LINES_SIM_WORKS);
	pull(rig, 22, 1);
	assert_int_equal(next_event(of).seqno, 4);
	lines_release(of);
}

/* Whoever waits for it is woken. */
static void test_an_io_error_wakes_who_waits(void **state)
{
	struct rig *rig = *state;
	struct line_request *of;
	struct line_event event;
	struct pollfd fd = { .events = POLLIN };
	uint64_t values;

	assert_int_equal(lines_request(rig->lines, "test", &input22, 1, &of),
			 0);
	fd.fd = of->fd;
	fault(rig, LINES_SIM_IO_ERROR);
	assert_int_equal(poll(&fd, 1, 30000), 1);
	assert_int_equal(lines_read(of, &event, 1), -EIO);
	assert_int_equal(lines_get(of, &values), -EIO);
	fault(rig, LINES_SIM_WORKS);
	assert_int_equal(lines_get(of, &values), 0);
	assert_int_equal(lines_read(of, &event, 1), 0);
	lines_release(of);
}

static void test_another_program_takes_what_is_free(void **state)
{
	struct rig *rig = *state;
	struct line_request *of;

	fault(rig, LINES_SIM_BUSY);
	assert_int_equal(lines_request(rig->lines, "test", &input22, 1, &of),
			 -EBUSY);
	fault(rig, LINES_SIM_WORKS);
	assert_int_equal(lines_request(rig->lines, "test", &input22, 1, &of),
			 0);
	assert_int_equal(lines_sim_set_fault(rig->lines, 22, LINES_SIM_BUSY),
			 -EBUSY);
	assert_int_equal(lines_sim_get_fault(rig->lines, 22), LINES_SIM_WORKS);
	lines_release(of);
	assert_int_equal(lines_sim_set_fault(rig->lines, 2, LINES_SIM_BUSY),
			 -EBUSY);
	assert_int_equal(lines_sim_set_fault(rig->lines, 58, LINES_SIM_BOUNCE),
			 -EINVAL);
}

static void test_open_and_request_survive_allocation_failure(void **state)
{
	struct rig *rig = *state;
	struct line_request *made;
	struct line_info info;
	struct lines *other;

	failing_malloc_arm(0);
	assert_int_equal(lines_sim_open(&other), -ENOMEM);
	assert_true(failing_malloc_disarm());

	failing_malloc_arm(0);
	assert_int_equal(lines_request(rig->lines, "t", &input22, 1, &made),
			 -ENOMEM);
	assert_true(failing_malloc_disarm());
	assert_int_equal(lines_info(rig->lines, 22, &info), 0);
	assert_false(info.used);
}

int main(void)
{
	const struct CMUnitTest own[] = {
		cmocka_unit_test(test_a_press_goes_to_the_other_level_and_back),
		cmocka_unit_test(
			test_a_press_shorter_than_the_debounce_is_nothing),
		cmocka_unit_test(test_the_wire_of_an_output_is_not_the_worlds),
		cmocka_unit_test(test_a_released_output_keeps_its_level),
		cmocka_unit_test(test_a_broken_line_says_so_and_works_again),
		cmocka_unit_test(test_an_occupied_line_is_busy_until_let_go),
		cmocka_unit_test(test_a_bouncing_contact_comes_to_rest),
		cmocka_unit_test(test_debouncing_hides_the_bounces),
		cmocka_unit_test(test_lost_events_leave_a_gap),
		cmocka_unit_test(test_an_io_error_wakes_who_waits),
		cmocka_unit_test(test_another_program_takes_what_is_free),
		cmocka_unit_test(
			test_open_and_request_survive_allocation_failure),
	};
	struct CMUnitTest all[64];
	size_t n = 0;

	/* Each with a board of its own. */
	for (size_t i = 0; i < lines_contract_count; i++)
		all[n++] = lines_contract[i];
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		all[n++] = own[i];
	for (size_t i = 0; i < n; i++) {
		all[i].setup_func = setup;
		all[i].teardown_func = teardown;
	}
	return _cmocka_run_group_tests("lines_sim", all, n, NULL, NULL);
}

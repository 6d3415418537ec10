#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/base/clock.h"
#include "tests/gpio/lines_contract.h"

#define MS UINT64_C(1000000)

/* A pull that flips, spaced as far as the simulated kernel interrupt needs. */
static const struct line_config input22 = {
	.offset = 22,
	.direction = LINE_INPUT,
	.bias = LINE_BIAS_UP,
};

static struct line_config output(unsigned int offset, bool active_low)
{
	return (struct line_config){
		.offset = offset,
		.direction = LINE_OUTPUT,
		.active_low = active_low,
	};
}

static struct line_request *request(struct rig *rig,
				    const struct line_config *configs, size_t n)
{
	struct line_request *made = NULL;

	assert_int_equal(
		lines_request(rig->lines, "contract", configs, n, &made), 0);
	assert_int_equal(made->n, n);
	return made;
}

static uint64_t get(struct line_request *of)
{
	uint64_t values;

	assert_int_equal(lines_get(of, &values), 0);
	return values;
}

/* The next edge, however long a busy machine takes for it. */
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

static void test_lines_have_the_names_of_the_board(void **state)
{
	struct rig *rig = *state;
	struct line_info info;

	assert_int_equal(rig->lines->count, 58);
	assert_string_equal(rig->lines->label, "pinctrl-bcm2711");
	assert_int_equal(lines_info(rig->lines, 17, &info), 0);
	assert_string_equal(info.name, "GPIO17");
	assert_false(info.used);
	assert_string_equal(info.consumer, "");
	assert_int_equal(lines_info(rig->lines, 58, &info), -EINVAL);
}

static void test_a_held_line_names_its_holder_and_is_busy(void **state)
{
	struct rig *rig = *state;
	struct line_config config = output(2, false);
	struct line_request *made;
	struct line_info info;

	assert_int_equal(lines_info(rig->lines, 2, &info), 0);
	assert_true(info.used);
	assert_string_equal(info.consumer, "i2c-1");
	assert_int_equal(
		lines_request(rig->lines, "contract", &config, 1, &made),
		-EBUSY);
}

static void test_our_own_lines_are_held_until_released(void **state)
{
	struct rig *rig = *state;
	struct line_config config = output(17, false);
	struct line_request *first = request(rig, &config, 1);
	struct line_request *second;
	struct line_info info;

	assert_int_equal(lines_info(rig->lines, 17, &info), 0);
	assert_true(info.used);
	assert_string_equal(info.consumer, "contract");
	assert_int_equal(
		lines_request(rig->lines, "contract", &config, 1, &second),
		-EBUSY);
	lines_release(first);
	assert_int_equal(lines_info(rig->lines, 17, &info), 0);
	assert_false(info.used);
	lines_release(request(rig, &config, 1));
}

static void test_a_busy_line_leaves_the_others_free(void **state)
{
	struct rig *rig = *state;
	struct line_config pair[] = { output(17, false), output(2, false) };
	struct line_config twice[] = { output(17, false), output(17, false) };
	struct line_config none = output(58, false);
	struct line_request *made;
	struct line_info info;

	assert_int_equal(lines_request(rig->lines, "c", pair, 2, &made),
			 -EBUSY);
	assert_int_equal(lines_info(rig->lines, 17, &info), 0);
	assert_false(info.used);
	assert_int_equal(lines_request(rig->lines, "c", twice, 2, &made),
			 -EINVAL);
	assert_int_equal(lines_request(rig->lines, "c", &none, 1, &made),
			 -EINVAL);
	assert_int_equal(lines_request(rig->lines, "c", pair, 0, &made),
			 -EINVAL);
}

static void test_an_output_starts_with_its_first_value(void **state)
{
	struct rig *rig = *state;
	struct line_config config = output(17, false);
	struct line_request *made;

	config.initial = true;
	made = request(rig, &config, 1);
	assert_true(rig->level(rig, 17));
	assert_int_equal(get(made), 1);
	assert_int_equal(lines_set(made, 1, 0), 0);
	assert_false(rig->level(rig, 17));
	assert_int_equal(get(made), 0);
	lines_release(made);
}

static void test_active_low_is_on_when_the_wire_is_low(void **state)
{
	struct rig *rig = *state;
	struct line_config config = output(27, true);
	struct line_request *made = request(rig, &config, 1);

	assert_true(rig->level(rig, 27));
	assert_int_equal(get(made), 0);
	assert_int_equal(lines_set(made, 1, 1), 0);
	assert_false(rig->level(rig, 27));
	assert_int_equal(get(made), 1);
	lines_release(made);
}

static void test_lines_of_one_request_change_together(void **state)
{
	struct rig *rig = *state;
	struct line_config pair[] = { output(5, false), output(6, false) };
	struct line_request *made = request(rig, pair, 2);

	assert_int_equal(lines_set(made, 3, 1), 0);
	assert_true(rig->level(rig, 5));
	assert_false(rig->level(rig, 6));
	assert_int_equal(lines_set(made, 3, 2), 0);
	assert_false(rig->level(rig, 5));
	assert_true(rig->level(rig, 6));
	/* A line outside the mask stays. */
	assert_int_equal(lines_set(made, 1, 1), 0);
	assert_int_equal(get(made), 3);
	lines_release(made);
}

static void test_an_input_cannot_be_driven(void **state)
{
	struct line_request *made = request(*state, &input22, 1);

	assert_int_equal(lines_set(made, 1, 1), -EPERM);
	lines_release(made);
}

static void test_an_edge_is_an_event_with_time_and_number(void **state)
{
	struct rig *rig = *state;
	struct line_request *made = request(rig, &input22, 1);
	uint64_t before = clock_ns();
	struct line_event event;

	assert_int_equal(get(made), 1);
	assert_int_equal(lines_read(made, &event, 1), 0);

	for (uint32_t i = 1; i <= 6; i++) {
		rig->pull(rig, 22, i % 2 == 0);
		event = next_event(made);
		assert_int_equal(event.index, 0);
		assert_int_equal(event.active, i % 2 == 0);
		assert_int_equal(event.seqno, i);
		assert_true(event.time_ns >= before);
		before = event.time_ns;
		assert_int_equal(get(made), i % 2 == 0);
	}
	lines_release(made);
}

static void test_an_active_low_input_is_active_at_ground(void **state)
{
	struct rig *rig = *state;
	struct line_config config = input22;
	struct line_request *made;
	struct line_event event;

	config.active_low = true;
	made = request(rig, &config, 1);
	assert_int_equal(get(made), 0);
	rig->pull(rig, 22, 0);
	event = next_event(made);
	assert_true(event.active);
	assert_int_equal(get(made), 1);
	lines_release(made);
}

/* Events tell the lines of one request apart. */
static void test_an_event_knows_its_line(void **state)
{
	struct rig *rig = *state;
	struct line_config pair[] = { input22, input22 };
	struct line_request *made;
	struct line_event event;

	pair[1].offset = 23;
	made = request(rig, pair, 2);
	rig->pull(rig, 23, 0);
	event = next_event(made);
	assert_int_equal(event.index, 1);
	assert_false(event.active);
	assert_int_equal(get(made), 1);
	lines_release(made);
}

/* A train of bounces faster than the quiet time is one edge, at its end. */
static void
test_bounces_are_one_event_at_the_end_of_the_quiet_time(void **state)
{
	struct rig *rig = *state;
	struct line_config config = input22;
	struct line_request *made;
	struct line_event event;
	uint64_t start;
	uint64_t end;
	bool quiet;

	config.debounce_us = 600000;
	made = request(rig, &config, 1);
	do {
		/* Once more if the machine was too busy to bounce fast. */
		rig->pull(rig, 22, 1);
		while (get(made) != 1)
			(void)next_event(made);
		start = clock_ns();
		for (int i = 0; i < 9; i++)
			rig->pull(rig, 22, i % 2);
		quiet = get(made) == 1;
		end = clock_ns();
	} while (end - start >= 600 * MS);
	assert_true(quiet);

	event = next_event(made);
	assert_false(event.active);
	assert_true(event.time_ns >= start + 600 * MS);
	assert_int_equal(get(made), 0);
	assert_int_equal(lines_read(made, &event, 1), 0);
	lines_release(made);
}

/* What a restart does: the relay must not click in between. */
static void test_keep_takes_over_an_output_as_it_is(void **state)
{
	struct rig *rig = *state;
	struct line_config config = output(13, true);
	struct line_request *made = request(rig, &config, 1);
	bool left;

	assert_int_equal(lines_set(made, 1, 1), 0);
	lines_release(made);
	/* What a released output does is the board's affair. */
	left = rig->level(rig, 13);

	config.keep = true;
	made = request(rig, &config, 1);
	assert_int_equal(rig->level(rig, 13), left);
	assert_int_equal(get(made), !left);
	assert_int_equal(lines_set(made, 1, 1), 0);
	assert_false(rig->level(rig, 13));
	assert_int_equal(lines_set(made, 1, 0), 0);
	assert_true(rig->level(rig, 13));
	lines_release(made);
}

static void test_keep_does_not_take_an_input_for_an_output(void **state)
{
	struct rig *rig = *state;
	struct line_config config = output(26, false);
	struct line_request *made;

	config.keep = true;
	config.initial = true;
	made = request(rig, &config, 1);
	assert_true(rig->level(rig, 26));
	assert_int_equal(get(made), 1);
	lines_release(made);
}

/* The oldest are lost, and the numbers show it: then the level is read. */
static void test_lost_edges_show_in_the_numbers(void **state)
{
	struct rig *rig = *state;
	struct line_request *made = request(rig, &input22, 1);
	uint32_t flips = 3 * LINES_EVENTS_MAX + 1;
	struct line_event event = { 0 };
	uint32_t got = 0;

	for (uint32_t i = 0; i < flips; i++)
		rig->pull(rig, 22, (int)(i % 2));
	while (event.seqno < flips) {
		event = next_event(made);
		got++;
	}
	assert_true(got < flips);
	assert_false(event.active);
	assert_int_equal(get(made), 0);
	lines_release(made);
}

/* The same numbers on two chips are other lines. */
static void test_each_chip_of_the_board_is_by_itself(void **state)
{
	struct rig *rig = *state;
	const struct line_config on = { .offset = 1,
					.direction = LINE_OUTPUT,
					.initial = true };
	const struct line_config off = { .offset = 1,
					 .direction = LINE_OUTPUT };
	struct line_request *a, *b;
	struct lines *second;
	struct line_info info;

	assert_ptr_equal(lines_chip(rig->lines, ""), rig->lines);
	assert_ptr_equal(lines_chip(rig->lines, "pinctrl-bcm2711"), rig->lines);
	assert_null(lines_chip(rig->lines, "gpio-elsewhere"));
	if (!rig->second)
		return;

	second = lines_chip(rig->lines, rig->second);
	assert_non_null(second);
	assert_string_equal(second->label, rig->second);
	assert_int_equal(second->count, 8);
	assert_int_equal(lines_request(rig->lines, "contract", &on, 1, &a), 0);
	assert_int_equal(lines_info(second, 1, &info), 0);
	assert_false(info.used);
	assert_int_equal(lines_request(second, "contract", &off, 1, &b), 0);
	assert_int_equal(get(a), 1);
	assert_int_equal(get(b), 0);
	assert_int_equal(lines_set(b, 1, 1), 0);
	assert_int_equal(lines_set(a, 1, 0), 0);
	assert_int_equal(get(a), 0);
	assert_int_equal(get(b), 1);
	lines_release(a);
	assert_int_equal(get(b), 1);
	assert_int_equal(lines_info(second, 1, &info), 0);
	assert_string_equal(info.consumer, "contract");
	lines_release(b);
}

const struct CMUnitTest lines_contract[] = {
	cmocka_unit_test(test_each_chip_of_the_board_is_by_itself),
	cmocka_unit_test(test_lines_have_the_names_of_the_board),
	cmocka_unit_test(test_a_held_line_names_its_holder_and_is_busy),
	cmocka_unit_test(test_our_own_lines_are_held_until_released),
	cmocka_unit_test(test_a_busy_line_leaves_the_others_free),
	cmocka_unit_test(test_an_output_starts_with_its_first_value),
	cmocka_unit_test(test_active_low_is_on_when_the_wire_is_low),
	cmocka_unit_test(test_lines_of_one_request_change_together),
	cmocka_unit_test(test_an_input_cannot_be_driven),
	cmocka_unit_test(test_an_edge_is_an_event_with_time_and_number),
	cmocka_unit_test(test_an_active_low_input_is_active_at_ground),
	cmocka_unit_test(test_an_event_knows_its_line),
	cmocka_unit_test(
		test_bounces_are_one_event_at_the_end_of_the_quiet_time),
	cmocka_unit_test(test_keep_takes_over_an_output_as_it_is),
	cmocka_unit_test(test_keep_does_not_take_an_input_for_an_output),
	cmocka_unit_test(test_lost_edges_show_in_the_numbers),
};
const size_t lines_contract_count =
	sizeof(lines_contract) / sizeof(lines_contract[0]);

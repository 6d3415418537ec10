/* hearth-gpiod --safe, as far as it is not the process: all outputs that there
 * may be, each of them driven, and soon. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/base/clock.h"
#include "gpio/file.h"
#include "gpio/safe.h"
#include "gpio/state.h"
#include "tests/gpio/node_rig.h"

/* GPIO2 and 3 are the bus's. */
#define FIRST 4u
#define LAST 57u

static bool is_hold(unsigned int line)
{
	return line % 5 == 0;
}

static bool is_safe_on(unsigned int line)
{
	return line % 3 == 0;
}

static bool is_low(unsigned int line)
{
	return line % 2 == 0;
}

static void keep_all(struct rig *rig)
{
	static char text[PINS_JSON_MAX];
	size_t len = (size_t)snprintf(text, sizeof(text), "{\"pins\":[");

	for (unsigned int i = FIRST; i <= LAST; i++)
		len += (size_t)snprintf(
			text + len, sizeof(text) - len,
			"%s{\"name\":\"p%u\",\"dir\":\"out\",\"line\":%u,"
			"\"active_low\":%s,\"safe\":\"%s\"}",
			i == FIRST ? "" : ",", i, i,
			is_low(i) ? "true" : "false",
			is_hold(i)	? "hold"
			: is_safe_on(i) ? "on"
					: "off");
	(void)snprintf(text + len, sizeof(text) - len, "]}");
	assert_int_equal(
		file_replace(rig->directory, STATE_FILE, slice_str(text), true),
		0);
}

/* As a process left them that died: each output the other way round. */
static void leave_all_wrong(struct rig *rig)
{
	for (unsigned int i = FIRST; i <= LAST; i++) {
		const struct line_config config = {
			.offset = i,
			.direction = LINE_OUTPUT,
			.active_low = is_low(i),
			.initial = !is_safe_on(i),
		};
		struct line_request *request;

		assert_int_equal(
			lines_request(rig->lines, "x", &config, 1, &request),
			0);
		lines_release(request);
	}
}

static void test_every_output_is_driven_to_its_safe_value(void **state)
{
	struct rig *rig = *state;
	uint64_t start;

	keep_all(rig);
	leave_all_wrong(rig);
	start = clock_ns();
	assert_int_equal(safe_drive(rig->lines, rig->directory, rig->sysfs), 0);
	print_message("# %u outputs made safe in %.1f ms\n", LAST - FIRST + 1,
		      (double)(clock_ns() - start) / 1e6);
	for (unsigned int i = FIRST; i <= LAST; i++) {
		bool on = lines_sim_level(rig->lines, i) != is_low(i);

		assert_int_equal(on,
				 is_hold(i) ? !is_safe_on(i) : is_safe_on(i));
		assert_false(is_held(rig, i));
	}
}

static void test_one_that_fails_does_not_stop_the_others(void **state)
{
	struct rig *rig = *state;

	keep_all(rig);
	leave_all_wrong(rig);
	lines_sim_occupy(rig->lines, 7, "boiler");
	assert_int_equal(safe_drive(rig->lines, rig->directory, rig->sysfs),
			 -EBUSY);
	for (unsigned int i = FIRST; i <= LAST; i++)
		if (!is_hold(i) && i != 7)
			assert_int_equal(lines_sim_level(rig->lines, i) !=
						 is_low(i),
					 is_safe_on(i));
	lines_sim_occupy(rig->lines, 7, NULL);
}

static void test_without_a_state_nothing_is_touched(void **state)
{
	struct rig *rig = *state;

	leave_all_wrong(rig);
	assert_int_equal(safe_drive(rig->lines, rig->directory, rig->sysfs), 0);
	assert_int_equal(lines_sim_level(rig->lines, 4) != is_low(4),
			 !is_safe_on(4));
	assert_int_equal(
		file_replace(rig->directory, STATE_FILE, slice_str("{"), true),
		0);
	assert_int_equal(safe_drive(rig->lines, rig->directory, rig->sysfs),
			 -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NODE_TEST(test_every_output_is_driven_to_its_safe_value),
		NODE_TEST(test_one_that_fails_does_not_stop_the_others),
		NODE_TEST(test_without_a_state_nothing_is_touched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

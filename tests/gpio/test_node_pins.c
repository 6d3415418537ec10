#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gpio/safe.h"
#include "tests/failing_malloc.h"
#include "tests/gpio/node_rig.h"

static void test_configured_pins_have_a_retained_state(void **state)
{
	struct rig *rig = *state;
	const char *report = begin(rig, PUMP "," HEATER "," DESK "," DOOR);

	assert_non_null(strstr(report, "\"revision\":1"));
	assert_non_null(strstr(report, "\"consumer\":\"hearth:pump\""));
	assert_non_null(strstr(report, "\"configured\":\"pump\""));
	assert_string_equal(fake_hub_retained(rig->hub, "hearth/pi/out/pump"),
			    "OFF");
	assert_string_equal(fake_hub_retained(rig->hub, "hearth/pi/out/heater"),
			    "OFF");
	assert_string_equal(fake_hub_retained(rig->hub, "hearth/pi/in/door"),
			    "ON");
	assert_string_equal(fake_hub_retained(rig->hub, "hearth/pi/light/desk"),
			    "{\"state\":\"OFF\"}");
	assert_false(lines_sim_level(rig->lines, 17));
	assert_true(lines_sim_level(rig->lines, 27));
}

static void test_a_change_of_one_pin_leaves_the_others_alone(void **state)
{
	struct rig *rig = *state;
	struct line_request *before;

	begin(rig, PUMP "," DOOR);
	command(rig, "hearth/pi/out/pump/set",
		"{\"state\":\"ON\",\"on_time\":1000}");
	fake_hub_await(rig->hub, "hearth/pi/out/pump/result", NULL);
	before = node_pins_find(rig->node, slice_str("pump"))->request;

	configure(rig, "{\"pins\":[" FAN "," PUMP "]}");
	assert_ptr_equal(node_pins_find(rig->node, slice_str("pump"))->request,
			 before);
	assert_true(state_of(rig, "pump"));
	assert_true(logic_next(&rig->node->logic, loop_now(rig->loop)) !=
		    UINT64_MAX);
	assert_false(is_held(rig, 22));
	assert_null(fake_hub_retained(rig->hub, "hearth/pi/in/door"));
	assert_true(state_of(rig, "fan")); /* starts with its safe value */
}

static void test_a_new_name_keeps_the_line(void **state)
{
	struct rig *rig = *state;

	begin(rig, PUMP);
	command(rig, "hearth/pi/out/pump/set", "ON");
	fake_hub_await(rig->hub, "hearth/pi/out/pump/result", NULL);
	configure(rig, "{\"pins\":[{\"name\":\"well\",\"dir\":\"out\","
		       "\"line\":17}]}");
	assert_true(lines_sim_level(rig->lines, 17));
	assert_null(fake_hub_retained(rig->hub, "hearth/pi/out/pump"));
	assert_string_equal(fake_hub_retained(rig->hub, "hearth/pi/out/well"),
			    "ON");
}

static void test_names_can_change_places(void **state)
{
	struct rig *rig = *state;

	begin(rig, "{\"name\":\"a\",\"dir\":\"out\",\"line\":17},"
		   "{\"name\":\"b\",\"dir\":\"in\",\"line\":22}");
	configure(rig, "{\"pins\":[{\"name\":\"a\",\"dir\":\"in\",\"line\":17},"
		       "{\"name\":\"b\",\"dir\":\"out\",\"line\":22}]}");
	assert_null(fake_hub_retained(rig->hub, "hearth/pi/out/a"));
	assert_null(fake_hub_retained(rig->hub, "hearth/pi/in/b"));
	assert_string_equal(fake_hub_retained(rig->hub, "hearth/pi/in/a"),
			    "ON");
	assert_string_equal(fake_hub_retained(rig->hub, "hearth/pi/out/b"),
			    "OFF");
}

static void test_a_removed_output_is_made_safe(void **state)
{
	struct rig *rig = *state;

	begin(rig, PUMP "," DESK "," FAN);
	command(rig, "hearth/pi/out/pump/set", "ON");
	command(rig, "hearth/pi/out/desk/set", "ON");
	command(rig, "hearth/pi/out/fan/set", "OFF");
	fake_hub_await(rig->hub, "hearth/pi/out/fan/result", NULL);
	configure(rig, "{\"pins\":[]}");
	assert_false(lines_sim_level(rig->lines, 17));
	assert_true(lines_sim_level(rig->lines, 23)); /* it holds */
	assert_true(lines_sim_level(rig->lines, 5));
	assert_false(is_held(rig, 17));
	assert_null(fake_hub_retained(rig->hub, "hearth/pi/out/pump"));
	assert_null(fake_hub_retained(rig->hub, "hearth/pi/light/desk"));
}

static void test_a_bad_configuration_changes_nothing(void **state)
{
	static const char *const bad[] = {
		"{\"revision\":9,\"pins\":[" DOOR ",{\"name\":\"x\"}]}",
		"{\"revision\":9,\"pins\":[" DOOR
		",{\"name\":\"x\",\"dir\":\"in\",\"line\":58}]}",
		"{\"revision\":9,\"pins\":7}",
		"no JSON",
	};
	struct rig *rig = *state;

	begin(rig, PUMP);
	command(rig, "hearth/pi/out/pump/set", "ON");
	fake_hub_await(rig->hub, "hearth/pi/out/pump/result", NULL);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const char *report = configure(rig, bad[i]);

		assert_null(strstr(report, "\"errors\":[]"));
		assert_non_null(strstr(report, i < 3 ? "\"revision\":9"
						     : "\"revision\":null"));
		assert_true(state_of(rig, "pump"));
		assert_false(is_held(rig, 22));
	}
	/* Nor was it kept. */
	node_free(rig->node);
	make_node(rig);
	node_start(rig->node);
	assert_true(state_of(rig, "pump"));
}

static void test_a_busy_line_is_reported_and_taken_when_free(void **state)
{
	struct rig *rig = *state;
	const char *report = begin(rig, BUSY "," PUMP);

	assert_non_null(strstr(report, "{\"pin\":\"busy\",\"field\":\"line\","
				       "\"message\":\"line 2 is used by "
				       "i2c-1\"}"));
	assert_false(state_of(rig, "pump"));
	assert_null(fake_hub_retained(rig->hub, "hearth/pi/out/busy"));
	lines_sim_occupy(rig->lines, 2, NULL);
	/* After NODE_RETRY_MS. */
	fake_hub_await(rig->hub, "hearth/pi/out/busy", "OFF");
	report = fake_hub_await(rig->hub, REPORT, NULL);
	assert_non_null(strstr(report, "\"errors\":[]"));
}

static void test_an_input_that_fails_is_not_said_to_be_anything(void **state)
{
	struct rig *rig = *state;

	begin(rig, DOOR);
	for (unsigned int i = 0; i < 2 * LINES_EVENTS_MAX; i++)
		assert_int_equal(
			lines_sim_connect(rig->lines, 22, (int)(i % 2)), 0);
	/* Edges were lost, and now the level cannot be read. */
	lines_sim_break(rig->lines, 22, EIO);
	fake_hub_await(rig->hub, "hearth/pi/in/door", "");
	assert_false(is_held(rig, 22));
	lines_sim_break(rig->lines, 22, 0);
	fake_hub_await(rig->hub, "hearth/pi/in/door", "ON");
}

static void test_it_works_before_the_hub_is_there(void **state)
{
	struct rig *rig = *state;

	begin(rig, PUMP "," FAN);
	command(rig, "hearth/pi/out/pump/set", "ON");
	fake_hub_await(rig->hub, "hearth/pi/out/pump/result", NULL);
	node_free(rig->node);
	fake_hub_kick(rig->hub);

	/* Another life: the kept configuration, and no relay clicks. */
	make_node(rig);
	node_start(rig->node);
	assert_true(state_of(rig, "pump"));
	assert_true(state_of(rig, "fan"));
	assert_true(lines_sim_level(rig->lines, 17));
	fake_hub_await(rig->hub, "hearth/pi/out/pump", "ON");
}

/* What systemd runs after a crash. */
static void test_safe_drives_what_was_left(void **state)
{
	struct rig *rig = *state;

	assert_int_equal(safe_drive(rig->lines, rig->directory, rig->sysfs), 0);
	begin(rig, PUMP "," HEATER "," DESK "," FAN "," DOOR);
	command(rig, "hearth/pi/out/pump/set", "ON");
	command(rig, "hearth/pi/out/heater/set", "ON");
	command(rig, "hearth/pi/out/desk/set", "ON");
	command(rig, "hearth/pi/out/fan/set", "OFF");
	fake_hub_await(rig->hub, "hearth/pi/out/fan/result", NULL);
	/* It is still running: its lines are not ours to take. */
	assert_int_equal(safe_drive(rig->lines, rig->directory, rig->sysfs),
			 -EBUSY);

	node_free(rig->node);
	rig->node = NULL;
	assert_true(lines_sim_level(rig->lines, 17));
	assert_int_equal(safe_drive(rig->lines, rig->directory, rig->sysfs), 0);
	assert_false(lines_sim_level(rig->lines, 17));
	assert_true(lines_sim_level(rig->lines, 27));
	assert_true(lines_sim_level(rig->lines, 23));
	assert_true(lines_sim_level(rig->lines, 5));
	assert_false(is_held(rig, 17));
}

static void test_a_report_is_whole_or_not_at_all(void **state)
{
	struct rig *rig = *state;
	char *expected;
	char *text;

	begin(rig, PUMP "," BUSY);
	expected = node_report(rig->node);
	assert_non_null(expected);
	for (unsigned int n = 0;; n++) {
		failing_malloc_arm(n);
		text = node_report(rig->node);
		if (!failing_malloc_disarm())
			break;
		if (text)
			assert_string_equal(text, expected);
		free(text);
		assert_true(n < 5000);
	}
	assert_string_equal(text, expected);
	free(text);
	free(expected);
}

static void test_a_line_that_cannot_be_read_is_let_go(void **state)
{
	struct rig *rig = *state;
	const char *report;

	lines_sim_break(rig->lines, 17, EIO);
	lines_sim_break(rig->lines, 22, EIO);
	report = begin(rig, PUMP "," DOOR);
	assert_non_null(strstr(report, "line 17 cannot be had: Input/output"));
	assert_non_null(strstr(report, "line 22 cannot be had: Input/output"));
	assert_false(is_held(rig, 17));
	assert_false(is_held(rig, 22));
	lines_sim_break(rig->lines, 17, 0);
	lines_sim_break(rig->lines, 22, 0);
	fake_hub_await(rig->hub, "hearth/pi/out/pump", "OFF");
	fake_hub_await(rig->hub, "hearth/pi/in/door", "ON");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NODE_TEST(test_configured_pins_have_a_retained_state),
		NODE_TEST(test_a_change_of_one_pin_leaves_the_others_alone),
		NODE_TEST(test_a_new_name_keeps_the_line),
		NODE_TEST(test_names_can_change_places),
		NODE_TEST(test_a_removed_output_is_made_safe),
		NODE_TEST(test_a_bad_configuration_changes_nothing),
		NODE_TEST(test_a_busy_line_is_reported_and_taken_when_free),
		NODE_TEST(test_an_input_that_fails_is_not_said_to_be_anything),
		NODE_TEST(test_it_works_before_the_hub_is_there),
		NODE_TEST(test_safe_drives_what_was_left),
		NODE_TEST(test_a_report_is_whole_or_not_at_all),
		NODE_TEST(test_a_line_that_cannot_be_read_is_let_go),
	};

	json_set_alloc_funcs(malloc, free);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

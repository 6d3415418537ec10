#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/failing_malloc.h"
#include "tests/gpio/node_rig.h"

#define TREE "firmware/devicetree/base/"

static void test_it_says_who_is_there_and_what_there_is(void **state)
{
	struct rig *rig = *state;
	const char *text;
	json_t *report;
	json_t *line;

	node_start(rig->node);
	fake_hub_await(rig->hub, "hearth/pi/status", "online");
	assert_string_equal(fake_hub_will(rig->hub),
			    "hearth/pi/status=offline");
	text = fake_hub_await(rig->hub, REPORT, NULL);
	report = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(report);
	assert_string_equal(
		json_string_value(json_object_get(report, "backend")), "sim");
	assert_string_equal(json_string_value(json_object_get(report, "chip")),
			    "pinctrl-bcm2711");
	assert_true(json_is_null(json_object_get(report, "revision")));
	assert_int_equal(json_array_size(json_object_get(report, "errors")), 0);
	assert_int_equal(json_array_size(json_object_get(report, "lines")), 28);
	line = json_array_get(json_object_get(report, "lines"), 2);
	text = json_string_value(json_object_get(line, "consumer"));
	assert_string_equal(text, "i2c-1");
	assert_int_equal(json_integer_value(json_object_get(line, "pin")), 3);
	assert_true(json_is_true(json_object_get(line, "used")));
	assert_true(json_is_null(json_object_get(line, "configured")));
	assert_true(json_is_string(json_object_get(line, "warning")));
	json_decref(report);
}

static json_t *state_of_bus(json_t *report, size_t line)
{
	return json_object_get(
		json_array_get(json_object_get(report, "lines"), line),
		"switched_on");
}

static void test_it_says_which_buses_of_the_header_are_on(void **state)
{
	struct rig *rig = *state;
	json_t *report;

	tree_put(rig->sysfs, TREE "aliases/i2c_arm", "/soc/i2c@7e804000");
	tree_put(rig->sysfs, TREE "soc/i2c@7e804000/status", "okay");
	tree_put(rig->sysfs, TREE "aliases/spi0", "/soc/spi@7e204000");
	tree_put(rig->sysfs, TREE "soc/spi@7e204000/status", "disabled");
	node_start(rig->node);
	report = json_loads(fake_hub_await(rig->hub, REPORT, NULL), 0, NULL);
	assert_non_null(report);
	assert_true(json_is_true(state_of_bus(report, 3)));
	assert_true(json_is_false(state_of_bus(report, 7)));
	assert_true(json_is_null(state_of_bus(report, 14)));
	assert_true(json_is_null(state_of_bus(report, 17)));
	json_decref(report);
}

static void test_a_command_is_answered_by_state_and_result(void **state)
{
	struct rig *rig = *state;

	begin(rig, PUMP);
	command(rig, "hearth/pi/out/pump/set", "ON");
	fake_hub_await(rig->hub, "hearth/pi/out/pump", "ON");
	assert_true(lines_sim_level(rig->lines, 17));
	fake_hub_await(rig->hub, "hearth/pi/out/pump/result",
		       "{\"applied\":true,\"state\":\"ON\"}");
	command(rig, "hearth/pi/out/pump/set",
		"{\"state\":\"toggle\",\"id\":42}");
	fake_hub_await(rig->hub, "hearth/pi/out/pump", "OFF");
	assert_false(lines_sim_level(rig->lines, 17));
	fake_hub_await(rig->hub, "hearth/pi/out/pump/result",
		       "{\"applied\":true,\"state\":\"OFF\",\"id\":42}");
}

static void test_a_light_answers_as_light_and_as_output(void **state)
{
	struct rig *rig = *state;

	begin(rig, DESK);
	command(rig, "hearth/pi/light/desk/set", "{\"state\":\"ON\"}");
	fake_hub_await(rig->hub, "hearth/pi/out/desk", "ON");
	fake_hub_await(rig->hub, "hearth/pi/light/desk", "{\"state\":\"ON\"}");
	fake_hub_await(rig->hub, "hearth/pi/light/desk/result",
		       "{\"applied\":true,\"state\":\"ON\"}");
	command(rig, "hearth/pi/out/desk/set", "OFF");
	fake_hub_await(rig->hub, "hearth/pi/light/desk", "{\"state\":\"OFF\"}");
	fake_hub_await(rig->hub, "hearth/pi/out/desk/result",
		       "{\"applied\":true,\"state\":\"OFF\"}");
}

static void test_on_time_switches_off_again(void **state)
{
	struct rig *rig = *state;

	begin(rig, PUMP);
	command(rig, "hearth/pi/out/pump/set",
		"{\"state\":\"ON\",\"on_time\":0.05}");
	fake_hub_await(rig->hub, "hearth/pi/out/pump", "ON");
	fake_hub_await(rig->hub, "hearth/pi/out/pump/result",
		       "{\"applied\":true,\"state\":\"ON\"}");
	fake_hub_await(rig->hub, "hearth/pi/out/pump", "OFF");
	assert_false(lines_sim_level(rig->lines, 17));
}

/* A retained ON from last year must not switch the heater. */
static void test_a_retained_command_is_reported_and_not_obeyed(void **state)
{
	struct rig *rig = *state;

	begin(rig, HEATER);
	fake_hub_send(rig->hub, "hearth/pi/out/heater/set", "ON", true);
	fake_hub_await(rig->hub, "hearth/pi/error",
		       "{\"topic\":\"hearth/pi/out/heater/set\","
		       "\"payload\":\"ON\",\"reason\":"
		       "\"a retained command is old and not obeyed\","
		       "\"count\":1}");
	assert_false(state_of(rig, "heater"));
	assert_true(lines_sim_level(rig->lines, 27));
	/* Taking it away is no command: the next answer is to the next one. */
	command(rig, "hearth/pi/out/heater/set", "");
	command(rig, "hearth/pi/out/heater/set", "ON");
	assert_string_equal(
		fake_hub_await(rig->hub, "hearth/pi/out/heater/result", NULL),
		"{\"applied\":true,\"state\":\"ON\"}");
}

static void test_commands_that_make_no_sense_are_answered(void **state)
{
	static const char *const topics[] = {
		"hearth/pi/out/nobody", "hearth/pi/out/door",
		"hearth/pi/light/pump", "hearth/pi/out/busy",
		"hearth/pi/out/",
	};
	struct rig *rig = *state;
	char topic[80];

	begin(rig, PUMP "," DOOR "," BUSY);
	for (size_t i = 0; i < sizeof(topics) / sizeof(topics[0]); i++) {
		const char *result;

		(void)snprintf(topic, sizeof(topic), "%s/set", topics[i]);
		command(rig, topic, "ON");
		fake_hub_await(rig->hub, "hearth/pi/error", NULL);
		(void)snprintf(topic, sizeof(topic), "%s/result", topics[i]);
		result = fake_hub_await(rig->hub, topic, NULL);
		assert_non_null(strstr(result, "\"applied\":false"));
		assert_non_null(strstr(result, "\"reason\":\""));
	}
	command(rig, "hearth/pi/out/pump/set", "perhaps");
	fake_hub_await(rig->hub, "hearth/pi/error", NULL);
	fake_hub_await(rig->hub, "hearth/pi/out/pump/result", NULL);
	assert_false(state_of(rig, "pump"));
}

static void test_a_line_that_fails_is_not_said_to_be_on(void **state)
{
	struct rig *rig = *state;

	begin(rig, PUMP);
	lines_sim_break(rig->lines, 17, EIO);
	command(rig, "hearth/pi/out/pump/set", "ON");
	fake_hub_await(rig->hub, "hearth/pi/out/pump/result",
		       "{\"applied\":false,\"reason\":\"line 17 cannot be "
		       "written: Input/output error\"}");
	assert_string_equal(fake_hub_retained(rig->hub, "hearth/pi/out/pump"),
			    "OFF");
	assert_false(state_of(rig, "pump"));
	lines_sim_break(rig->lines, 17, 0);
	command(rig, "hearth/pi/out/pump/set", "ON");
	fake_hub_await(rig->hub, "hearth/pi/out/pump", "ON");
}

static void test_an_input_follows_its_wire(void **state)
{
	struct rig *rig = *state;

	begin(rig, DOOR);
	command(rig, SIM, "{\"line\":22,\"level\":0}");
	fake_hub_await(rig->hub, "hearth/pi/in/door", "OFF");
	command(rig, SIM, "{\"line\":22,\"level\":null}");
	fake_hub_await(rig->hub, "hearth/pi/in/door", "ON");
	command(rig, SIM, "{\"line\":22,\"press_ms\":20}");
	fake_hub_await(rig->hub, "hearth/pi/in/door", "OFF");
	fake_hub_await(rig->hub, "hearth/pi/in/door", "ON");
	assert_true(state_of(rig, "door"));
}

/* More edges than the queue holds: the state is right all the same. */
static void test_lost_edges_do_not_leave_a_wrong_state(void **state)
{
	struct rig *rig = *state;

	begin(rig, DOOR);
	for (unsigned int i = 0; i < 3 * LINES_EVENTS_MAX + 1; i++)
		assert_int_equal(
			lines_sim_connect(rig->lines, 22, (int)(i % 2)), 0);
	fake_hub_await(rig->hub, "hearth/pi/in/door", "OFF");
	while (state_of(rig, "door"))
		assert_int_equal(loop_turn(rig->loop, 20), 0);
	command(rig, SIM, "{\"line\":22,\"level\":1}");
	do
		fake_hub_await(rig->hub, "hearth/pi/in/door", "ON");
	while (!state_of(rig, "door"));
}

static void test_clicks_that_cannot_be_are_errors(void **state)
{
	struct rig *rig = *state;

	begin(rig, PUMP);
	command(rig, SIM, "{\"line\":17,\"level\":1}");
	assert_non_null(
		strstr(fake_hub_await(rig->hub, "hearth/pi/error", NULL),
		       "is an output"));
	command(rig, SIM, "{\"line\":99,\"level\":1}");
	assert_non_null(
		strstr(fake_hub_await(rig->hub, "hearth/pi/error", NULL),
		       "no such line"));
	command(rig, SIM, "click");
	assert_non_null(strstr(
		fake_hub_await(rig->hub, "hearth/pi/error", NULL), "JSON"));
	fake_hub_send(rig->hub, SIM, "{\"line\":22,\"level\":1}", true);
	assert_non_null(strstr(
		fake_hub_await(rig->hub, "hearth/pi/error", NULL), "old"));
}

/* A hub that does not read loses some of what was, but not what is. */
static void test_a_hub_that_was_stuck_learns_what_is(void **state)
{
	struct rig *rig = *state;

	begin(rig, DOOR);
	fake_hub_hold(rig->hub, true);
	for (unsigned int i = 0; i < CLIENT_QUEUE_MESSAGES; i++) {
		assert_int_equal(
			lines_sim_connect(rig->lines, 22, (int)(i % 2)), 0);
		while (state_of(rig, "door") != i % 2)
			assert_int_equal(loop_turn(rig->loop, 20), 0);
	}
	assert_int_equal(lines_sim_connect(rig->lines, 22, 0), 0);
	while (state_of(rig, "door"))
		assert_int_equal(loop_turn(rig->loop, 20), 0);
	fake_hub_hold(rig->hub, false);
	/* The last word comes with the greeting. */
	fake_hub_await(rig->hub, "hearth/pi/status", "online");
	fake_hub_await(rig->hub, "hearth/pi/in/door", "OFF");
	fake_hub_await(rig->hub, REPORT, NULL);
	assert_string_equal(fake_hub_retained(rig->hub, "hearth/pi/in/door"),
			    "OFF");
}

static void test_without_the_hub_everything_stays(void **state)
{
	struct rig *rig = *state;

	begin(rig, PUMP "," DOOR);
	command(rig, "hearth/pi/out/pump/set", "ON");
	fake_hub_await(rig->hub, "hearth/pi/out/pump/result", NULL);
	fake_hub_kick(rig->hub);
	fake_hub_await(rig->hub, "hearth/pi/status", "online");
	assert_true(lines_sim_level(rig->lines, 17));
	fake_hub_await(rig->hub, "hearth/pi/out/pump", "ON");
	fake_hub_await(rig->hub, "hearth/pi/in/door", "ON");
	fake_hub_await(rig->hub, REPORT, NULL);
	fake_hub_await_subscribe(rig->hub, CONFIG);
	fake_hub_await_subscribe(rig->hub, "hearth/pi/out/+/set");
	fake_hub_await_subscribe(rig->hub, "hearth/pi/light/+/set");
}

static void on_stopped(void *arg)
{
	struct rig *rig = arg;

	rig->stopped = true;
}

static void await_stopped(struct rig *rig)
{
	while (!rig->stopped)
		assert_int_equal(loop_turn(rig->loop, 20), 0);
}

static void test_stop_makes_safe_and_says_so(void **state)
{
	struct rig *rig = *state;

	begin(rig, PUMP "," HEATER "," DESK "," FAN);
	command(rig, "hearth/pi/out/pump/set", "ON");
	command(rig, "hearth/pi/out/heater/set", "ON");
	command(rig, "hearth/pi/out/desk/set", "ON");
	command(rig, "hearth/pi/out/fan/set", "OFF");
	fake_hub_await(rig->hub, "hearth/pi/out/fan/result", NULL);

	node_stop(rig->node, on_stopped, rig);
	assert_false(lines_sim_level(rig->lines, 17));
	assert_true(lines_sim_level(rig->lines, 27)); /* active low */
	assert_true(lines_sim_level(rig->lines, 23)); /* holds */
	assert_true(lines_sim_level(rig->lines, 5));
	assert_false(rig->stopped);
	fake_hub_await(rig->hub, "hearth/pi/out/pump", "OFF");
	fake_hub_await(rig->hub, "hearth/pi/out/heater", "OFF");
	fake_hub_await(rig->hub, "hearth/pi/out/fan", "ON");
	fake_hub_await(rig->hub, "hearth/pi/status", "offline");
	fake_hub_await_goodbye(rig->hub);
	await_stopped(rig);
	assert_string_equal(fake_hub_retained(rig->hub, "hearth/pi/out/desk"),
			    "ON");
}

static void test_stop_without_a_hub(void **state)
{
	struct rig *rig = *state;

	begin(rig, PUMP);
	command(rig, "hearth/pi/out/pump/set", "ON");
	fake_hub_await(rig->hub, "hearth/pi/out/pump/result", NULL);
	node_free(rig->node);
	fake_hub_kick(rig->hub);
	make_node(rig);
	node_start(rig->node);
	assert_true(lines_sim_level(rig->lines, 17));
	node_stop(rig->node, on_stopped, rig);
	node_stop(rig->node, NULL, NULL);
	assert_false(lines_sim_level(rig->lines, 17));
	await_stopped(rig);
}

static void test_new_survives_allocation_failure(void **state)
{
	struct rig *rig = *state;
	struct node_options options = {
		.name = "pi",
		.hub = fake_hub_address(rig->hub),
		.state_directory = rig->directory,
	};
	struct node *other = NULL;
	unsigned int n = 0;
	int r;

	for (;;) {
		failing_malloc_arm(n++);
		r = node_new(rig->loop, rig->lines, &options, &other);
		if (!failing_malloc_disarm())
			break;
		assert_int_equal(r, -ENOMEM);
		assert_true(n < 100);
	}
	assert_int_equal(r, 0);
	node_free(other);
	node_free(NULL);

	options.name = "a/b";
	assert_int_equal(node_new(rig->loop, rig->lines, &options, &other),
			 -EINVAL);
	options.name = "pi";
	options.hub = "nowhere";
	assert_int_equal(node_new(rig->loop, rig->lines, &options, &other),
			 -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NODE_TEST(test_it_says_who_is_there_and_what_there_is),
		NODE_TEST(test_it_says_which_buses_of_the_header_are_on),
		NODE_TEST(test_a_command_is_answered_by_state_and_result),
		NODE_TEST(test_a_light_answers_as_light_and_as_output),
		NODE_TEST(test_on_time_switches_off_again),
		NODE_TEST(test_a_retained_command_is_reported_and_not_obeyed),
		NODE_TEST(test_commands_that_make_no_sense_are_answered),
		NODE_TEST(test_a_line_that_fails_is_not_said_to_be_on),
		NODE_TEST(test_an_input_follows_its_wire),
		NODE_TEST(test_lost_edges_do_not_leave_a_wrong_state),
		NODE_TEST(test_clicks_that_cannot_be_are_errors),
		NODE_TEST(test_a_hub_that_was_stuck_learns_what_is),
		NODE_TEST(test_without_the_hub_everything_stays),
		NODE_TEST(test_stop_makes_safe_and_says_so),
		NODE_TEST(test_stop_without_a_hub),
		NODE_TEST(test_new_survives_allocation_failure),
	};

	json_set_alloc_funcs(malloc, free);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

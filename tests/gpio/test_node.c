#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "broker/base/log.h"
#include "gpio/lines_sim.h"
#include "gpio/node_internal.h"
#include "gpio/safe.h"
#include "gpio/state.h"
#include "tests/failing_malloc.h"
#include "tests/gpio/fake_hub.h"

#define CONFIG "$hearth/gpio/pi/config"
#define REPORT "$hearth/gpio/pi/report"
#define SIM "$hearth/gpio/pi/sim"

#define PUMP "{\"name\":\"pump\",\"dir\":\"out\",\"line\":17}"
#define HEATER                                                             \
	"{\"name\":\"heater\",\"dir\":\"out\",\"line\":27,\"active_low\":" \
	"true}"
#define DESK                                                                 \
	"{\"name\":\"desk\",\"dir\":\"out\",\"line\":23,\"kind\":\"light\"," \
	"\"safe\":\"hold\"}"
#define FAN "{\"name\":\"fan\",\"dir\":\"out\",\"line\":5,\"safe\":\"on\"}"
#define DOOR "{\"name\":\"door\",\"dir\":\"in\",\"line\":22}"
#define BUSY "{\"name\":\"busy\",\"dir\":\"out\",\"line\":2}"

struct rig {
	char directory[32];
	struct loop *loop;
	struct lines *lines;
	struct fake_hub *hub;
	struct node *node;
	bool stopped;
};

static void quiet(enum log_level level, const char *line)
{
	(void)level;
	(void)line;
}

static void make_node(struct rig *rig)
{
	struct node_options options = {
		.name = "pi",
		.hub = fake_hub_address(rig->hub),
		.state_directory = rig->directory,
	};

	assert_int_equal(node_new(rig->loop, rig->lines, &options, &rig->node),
			 0);
}

static int setup(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	log_set_sink(quiet);
	(void)snprintf(rig->directory, sizeof(rig->directory),
		       "/tmp/test_node.XXXXXX");
	if (!mkdtemp(rig->directory))
		return -1;
	rig->loop = loop_new();
	rig->hub = fake_hub_new(rig->loop, rig->directory);
	*state = rig;
	if (lines_sim_open(&rig->lines))
		return -1;
	make_node(rig);
	return 0;
}

static int teardown(void **state)
{
	struct rig *rig = *state;
	char path[64];

	node_free(rig->node);
	lines_close(rig->lines);
	fake_hub_free(rig->hub);
	loop_free(rig->loop);
	(void)snprintf(path, sizeof(path), "%s/%s", rig->directory, STATE_FILE);
	(void)unlink(path);
	(void)rmdir(rig->directory);
	free(rig);
	return 0;
}

/* Started, connected, and configured with these pins. */
static const char *begin(struct rig *rig, const char *pins)
{
	char config[2048];

	node_start(rig->node);
	fake_hub_await_subscribe(rig->hub, CONFIG);
	fake_hub_await(rig->hub, REPORT, NULL);
	(void)snprintf(config, sizeof(config), "{\"revision\":1,\"pins\":[%s]}",
		       pins);
	fake_hub_send(rig->hub, CONFIG, config, true);
	return fake_hub_await(rig->hub, REPORT, NULL);
}

static const char *configure(struct rig *rig, const char *config)
{
	fake_hub_send(rig->hub, CONFIG, config, false);
	return fake_hub_await(rig->hub, REPORT, NULL);
}

static void command(struct rig *rig, const char *topic, const char *payload)
{
	fake_hub_send(rig->hub, topic, payload, false);
}

static bool state_of(struct rig *rig, const char *pin)
{
	bool on = false;

	assert_true(node_state(rig->node, pin, &on));
	return on;
}

static bool is_held(struct rig *rig, unsigned int line)
{
	struct line_info info;

	assert_int_equal(lines_info(rig->lines, line, &info), 0);
	return info.used;
}

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
		       "\"a retained command is old and not obeyed\"}");
	assert_false(state_of(rig, "heater"));
	assert_true(lines_sim_level(rig->lines, 27));
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
	fake_hub_await(rig->hub, "hearth/pi/in/door/event",
		       "{\"event_type\":\"released\"}");
	command(rig, SIM, "{\"line\":22,\"level\":null}");
	fake_hub_await(rig->hub, "hearth/pi/in/door", "ON");
	fake_hub_await(rig->hub, "hearth/pi/in/door/event",
		       "{\"event_type\":\"pressed\"}");
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
	assert_true(logic_next(&rig->node->logic) != UINT64_MAX);
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

/* What systemd runs after a crash. */
static void test_safe_drives_what_was_left(void **state)
{
	struct rig *rig = *state;

	assert_int_equal(safe_drive(rig->lines, rig->directory), 0);
	begin(rig, PUMP "," HEATER "," DESK "," FAN "," DOOR);
	command(rig, "hearth/pi/out/pump/set", "ON");
	command(rig, "hearth/pi/out/heater/set", "ON");
	command(rig, "hearth/pi/out/desk/set", "ON");
	command(rig, "hearth/pi/out/fan/set", "OFF");
	fake_hub_await(rig->hub, "hearth/pi/out/fan/result", NULL);
	/* It is still running: its lines are not ours to take. */
	assert_int_equal(safe_drive(rig->lines, rig->directory), -EBUSY);

	node_free(rig->node);
	rig->node = NULL;
	assert_true(lines_sim_level(rig->lines, 17));
	assert_int_equal(safe_drive(rig->lines, rig->directory), 0);
	assert_false(lines_sim_level(rig->lines, 17));
	assert_true(lines_sim_level(rig->lines, 27));
	assert_true(lines_sim_level(rig->lines, 23));
	assert_true(lines_sim_level(rig->lines, 5));
	assert_false(is_held(rig, 17));
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_it_says_who_is_there_and_what_there_is),
		TEST(test_configured_pins_have_a_retained_state),
		TEST(test_a_command_is_answered_by_state_and_result),
		TEST(test_a_light_answers_as_light_and_as_output),
		TEST(test_on_time_switches_off_again),
		TEST(test_a_retained_command_is_reported_and_not_obeyed),
		TEST(test_commands_that_make_no_sense_are_answered),
		TEST(test_a_line_that_fails_is_not_said_to_be_on),
		TEST(test_an_input_follows_its_wire),
		TEST(test_lost_edges_do_not_leave_a_wrong_state),
		TEST(test_clicks_that_cannot_be_are_errors),
		TEST(test_a_change_of_one_pin_leaves_the_others_alone),
		TEST(test_a_new_name_keeps_the_line),
		TEST(test_names_can_change_places),
		TEST(test_a_removed_output_is_made_safe),
		TEST(test_a_bad_configuration_changes_nothing),
		TEST(test_a_busy_line_is_reported_and_taken_when_free),
		TEST(test_an_input_that_fails_is_not_said_to_be_anything),
		TEST(test_without_the_hub_everything_stays),
		TEST(test_it_works_before_the_hub_is_there),
		TEST(test_stop_makes_safe_and_says_so),
		TEST(test_stop_without_a_hub),
		TEST(test_safe_drives_what_was_left),
		TEST(test_new_survives_allocation_failure),
		TEST(test_a_report_is_whole_or_not_at_all),
	};

	json_set_alloc_funcs(malloc, free);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

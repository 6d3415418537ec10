/* A node that speaks Homie: its second connection, and what is left behind. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/base/log.h"
#include "broker/client/client.h"
#include "tests/gpio/node_rig.h"

#define SPOKEN "{\"revision\":2,\"dialects\":{\"homie\":true},\"pins\":["
#define SILENT "{\"revision\":3,\"pins\":[" PUMP "]}"
#define WILL "homie/5/pi/$state=lost"
#define SPOKEN_WITH(pins, devices)                                      \
	"{\"revision\":2,\"dialects\":{\"homie\":true},\"pins\":[" pins \
	"],\"devices\":[" devices "]}"
#define RGBW                                                             \
	"{\"name\":\"desk\",\"kind\":\"light\",\"gamma\":1,\"outputs\":" \
	"\"pwm:fe20c000.pwm:0 pwm:fe20c000.pwm:1 led:ACT led:PWR\"}"
#define RGB                                                              \
	"{\"name\":\"desk\",\"kind\":\"light\",\"gamma\":1,\"outputs\":" \
	"\"pwm:fe20c000.pwm:0 pwm:fe20c000.pwm:1 led:ACT\"}"
#define MOTOR(name, line)                                       \
	"{\"name\":\"" name "\",\"dir\":\"out\",\"line\":" line \
	",\"interlock\":\"blind\"}"
#define MOTORS MOTOR("up", "17") "," MOTOR("down", "27")
#define BLIND                                                            \
	"{\"name\":\"blind\",\"kind\":\"cover\",\"up\":\"up\",\"down\":" \
	"\"down\",\"up_time\":600,\"down_time\":600}"
#define FAST                                                             \
	"{\"name\":\"blind\",\"kind\":\"cover\",\"up\":\"up\",\"down\":" \
	"\"down\",\"up_time\":0.4,\"down_time\":0.4,\"end_time\":0.1}"
#define CPU "{\"name\":\"cpu\",\"kind\":\"cpu_temperature\",\"interval\":1}"
#define READY "homie/5/pi/$state", "ready"

static void speak(struct rig *rig)
{
	begin(rig, "");
	fake_hub_send(rig->hub, CONFIG, SPOKEN PUMP "," DOOR "]}", false);
	fake_hub_await(rig->hub, READY);
}

static json_t *description(struct rig *rig)
{
	json_t *document = json_loads(
		fake_hub_retained(rig->hub, "homie/5/pi/$description"), 0,
		NULL);

	assert_non_null(document);
	return document;
}

static void test_it_has_a_will_of_its_own(void **state)
{
	struct rig *rig = *state;
	json_t *document;

	speak(rig);
	assert_true(fake_hub_has_will(rig->hub, WILL));
	assert_true(fake_hub_has_will(rig->hub, "hearth/pi/status=offline"));
	document = description(rig);
	assert_int_equal(json_object_size(json_object_get(document, "nodes")),
			 2);
	assert_string_equal(
		fake_hub_retained(rig->hub, "homie/5/pi/pump/state"), "false");
	json_decref(document);
}

static void test_a_command_is_obeyed_and_said(void **state)
{
	struct rig *rig = *state;

	speak(rig);
	command(rig, "homie/5/pi/pump/state/set", "true");
	fake_hub_await(rig->hub, "homie/5/pi/pump/state", "true");
	assert_true(state_of(rig, "pump"));
	fake_hub_send(rig->hub, "homie/5/pi/pump/state/set", "false", true);
	fake_hub_await(rig->hub, "hearth/pi/error", NULL);
	assert_true(state_of(rig, "pump"));
}

/* More than a queue holds happens while nothing is acknowledged: the last word is
 * the true one all the same. */
static void test_what_had_no_room_is_said_later(void **state)
{
	struct rig *rig = *state;
	bool on = false;

	speak(rig);
	fake_hub_hold(rig->hub, true);
	for (unsigned int i = 0; i <= CLIENT_QUEUE_MESSAGES || on; i++) {
		on = !on;
		node_order_locally(rig->node, &rig->node->pins[0],
				   on ? LOGIC_ON : LOGIC_OFF, "test");
	}
	assert_true(rig->node->homie->behind);
	fake_hub_hold(rig->hub, false);
	while (rig->node->homie->behind ||
	       client_pending(rig->node->homie->client) > 0)
		assert_int_equal(loop_turn(rig->loop, 20), 0);
	assert_string_equal(
		fake_hub_retained(rig->hub, "homie/5/pi/pump/state"), "false");
	assert_string_equal(fake_hub_retained(rig->hub, "homie/5/pi/$state"),
			    "ready");
}

static void await_nothing(struct rig *rig)
{
	static const char *const topics[] = {
		"homie/5/pi/$state",
		"homie/5/pi/$description",
		"homie/5/pi/pump/state",
		"homie/5/pi/door/state",
	};

	while (rig->node->homie)
		assert_int_equal(loop_turn(rig->loop, 20), 0);
	for (size_t i = 0; i < sizeof(topics) / sizeof(topics[0]); i++)
		assert_null(fake_hub_retained(rig->hub, topics[i]));
}

static void test_unspoken_it_leaves_nothing(void **state)
{
	struct rig *rig = *state;

	speak(rig);
	configure(rig, SILENT);
	await_nothing(rig);
	while (fake_hub_has_will(rig->hub, WILL))
		assert_int_equal(loop_turn(rig->loop, 20), 0);
}

/* The connection is just down: what it said is still taken away. */
static void test_unspoken_while_away_it_leaves_nothing(void **state)
{
	struct rig *rig = *state;

	speak(rig);
	fake_hub_kick(rig->hub);
	while (client_connected(rig->node->homie->client))
		assert_int_equal(loop_turn(rig->loop, 20), 0);
	rig->node->dialects.homie = false;
	node_dialects_apply(rig->node);
	await_nothing(rig);
}

static void test_spoken_again_while_it_leaves_it_comes_back(void **state)
{
	struct rig *rig = *state;

	speak(rig);
	fake_hub_hold(rig->hub, true);
	configure(rig, SILENT);
	assert_true(rig->node->homie->leaving);
	configure(rig, SPOKEN PUMP "]}");
	assert_true(rig->node->homie->leaving);
	fake_hub_hold(rig->hub, false);
	fake_hub_await(rig->hub, READY);
	assert_false(rig->node->homie->leaving);
	assert_non_null(fake_hub_retained(rig->hub, "homie/5/pi/pump/state"));
	assert_null(fake_hub_retained(rig->hub, "homie/5/pi/door/state"));
}

static void begin_with(struct rig *rig, const char *config)
{
	tree_put_lights(rig->sysfs);
	begin(rig, "");
	fake_hub_send(rig->hub, CONFIG, config, false);
	fake_hub_await(rig->hub, READY);
}

static void test_a_light_is_set(void **state)
{
	static const struct {
		const char *property;
		const char *set;
		const char *is;
	} table[] = {
		{ "state", "true", "true" },
		{ "brightness", "40", "40" },
		{ "color", "rgb,255,128,0", "rgb,255,128,0" },
		{ "brightness", "0", "40" },
		{ "state", "true", "true" },
		{ "state", "false", "false" },
	};
	struct rig *rig = *state;

	begin_with(rig, SPOKEN_WITH("", RGB));
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		char topic[64];

		(void)snprintf(topic, sizeof(topic), "homie/5/pi/desk/%s/set",
			       table[i].property);
		command(rig, topic, table[i].set);
		topic[strlen(topic) - strlen("/set")] = '\0';
		fake_hub_await(rig->hub, topic, table[i].is);
	}
	assert_false(rig->node->devices.device[0].light.on);
}

static void test_white_leaves_the_colour(void **state)
{
	struct rig *rig = *state;
	const struct light *light = &rig->node->devices.device[0].light;

	tree_put(rig->sysfs, "class/leds/PWR/brightness", "0");
	tree_put(rig->sysfs, "class/leds/PWR/max_brightness", "255");
	tree_put(rig->sysfs, "class/leds/PWR/trigger", "none");
	begin_with(rig, SPOKEN_WITH("", RGBW));
	command(rig, "homie/5/pi/desk/color/set", "rgb,255,0,51");
	fake_hub_await(rig->hub, "homie/5/pi/desk/color", "rgb,255,0,51");
	command(rig, "homie/5/pi/desk/white/set", "20");
	fake_hub_await(rig->hub, "homie/5/pi/desk/white", "20");
	assert_memory_equal(light->color, ((const uint8_t[]){ 255, 0, 51, 51 }),
			    4);
	command(rig, "homie/5/pi/desk/color/set", "rgb,1,2,3");
	fake_hub_await(rig->hub, "homie/5/pi/desk/color", "rgb,1,2,3");
	assert_int_equal(light->color[3], 51);
}

static void test_a_cover_has_a_target(void **state)
{
	struct rig *rig = *state;

	begin_with(rig, SPOKEN_WITH(MOTORS, BLIND));
	assert_null(fake_hub_retained(rig->hub, "homie/5/pi/blind/position"));
	command(rig, "homie/5/pi/blind/position/set", "30");
	fake_hub_await(rig->hub, "homie/5/pi/blind/position/$target", "30");
	fake_hub_await(rig->hub, "homie/5/pi/blind/state", "closing");
	assert_true(state_of(rig, "down"));
	command(rig, "homie/5/pi/blind/action/set", "stop");
	fake_hub_await(rig->hub, "homie/5/pi/blind/state", "stopped");
	assert_false(state_of(rig, "down"));
	command(rig, "homie/5/pi/blind/action/set", "open");
	fake_hub_await(rig->hub, "homie/5/pi/blind/position/$target", "100");
	fake_hub_await(rig->hub, "homie/5/pi/blind/state", "opening");
	assert_true(state_of(rig, "up"));
	assert_false(fake_hub_heard(rig->hub, "homie/5/pi/blind/action"));
}

static void test_a_sensor_has_its_value(void **state)
{
	struct rig *rig = *state;

	tree_put(rig->sysfs, "class/thermal/thermal_zone0/temp", "48500\n");
	begin_with(rig, SPOKEN_WITH("", CPU));
	while (!fake_hub_retained(rig->hub, "homie/5/pi/cpu/value"))
		assert_int_equal(loop_turn(rig->loop, 20), 0);
	assert_string_equal(fake_hub_retained(rig->hub, "homie/5/pi/cpu/value"),
			    "48.5");
	tree_delete(rig->sysfs, "class/thermal/thermal_zone0/temp");
	while (fake_hub_retained(rig->hub, "homie/5/pi/cpu/value"))
		assert_int_equal(loop_turn(rig->loop, 20), 0);
}

static void test_what_cannot_be_set_is_told(void **state)
{
	static const struct {
		const char *topic;
		const char *payload;
	} table[] = {
		{ "homie/5/pi/door/state/set", "true" },
		{ "homie/5/pi/up/state/set", "1" },
		{ "homie/5/pi/attic/state/set", "true" },
		{ "homie/5/pi/blind/state/set", "open" },
		{ "homie/5/pi/blind/position/set", "101" },
		{ "homie/5/pi/blind/action/set", "OPEN" },
		{ "homie/5/pi/blind/value/set", "1" },
		{ "homie/5/pi/desk/state/set", "ON" },
		{ "homie/5/pi/desk/brightness/set", "bright" },
		{ "homie/5/pi/desk/color/set", "255,128,0" },
		{ "homie/5/pi/desk/color/set", "rgb,256,0,0" },
		{ "homie/5/pi/desk/white/set", "10" },
	};
	struct rig *rig = *state;

	begin_with(rig, SPOKEN_WITH(MOTORS "," DOOR, RGB "," BLIND));
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		command(rig, table[i].topic, table[i].payload);
		assert_non_null(strstr(
			fake_hub_await(rig->hub, "hearth/pi/error", NULL),
			table[i].topic));
	}
	assert_false(state_of(rig, "up"));
	assert_false(rig->node->devices.device[0].light.on);
}

/* Is anything retained below this? */
static void await_none(struct rig *rig, const char *const *topics)
{
	for (; *topics; topics++)
		while (fake_hub_retained(rig->hub, *topics))
			assert_int_equal(loop_turn(rig->loop, 20), 0);
}

static void test_devices_leave_nothing(void **state)
{
	static const char *const gone[] = {
		"homie/5/pi/blind/position",
		"homie/5/pi/blind/position/$target",
		"homie/5/pi/blind/state",
		"homie/5/pi/desk/state",
		"homie/5/pi/desk/brightness",
		"homie/5/pi/desk/color",
		NULL,
	};
	struct rig *rig = *state;

	begin_with(rig, SPOKEN_WITH(MOTORS, RGB "," FAST));
	assert_non_null(fake_hub_retained(rig->hub, "homie/5/pi/desk/color"));
	command(rig, "homie/5/pi/blind/action/set", "close");
	fake_hub_await(rig->hub, "homie/5/pi/blind/state", "closed");
	assert_string_equal(fake_hub_retained(rig->hub, "homie/5/pi/blind/"
							"position/$target"),
			    "0");
	configure(rig, SPOKEN_WITH(MOTORS, ""));
	await_none(rig, gone);
	configure(rig, SPOKEN_WITH(MOTORS, RGB "," FAST));
	while (!fake_hub_retained(rig->hub, "homie/5/pi/desk/color"))
		assert_int_equal(loop_turn(rig->loop, 20), 0);
	configure(rig, SILENT);
	while (rig->node->homie)
		assert_int_equal(loop_turn(rig->loop, 20), 0);
	await_none(rig, gone);
}

/* Of a life of which nothing is known. */
static void test_what_is_stale_is_taken_away(void **state)
{
	static const char *const stale[] = {
		"homie/5/pi/attic/state",
		"homie/5/pi/pump/brightness",
		"homie/5/pi/door/position/$target",
	};
	struct rig *rig = *state;

	speak(rig);
	for (size_t i = 0; i < sizeof(stale) / sizeof(stale[0]); i++) {
		fake_hub_send(rig->hub, stale[i], "x", true);
		fake_hub_await(rig->hub, stale[i], "");
	}
	fake_hub_send(rig->hub, "homie/5/pi/pump/state", "false", true);
	command(rig, "homie/5/pi/pump/state/set", "true");
	assert_string_equal(
		fake_hub_await(rig->hub, "homie/5/pi/pump/state", NULL),
		"true");
}

static unsigned int warnings;

static void count_warnings(enum log_level level, const char *line)
{
	warnings += level == LOG_LEVEL_WARN && strstr(line, "Homie");
}

/* Told at QoS 0 then, and the log is told once. */
static void test_a_hub_that_can_keep_nothing_is_told_all_the_same(void **state)
{
	struct rig *rig = *state;

	speak(rig);
	log_set_sink(count_warnings);
	warnings = 0;
	fake_hub_fill(rig->hub, true);
	for (unsigned int i = 0; i < 6; i++)
		node_order_locally(rig->node, &rig->node->pins[0],
				   i % 2 ? LOGIC_OFF : LOGIC_ON, "test");
	while (!rig->node->lightly || !rig->node->homie->refused)
		assert_int_equal(loop_turn(rig->loop, 20), 0);
	fake_hub_await(rig->hub, READY);
	command(rig, "homie/5/pi/pump/state/set", "true");
	fake_hub_await(rig->hub, "homie/5/pi/pump/state", "true");
	while (client_pending(rig->node->homie->client) > 0)
		assert_int_equal(loop_turn(rig->loop, 20), 0);
	assert_int_equal(warnings, 1);
}

static void on_done(void *arg)
{
	((struct rig *)arg)->stopped = true;
}

static void test_stopping_it_says_goodbye(void **state)
{
	struct rig *rig = *state;

	speak(rig);
	node_stop(rig->node, on_done, rig);
	fake_hub_await(rig->hub, "homie/5/pi/$state", "disconnected");
	while (!rig->stopped)
		assert_int_equal(loop_turn(rig->loop, 20), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NODE_TEST(test_it_has_a_will_of_its_own),
		NODE_TEST(test_a_command_is_obeyed_and_said),
		NODE_TEST(test_what_had_no_room_is_said_later),
		NODE_TEST(test_unspoken_it_leaves_nothing),
		NODE_TEST(test_unspoken_while_away_it_leaves_nothing),
		NODE_TEST(test_spoken_again_while_it_leaves_it_comes_back),
		NODE_TEST(test_a_light_is_set),
		NODE_TEST(test_white_leaves_the_colour),
		NODE_TEST(test_a_cover_has_a_target),
		NODE_TEST(test_a_sensor_has_its_value),
		NODE_TEST(test_what_cannot_be_set_is_told),
		NODE_TEST(test_devices_leave_nothing),
		NODE_TEST(test_what_is_stale_is_taken_away),
		NODE_TEST(
			test_a_hub_that_can_keep_nothing_is_told_all_the_same),
		NODE_TEST(test_stopping_it_says_goodbye),
	};

	json_set_alloc_funcs(malloc, free);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

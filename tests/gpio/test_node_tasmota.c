/* A node as a device with Tasmota, as a client of such devices meets it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gpio/node_tasmota.h"
#include "tests/failing_malloc.h"
#include "tests/gpio/node_rig.h"

#define SPOKEN(pins, devices)                                             \
	"{\"revision\":2,\"dialects\":{\"tasmota\":true},\"pins\":[" pins \
	"],\"devices\":[" devices "]}"
#define CMND(command) "cmnd/hearth_pi/" command
#define RESULT "stat/hearth_pi/RESULT"
#define STATE "tele/hearth_pi/STATE"
#define SENSOR "tele/hearth_pi/SENSOR"
#define LWT "tele/hearth_pi/LWT"
#define BELL                                                      \
	"{\"name\":\"bell\",\"dir\":\"in\",\"line\":24,\"kind\":" \
	"\"button\",\"bias\":\"down\",\"double_ms\":0}"
#define GAS                                                      \
	"{\"name\":\"gas\",\"dir\":\"in\",\"line\":25,\"kind\":" \
	"\"counter\",\"unit\":\"kWh\",\"per_unit\":100}"
#define DESK_RGB                                                         \
	"{\"name\":\"desk\",\"kind\":\"light\",\"gamma\":1,\"outputs\":" \
	"\"pwm:fe20c000.pwm:0 pwm:fe20c000.pwm:1 led:ACT\"}"
#define BED                                                 \
	"{\"name\":\"bed\",\"kind\":\"light\",\"gamma\":1," \
	"\"outputs\":\"pwm:fe20c000.pwm:0\"}"
#define HALL                                                 \
	"{\"name\":\"hall\",\"kind\":\"light\",\"gamma\":1," \
	"\"outputs\":\"pwm:fe20c000.pwm:1\"}"
#define MOTOR(name, line)                                       \
	"{\"name\":\"" name "\",\"dir\":\"out\",\"line\":" line \
	",\"interlock\":\"blind\"}"
#define BLIND                                                            \
	"{\"name\":\"blind\",\"kind\":\"cover\",\"up\":\"up\",\"down\":" \
	"\"down\",\"up_time\":600,\"down_time\":600}"
#define CPU "{\"name\":\"cpu\",\"kind\":\"cpu_temperature\",\"interval\":1}"

static void speak(struct rig *rig, const char *config)
{
	begin(rig, "");
	fake_hub_send(rig->hub, CONFIG, config, false);
	fake_hub_await(rig->hub, STATE, NULL);
}

static const char *found(const char *leaf)
{
	static char topic[TASMOTA_TOPIC_SIZE];

	return tasmota_discovery_topic(topic, "pi", leaf);
}

/* A member of the last one found, as JSON; valid until the next call. */
static const char *member(const char *text, const char *key)
{
	static char out[512];
	json_t *document = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	char *value;

	assert_non_null(document);
	value = json_dumps(json_object_get(document, key),
			   JSON_COMPACT | JSON_ENCODE_ANY);
	(void)snprintf(out, sizeof(out), "%s", value ? value : "");
	free(value);
	json_decref(document);
	return out;
}

static void test_nobody_is_told_unless_asked(void **state)
{
	struct rig *rig = *state;

	begin(rig, PUMP);
	assert_null(rig->node->tasmota);
	assert_null(fake_hub_retained(rig->hub, LWT));
}

static void test_it_is_found_and_online(void **state)
{
	struct rig *rig = *state;
	const char *config;

	speak(rig, SPOKEN(PUMP "," DOOR "," GAS, ""));
	assert_true(fake_hub_has_will(rig->hub, LWT "=Offline"));
	assert_string_equal(fake_hub_retained(rig->hub, LWT), "Online");
	config = fake_hub_retained(rig->hub, found("config"));
	assert_string_equal(member(config, "rl"), "[1]");
	assert_string_equal(member(config, "swn"), "[\"door\"]");
	assert_string_equal(
		member(fake_hub_retained(rig->hub, found("sensors")), "ver"),
		"1");
	fake_hub_await(rig->hub, SENSOR, NULL);
}

static void test_state_and_sensors_are_said(void **state)
{
	struct rig *rig = *state;
	const char *text;

	tree_put(rig->sysfs, "class/thermal/thermal_zone0/temp", "48500\n");
	speak(rig, SPOKEN(PUMP "," DOOR "," GAS, CPU));
	text = fake_hub_await(rig->hub, SENSOR, NULL);
	assert_string_equal(member(text, "door"), "\"ON\"");
	assert_string_equal(member(text, "COUNTER"), "{\"C1\":0}");
	assert_string_equal(member(text, "gas"), "{\"Total\":0.0}");
	fake_hub_await(rig->hub, "hearth/pi/sensor/cpu", "48.5");
	command(rig, CMND("STATUS"), "10");
	text = fake_hub_await(rig->hub, "stat/hearth_pi/STATUS10", NULL);
	assert_non_null(strstr(text, "\"cpu\":{\"Temperature\":48.5}"));
	command(rig, CMND("state"), "");
	text = fake_hub_await(rig->hub, RESULT, NULL);
	assert_string_equal(member(text, "POWER1"), "\"OFF\"");
	assert_string_equal(member(text, "MqttCount"), "1");
}

static void test_a_relay_is_switched(void **state)
{
	static const struct {
		const char *command;
		const char *payload;
		const char *is;
	} table[] = {
		{ CMND("POWER1"), "ON", "ON" },
		{ CMND("POWER1"), "ON", "ON" },
		{ CMND("Power"), "0", "OFF" },
		{ CMND("POWER"), "TOGGLE", "ON" },
		{ CMND("POWER1"), "2", "OFF" },
		{ CMND("POWER1"), "1", "ON" },
		{ CMND("POWER1"), "", "ON" },
		{ "cmnd/tasmotas/POWER0", "off", "OFF" },
		{ CMND("Backlog"), "NoDelay;POWER1 ON;POWER1 off", "OFF" },
	};
	struct rig *rig = *state;

	speak(rig, SPOKEN(PUMP, ""));
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		char result[32];

		command(rig, table[i].command, table[i].payload);
		(void)snprintf(result, sizeof(result), "{\"POWER1\":\"%s\"}",
			       table[i].is);
		fake_hub_await(rig->hub, RESULT, result);
		fake_hub_await(rig->hub, "stat/hearth_pi/POWER1", table[i].is);
		assert_int_equal(state_of(rig, "pump"),
				 strcmp(table[i].is, "ON") == 0);
	}
	/* By whomever. */
	command(rig, "hearth/pi/out/pump/set", "ON");
	fake_hub_await(rig->hub, "stat/hearth_pi/POWER1", "ON");
}

static void test_its_rules_hold(void **state)
{
	struct rig *rig = *state;

	speak(rig, SPOKEN("{\"name\":\"pump\",\"dir\":\"out\",\"line\":17,"
			  "\"locked\":true}",
			  ""));
	command(rig, CMND("POWER1"), "ON");
	fake_hub_await(rig->hub, RESULT, "{\"POWER1\":\"OFF\"}");
	assert_false(state_of(rig, "pump"));
	assert_non_null(rig->node);
}

static void test_a_retained_command_is_not_obeyed(void **state)
{
	struct rig *rig = *state;

	speak(rig, SPOKEN(PUMP, ""));
	fake_hub_send(rig->hub, CMND("POWER1"), "ON", true);
	fake_hub_await(rig->hub, "hearth/pi/error", NULL);
	assert_false(state_of(rig, "pump"));
}

static void test_mistakes_are_told(void **state)
{
	static const struct {
		const char *command;
		const char *payload;
		const char *answer;
	} table[] = {
		{ CMND("Teleport"), "ON", TASMOTA_ANSWER_UNKNOWN },
		{ CMND("POWER1"), "BLINK", TASMOTA_ANSWER_ERROR },
		{ CMND("POWER2"), "ON", TASMOTA_ANSWER_ERROR },
		{ CMND("Dimmer"), "50", TASMOTA_ANSWER_ERROR },
		{ CMND("ShutterOpen1"), "", TASMOTA_ANSWER_ERROR },
		{ CMND("Status"), "3", TASMOTA_ANSWER_ERROR },
		{ CMND("Status"), "x", TASMOTA_ANSWER_ERROR },
		{ CMND("Fade"), "maybe", TASMOTA_ANSWER_ERROR },
		{ CMND("Speed"), "41", TASMOTA_ANSWER_ERROR },
		{ CMND("Backlog"), "Backlog POWER1 ON",
		  TASMOTA_ANSWER_UNKNOWN },
	};
	struct rig *rig = *state;

	speak(rig, SPOKEN(PUMP, ""));
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		command(rig, table[i].command, table[i].payload);
		fake_hub_await(rig->hub, RESULT, table[i].answer);
		assert_false(state_of(rig, "pump"));
	}
}

static void test_a_backlog_has_an_end(void **state)
{
	char list[8 * (TASMOTA_BACKLOG_MAX + 1) + 1] = "";
	struct rig *rig = *state;

	speak(rig, SPOKEN(PUMP, ""));
	for (unsigned int i = 0; i < TASMOTA_BACKLOG_MAX; i++)
		memcpy(list + (size_t)i * 8, "POWER 2;", 9);
	command(rig, CMND("Backlog"), list);
	for (unsigned int i = 0; i < TASMOTA_BACKLOG_MAX; i++)
		fake_hub_await(rig->hub, RESULT, NULL);
	assert_false(state_of(rig, "pump"));
	memcpy(list + sizeof(list) - 9, "POWER 2;", 9);
	command(rig, CMND("Backlog"), list);
	fake_hub_await(rig->hub, RESULT, TASMOTA_ANSWER_ERROR);
}

static void test_inputs_and_buttons_are_said(void **state)
{
	struct rig *rig = *state;

	speak(rig, SPOKEN(DOOR "," BELL, ""));
	command(rig, SIM, "{\"line\":22,\"level\":0}");
	fake_hub_await(rig->hub, RESULT, "{\"door\":{\"Action\":\"OFF\"}}");
	command(rig, SIM, "{\"line\":24,\"press_ms\":20}");
	fake_hub_await(rig->hub, RESULT,
		       "{\"Button1\":{\"Action\":\"SINGLE\"}}");
}

/* ---- lights and covers -------------------------------------------------- */

static void await_light(struct rig *rig, const char *power, const char *dimmer,
			const char *color)
{
	const char *text = fake_hub_await(rig->hub, RESULT, NULL);

	assert_string_equal(member(text, "POWER1"), power);
	assert_string_equal(member(text, "Dimmer"), dimmer);
	assert_string_equal(member(text, "Color"), color);
}

static void test_a_light_is_dimmed_and_coloured(void **state)
{
	static const struct {
		const char *command;
		const char *payload;
		const char *power;
		const char *dimmer;
		const char *color;
	} table[] = {
		{ CMND("Dimmer"), "20", "\"ON\"", "20", "\"333333\"" },
		{ CMND("Color2"), "255,0,0", "\"ON\"", "20", "\"330000\"" },
		{ CMND("Color"), "0000FF", "\"ON\"", "100", "\"0000FF\"" },
		{ CMND("HSBColor"), "120,100,40", "\"ON\"", "40",
		  "\"006600\"" },
		{ CMND("HSBColor1"), "0", "\"ON\"", "40", "\"660000\"" },
		{ CMND("HSBColor2"), "0", "\"ON\"", "40", "\"666666\"" },
		{ CMND("HSBColor3"), "100", "\"ON\"", "100", "\"FFFFFF\"" },
		{ CMND("Dimmer"), "-", "\"ON\"", "90", "\"E6E6E6\"" },
		{ CMND("Dimmer"), "0", "\"OFF\"", "90", "\"E6E6E6\"" },
		{ CMND("POWER1"), "ON", "\"ON\"", "90", "\"E6E6E6\"" },
		{ CMND("Dimmer"), "", "\"ON\"", "90", "\"E6E6E6\"" },
		{ CMND("Color"), "000000", "\"OFF\"", "90", "\"E6E6E6\"" },
	};
	struct rig *rig = *state;

	tree_put_lights(rig->sysfs);
	speak(rig, SPOKEN("", DESK_RGB));
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		command(rig, table[i].command, table[i].payload);
		await_light(rig, table[i].power, table[i].dimmer,
			    table[i].color);
	}
	command(rig, CMND("White"), "50");
	fake_hub_await(rig->hub, RESULT, TASMOTA_ANSWER_ERROR);
	command(rig, CMND("Color"), "red");
	fake_hub_await(rig->hub, RESULT, TASMOTA_ANSWER_ERROR);
	command(rig, CMND("HSBColor4"), "10");
	fake_hub_await(rig->hub, RESULT, TASMOTA_ANSWER_ERROR);
}

static void test_a_fade_takes_its_time(void **state)
{
	struct rig *rig = *state;
	const struct light *light;

	tree_put_lights(rig->sysfs);
	speak(rig, SPOKEN("", BED));
	light = &rig->node->devices.device[0].light;
	command(rig, CMND("Backlog"),
		"NoDelay;Fade 1;NoDelay;Speed 40;NoDelay;Dimmer 100");
	fake_hub_await(rig->hub, RESULT, "{\"Fade\":\"ON\"}");
	fake_hub_await(rig->hub, RESULT, "{\"Speed\":40}");
	fake_hub_await(rig->hub, "stat/hearth_pi/POWER1", "ON");
	assert_int_equal(light->ms, 20000);
	command(rig, CMND("Fade"), "0");
	command(rig, CMND("Dimmer"), "50");
	fake_hub_await(rig->hub, "stat/hearth_pi/POWER1", "ON");
	assert_int_equal(light->ms, 0);
}

static void test_several_lights_have_channels(void **state)
{
	struct rig *rig = *state;
	const char *text;

	tree_put_lights(rig->sysfs);
	speak(rig, SPOKEN("", BED "," HALL));
	command(rig, CMND("Channel2"), "40");
	text = fake_hub_await(rig->hub, RESULT, NULL);
	assert_string_equal(text, "{\"POWER2\":\"ON\",\"Channel2\":40}");
	assert_false(rig->node->devices.device[0].light.on);
	command(rig, CMND("Channel3"), "40");
	fake_hub_await(rig->hub, RESULT, TASMOTA_ANSWER_ERROR);
	command(rig, CMND("POWER0"), "ON");
	fake_hub_await(rig->hub, "stat/hearth_pi/POWER1", "ON");
	fake_hub_await(rig->hub, "stat/hearth_pi/POWER2", "ON");
}

static void test_a_shutter_is_moved(void **state)
{
	struct rig *rig = *state;

	speak(rig, SPOKEN(MOTOR("up", "17") "," MOTOR("down", "27"), BLIND));
	command(rig, CMND("ShutterClose1"), "");
	fake_hub_await(rig->hub, RESULT,
		       "{\"Shutter1\":{\"Direction\":-1,\"Target\":0}}");
	assert_true(state_of(rig, "down"));
	command(rig, CMND("ShutterStop1"), "");
	fake_hub_await(rig->hub, RESULT, "{\"Shutter1\":{\"Direction\":0}}");
	assert_false(state_of(rig, "down"));
	command(rig, CMND("ShutterPosition1"), "80");
	fake_hub_await(rig->hub, RESULT,
		       "{\"Shutter1\":{\"Direction\":1,\"Target\":80}}");
	assert_true(state_of(rig, "up"));
	/* Not those of shutters. */
	command(rig, CMND("POWER0"), "ON");
	command(rig, CMND("ShutterPosition1"), "101");
	fake_hub_await(rig->hub, RESULT, TASMOTA_ANSWER_ERROR);
	assert_false(state_of(rig, "down"));
	command(rig, CMND("ShutterPosition1"), "");
	fake_hub_await(rig->hub, RESULT, NULL);
}

/* ---- beginning and ending ----------------------------------------------- */

static void test_every_status_is_given(void **state)
{
	static const char *const topics[] = {
		"stat/hearth_pi/STATUS",   "stat/hearth_pi/STATUS1",
		"stat/hearth_pi/STATUS2",  "stat/hearth_pi/STATUS5",
		"stat/hearth_pi/STATUS6",  "stat/hearth_pi/STATUS7",
		"stat/hearth_pi/STATUS8",  "stat/hearth_pi/STATUS10",
		"stat/hearth_pi/STATUS11",
	};
	struct rig *rig = *state;

	speak(rig, SPOKEN(PUMP, ""));
	command(rig, CMND("STATUS"), "0");
	for (size_t i = 0; i < sizeof(topics) / sizeof(topics[0]); i++) {
		json_t *answer =
			json_loads(fake_hub_await(rig->hub, topics[i], NULL),
				   JSON_REJECT_DUPLICATES, NULL);

		assert_int_equal(json_object_size(answer), 1);
		json_decref(answer);
	}
	command(rig, CMND("STATUS"), "");
	fake_hub_await(rig->hub, "stat/hearth_pi/STATUS", NULL);
}

static void test_unspoken_it_leaves_nothing(void **state)
{
	struct rig *rig = *state;

	speak(rig, SPOKEN(PUMP "," DOOR, ""));
	configure(rig, "{\"revision\":3,\"pins\":[" PUMP "]}");
	while (rig->node->tasmota)
		assert_int_equal(loop_turn(rig->loop, 20), 0);
	assert_null(fake_hub_retained(rig->hub, LWT));
	assert_null(fake_hub_retained(rig->hub, found("config")));
	assert_null(fake_hub_retained(rig->hub, found("sensors")));
	while (fake_hub_has_will(rig->hub, LWT "=Offline"))
		assert_int_equal(loop_turn(rig->loop, 20), 0);
}

static void test_what_is_removed_is_no_relay_any_more(void **state)
{
	struct rig *rig = *state;

	speak(rig, SPOKEN(PUMP "," HEATER, ""));
	fake_hub_send(rig->hub, CONFIG, SPOKEN(HEATER "," FAN, ""), false);
	fake_hub_await(rig->hub, STATE, NULL);
	assert_string_equal(
		member(fake_hub_retained(rig->hub, found("config")), "rl"),
		"[0,1,1]");
	command(rig, CMND("POWER1"), "ON");
	fake_hub_await(rig->hub, RESULT, TASMOTA_ANSWER_ERROR);
	command(rig, CMND("POWER2"), "ON");
	fake_hub_await(rig->hub, "stat/hearth_pi/POWER2", "ON");
	assert_true(state_of(rig, "heater"));
}

/* Numbers are those of before, whatever the configuration's order. */
static void test_numbers_outlive_the_process(void **state)
{
	struct rig *rig = *state;

	speak(rig, SPOKEN(PUMP "," HEATER, ""));
	node_free(rig->node);
	make_node(rig);
	node_start(rig->node);
	fake_hub_await(rig->hub, STATE, NULL);
	fake_hub_send(rig->hub, CONFIG, SPOKEN(FAN "," HEATER "," PUMP, ""),
		      false);
	fake_hub_await(rig->hub, STATE, NULL);
	command(rig, CMND("POWER1"), "ON");
	fake_hub_await(rig->hub, "stat/hearth_pi/POWER1", "ON");
	assert_true(state_of(rig, "pump"));
}

static void on_done(void *arg)
{
	((struct rig *)arg)->stopped = true;
}

static void test_stopping_it_is_offline(void **state)
{
	struct rig *rig = *state;

	speak(rig, SPOKEN(PUMP, ""));
	node_stop(rig->node, on_done, rig);
	while (!rig->stopped)
		assert_int_equal(loop_turn(rig->loop, 20), 0);
	assert_string_equal(fake_hub_retained(rig->hub, LWT), "Offline");
}

static void test_what_is_said_survives_allocation_failure(void **state)
{
	struct rig *rig = *state;
	struct node_tasmota *t;
	unsigned int n = 0;
	bool failed = true;

	tree_put_lights(rig->sysfs);
	speak(rig, SPOKEN(FAN "," DOOR "," GAS
			      "," MOTOR("up", "17") "," MOTOR("down", "27"),
			  DESK_RGB "," BLIND));
	t = tasmota_of(rig->node->tasmota);
	for (; failed && n < 10000; n++) {
		json_t *all[4];
		bool known;

		failing_malloc_arm(n);
		all[0] = node_tasmota_state(t);
		all[1] = node_tasmota_sensors(t, true);
		all[2] = node_tasmota_status(t, 5, &known);
		all[3] = node_tasmota_status(t, 11, &known);
		failed = failing_malloc_disarm();
		assert_int_equal(failed,
				 !all[0] || !all[1] || !all[2] || !all[3]);
		for (size_t i = 0; i < 4; i++)
			json_decref(all[i]);
	}
	assert_in_range(n, 50, 9999);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NODE_TEST(test_nobody_is_told_unless_asked),
		NODE_TEST(test_it_is_found_and_online),
		NODE_TEST(test_state_and_sensors_are_said),
		NODE_TEST(test_a_relay_is_switched),
		NODE_TEST(test_its_rules_hold),
		NODE_TEST(test_a_retained_command_is_not_obeyed),
		NODE_TEST(test_mistakes_are_told),
		NODE_TEST(test_a_backlog_has_an_end),
		NODE_TEST(test_inputs_and_buttons_are_said),
		NODE_TEST(test_a_light_is_dimmed_and_coloured),
		NODE_TEST(test_a_fade_takes_its_time),
		NODE_TEST(test_several_lights_have_channels),
		NODE_TEST(test_a_shutter_is_moved),
		NODE_TEST(test_every_status_is_given),
		NODE_TEST(test_unspoken_it_leaves_nothing),
		NODE_TEST(test_what_is_removed_is_no_relay_any_more),
		NODE_TEST(test_numbers_outlive_the_process),
		NODE_TEST(test_stopping_it_is_offline),
		NODE_TEST(test_what_is_said_survives_allocation_failure),
	};

	json_set_alloc_funcs(malloc, free);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Inputs as a user meets them: clicks, counts, and outputs bound to them, with the
 * hub and without. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gpio/file.h"
#include "tests/gpio/node_rig.h"

#define LAMP "{\"name\":\"lamp\",\"dir\":\"out\",\"line\":17}"
#define LAMP_TOPIC "hearth/pi/out/lamp"

/* Open: pulled up, so on. */
#define BOUND(kind, mode)                                             \
	"{\"name\":\"b\",\"dir\":\"in\",\"line\":22,\"kind\":\"" kind \
	"\",\"active_low\":true,\"target\":\"lamp\",\"mode\":\"" mode "\"}"

#define EVENT "hearth/pi/in/b/event"
#define IS(event) "{\"event_type\":\"" event "\"}"

static void press(struct rig *rig)
{
	command(rig, SIM, "{\"line\":22,\"level\":0}");
}

static void let_go(struct rig *rig)
{
	command(rig, SIM, "{\"line\":22,\"level\":1}");
}

static void test_a_button_says_what_was_clicked(void **state)
{
	struct rig *rig = *state;

	begin(rig, "{\"name\":\"b\",\"dir\":\"in\",\"line\":22,"
		   "\"kind\":\"button\",\"active_low\":true,"
		   "\"double_ms\":200,\"long_ms\":100,\"hold_ms\":50}");
	press(rig);
	fake_hub_await(rig->hub, "hearth/pi/in/b", "ON");
	fake_hub_await(rig->hub, EVENT, IS("press"));
	fake_hub_await(rig->hub, EVENT, IS("long"));
	fake_hub_await(rig->hub, EVENT, IS("hold"));
	fake_hub_await(rig->hub, EVENT, IS("hold"));
	let_go(rig);
	fake_hub_await(rig->hub, EVENT, IS("release"));
	/* Both in one go: no timer can come between. */
	assert_int_equal(lines_sim_connect(rig->lines, 22, 0), 0);
	assert_int_equal(lines_sim_connect(rig->lines, 22, 1), 0);
	assert_int_equal(lines_sim_connect(rig->lines, 22, 0), 0);
	assert_int_equal(lines_sim_connect(rig->lines, 22, 1), 0);
	fake_hub_await(rig->hub, EVENT, IS("double"));
	assert_int_equal(lines_sim_connect(rig->lines, 22, 0), 0);
	assert_int_equal(lines_sim_connect(rig->lines, 22, 1), 0);
	fake_hub_await(rig->hub, EVENT, IS("single"));
	/* An event is for those who are there. */
	assert_null(fake_hub_retained(rig->hub, EVENT));
}

static void test_a_button_switches_with_every_press(void **state)
{
	struct rig *rig = *state;

	begin(rig, LAMP "," BOUND("button", "momentary"));
	for (int i = 0; i < 3; i++) {
		press(rig);
		fake_hub_await(rig->hub, LAMP_TOPIC, i % 2 ? "OFF" : "ON");
		let_go(rig);
		fake_hub_await(rig->hub, EVENT, IS("release"));
	}
	assert_true(state_of(rig, "lamp"));
}

static void test_a_wall_switch_switches_with_every_change(void **state)
{
	struct rig *rig = *state;

	begin(rig, LAMP "," BOUND("switch", "toggle"));
	press(rig);
	fake_hub_await(rig->hub, LAMP_TOPIC, "ON");
	let_go(rig);
	fake_hub_await(rig->hub, LAMP_TOPIC, "OFF");
}

static void test_an_output_follows_also_at_the_start(void **state)
{
	struct rig *rig = *state;

	assert_int_equal(lines_sim_connect(rig->lines, 22, 0), 0);
	begin(rig, LAMP "," BOUND("switch", "follow"));
	await_retained(rig, LAMP_TOPIC, "ON");
	assert_true(state_of(rig, "lamp"));
	let_go(rig);
	fake_hub_await(rig->hub, LAMP_TOPIC, "OFF");
	press(rig);
	fake_hub_await(rig->hub, LAMP_TOPIC, "ON");
}

static void test_it_works_without_the_hub(void **state)
{
	struct rig *rig = *state;

	begin(rig, LAMP "," BOUND("button", "momentary"));
	fake_hub_free(rig->hub);
	rig->hub = NULL;
	assert_int_equal(lines_sim_connect(rig->lines, 22, 0), 0);
	while (!lines_sim_level(rig->lines, 17))
		assert_int_equal(loop_turn(rig->loop, 20), 0);
	rig->hub = fake_hub_new(rig->loop, rig->directory);
	fake_hub_await(rig->hub, LAMP_TOPIC, "ON");
}

static void test_the_rules_hold_for_inputs_too(void **state)
{
	struct rig *rig = *state;

	begin(rig, "{\"name\":\"lamp\",\"dir\":\"out\",\"line\":17,"
		   "\"locked\":true}," BOUND("button", "momentary"));
	press(rig);
	fake_hub_await(rig->hub, LAMP_TOPIC "/result",
		       "{\"applied\":false,\"reason\":\"it is locked\"}");
	assert_false(state_of(rig, "lamp"));
}

static void test_a_target_must_be_an_output(void **state)
{
	struct rig *rig = *state;
	const char *report;

	begin(rig, LAMP);
	report = configure(rig, "{\"revision\":9,\"pins\":[" DOOR
				",{\"name\":\"b\",\"dir\":\"in\",\"line\":24,"
				"\"target\":\"door\",\"mode\":\"toggle\"}]}");
	assert_non_null(strstr(
		report, "{\"pin\":\"b\",\"field\":\"target\","
			"\"message\":\"there is no output named door\"}"));
	assert_true(is_held(rig, 17));
}

/* ---- counters ----------------------------------------------------------- */

#define METER                                                              \
	"{\"name\":\"m\",\"dir\":\"in\",\"line\":22,\"kind\":\"counter\"," \
	"\"active_low\":true,\"unit\":\"kWh\",\"per_unit\":4,\"interval\":1}"
#define COUNT "hearth/pi/in/m/count"

static void pulses(struct rig *rig, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		assert_int_equal(lines_sim_connect(rig->lines, 22, 0), 0);
		assert_int_equal(lines_sim_connect(rig->lines, 22, 1), 0);
		if (i % 16 == 15)
			assert_int_equal(loop_turn(rig->loop, 0), 0);
	}
}

static void test_pulses_are_counted_in_their_unit(void **state)
{
	struct rig *rig = *state;

	begin(rig, METER);
	pulses(rig, 10);
	fake_hub_await(rig->hub, COUNT, "10");
	fake_hub_await(rig->hub, "hearth/pi/sensor/m", "2.5");
	fake_hub_await(rig->hub, "hearth/pi/in/m/rate", NULL);
	assert_string_equal(fake_hub_retained(rig->hub, COUNT), "10");
	/* It is no switch. */
	assert_null(fake_hub_retained(rig->hub, "hearth/pi/in/m"));
	/* Gone is gone. */
	configure(rig, "{\"pins\":[]}");
	assert_null(fake_hub_retained(rig->hub, COUNT));
	assert_null(fake_hub_retained(rig->hub, "hearth/pi/sensor/m"));
	assert_null(fake_hub_retained(rig->hub, "hearth/pi/in/m/rate"));
}

/* Nobody has to wait for the first pulse, nor for the next one to know what all of
 * them are in another unit. */
static void test_a_count_is_said_before_there_is_a_pulse(void **state)
{
	struct rig *rig = *state;

	begin(rig, METER);
	await_retained(rig, COUNT, "0");
	await_retained(rig, "hearth/pi/sensor/m", "0");
	await_retained(rig, "hearth/pi/in/m/rate", "0");
	command(rig, COUNT "/set", "8");
	await_retained(rig, "hearth/pi/sensor/m", "2");
	configure(rig, "{\"pins\":[{\"name\":\"m\",\"dir\":\"in\","
		       "\"line\":22,\"kind\":\"counter\",\"active_low\":true,"
		       "\"unit\":\"kWh\",\"per_unit\":16,\"interval\":1}]}");
	await_retained(rig, "hearth/pi/sensor/m", "0.5");
	assert_string_equal(fake_hub_retained(rig->hub, COUNT), "8");
}

/* More edges than the queue holds, and none is missing in the count. */
static void test_lost_edges_are_counted_and_told(void **state)
{
	struct rig *rig = *state;
	const char *error;

	begin(rig, METER);
	for (unsigned int i = 0; i < 5 * LINES_EVENTS_MAX; i++)
		assert_int_equal(lines_sim_connect(rig->lines, 22, i % 2), 0);
	error = fake_hub_await(rig->hub, "hearth/pi/error", NULL);
	assert_non_null(strstr(error, "hearth/pi/in/m"));
	assert_non_null(strstr(error, "edges came too fast and were lost"));
	fake_hub_await(rig->hub, COUNT, "320");
}

static void test_a_count_is_kept_over_a_restart(void **state)
{
	struct rig *rig = *state;
	char *kept;
	size_t len;
	int r;

	begin(rig, METER);
	command(rig, COUNT "/set", "1000");
	fake_hub_await(rig->hub, COUNT, "1000");
	pulses(rig, 2);
	fake_hub_await(rig->hub, COUNT, "1002");
	node_free(rig->node);
	kept = file_load(rig->directory, TALLIES_FILE, &len, &r);
	assert_non_null(kept);
	assert_non_null(strstr(kept, "\"m\": 1002"));
	free(kept);
	make_node(rig);
	begin(rig, METER);
	await_retained(rig, COUNT, "1002");
	await_retained(rig, "hearth/pi/sensor/m", "250.5");
}

static void test_a_bad_count_is_refused(void **state)
{
	static const char *const bad[] = { "-1", "1.5", "a", "" };
	struct rig *rig = *state;

	begin(rig, METER "," LAMP);
	command(rig, COUNT "/set", "7");
	fake_hub_await(rig->hub, COUNT, "7");
	for (size_t i = 0; i < 3; i++) {
		command(rig, COUNT "/set", bad[i]);
		fake_hub_await(rig->hub, "hearth/pi/error", NULL);
	}
	command(rig, "hearth/pi/in/x/count/set", "5");
	fake_hub_await(rig->hub, "hearth/pi/error", NULL);
	command(rig, "hearth/pi/in/lamp/count/set", "5");
	fake_hub_await(rig->hub, "hearth/pi/error", NULL);
	fake_hub_send(rig->hub, COUNT "/set", "9", true);
	fake_hub_await(rig->hub, "hearth/pi/error", NULL);
	assert_string_equal(fake_hub_retained(rig->hub, COUNT), "7");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NODE_TEST(test_a_button_says_what_was_clicked),
		NODE_TEST(test_a_button_switches_with_every_press),
		NODE_TEST(test_a_wall_switch_switches_with_every_change),
		NODE_TEST(test_an_output_follows_also_at_the_start),
		NODE_TEST(test_it_works_without_the_hub),
		NODE_TEST(test_the_rules_hold_for_inputs_too),
		NODE_TEST(test_a_target_must_be_an_output),
		NODE_TEST(test_pulses_are_counted_in_their_unit),
		NODE_TEST(test_a_count_is_said_before_there_is_a_pulse),
		NODE_TEST(test_lost_edges_are_counted_and_told),
		NODE_TEST(test_a_count_is_kept_over_a_restart),
		NODE_TEST(test_a_bad_count_is_refused),
	};

	json_set_alloc_funcs(malloc, free);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/base/clock.h"
#include "tests/failing_malloc.h"
#include "tests/gpio/node_rig.h"

#define METER                                                      \
	"{\"name\":\"water\",\"dir\":\"in\",\"line\":24,\"kind\":" \
	"\"counter\",\"interval\":1}"
#define BELL                                                      \
	"{\"name\":\"bell\",\"dir\":\"in\",\"line\":25,\"kind\":" \
	"\"button\",\"active_low\":true,\"debounce_ms\":20}"

static void tell(struct rig *rig, const char *text)
{
	fake_hub_send(rig->hub, SIM, text, false);
}

/* The member of a line in the report; "" for null. */
static const char *reported(const char *report, unsigned int line,
			    const char *member, char out[32])
{
	json_t *document = json_loads(report, 0, NULL);
	size_t i;
	json_t *one;

	(void)snprintf(out, 32, "missing");
	json_array_foreach(json_object_get(document, "lines"), i, one)
	{
		json_t *value = json_object_get(one, member);

		if (json_integer_value(json_object_get(one, "line")) == line)
			(void)snprintf(out, 32, "%s",
				       json_is_null(value)
					       ? ""
					       : json_string_value(value));
	}
	json_decref(document);
	return out;
}

static void test_a_scenario_plays_and_is_reported(void **state)
{
	struct rig *rig = *state;
	char text[32];
	const char *report;

	begin(rig, DOOR);
	assert_string_equal(fake_hub_retained(rig->hub, "hearth/pi/in/door"),
			    "ON");
	tell(rig, "{\"line\":22,\"scenario\":\"door\"}");
	report = fake_hub_await(rig->hub, REPORT, NULL);
	assert_string_equal(reported(report, 22, "scenario", text), "door");
	assert_string_equal(reported(report, 23, "scenario", text), "");
	fake_hub_await(rig->hub, "hearth/pi/in/door", "OFF");
	tell(rig, "{\"line\":22,\"scenario\":null}");
	report = fake_hub_await(rig->hub, REPORT, NULL);
	assert_string_equal(reported(report, 22, "scenario", text), "");
	/* The wire is let go. */
	assert_true(lines_sim_level(rig->lines, 22));
}

static void test_debouncing_makes_one_press_of_a_noisy_one(void **state)
{
	struct rig *rig = *state;

	begin(rig, BELL);
	tell(rig, "{\"line\":25,\"fault\":\"bounce\"}");
	fake_hub_await(rig->hub, REPORT, NULL);
	tell(rig, "{\"line\":25,\"press_ms\":100}");
	fake_hub_await(rig->hub, "hearth/pi/in/bell/event",
		       "{\"event_type\":\"press\"}");
	fake_hub_await(rig->hub, "hearth/pi/in/bell/event",
		       "{\"event_type\":\"release\"}");
	/* Were it two presses, it would be a double click. */
	fake_hub_await(rig->hub, "hearth/pi/in/bell/event",
		       "{\"event_type\":\"single\"}");
}

static void test_lost_edges_are_told_and_counted(void **state)
{
	struct rig *rig = *state;

	begin(rig, METER);
	tell(rig, "{\"line\":24,\"fault\":\"lost_events\"}");
	fake_hub_await(rig->hub, REPORT, NULL);
	tell(rig, "{\"line\":24,\"press_ms\":5}");
	assert_non_null(
		strstr(fake_hub_await(rig->hub, "hearth/pi/error", NULL),
		       "2 edges came too fast"));
	/* Its own pulse, and one for each pair of lost edges. */
	fake_hub_await(rig->hub, "hearth/pi/in/water/count", "3");
}

static void test_a_line_that_fails_is_offline(void **state)
{
	struct rig *rig = *state;
	char text[32];
	const char *report;

	begin(rig, PUMP "," DOOR);
	tell(rig, "{\"line\":17,\"fault\":\"io_error\"}");
	report = fake_hub_await(rig->hub, REPORT, NULL);
	assert_string_equal(reported(report, 17, "fault", text), "io_error");
	command(rig, "hearth/pi/out/pump/set", "ON");
	fake_hub_await(rig->hub, "hearth/pi/out/pump/status", "offline");
	assert_false(lines_sim_level(rig->lines, 17));
	/* An input is read all the time, so it is noticed at once. */
	tell(rig, "{\"line\":22,\"fault\":\"io_error\"}");
	fake_hub_await(rig->hub, "hearth/pi/in/door/status", "offline");
	tell(rig, "{\"line\":17,\"fault\":null}");
	tell(rig, "{\"line\":22,\"fault\":null}");
	command(rig, "hearth/pi/out/pump/set", "ON");
	fake_hub_await(rig->hub, "hearth/pi/out/pump/status", "online");
	fake_hub_await(rig->hub, "hearth/pi/in/door/status", "online");
}

static void test_a_busy_line_is_had_when_it_is_let_go(void **state)
{
	struct rig *rig = *state;
	const char *report;

	begin(rig, "");
	tell(rig, "{\"line\":17,\"fault\":\"busy\"}");
	fake_hub_await(rig->hub, REPORT, NULL);
	report = configure(rig, "{\"pins\":[" PUMP "]}");
	assert_non_null(strstr(report, "line 17 is used by another program"));
	assert_string_equal(
		fake_hub_retained(rig->hub, "hearth/pi/out/pump/status"),
		"offline");
	tell(rig, "{\"line\":17,\"fault\":null}");
	fake_hub_await(rig->hub, "hearth/pi/out/pump/status", "online");
	/* Nobody can take what is held. */
	tell(rig, "{\"line\":17,\"fault\":\"busy\"}");
	assert_non_null(
		strstr(fake_hub_await(rig->hub, "hearth/pi/error", NULL),
		       "this line is in use"));
}

static void test_what_cannot_be_is_told(void **state)
{
	static const char *const bad[][2] = {
		{ "{\"line\":17,\"scenario\":\"door\"}",
		  "this line is an output" },
		{ "{\"line\":99,\"scenario\":\"door\"}",
		  "there is no such line" },
		{ "{\"line\":99,\"fault\":\"bounce\"}",
		  "there is no such line" },
		{ "{\"line\":2,\"fault\":\"busy\"}", "this line is in use" },
		{ "{\"line\":22,\"fault\":\"fire\"}", "fault must be" },
	};
	struct rig *rig = *state;

	begin(rig, PUMP);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		tell(rig, bad[i][0]);
		assert_non_null(strstr(
			fake_hub_await(rig->hub, "hearth/pi/error", NULL),
			bad[i][1]));
	}
}

/* The fault of line 3 of the chip behind the header's; "" for none. */
static const char *fault_of_3(const char *report, char out[32])
{
	json_t *document = json_loads(report, 0, NULL);
	json_t *chip = json_array_get(json_object_get(document, "chips"), 0);
	json_t *line = json_array_get(json_object_get(chip, "lines"), 3);
	const char *fault = json_string_value(json_object_get(line, "fault"));

	(void)snprintf(out, 32, "%s", fault ? fault : "");
	json_decref(document);
	return out;
}

static void test_the_lines_of_another_chip_are_clicked_too(void **state)
{
	static const char *const bad[][2] = {
		{ "{\"chip\":\"max7313\",\"line\":3,\"level\":0}",
		  "there is no such chip" },
		{ "{\"chip\":\"pcf8574\",\"line\":8,\"level\":0}",
		  "there is no such line" },
		{ "{\"chip\":\"pcf8574\",\"line\":3,\"scenario\":\"door\"}",
		  "scenarios play at the header's lines only" },
	};
	struct rig *rig = *state;
	char text[32];

	begin(rig, "{\"name\":\"gate\",\"dir\":\"in\",\"chip\":\"pcf8574\","
		   "\"line\":3,\"kind\":\"contact\"}");
	tell(rig, "{\"chip\":\"pcf8574\",\"line\":3,\"level\":0}");
	fake_hub_await(rig->hub, "hearth/pi/in/gate", "OFF");
	/* The header's line of that number is another. */
	assert_true(lines_sim_level(rig->lines, 3));
	tell(rig, "{\"chip\":\"pcf8574\",\"line\":3,\"level\":1}");
	fake_hub_await(rig->hub, "hearth/pi/in/gate", "ON");
	tell(rig, "{\"chip\":\"pcf8574\",\"line\":3,\"press_ms\":5}");
	fake_hub_await(rig->hub, "hearth/pi/in/gate", "OFF");
	fake_hub_await(rig->hub, "hearth/pi/in/gate", "ON");
	tell(rig, "{\"chip\":\"pcf8574\",\"line\":3,\"fault\":\"bounce\"}");
	assert_string_equal(
		fault_of_3(fake_hub_await(rig->hub, REPORT, NULL), text),
		"bounce");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		tell(rig, bad[i][0]);
		assert_non_null(strstr(
			fake_hub_await(rig->hub, "hearth/pi/error", NULL),
			bad[i][1]));
	}
}

/* A scenario ends where its line becomes an output. */
static void test_an_output_is_not_played(void **state)
{
	struct rig *rig = *state;
	char text[32];
	const char *report;

	begin(rig, "");
	tell(rig, "{\"line\":17,\"scenario\":\"noisy_button\"}");
	fake_hub_await(rig->hub, REPORT, NULL);
	configure(rig, "{\"pins\":[" PUMP "]}");
	tell(rig, "{\"line\":22,\"scenario\":\"door\"}");
	fake_hub_await(rig->hub, REPORT, NULL);
	do {
		/* Its next press is seconds away: asked not too often. */
		const uint64_t until = clock_ms() + 200;

		while (clock_ms() < until)
			loop_turn(rig->loop, 50);
		tell(rig, "{\"line\":22,\"fault\":null}");
		report = fake_hub_await(rig->hub, REPORT, NULL);
	} while (reported(report, 17, "scenario", text)[0]);
	assert_string_equal(reported(report, 22, "scenario", text), "door");
}

static void test_memory_that_runs_out_is_told(void **state)
{
	struct rig *rig = *state;
	struct client_message message = {
		.topic = slice_str(SIM),
		.payload = slice_str("{\"line\":22,\"scenario\":\"door\"}"),
	};
	unsigned int n = 0;

	begin(rig, DOOR);
	do {
		failing_malloc_arm(n++);
		node_sim_heard(rig->node, &message);
	} while (failing_malloc_disarm() && n < 10000);
	assert_in_range(n, 10, 9999);
	assert_non_null(rig->node->sim);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NODE_TEST(test_a_scenario_plays_and_is_reported),
		NODE_TEST(test_debouncing_makes_one_press_of_a_noisy_one),
		NODE_TEST(test_lost_edges_are_told_and_counted),
		NODE_TEST(test_a_line_that_fails_is_offline),
		NODE_TEST(test_a_busy_line_is_had_when_it_is_let_go),
		NODE_TEST(test_what_cannot_be_is_told),
		NODE_TEST(test_the_lines_of_another_chip_are_clicked_too),
		NODE_TEST(test_an_output_is_not_played),
		NODE_TEST(test_memory_that_runs_out_is_told),
	};

	json_set_alloc_funcs(malloc, free);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* A node whose board has another chip besides the header's. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gpio/file.h"
#include "gpio/safe.h"
#include "gpio/state.h"
#include "tests/gpio/node_rig.h"

#define RELAY                                             \
	"{\"name\":\"relay\",\"dir\":\"out\",\"line\":1," \
	"\"chip\":\"pcf8574\"}"
#define LOST                                             \
	"{\"name\":\"lost\",\"dir\":\"out\",\"line\":1," \
	"\"chip\":\"gone\"}"
#define BELL                                            \
	"{\"name\":\"bell\",\"dir\":\"in\",\"line\":2," \
	"\"chip\":\"pcf8574\"}"

static struct lines *expander(struct rig *rig)
{
	struct lines *chip = lines_chip(rig->lines, "pcf8574");

	assert_non_null(chip);
	return chip;
}

static void test_pins_of_two_chips_work_side_by_side(void **state)
{
	struct rig *rig = *state;
	const char *report = begin(rig, PUMP "," RELAY "," BELL);

	assert_non_null(strstr(report, "\"errors\":[]"));
	command(rig, "hearth/pi/out/relay/set", "ON");
	fake_hub_await(rig->hub, "hearth/pi/out/relay", "ON");
	assert_true(lines_sim_level(expander(rig), 1));
	assert_false(is_held(rig, 1));
	assert_false(lines_sim_level(rig->lines, 17));
	assert_int_equal(lines_sim_connect(expander(rig), 2, 0), 0);
	fake_hub_await(rig->hub, "hearth/pi/in/bell", "OFF");
}

static void test_the_report_shows_every_chip(void **state)
{
	struct rig *rig = *state;
	json_t *report = json_loads(begin(rig, RELAY), 0, NULL);
	json_t *chips = json_object_get(report, "chips");
	json_t *chip = json_array_get(chips, 0);
	json_t *lines = json_object_get(chip, "lines");
	json_t *line = json_array_get(lines, 1);

	assert_int_equal(json_array_size(chips), 1);
	assert_string_equal(json_string_value(json_object_get(chip, "label")),
			    "pcf8574");
	assert_int_equal(json_array_size(lines), 8);
	assert_string_equal(
		json_string_value(json_object_get(line, "configured")),
		"relay");
	assert_true(json_is_null(json_object_get(line, "pull")));
	/* The header's line of the same number is not meant. */
	line = json_array_get(json_object_get(report, "lines"), 1);
	assert_true(json_is_null(json_object_get(line, "configured")));
	json_decref(report);
}

/* Kept by a node whose expander was there then. */
static void keep(struct rig *rig, const char *text)
{
	assert_int_equal(
		file_replace(rig->directory, STATE_FILE, slice_str(text), true),
		0);
}

static void test_a_missing_chip_leaves_the_others_at_work(void **state)
{
	struct rig *rig = *state;
	const char *report;

	keep(rig, "{\"pins\":[" PUMP "," LOST "]}");
	node_start(rig->node);
	report = fake_hub_await(rig->hub, REPORT, NULL);
	assert_non_null(strstr(report, "the chip gone is not here"));
	assert_true(is_held(rig, 17));
	command(rig, "hearth/pi/out/pump/set", "ON");
	fake_hub_await(rig->hub, "hearth/pi/out/pump", "ON");
	command(rig, "hearth/pi/out/lost/set", "ON");
	assert_non_null(strstr(
		fake_hub_await(rig->hub, "hearth/pi/out/lost/result", NULL),
		"the chip gone is not here"));
	/* New ones are judged by what is there. */
	report = configure(rig, "{\"revision\":3,\"pins\":[" LOST "]}");
	assert_non_null(strstr(report, "\"field\":\"chip\""));
	assert_true(state_of(rig, "pump"));
}

static void test_safe_reaches_every_chip(void **state)
{
	struct rig *rig = *state;
	const struct line_config on = { .offset = 1,
					.direction = LINE_OUTPUT,
					.initial = true };
	struct line_request *request;

	assert_int_equal(lines_request(expander(rig), "x", &on, 1, &request),
			 0);
	lines_release(request);
	assert_true(lines_sim_level(expander(rig), 1));
	keep(rig, "{\"pins\":[" LOST "," RELAY "," PUMP "]}");
	/* All are tried, whatever one of them says. */
	assert_int_equal(safe_drive(rig->lines, rig->directory, rig->sysfs),
			 -ENODEV);
	assert_false(lines_sim_level(expander(rig), 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NODE_TEST(test_pins_of_two_chips_work_side_by_side),
		NODE_TEST(test_the_report_shows_every_chip),
		NODE_TEST(test_a_missing_chip_leaves_the_others_at_work),
		NODE_TEST(test_safe_reaches_every_chip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* A thousand bad configurations and as many bad commands, sent to a node that
 * is at work: each is answered, and nothing changes. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gpio/file.h"
#include "gpio/state.h"
#include "tests/gpio/bad_pins.h"
#include "tests/gpio/node_rig.h"

#define CASES 1000
#define SET "hearth/pi/out/pump/set"
#define ERROR "hearth/pi/error"

/* What must be the same afterwards. */
struct before {
	char *state; /* gpio.state */
	size_t len;
	struct line_request *requests[PINS_MAX];
};

static void look(struct rig *rig, struct before *out)
{
	int r = 0;

	out->state = file_load(rig->directory, STATE_FILE, &out->len, &r);
	assert_non_null(out->state);
	for (size_t i = 0; i < PINS_MAX; i++)
		out->requests[i] = rig->node->pins[i].request;
}

/* Not even asked for again: the lines are held by the same requests. */
static void assert_nothing_changed(struct rig *rig, const struct before *before)
{
	struct before now;

	look(rig, &now);
	assert_int_equal(now.len, before->len);
	assert_memory_equal(now.state, before->state, now.len);
	free(now.state);
	assert_memory_equal(now.requests, before->requests,
			    sizeof(now.requests));
	assert_true(state_of(rig, "pump"));
	assert_true(lines_sim_level(rig->lines, 17));
	assert_false(state_of(rig, "heater"));
	assert_true(lines_sim_level(rig->lines, 27));
	assert_true(is_held(rig, 22));
}

static void start(struct rig *rig)
{
	begin(rig, PUMP "," HEATER "," DESK "," DOOR);
	command(rig, SET, "ON");
	fake_hub_await(rig->hub, "hearth/pi/out/pump", "ON");
	fake_hub_await(rig->hub, "hearth/pi/out/pump/result", NULL);
}

/* Does the report name it? A field may be cut. */
static bool reported(const char *report, const struct bad_config *bad)
{
	json_t *document = json_loads(report, 0, NULL);
	json_t *error;
	bool found = false;
	size_t i;

	assert_non_null(document);
	json_array_foreach(json_object_get(document, "errors"), i, error)
	{
		const char *pin =
			json_string_value(json_object_get(error, "pin"));
		const char *field =
			json_string_value(json_object_get(error, "field"));

		pin = pin ? pin : "";
		field = field ? field : "";
		found |= strcmp(pin, bad->pin) == 0 &&
			 strncmp(bad->field, field, strlen(field)) == 0 &&
			 (strlen(field) == strlen(bad->field) ||
			  strlen(field) >= 12);
	}
	json_decref(document);
	return found;
}

static void test_bad_configurations_change_nothing(void **state)
{
	static struct bad_config bad;
	struct rig *rig = *state;
	struct before before;

	start(rig);
	look(rig, &before);
	for (uint64_t seed = 0; seed < CASES; seed++) {
		const char *report;

		bad_config_make(seed, &bad);
		fake_hub_send_bytes(rig->hub, CONFIG,
				    slice_of(bad.bytes, bad.len), seed % 2);
		report = fake_hub_await(rig->hub, REPORT, NULL);
		if (!reported(report, &bad))
			fail_msg("seed %u, %s: %s", (unsigned int)seed,
				 bad.mistake, report);
		assert_nothing_changed(rig, &before);
		bad_config_free(&bad);
	}
	free(before.state);
	/* It still takes a good one. */
	assert_non_null(
		strstr(configure(rig, "{\"revision\":5,\"pins\":[" PUMP "]}"),
		       "\"revision\":5,\"errors\":[]"));
	assert_true(state_of(rig, "pump"));
}

static void test_bad_commands_are_counted_and_change_nothing(void **state)
{
	static struct bad_command bad;
	struct rig *rig = *state;
	struct before before;
	char count[40];

	start(rig);
	look(rig, &before);
	for (uint64_t seed = 0; seed < CASES; seed++) {
		const char *error;

		bad_command_make(seed, &bad);
		fake_hub_send_bytes(rig->hub, SET, slice_of(bad.bytes, bad.len),
				    false);
		error = fake_hub_await(rig->hub, ERROR, NULL);
		(void)snprintf(count, sizeof(count), "\"count\":%u}",
			       (unsigned int)seed + 1);
		if (!strstr(error, count) ||
		    !strstr(error, "{\"topic\":\"" SET "\""))
			fail_msg("seed %u, %s: %s", (unsigned int)seed,
				 bad.mistake, error);
		assert_non_null(strstr(
			fake_hub_await(rig->hub, "hearth/pi/out/pump/result",
				       NULL),
			"{\"applied\":false,\"reason\":\""));
	}
	assert_nothing_changed(rig, &before);
	free(before.state);
	/* Nothing was lost on the way: it obeys a good one. */
	command(rig, SET, "OFF");
	fake_hub_await(rig->hub, "hearth/pi/out/pump", "OFF");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NODE_TEST(test_bad_configurations_change_nothing),
		NODE_TEST(test_bad_commands_are_counted_and_change_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

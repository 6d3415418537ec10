#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/gpio/node_rig.h"

#define TOPIC "ha/device/hearth_pi/config"
#define SPOKEN "{\"revision\":2,\"dialects\":{\"homeassistant\":\"ha\"},"

/* The document last published, from behind what was found before. */
static json_t *await_document(struct rig *rig)
{
	json_t *document = json_loads(fake_hub_await(rig->hub, TOPIC, NULL),
				      JSON_REJECT_DUPLICATES, NULL);

	assert_non_null(document);
	return document;
}

static json_t *component(json_t *document, const char *name)
{
	return json_object_get(json_object_get(document, "cmps"), name);
}

static void begin_spoken(struct rig *rig, const char *pins)
{
	char config[2048];

	begin(rig, "");
	(void)snprintf(config, sizeof(config), SPOKEN "\"pins\":[%s]}", pins);
	fake_hub_send(rig->hub, CONFIG, config, false);
}

static void test_nobody_is_told_unless_asked(void **state)
{
	struct rig *rig = *state;

	begin(rig, PUMP);
	assert_null(fake_hub_retained(rig->hub, TOPIC));
	assert_null(fake_hub_retained(rig->hub,
				      "homeassistant/device/hearth_pi/config"));
}

static void test_home_assistant_is_told_what_there_is(void **state)
{
	struct rig *rig = *state;
	json_t *document;

	begin_spoken(rig, PUMP "," DESK "," DOOR);
	fake_hub_await(rig->hub, "hearth/pi/out/pump/status", "online");
	document = await_document(rig);
	assert_int_equal(json_object_size(json_object_get(document, "cmps")),
			 3);
	assert_non_null(component(document, "switch_gpio17"));
	assert_non_null(component(document, "light_gpio23"));
	assert_non_null(component(document, "binary_sensor_gpio22"));
	assert_non_null(fake_hub_retained(rig->hub, TOPIC));
	json_decref(document);
}

static void test_a_removed_pin_is_taken_away(void **state)
{
	struct rig *rig = *state;
	json_t *document;

	begin_spoken(rig, PUMP "," DESK);
	json_decref(await_document(rig));
	fake_hub_send(rig->hub, CONFIG, SPOKEN "\"pins\":[" DESK "]}", false);
	document = await_document(rig);
	assert_int_equal(json_object_size(component(document, "switch_gpio17")),
			 1);
	json_decref(document);
	document = await_document(rig);
	assert_null(component(document, "switch_gpio17"));
	assert_non_null(component(document, "light_gpio23"));
	json_decref(document);
	assert_null(fake_hub_retained(rig->hub, "hearth/pi/out/pump/status"));
}

/* A light that becomes a relay is another thing to Home Assistant. */
static void test_another_kind_is_another_component(void **state)
{
	struct rig *rig = *state;
	json_t *document;

	begin_spoken(rig, DESK);
	json_decref(await_document(rig));
	fake_hub_send(rig->hub, CONFIG,
		      SPOKEN "\"pins\":[{\"name\":\"desk\",\"dir\":\"out\","
			     "\"line\":23,\"safe\":\"hold\"}]}",
		      false);
	document = await_document(rig);
	assert_int_equal(json_object_size(component(document, "light_gpio23")),
			 1);
	assert_true(json_object_size(component(document, "switch_gpio23")) > 1);
	json_decref(document);
}

static void test_switched_off_nothing_is_left(void **state)
{
	struct rig *rig = *state;

	begin_spoken(rig, PUMP);
	json_decref(await_document(rig));
	fake_hub_send(rig->hub, CONFIG, "{\"revision\":3,\"pins\":[" PUMP "]}",
		      false);
	fake_hub_await(rig->hub, TOPIC, "");
	assert_null(fake_hub_retained(rig->hub, TOPIC));
}

static void test_another_prefix_takes_the_first_away(void **state)
{
	struct rig *rig = *state;

	begin_spoken(rig, PUMP);
	json_decref(await_document(rig));
	fake_hub_send(rig->hub, CONFIG,
		      "{\"dialects\":{\"homeassistant\":\"other\"},\"pins\":"
		      "[" PUMP "]}",
		      false);
	fake_hub_await(rig->hub, TOPIC, "");
	fake_hub_await(rig->hub, "other/device/hearth_pi/config", NULL);
	assert_null(fake_hub_retained(rig->hub, TOPIC));
}

/* gpio.state has what was told, in case the hub's configuration changes while
 * the node is away. */
static void test_it_is_known_over_a_restart(void **state)
{
	struct rig *rig = *state;
	json_t *document;

	begin_spoken(rig, PUMP "," DESK);
	json_decref(await_document(rig));
	fake_hub_await(rig->hub, REPORT, NULL);
	node_free(rig->node);
	make_node(rig);
	node_start(rig->node);
	document = await_document(rig);
	assert_non_null(component(document, "switch_gpio17"));
	json_decref(document);
	fake_hub_await_subscribe(rig->hub, CONFIG);
	fake_hub_send(rig->hub, CONFIG, "{\"pins\":[" PUMP "]}", true);
	fake_hub_await(rig->hub, TOPIC, "");
}

/* Without gpio.state: the hub still has what was said. */
static void test_what_an_earlier_life_said_is_taken_away(void **state)
{
	struct rig *rig = *state;
	json_t *document;

	begin_spoken(rig, PUMP);
	json_decref(await_document(rig));
	fake_hub_await_subscribe(rig->hub, TOPIC);
	fake_hub_send(rig->hub, TOPIC,
		      "{\"dev\":{},\"cmps\":{\"light_gpio9\":{\"p\":\"light\","
		      "\"uniq_id\":\"x\"}}}",
		      true);
	document = await_document(rig);
	assert_int_equal(json_object_size(component(document, "light_gpio9")),
			 1);
	json_decref(document);
	document = await_document(rig);
	assert_null(component(document, "light_gpio9"));
	assert_non_null(component(document, "switch_gpio17"));
	json_decref(document);
}

static void test_its_birth_is_answered(void **state)
{
	struct rig *rig = *state;

	begin_spoken(rig, PUMP);
	json_decref(await_document(rig));
	fake_hub_await_subscribe(rig->hub, "ha/status");
	command(rig, "ha/status", "online");
	json_decref(await_document(rig));
}

/* Old news, and its end, are no reason. */
static void test_only_a_birth_is_answered(void **state)
{
	struct rig *rig = *state;

	begin_spoken(rig, PUMP);
	json_decref(await_document(rig));
	fake_hub_await_subscribe(rig->hub, "ha/status");
	fake_hub_send(rig->hub, "ha/status", "online", true);
	command(rig, "ha/status", "offline");
	command(rig, "ha/status", "");
	command(rig, "hearth/pi/out/pump/set", "ON");
	fake_hub_await(rig->hub, "hearth/pi/out/pump/result", NULL);
	assert_null(rig->node->birth_timer.fn);
	assert_false(fake_hub_heard(rig->hub, TOPIC));
}

static void test_a_pin_without_its_line_is_offline(void **state)
{
	struct rig *rig = *state;

	begin(rig, BUSY "," PUMP);
	assert_string_equal(
		fake_hub_retained(rig->hub, "hearth/pi/out/busy/status"),
		"offline");
	assert_string_equal(
		fake_hub_retained(rig->hub, "hearth/pi/out/pump/status"),
		"online");
	assert_null(fake_hub_retained(rig->hub, "hearth/pi/out/busy"));
}

static void test_an_output_that_does_not_obey_is_offline(void **state)
{
	struct rig *rig = *state;

	begin(rig, PUMP);
	lines_sim_break(rig->lines, 17, EIO);
	command(rig, "hearth/pi/out/pump/set", "ON");
	fake_hub_await(rig->hub, "hearth/pi/out/pump/status", "offline");
	lines_sim_break(rig->lines, 17, 0);
	command(rig, "hearth/pi/out/pump/set", "ON");
	fake_hub_await(rig->hub, "hearth/pi/out/pump/status", "online");
}

static void test_an_input_that_fails_is_offline(void **state)
{
	struct rig *rig = *state;

	begin(rig, DOOR);
	assert_string_equal(
		fake_hub_retained(rig->hub, "hearth/pi/in/door/status"),
		"online");
	node_pin_failed(node_pins_find(rig->node, slice_str("door")), -EIO);
	fake_hub_await(rig->hub, "hearth/pi/in/door/status", "offline");
	assert_null(fake_hub_retained(rig->hub, "hearth/pi/in/door"));
}

static void test_a_bad_dialect_is_refused(void **state)
{
	struct rig *rig = *state;

	begin(rig, PUMP);
	assert_non_null(strstr(
		configure(rig, "{\"dialects\":{\"homeassistant\":\"a/b\"},"
			       "\"pins\":[]}"),
		"must be one level of a topic"));
	assert_non_null(strstr(
		configure(rig, "{\"dialects\":{\"klingon\":1},\"pins\":[]}"),
		"klingon is not known"));
	assert_true(is_held(rig, 17));
}

static void fill_queue(struct rig *rig)
{
	bool on = false;

	/* No acknowledgement is still to come. */
	while (client_pending(rig->node->client) > 0)
		assert_int_equal(loop_turn(rig->loop, 20), 0);
	fake_hub_hold(rig->hub, true);
	while (!rig->node->behind) {
		on = !on;
		node_order_locally(rig->node, &rig->node->pins[0],
				   on ? LOGIC_ON : LOGIC_OFF, "test");
	}
}

/* While the hub does not read, a pin is removed. */
static void test_what_had_no_room_is_taken_away_later(void **state)
{
	static const char *const gone[] = {
		"hearth/pi/out/desk",
		"hearth/pi/out/desk/status",
		"hearth/pi/light/desk",
	};
	struct rig *rig = *state;
	json_t *document;
	size_t members;

	begin_spoken(rig, PUMP "," DESK);
	document = await_document(rig);
	json_decref(document);
	fill_queue(rig);
	fake_hub_send(rig->hub, CONFIG,
		      "{\"revision\":3,\"dialects\":{\"homeassistant\":\"ha\"},"
		      "\"pins\":[" PUMP "]}",
		      false);
	while (rig->node->revision != 3)
		assert_int_equal(loop_turn(rig->loop, 20), 0);
	assert_int_equal(json_object_size(rig->node->gone), 3);
	fake_hub_hold(rig->hub, false);
	do {
		document = await_document(rig);
		members = json_object_size(component(document, "light_gpio23"));
		json_decref(document);
	} while (members != 1);
	document = await_document(rig);
	assert_null(component(document, "light_gpio23"));
	json_decref(document);
	for (size_t i = 0; i < sizeof(gone) / sizeof(gone[0]); i++)
		while (fake_hub_retained(rig->hub, gone[i]))
			assert_int_equal(loop_turn(rig->loop, 20), 0);
	assert_int_equal(json_object_size(rig->node->gone), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NODE_TEST(test_nobody_is_told_unless_asked),
		NODE_TEST(test_home_assistant_is_told_what_there_is),
		NODE_TEST(test_a_removed_pin_is_taken_away),
		NODE_TEST(test_another_kind_is_another_component),
		NODE_TEST(test_switched_off_nothing_is_left),
		NODE_TEST(test_another_prefix_takes_the_first_away),
		NODE_TEST(test_it_is_known_over_a_restart),
		NODE_TEST(test_what_an_earlier_life_said_is_taken_away),
		NODE_TEST(test_its_birth_is_answered),
		NODE_TEST(test_only_a_birth_is_answered),
		NODE_TEST(test_a_pin_without_its_line_is_offline),
		NODE_TEST(test_an_output_that_does_not_obey_is_offline),
		NODE_TEST(test_an_input_that_fails_is_offline),
		NODE_TEST(test_a_bad_dialect_is_refused),
		NODE_TEST(test_what_had_no_room_is_taken_away_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

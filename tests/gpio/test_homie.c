#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gpio/homie.h"
#include "tests/failing_malloc.h"

static const struct pin pump = {
	.name = "pump",
	.direction = LINE_OUTPUT,
	.kind = PIN_RELAY,
	.label = "Well pump",
};
static const struct pin bell = {
	.name = "door_bell",
	.direction = LINE_INPUT,
	.kind = PIN_BUTTON,
};
static const struct pin gas = {
	.name = "gas",
	.direction = LINE_INPUT,
	.kind = PIN_COUNTER,
	.unit = "m³",
	.per_unit = 100,
};
static const struct pin rain = {
	.name = "rain",
	.direction = LINE_INPUT,
	.kind = PIN_COUNTER,
};

static const struct device boiler = {
	.name = "boiler",
	.kind = DEVICE_DS18B20,
	.label = "Hot water",
};
static const struct device volts = { .name = "volts",
				     .kind = DEVICE_UNDER_VOLTAGE };
static const struct device blind = { .name = "blind", .kind = DEVICE_COVER };
static const struct device desk = { .name = "desk",
				    .kind = DEVICE_LIGHT,
				    .outputs = "pwm:a:0" };
static const struct device bed = { .name = "bed",
				   .kind = DEVICE_LIGHT,
				   .outputs = "pwm:a:1 pwm:a:2 pwm:a:3 led:b" };

static const struct discovery_things all = {
	.pin = { &pump, &bell, &gas, &rain },
	.pins = 4,
	.device = { &boiler, &volts, &blind, &desk, &bed },
	.devices = 5,
};

static json_t *description(void)
{
	char *text = homie_description("pi", &all, 7);
	json_t *document = json_loads(text, JSON_REJECT_DUPLICATES, NULL);

	free(text);
	assert_non_null(document);
	return document;
}

/* An attribute of a property, as text; "" when it is not there. */
static const char *attribute(json_t *document, const char *node,
			     const char *property, const char *key)
{
	json_t *at = json_object_get(document, "nodes");
	json_t *value;

	at = json_object_get(json_object_get(at, node), "properties");
	value = json_object_get(json_object_get(at, property), key);
	if (json_is_boolean(value))
		return json_is_true(value) ? "true" : "false";
	return value ? json_string_value(value) : "";
}

static void test_the_description_is_that_of_homie_5(void **state)
{
	static const struct {
		const char *node;
		const char *property;
		const char *key;
		const char *value;
	} table[] = {
		{ "pump", "state", "datatype", "boolean" },
		{ "pump", "state", "settable", "true" },
		{ "pump", "state", "retained", "" },
		{ "door-5fbell", "state", "settable", "" },
		{ "door-5fbell", "event", "datatype", "enum" },
		{ "door-5fbell", "event", "retained", "false" },
		{ "door-5fbell", "event", "format",
		  "press,release,single,double,triple,long,hold" },
		{ "gas", "count", "datatype", "integer" },
		{ "gas", "value", "datatype", "float" },
		{ "gas", "value", "unit", "m³" },
		{ "rain", "count", "datatype", "integer" },
		{ "rain", "value", "datatype", "" },
		{ "rain", "state", "datatype", "" },
		{ "boiler", "value", "datatype", "float" },
		{ "boiler", "value", "unit", "°C" },
		{ "boiler", "value", "settable", "" },
		{ "volts", "state", "datatype", "boolean" },
		{ "volts", "state", "settable", "" },
		{ "volts", "value", "datatype", "" },
		{ "blind", "position", "datatype", "integer" },
		{ "blind", "position", "format", "0:100" },
		{ "blind", "position", "unit", "%" },
		{ "blind", "position", "settable", "true" },
		{ "blind", "state", "format",
		  "open,closed,opening,closing,stopped" },
		{ "blind", "state", "settable", "" },
		{ "blind", "action", "format", "open,close,stop" },
		{ "blind", "action", "settable", "true" },
		{ "blind", "action", "retained", "false" },
		{ "desk", "state", "settable", "true" },
		{ "desk", "brightness", "format", "0:100" },
		{ "desk", "brightness", "settable", "true" },
		{ "desk", "color", "datatype", "" },
		{ "bed", "color", "datatype", "color" },
		{ "bed", "color", "format", "rgb" },
		{ "bed", "color", "settable", "true" },
		{ "bed", "white", "datatype", "integer" },
	};
	json_t *document = description();
	json_t *node;

	(void)state;
	assert_string_equal(
		json_string_value(json_object_get(document, "homie")), "5.0");
	assert_int_equal(
		json_integer_value(json_object_get(document, "version")), 7);
	assert_string_equal(
		json_string_value(json_object_get(document, "name")), "pi");
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		assert_string_equal(attribute(document, table[i].node,
					      table[i].property, table[i].key),
				    table[i].value);
	node = json_object_get(json_object_get(document, "nodes"), "pump");
	assert_string_equal(json_string_value(json_object_get(node, "name")),
			    "Well pump");
	json_decref(document);
}

static void test_topics_are_those_of_homie_5(void **state)
{
	char topic[HOMIE_TOPIC_SIZE];

	(void)state;
	assert_string_equal(homie_topic(topic, "Pi", "$state"),
			    "homie/5/-50i/$state");
	assert_string_equal(
		homie_value_topic(topic, "pi", "door_bell", HOMIE_EVENT),
		"homie/5/pi/door-5fbell/event");
	assert_string_equal(
		homie_target_topic(topic, "pi", "blind", HOMIE_POSITION),
		"homie/5/pi/blind/position/$target");
}

static void test_what_is_heard_is_told_apart(void **state)
{
	static const struct {
		const char *topic;
		bool good;
		bool set;
	} table[] = {
		{ "homie/5/pi/pump/state/set", true, true },
		{ "homie/5/pi/pump/state", true, false },
		{ "homie/5/pi/pump/state/$target", true, false },
		{ "homie/5/pi/$state", false, false },
		{ "homie/5/pi/$log/warn", false, false },
		{ "homie/5/pi/pump", false, false },
		{ "homie/5/pi/pump/", false, false },
		{ "homie/5/pi/", false, false },
		{ "homie/5/pi", false, false },
		{ "homie/5/pie/pump/state", false, false },
		{ "homie/5/pi/pump/state/get", false, false },
		{ "homie/5/pi/pump/state/set/x", false, false },
		{ "homie/5/pi//state", false, false },
		{ "", false, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct slice pin;
		struct slice property;
		bool set;

		assert_int_equal(homie_parse("pi", slice_str(table[i].topic),
					     &pin, &property, &set),
				 table[i].good);
		if (!table[i].good)
			continue;
		assert_int_equal(set, table[i].set);
		assert_true(homie_is("pump", pin));
		assert_false(homie_is("gas", pin));
		assert_true(slice_equal(property, slice_str("state")));
	}
}

static void test_the_longest_names_have_room(void **state)
{
	char topic[HOMIE_TOPIC_SIZE];
	char node[65];
	char name[PIN_NAME_MAX + 1];

	(void)state;
	memset(node, '.', 64);
	node[64] = '\0';
	memset(name, '_', PIN_NAME_MAX);
	name[PIN_NAME_MAX] = '\0';
	(void)homie_target_topic(topic, node, name, HOMIE_BRIGHTNESS);
	assert_string_equal(topic + strlen(topic) -
				    strlen("-5f/brightness/$target"),
			    "-5f/brightness/$target");
}

static void test_it_survives_allocation_failure(void **state)
{
	unsigned int n = 0;
	bool failed = true;

	(void)state;
	for (; failed && n < 10000; n++) {
		char *text;

		failing_malloc_arm(n);
		text = homie_description("pi", &all, 7);
		failed = failing_malloc_disarm();
		assert_int_equal(!text, failed);
		free(text);
	}
	assert_in_range(n, 30, 9999);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_description_is_that_of_homie_5),
		cmocka_unit_test(test_topics_are_those_of_homie_5),
		cmocka_unit_test(test_what_is_heard_is_told_apart),
		cmocka_unit_test(test_the_longest_names_have_room),
		cmocka_unit_test(test_it_survives_allocation_failure),
	};

	json_set_alloc_funcs(malloc, free);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

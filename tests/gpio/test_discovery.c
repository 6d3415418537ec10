#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gpio/discovery.h"
#include "tests/failing_malloc.h"
#include "tests/gpio/ha_schema.h"

static const struct discovery_box box = { .node = "pi", .model = "Pi 4" };

/* One of each kind. */
static const char *const everything[] = {
	"{'name':'pump','dir':'out','line':17,'label':'Pump'}",
	"{'name':'plug','dir':'out','line':18,'kind':'switch'}",
	"{'name':'desk','dir':'out','line':23,'kind':'light'}",
	"{'name':'wall','dir':'in','line':4,'kind':'switch'}",
	"{'name':'door','dir':'in','line':5,'kind':'contact'}",
	"{'name':'hall','dir':'in','line':6,'kind':'motion'}",
	"{'name':'bell','dir':'in','line':12,'kind':'button','hold_ms':200}",
	"{'name':'gas','dir':'in','line':13,'kind':'counter','unit':'m³',"
	"'per_unit':100}",
	"{'name':'power','dir':'in','line':16,'kind':'counter','unit':'kWh',"
	"'per_unit':1000}",
	"{'name':'oil','dir':'in','line':19,'kind':'counter','unit':'drops',"
	"'per_unit':3}",
	"{'name':'rain','dir':'in','line':20,'kind':'counter'}",
};

/* In brackets: no comma is missing. */
#define BLIND                                              \
	("{'name':'blind','kind':'cover','label':'Blind'," \
	 "'up':'u','down':'d','up_time':9,'down_time':9}")

static const char *const some_devices[] = {
	"{'name':'boiler','kind':'ds18b20','source':'28-0316a2791cff'}",
	"{'name':'damp','kind':'iio','source':'bme280/in_humidityrelative'}",
	"{'name':'air','kind':'iio','source':'bme280/in_pressure'}",
	"{'name':'share','kind':'iio','source':'x/in_voltage0','unit':'%'}",
	"{'name':'core','kind':'cpu_temperature','label':'Processor'}",
	"{'name':'weak','kind':'under_voltage'}",
	"{'name':'slow','kind':'throttled'}",
	BLIND,
	"{'name':'strip','kind':'light','outputs':'pwm:a:0 pwm:a:1 pwm:a:2'}",
};

#define DEVICES (sizeof(some_devices) / sizeof(some_devices[0]))

#define EVERYTHING (sizeof(everything) / sizeof(everything[0]))

/* Some of them. */
static struct pins all;
static struct pin *const pins = all.pin;
static struct discovery_things everything_there;

static struct device devices[DEVICES];

/* With ' for ". */
static json_t *read_json(const char *text)
{
	char json[512];
	json_t *object;

	(void)snprintf(json, sizeof(json), "%s", text);
	for (char *c = json; *c; c++)
		if (*c == '\'')
			*c = '"';
	object = json_loads(json, 0, NULL);
	assert_non_null(object);
	return object;
}

static void parse(const char *text, struct pin *out)
{
	struct pin_errors errors = { 0 };
	json_t *object = read_json(text);

	if (pin_parse(object, "#1", out, &errors))
		fail_msg("%s: %s", text, errors.error[0].message);
	json_decref(object);
}

static void parse_device(const char *text, struct device *out)
{
	struct pin_errors errors = { 0 };
	json_t *object = read_json(text);

	if (device_parse(object, "#1", out, &errors))
		fail_msg("%s: %s", text, errors.error[0].message);
	json_decref(object);
}

static int setup_all(void **state)
{
	(void)state;
	ha_schema_open();
	for (size_t i = 0; i < EVERYTHING; i++) {
		parse(everything[i], &pins[i]);
		everything_there.pin[i] = &pins[i];
	}
	for (size_t i = 0; i < DEVICES; i++) {
		parse_device(some_devices[i], &devices[i]);
		everything_there.device[i] = &devices[i];
	}
	everything_there.pins = EVERYTHING;
	everything_there.devices = DEVICES;
	return 0;
}

static int teardown_all(void **state)
{
	(void)state;
	ha_schema_close();
	return 0;
}

/* The document of these, to be freed by the caller. */
static json_t *document_of_things(const struct discovery_things *things)
{
	json_t *components = discovery_components(&box, things);
	char *text = discovery_document(&box, components, NULL);
	json_t *document = json_loads(text, JSON_REJECT_DUPLICATES, NULL);

	assert_non_null(document);
	json_decref(components);
	free(text);
	return document;
}

static json_t *document_of_all(void)
{
	return document_of_things(&everything_there);
}

static json_t *document_of(const struct pin *const *some, size_t count)
{
	struct discovery_things things = { .pins = count };

	memcpy(things.pin, some, count * sizeof(*some));
	return document_of_things(&things);
}

static json_t *component(json_t *document, const char *name)
{
	return json_object_get(json_object_get(document, "cmps"), name);
}

static void expect(json_t *document, const char *name, const char *key,
		   const char *value)
{
	const char *is = json_string_value(
		json_object_get(component(document, name), key));

	if (!is || strcmp(is, value) != 0)
		fail_msg("%s: %s is %s, not %s", name, key, is ? is : "missing",
			 value);
}

static void test_home_assistant_takes_every_kind(void **state)
{
	json_t *document = document_of_all();
	char mistake[HA_MISTAKE_SIZE];

	(void)state;
	if (!ha_schema_takes(document, mistake))
		fail_msg("%s", mistake);
	json_decref(document);
}

static const struct {
	const char *component;
	const char *key;
	const char *value;
} words[] = {
	{ "switch_gpio17", "name", "Pump" },
	{ "switch_gpio17", "uniq_id", "hearth_pi_gpio17" },
	{ "switch_gpio17", "stat_t", "hearth/pi/out/pump" },
	{ "switch_gpio17", "cmd_t", "hearth/pi/out/pump/set" },
	{ "switch_gpio17", "avty_mode", "all" },
	{ "switch_gpio18", "name", "plug" },
	{ "light_gpio23", "schema", "json" },
	{ "light_gpio23", "stat_t", "hearth/pi/light/desk" },
	{ "light_gpio23", "cmd_t", "hearth/pi/light/desk/set" },
	{ "binary_sensor_gpio4", "stat_t", "hearth/pi/in/wall" },
	{ "binary_sensor_gpio5", "dev_cla", "opening" },
	{ "binary_sensor_gpio6", "dev_cla", "motion" },
	{ "binary_sensor_gpio12", "stat_t", "hearth/pi/in/bell" },
	{ "event_gpio12", "stat_t", "hearth/pi/in/bell/event" },
	{ "device_automation_gpio12_single", "pl", "single" },
	{ "device_automation_gpio12_single", "type", "button_short_press" },
	{ "device_automation_gpio12_single", "stype", "bell" },
	{ "device_automation_gpio12_single", "t", "hearth/pi/in/bell/event" },
	{ "device_automation_gpio12_hold", "pl", "hold" },
	{ "sensor_gpio13", "stat_t", "hearth/pi/sensor/gas" },
	{ "sensor_gpio13", "dev_cla", "volume" },
	{ "sensor_gpio13", "stat_cla", "total_increasing" },
	{ "sensor_gpio13_rate", "unit_of_meas", "m³/h" },
	{ "sensor_gpio13_count", "ent_cat", "diagnostic" },
	{ "sensor_gpio16", "dev_cla", "energy" },
	{ "sensor_gpio16_rate", "dev_cla", "power" },
	{ "sensor_gpio16_rate", "unit_of_meas", "kW" },
	{ "sensor_gpio19", "unit_of_meas", "drops" },
	{ "sensor_gpio19_rate", "unit_of_meas", "drops/h" },
	{ "sensor_gpio20_count", "stat_t", "hearth/pi/in/rain/count" },
	{ "sensor_gpio20_count", "unit_of_meas", "pulses" },
	{ "sensor_gpio20_rate", "stat_t", "hearth/pi/in/rain/rate" },
	{ "sensor_28-0316a2791cff", "uniq_id", "hearth_pi_28-0316a2791cff" },
	{ "sensor_28-0316a2791cff", "stat_t", "hearth/pi/sensor/boiler" },
	{ "sensor_28-0316a2791cff", "dev_cla", "temperature" },
	{ "sensor_28-0316a2791cff", "unit_of_meas", "°C" },
	{ "sensor_28-0316a2791cff", "stat_cla", "measurement" },
	{ "sensor_bme280_2fin_5fhumidityrelative", "dev_cla", "humidity" },
	{ "sensor_bme280_2fin_5fpressure", "dev_cla", "pressure" },
	{ "sensor_cpu_5ftemperature", "name", "Processor" },
	{ "sensor_cpu_5ftemperature", "ent_cat", "diagnostic" },
	{ "binary_sensor_under_5fvoltage", "dev_cla", "problem" },
	{ "binary_sensor_under_5fvoltage", "pl_on", "1" },
	{ "binary_sensor_throttled", "stat_t", "hearth/pi/sensor/slow" },
	{ "light_a_5f0", "schema", "json" },
	{ "light_a_5f0", "stat_t", "hearth/pi/light/strip" },
	{ "light_a_5f0", "cmd_t", "hearth/pi/light/strip/set" },
	{ "cover_blind", "name", "Blind" },
	{ "cover_blind", "stat_t", "hearth/pi/cover/blind" },
	{ "cover_blind", "pos_t", "hearth/pi/cover/blind/position" },
	{ "cover_blind", "cmd_t", "hearth/pi/cover/blind/set" },
	{ "cover_blind", "set_pos_t", "hearth/pi/cover/blind/set" },
};

static void test_each_kind_is_what_it_should_be(void **state)
{
	json_t *document = document_of_all();
	json_t *avty;

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		expect(document, words[i].component, words[i].key,
		       words[i].value);
	avty = json_object_get(component(document, "switch_gpio17"), "avty");
	assert_int_equal(json_array_size(avty), 2);
	assert_string_equal(json_string_value(json_object_get(
				    json_array_get(avty, 0), "t")),
			    "hearth/pi/status");
	assert_string_equal(json_string_value(json_object_get(
				    json_array_get(avty, 1), "t")),
			    "hearth/pi/out/pump/status");
	avty = json_object_get(component(document, "sensor_28-0316a2791cff"),
			       "avty");
	avty = json_array_get(avty, 1);
	assert_string_equal(json_string_value(json_object_get(avty, "t")),
			    "hearth/pi/sensor/boiler");
	assert_non_null(json_object_get(avty, "val_tpl"));
	/* Not every share is humidity. */
	assert_null(json_object_get(
		component(document, "sensor_x_2fin_5fvoltage0"), "dev_cla"));
	/* A counter without a unit has no reading in one. */
	assert_null(component(document, "sensor_gpio20"));
	json_decref(document);
}

/* What a button does not say cannot be waited for. */
static void test_a_button_offers_what_it_says(void **state)
{
	struct pin pin;
	const struct pin *one = &pin;
	json_t *document;
	json_t *types;

	(void)state;
	parse("{'name':'b','dir':'in','line':7,'kind':'button','double_ms':0,"
	      "'long_ms':0}",
	      &pin);
	document = document_of(&one, 1);
	types = json_object_get(component(document, "event_gpio7"),
				"event_types");
	assert_int_equal(json_array_size(types), 3);
	assert_non_null(component(document, "device_automation_gpio7_single"));
	assert_null(component(document, "device_automation_gpio7_double"));
	assert_null(component(document, "device_automation_gpio7_long"));
	assert_null(component(document, "device_automation_gpio7_hold"));
	json_decref(document);
}

/* The schemas are worth nothing if they let everything through. */
static void test_the_recorded_schemas_refuse_mistakes(void **state)
{
	static const struct {
		const char *component; /* NULL: the document */
		const char *key;
		const char *value; /* JSON; NULL: taken away */
		const char *mistake;
	} table[] = {
		{ NULL, "dev", NULL, "document: device is missing" },
		{ NULL, "o", NULL, "document: origin is missing" },
		{ NULL, "cmps", NULL, "document: components is missing" },
		{ NULL, "qos", "3", "document: qos is no qos" },
		{ NULL, "x", "1", "document: x is not known" },
		{ NULL, "dev", "{\"name\":\"x\"}",
		  "device: nothing tells it from others" },
		{ NULL, "o", "{\"sw\":\"1\"}", "origin: name is missing" },
		{ "switch_gpio17", "cmd_t", NULL,
		  "switch_gpio17: command_topic is missing" },
		{ "switch_gpio17", "cmd_t", "\"a/+\"",
		  "switch_gpio17: command_topic is no topic!" },
		{ "switch_gpio17", "uniq_id", NULL,
		  "switch_gpio17: unique_id is missing" },
		{ "switch_gpio17", "uniq_id", "\"hearth_pi_gpio18\"",
		  "switch_gpio18: hearth_pi_gpio18 is another's" },
		{ "switch_gpio17", "p", "\"swich\"",
		  "switch_gpio17: there is no platform swich" },
		{ "switch_gpio17", "avty_mode", "\"both\"",
		  "switch_gpio17: availability_mode cannot be both" },
		{ "switch_gpio17", "avty", "[{\"topic\":\"a\",\"pl\":\"b\"}]",
		  "switch_gpio17: payload is not known" },
		{ "switch_gpio17", "event_types", "[\"a\"]",
		  "switch_gpio17: event_types is not known" },
		{ "binary_sensor_gpio5", "dev_cla", "\"doors\"",
		  "binary_sensor_gpio5: device_class cannot be doors" },
		{ "sensor_gpio16", "unit_of_meas", "\"kW\"",
		  "sensor_gpio16: not a unit of its class" },
		{ "sensor_gpio16", "stat_cla", "\"measurement\"",
		  "sensor_gpio16: state_class cannot be measurement" },
		{ "sensor_gpio13_count", "ent_cat", "\"boring\"",
		  "sensor_gpio13_count: entity_category cannot be boring" },
		{ "light_gpio23", "schema", "\"basic\"",
		  "light_gpio23: another schema" },
		{ "device_automation_gpio12_single", "stype", NULL,
		  "device_automation_gpio12_single: subtype is missing" },
	};
	char mistake[HA_MISTAKE_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		json_t *document = document_of_all();
		json_t *at = table[i].component
				     ? component(document, table[i].component)
				     : document;

		if (table[i].value)
			json_object_set_new(at, table[i].key,
					    json_loads(table[i].value,
						       JSON_DECODE_ANY, NULL));
		else
			json_object_del(at, table[i].key);
		assert_false(ha_schema_takes(document, mistake));
		assert_string_equal(mistake, table[i].mistake);
		json_decref(document);
	}
}

/* Its history and place on somebody's dashboard stay with it. */
static void test_a_renamed_pin_stays_the_same_entity(void **state)
{
	const struct pin *one = &pins[0];
	struct pin other = pins[0];
	const struct pin *renamed = &other;
	json_t *before = document_of(&one, 1);
	json_t *after;

	(void)state;
	(void)snprintf(other.name, sizeof(other.name), "well");
	(void)snprintf(other.label, sizeof(other.label), "Well");
	after = document_of(&renamed, 1);
	expect(before, "switch_gpio17", "uniq_id", "hearth_pi_gpio17");
	expect(after, "switch_gpio17", "uniq_id", "hearth_pi_gpio17");
	expect(after, "switch_gpio17", "name", "Well");
	expect(after, "switch_gpio17", "cmd_t", "hearth/pi/out/well/set");
	json_decref(before);
	json_decref(after);
}

static void test_pins_of_another_chip_are_others(void **state)
{
	struct pin other = pins[0];
	const struct pin *both[] = { &pins[0], &other };
	char mistake[HA_MISTAKE_SIZE];
	json_t *document;

	(void)state;
	(void)snprintf(other.chip, sizeof(other.chip), "mcp 0/1");
	document = document_of(both, 2);
	if (!ha_schema_takes(document, mistake))
		fail_msg("%s", mistake);
	expect(document, "switch_mcp_200_2f1_17", "uniq_id",
	       "hearth_pi_mcp_200_2f1_17");
	json_decref(document);
}

static void test_what_has_gone_is_taken_away(void **state)
{
	const struct discovery_things only = { .pin = { &pins[0] }, .pins = 1 };
	json_t *many = discovery_components(&box, &everything_there);
	json_t *few = discovery_components(&box, &only);
	json_t *names = discovery_names(many);
	json_t *gone = discovery_gone(names, few);
	json_t *nothing = discovery_gone(names, many);
	char *text = discovery_document(&box, few, gone);
	json_t *document = json_loads(text, 0, NULL);
	char mistake[HA_MISTAKE_SIZE];

	(void)state;
	assert_int_equal(json_object_size(nothing), 0);
	assert_int_equal(json_object_size(gone), json_object_size(many) - 1);
	if (!ha_schema_takes(document, mistake))
		fail_msg("%s", mistake);
	expect(document, "light_gpio23", "p", "light");
	assert_int_equal(json_object_size(component(document, "light_gpio23")),
			 1);
	expect(document, "switch_gpio17", "cmd_t", "hearth/pi/out/pump/set");
	json_decref(document);
	free(text);
	json_decref(nothing);
	json_decref(gone);
	json_decref(names);
	json_decref(few);
	json_decref(many);
}

static void test_an_old_document_is_read(void **state)
{
	static const char *const others[] = { "",
					      "{",
					      "[]",
					      "{\"cmps\":[]}",
					      "{\"cmps\":{\"a\":1}}",
					      "{\"cmps\":{\"a\":{\"p\":1}}}" };
	json_t *components = discovery_components(&box, &everything_there);
	json_t *names = discovery_names(components);
	json_t *read = json_object();
	char *text = discovery_document(&box, components, NULL);

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_int_equal(discovery_read(slice_str(others[i]), read), 0);
	assert_int_equal(json_object_size(read), 0);
	assert_int_equal(discovery_read(slice_str(text), read), 0);
	assert_true(json_equal(read, names));
	free(text);
	json_decref(read);
	json_decref(names);
	json_decref(components);
}

/* As many pins as there can be, all of the kind that says most, with the longest
 * names: it is still looked into when it comes back. */
static void test_the_largest_document_is_within_the_limit(void **state)
{
	static struct pins many;
	const struct pin *some[PINS_MAX];
	json_t *document;
	char *text;

	(void)state;
	for (unsigned int i = 0; i < PINS_MAX; i++) {
		parse("{'name':'b','dir':'in','line':7,'kind':'button',"
		      "'hold_ms':100}",
		      &many.pin[i]);
		many.pin[i].line = i;
		memset(many.pin[i].name, 'n', PIN_NAME_MAX);
		memset(many.pin[i].label, 'l', PIN_TEXT_MAX);
		some[i] = &many.pin[i];
	}
	document = document_of(some, PINS_MAX);
	text = json_dumps(document, JSON_COMPACT);
	assert_in_range(strlen(text), 100000, DISCOVERY_MAX);
	free(text);
	json_decref(document);
}

static void test_topics_are_one_for_each_node(void **state)
{
	char a[DISCOVERY_TOPIC_SIZE];
	char b[DISCOVERY_TOPIC_SIZE];

	(void)state;
	assert_string_equal(discovery_topic(a, "homeassistant", "living-room"),
			    "homeassistant/device/hearth_living-room/config");
	assert_string_not_equal(discovery_topic(a, "ha", "a.b"),
				discovery_topic(b, "ha", "a_b"));
	assert_string_equal(a, "ha/device/hearth_a_2eb/config");
	assert_string_equal(discovery_birth(a, "ha"), "ha/status");
}

/* Every allocation fails in turn: no document, or a whole one. */
static void test_it_survives_allocation_failure(void **state)
{
	unsigned int n = 0;
	bool failed = true;

	(void)state;
	/* Where failing_malloc can see them. */
	json_set_alloc_funcs(malloc, free);
	for (; failed && n < 10000; n++) {
		json_t *components;
		json_t *names = NULL;
		json_t *gone = NULL;
		char *text = NULL;

		failing_malloc_arm(n);
		components = discovery_components(&box, &everything_there);
		if (components)
			names = discovery_names(components);
		if (names)
			gone = discovery_gone(names, components);
		if (gone)
			text = discovery_document(&box, components, gone);
		failed = failing_malloc_disarm();
		assert_int_equal(!text, failed);
		free(text);
		json_decref(gone);
		json_decref(names);
		json_decref(components);
	}
	assert_in_range(n, 100, 9999);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_home_assistant_takes_every_kind),
		cmocka_unit_test(test_each_kind_is_what_it_should_be),
		cmocka_unit_test(test_a_button_offers_what_it_says),
		cmocka_unit_test(test_the_recorded_schemas_refuse_mistakes),
		cmocka_unit_test(test_a_renamed_pin_stays_the_same_entity),
		cmocka_unit_test(test_pins_of_another_chip_are_others),
		cmocka_unit_test(test_what_has_gone_is_taken_away),
		cmocka_unit_test(test_an_old_document_is_read),
		cmocka_unit_test(test_the_largest_document_is_within_the_limit),
		cmocka_unit_test(test_topics_are_one_for_each_node),
		cmocka_unit_test(test_it_survives_allocation_failure),
	};

	return cmocka_run_group_tests(tests, setup_all, teardown_all);
}

/* What a node is to clients of Tasmota. The fields are those that hatasmota, what Home
 * Assistant has for such devices, demands; it is in no Debian or npm package, so its
 * schema of the two documents is written down here. */
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

#include "gpio/file.h"
#include "gpio/tasmota.h"
#include "tests/failing_malloc.h"

static const struct pin pump = { .name = "pump",
				 .direction = LINE_OUTPUT,
				 .label = "Well pump" };
static const struct pin lamp = { .name = "lamp",
				 .direction = LINE_OUTPUT,
				 .kind = PIN_LIGHT };
static const struct pin up = { .name = "up", .direction = LINE_OUTPUT };
static const struct pin down = { .name = "down", .direction = LINE_OUTPUT };
static const struct pin door = { .name = "door",
				 .direction = LINE_INPUT,
				 .kind = PIN_CONTACT };
static const struct pin bell = { .name = "bell",
				 .direction = LINE_INPUT,
				 .kind = PIN_BUTTON };
static const struct pin gas = { .name = "gas",
				.direction = LINE_INPUT,
				.kind = PIN_COUNTER };
static const struct device blind = {
	.name = "blind", .kind = DEVICE_COVER, .up = "up", .down = "down"
};
static const struct device desk = { .name = "desk",
				    .kind = DEVICE_LIGHT,
				    .outputs = "pwm:a:0 pwm:a:1 pwm:a:2" };
static const struct device bed = { .name = "bed",
				   .kind = DEVICE_LIGHT,
				   .outputs = "led:ACT" };

static struct tasmota_numbers numbers;

static const struct discovery_things house = {
	.pin = { &pump, &door, &up, &bell, &down, &gas },
	.pins = 6,
	.device = { &blind, &desk },
	.devices = 2,
};

static int setup(void **state)
{
	(void)state;
	memset(&numbers, 0, sizeof(numbers));
	return 0;
}

static char directory[40];

static int make_directory(void **state)
{
	(void)snprintf(directory, sizeof(directory),
		       "/tmp/test_tasmota.XXXXXX");
	return mkdtemp(directory) ? setup(state) : -1;
}

/* Nothing else was left in it. */
static int remove_directory(void **state)
{
	char path[80];

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/" TASMOTA_NUMBERS_FILE,
		       directory);
	(void)unlink(path);
	return rmdir(directory);
}

static unsigned int relay(const char *name)
{
	return tasmota_number(&numbers, TASMOTA_RELAYS, name);
}

static json_t *config(const struct discovery_things *things)
{
	char *text;
	json_t *document;

	(void)tasmota_numbers_assign(&numbers, things);
	text = tasmota_config("pi", things, &numbers);
	document = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	free(text);
	assert_non_null(document);
	return document;
}

static void check_list(json_t *document, const char *key, const char *expected)
{
	char *text = json_dumps(json_object_get(document, key),
				JSON_COMPACT | JSON_ENCODE_ANY);

	assert_string_equal(text, expected);
	free(text);
}

/* ---- topics ------------------------------------------------------------- */

static void test_topics_are_those_of_tasmota(void **state)
{
	char topic[TASMOTA_TOPIC_SIZE];
	char mac[DIALECT_MAC_SIZE];
	char expected[64];

	(void)state;
	assert_string_equal(tasmota_topic(topic, "stat", "den 1", "RESULT"),
			    "stat/hearth_den_201/RESULT");
	(void)snprintf(expected, sizeof(expected),
		       "tasmota/discovery/%s/config",
		       dialect_tasmota_mac(mac, "pi"));
	assert_string_equal(tasmota_discovery_topic(topic, "pi", "config"),
			    expected);
}

static void test_commands_are_told_apart(void **state)
{
	static const struct {
		const char *topic;
		const char *command; /* "": it is none of ours */
	} table[] = {
		{ "cmnd/hearth_pi/POWER1", "POWER1" },
		{ "cmnd/tasmotas/POWER0", "POWER0" },
		{ "cmnd/hearth_pi/", "" },
		{ "cmnd/hearth_pi", "" },
		{ "cmnd/hearth_pie/POWER1", "" },
		{ "cmnd/hearth_pi/POWER1/x", "" },
		{ "stat/hearth_pi/POWER1", "" },
		{ "cmnd/tasmotas/", "" },
		{ "", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct slice command;
		bool is = tasmota_is_command("pi", slice_str(table[i].topic),
					     &command);

		assert_int_equal(is, table[i].command[0] != 0);
		if (is)
			assert_true(slice_equal(command,
						slice_str(table[i].command)));
	}
}

/* ---- numbers ------------------------------------------------------------ */

static void test_everything_has_a_number(void **state)
{
	(void)state;
	assert_true(tasmota_numbers_assign(&numbers, &house));
	assert_int_equal(relay("up"), 1);
	assert_int_equal(relay("down"), 2);
	assert_int_equal(relay("pump"), 3);
	assert_int_equal(relay("desk"), 4);
	assert_int_equal(relay("blind"), 0);
	assert_int_equal(tasmota_number(&numbers, TASMOTA_SWITCHES, "door"), 1);
	assert_int_equal(tasmota_number(&numbers, TASMOTA_BUTTONS, "bell"), 1);
	assert_int_equal(tasmota_number(&numbers, TASMOTA_COUNTERS, "gas"), 1);
	assert_string_equal(tasmota_name(&numbers, TASMOTA_RELAYS, 3), "pump");
	assert_string_equal(tasmota_name(&numbers, TASMOTA_RELAYS, 0), "");
	assert_string_equal(tasmota_name(&numbers, TASMOTA_RELAYS, 129), "");
	assert_false(tasmota_numbers_assign(&numbers, &house));
}

/* Another output under a number would be switched by mistake. */
static void test_a_number_stays_though_others_come_and_go(void **state)
{
	const struct discovery_things without = { .pin = { &lamp }, .pins = 1 };
	const struct discovery_things again = { .pin = { &lamp, &pump },
						.pins = 2 };

	(void)state;
	(void)tasmota_numbers_assign(&numbers, &house);
	assert_true(tasmota_numbers_assign(&numbers, &without));
	assert_int_equal(relay("lamp"), 5);
	assert_false(tasmota_numbers_assign(&numbers, &again));
	assert_int_equal(relay("pump"), 3);
	assert_int_equal(relay("lamp"), 5);
}

/* When there is no other left. */
static void test_numbers_of_what_has_gone_are_given_again_at_last(void **state)
{
	struct pin *pins = calloc(PINS_MAX, sizeof(*pins));
	struct discovery_things things = { .pins = PINS_MAX };
	unsigned int made = 0;

	(void)state;
	assert_non_null(pins);
	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < PINS_MAX; i++) {
			pins[i] = pump;
			(void)snprintf(pins[i].name, sizeof(pins[i].name),
				       "p%u", made++);
			things.pin[i] = &pins[i];
		}
		assert_true(tasmota_numbers_assign(&numbers, &things));
		for (size_t i = 0; i < PINS_MAX; i++)
			assert_int_not_equal(relay(pins[i].name), 0);
	}
	free(pins);
}

static void test_a_pair_is_made_of_two_outputs_that_had_numbers(void **state)
{
	const struct discovery_things before = {
		.pin = { &up, &pump, &down },
		.pins = 3,
	};
	struct discovery_things after = before;

	(void)state;
	(void)tasmota_numbers_assign(&numbers, &before);
	assert_int_equal(relay("down"), 3);
	after.device[after.devices++] = &blind;
	assert_true(tasmota_numbers_assign(&numbers, &after));
	assert_int_equal(relay("pump"), 2);
	assert_int_equal(relay("up"), 4);
	assert_int_equal(relay("down"), 5);
	assert_ptr_equal(tasmota_shutter(&numbers, &after, 1), &blind);
	assert_null(tasmota_shutter(&numbers, &after, 2));
	assert_null(tasmota_shutter(&numbers, &after, 0));
}

static void test_numbers_are_kept(void **state)
{
	static struct tasmota_numbers back;

	(void)state;
	assert_int_equal(tasmota_numbers_load(directory, &back), -ENOENT);
	(void)tasmota_numbers_assign(&numbers, &house);
	assert_int_equal(tasmota_numbers_save(directory, &numbers), 0);
	assert_int_equal(tasmota_numbers_load(directory, &back), 0);
	assert_memory_equal(&back, &numbers, sizeof(back));
}

static void test_a_damaged_file_is_not_used(void **state)
{
	static const char *const texts[] = {
		"",
		"[]",
		"{\"relays\":[],\"switches\":[],\"buttons\":[]}",
		"{\"relays\":{},\"switches\":[],\"buttons\":[],\"counters\":[]"
		"}",
		"{\"relays\":[1],\"switches\":[],\"buttons\":[],\"counters\":"
		"[]}",
		"{\"relays\":[\"a23456789012345678901234567890123\"],"
		"\"switches\":[],\"buttons\":[],\"counters\":[]}",
		"{\"relays\":[\"a\"],\"relays\":[],\"switches\":[],"
		"\"buttons\":[],\"counters\":[]}",
	};
	static const struct tasmota_numbers none;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(file_replace(directory, TASMOTA_NUMBERS_FILE,
					      slice_str(texts[i]), false),
				 0);
		assert_int_equal(tasmota_numbers_load(directory, &numbers),
				 -EINVAL);
		assert_memory_equal(&numbers, &none, sizeof(none));
	}
}

/* ---- documents ---------------------------------------------------------- */

/* Of every key the type that hatasmota wants; those in so are 0 or 1. */
static void test_the_document_is_what_hatasmota_takes(void **state)
{
	static const struct {
		const char *key;
		json_type type;
	} keys[] = {
		{ "btn", JSON_ARRAY },	   { "dn", JSON_STRING },
		{ "fn", JSON_ARRAY },	   { "ft", JSON_STRING },
		{ "hn", JSON_STRING },	   { "if", JSON_INTEGER },
		{ "ip", JSON_STRING },	   { "lk", JSON_INTEGER },
		{ "lt_st", JSON_INTEGER }, { "mac", JSON_STRING },
		{ "md", JSON_STRING },	   { "ofln", JSON_STRING },
		{ "onln", JSON_STRING },   { "rl", JSON_ARRAY },
		{ "sho", JSON_ARRAY },	   { "so", JSON_OBJECT },
		{ "state", JSON_ARRAY },   { "sw", JSON_STRING },
		{ "swc", JSON_ARRAY },	   { "swn", JSON_ARRAY },
		{ "t", JSON_STRING },	   { "tp", JSON_ARRAY },
		{ "ty", JSON_INTEGER },	   { "ver", JSON_INTEGER },
	};
	static const char *const options[] = { "4",  "11",  "13", "17",
					       "20", "30",  "68", "73",
					       "82", "114", "117" };
	json_t *document = config(&house);
	json_t *so = json_object_get(document, "so");

	(void)state;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		json_t *value = json_object_get(document, keys[i].key);

		assert_non_null(value);
		assert_int_equal(json_typeof(value), keys[i].type);
	}
	assert_int_equal(json_object_size(document),
			 sizeof(keys) / sizeof(keys[0]));
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		assert_in_range(
			json_integer_value(json_object_get(so, options[i])) + 1,
			1, 2);
	assert_int_equal(json_object_size(so),
			 sizeof(options) / sizeof(options[0]));
	assert_int_equal(json_integer_value(json_object_get(document, "ver")),
			 1);
	check_list(document, "tp", "[\"cmnd\",\"stat\",\"tele\"]");
	check_list(document, "state", "[\"OFF\",\"ON\",\"TOGGLE\",\"HOLD\"]");
	check_list(document, "t", "\"hearth_pi\"");
	check_list(document, "ft", "\"%prefix%/%topic%/\"");
	json_decref(document);
}

static void test_the_document_has_what_there_is(void **state)
{
	json_t *document = config(&house);

	(void)state;
	check_list(document, "rl", "[3,3,1,2]");
	check_list(document, "fn",
		   "[\"blind\",\"blind\",\"Well pump\","
		   "\"desk\"]");
	check_list(document, "swc", "[1]");
	check_list(document, "swn", "[\"door\"]");
	check_list(document, "btn", "[1]");
	check_list(document, "sho", "[0]");
	check_list(document, "lt_st", "3");
	json_decref(document);
}

static void test_what_has_gone_leaves_a_gap(void **state)
{
	const struct discovery_things left = { .pin = { &pump, &lamp },
					       .pins = 2 };
	json_t *document;

	(void)state;
	json_decref(config(&house));
	document = config(&left);
	/* Without one to be dimmed a light is just that. */
	check_list(document, "rl", "[0,0,1,0,2]");
	check_list(document, "fn", "[null,null,\"Well pump\",null,\"lamp\"]");
	check_list(document, "swc", "[]");
	check_list(document, "lt_st", "0");
	json_decref(document);
}

/* Tasmota has one light with its colours, or several that are dimmed. */
static void test_several_lights_are_channels(void **state)
{
	const struct discovery_things lights = {
		.pin = { &lamp },
		.pins = 1,
		.device = { &desk, &bed },
		.devices = 2,
	};
	json_t *document = config(&lights);

	(void)state;
	check_list(document, "rl", "[1,2,2]");
	check_list(document, "lt_st", "1");
	assert_int_equal(json_integer_value(json_object_get(
				 json_object_get(document, "so"), "68")),
			 1);
	json_decref(document);
}

static void test_values_are_called_by_their_unit(void **state)
{
	(void)state;
	assert_string_equal(tasmota_quantity("°C", ""), "Temperature");
	assert_string_equal(tasmota_quantity("%", "1-0076/in_humidityrelative"),
			    "Humidity");
	assert_string_equal(tasmota_quantity("%", "soil"), "Value");
	assert_string_equal(tasmota_quantity("kWh", ""), "Total");
	assert_string_equal(tasmota_quantity("", ""), "Value");
}

static void test_documents_survive_allocation_failure(void **state)
{
	unsigned int n = 0;
	bool failed = true;

	(void)state;
	(void)tasmota_numbers_assign(&numbers, &house);
	for (; failed && n < 10000; n++) {
		char *text;

		failing_malloc_arm(n);
		text = tasmota_config("pi", &house, &numbers);
		failed = failing_malloc_disarm();
		assert_int_equal(!text, failed);
		free(text);
	}
	assert_in_range(n, 50, 9999);
	failed = true;
	for (n = 0; failed && n < 1000; n++) {
		json_t *sensors = json_object();
		char *text;

		failing_malloc_arm(n);
		text = tasmota_sensors(sensors);
		failed = failing_malloc_disarm();
		assert_int_equal(!text, failed);
		free(text);
	}
	assert_in_range(n, 3, 999);
	assert_null(tasmota_sensors(NULL));
}

static void test_keeping_numbers_survives_allocation_failure(void **state)
{
	static struct tasmota_numbers back;
	unsigned int n = 0;
	bool failed = true;

	(void)state;
	(void)tasmota_numbers_assign(&numbers, &house);
	for (; failed && n < 10000; n++) {
		int r;

		failing_malloc_arm(n);
		r = tasmota_numbers_save(directory, &numbers);
		if (!r)
			r = tasmota_numbers_load(directory, &back);
		failed = failing_malloc_disarm();
		assert_int_equal(r != 0, failed);
	}
	assert_in_range(n, 20, 9999);
	assert_memory_equal(&back, &numbers, sizeof(back));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_topics_are_those_of_tasmota),
		cmocka_unit_test(test_commands_are_told_apart),
		cmocka_unit_test_setup(test_everything_has_a_number, setup),
		cmocka_unit_test_setup(
			test_a_number_stays_though_others_come_and_go, setup),
		cmocka_unit_test_setup(
			test_numbers_of_what_has_gone_are_given_again_at_last,
			setup),
		cmocka_unit_test_setup(
			test_a_pair_is_made_of_two_outputs_that_had_numbers,
			setup),
		cmocka_unit_test_setup_teardown(test_numbers_are_kept,
						make_directory,
						remove_directory),
		cmocka_unit_test_setup_teardown(test_a_damaged_file_is_not_used,
						make_directory,
						remove_directory),
		cmocka_unit_test_setup(
			test_the_document_is_what_hatasmota_takes, setup),
		cmocka_unit_test_setup(test_the_document_has_what_there_is,
				       setup),
		cmocka_unit_test_setup(test_what_has_gone_leaves_a_gap, setup),
		cmocka_unit_test_setup(test_several_lights_are_channels, setup),
		cmocka_unit_test(test_values_are_called_by_their_unit),
		cmocka_unit_test_setup(
			test_documents_survive_allocation_failure, setup),
		cmocka_unit_test_setup_teardown(
			test_keeping_numbers_survives_allocation_failure,
			make_directory, remove_directory),
	};

	json_set_alloc_funcs(malloc, free);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

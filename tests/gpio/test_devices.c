/* Devices as they are configured: what is taken, what is complained of, what comes
 * out again. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "broker/base/json_text.h"
#include "gpio/pins.h"
#include "tests/failing_malloc.h"

#define BOILER                                       \
	"{\"name\":\"boiler\",\"kind\":\"ds18b20\"," \
	"\"source\":\"28-0316a2791cff\"}"

#define OUT(name, line, more) \
	"{\"name\":\"" name "\",\"dir\":\"out\",\"line\":" line more "}"
#define IN_GROUP ",\"interlock\":\"g\""
#define RELAYS OUT("u", "1", IN_GROUP) "," OUT("d", "2", IN_GROUP)
#define COVER(name, up, down, more)                              \
	"{\"name\":\"" name "\",\"kind\":\"cover\",\"up\":\"" up \
	"\",\"down\":\"" down "\"" more "}"
#define LIGHT(name, outputs, more)                                         \
	"{\"name\":\"" name "\",\"kind\":\"light\",\"outputs\":\"" outputs \
	"\"" more "}"
#define TIMES ",\"up_time\":20,\"down_time\":18"

struct bad {
	const char *pins;
	const char *devices;
	const char *pin;
	const char *field;
};

static const struct bad table[] = {
	{ "", "7", "device #1", "" },
	{ "", "{\"kind\":\"cpu_temperature\"}", "device #1", "name" },
	{ "", "{\"name\":\"a/b\",\"kind\":\"cpu_temperature\"}", "device #1",
	  "name" },
	{ "", "{\"name\":\"a\"}", "a", "kind" },
	{ "", "{\"name\":\"a\",\"kind\":\"nose\"}", "a", "kind" },
	{ "", "{\"name\":\"a\",\"kind\":7}", "a", "kind" },
	{ "", "{\"name\":\"a\",\"kind\":\"ds18b20\"}", "a", "source" },
	{ "",
	  "{\"name\":\"a\",\"kind\":\"ds18b20\","
	  "\"source\":\"28-../../../etc\"}",
	  "a", "source" },
	{ "", "{\"name\":\"a\",\"kind\":\"iio\",\"source\":\"../in_temp\"}",
	  "a", "source" },
	{ "",
	  "{\"name\":\"a\",\"kind\":\"iio\","
	  "\"source\":\"x/in_temp/../../y\"}",
	  "a", "source" },
	{ "", "{\"name\":\"a\",\"kind\":\"iio\",\"source\":\"bme280\"}", "a",
	  "source" },
	{ "",
	  "{\"name\":\"a\",\"kind\":\"cpu_temperature\","
	  "\"source\":\"x\"}",
	  "a", "source" },
	{ "",
	  "{\"name\":\"a\",\"kind\":\"cpu_temperature\","
	  "\"interval\":0.5}",
	  "a", "interval" },
	{ "",
	  "{\"name\":\"a\",\"kind\":\"cpu_temperature\","
	  "\"interval\":86401}",
	  "a", "interval" },
	{ "",
	  "{\"name\":\"a\",\"kind\":\"cpu_temperature\","
	  "\"factor\":0}",
	  "a", "factor" },
	{ "",
	  "{\"name\":\"a\",\"kind\":\"cpu_temperature\","
	  "\"offset\":-1000001}",
	  "a", "offset" },
	{ "",
	  "{\"name\":\"a\",\"kind\":\"cpu_temperature\","
	  "\"delta\":-1}",
	  "a", "delta" },
	{ "", "{\"name\":\"a\",\"kind\":\"throttled\",\"delta\":1}", "a",
	  "delta" },
	{ "", "{\"name\":\"a\",\"kind\":\"throttled\",\"line\":1}", "a",
	  "line" },
	{ RELAYS, COVER("c", "u", "", TIMES), "c", "down" },
	{ RELAYS, COVER("c", "u", "d", ",\"up_time\":20"), "c", "down_time" },
	{ RELAYS, COVER("c", "u", "d", ",\"down_time\":20"), "c", "up_time" },
	{ RELAYS, COVER("c", "u", "d", TIMES ",\"delta\":1"), "c", "delta" },
	{ RELAYS, COVER("c", "u", "x", TIMES), "c", "down" },
	{ RELAYS, COVER("c", "u", "u", TIMES), "c", "down" },
	{ RELAYS, COVER("c", "u", "d", TIMES) "," COVER("e", "d", "u", TIMES),
	  "e", "up" },
	{ OUT("u", "1", "") "," OUT("d", "2", ""), COVER("c", "u", "d", TIMES),
	  "c", "down" },
	{ OUT("u", "1", IN_GROUP ",\"safe\":\"hold\"") "," OUT("d", "2",
							       IN_GROUP),
	  COVER("c", "u", "d", TIMES), "c", "up" },
	{ OUT("u", "1", IN_GROUP) "," OUT("d", "2", IN_GROUP ",\"min_on\":5"),
	  COVER("c", "u", "d", TIMES), "c", "down" },
	/* 20 s, and 2 s at the end. */
	{ OUT("u", "1", IN_GROUP ",\"max_on\":21") "," OUT("d", "2", IN_GROUP),
	  COVER("c", "u", "d", TIMES), "c", "up" },
	{ "", LIGHT("l", "", ""), "l", "outputs" },
	{ "", LIGHT("l", "pwm:a:0 pwm:a:1", ""), "l", "outputs" },
	{ "", LIGHT("l", "led:../x", ""), "l", "outputs" },
	{ "", LIGHT("l", "pwm:a:0 pwm:a:1 pwm:a:0", ""), "l", "outputs" },
	{ "", LIGHT("l", "pwm:a:0", "") "," LIGHT("m", "pwm:a:0", ""), "m",
	  "outputs" },
	{ "", LIGHT("l", "led:x", ",\"frequency\":0"), "l", "frequency" },
	{ "", LIGHT("l", "led:x", ",\"frequency\":100001"), "l", "frequency" },
	{ "", LIGHT("l", "led:x", ",\"gamma\":0"), "l", "gamma" },
	{ "", LIGHT("l", "led:x", ",\"transition\":61"), "l", "transition" },
	{ "", LIGHT("l", "led:x", ",\"boot\":\"restore\""), "l", "boot" },
	{ "", LIGHT("l", "led:x", ",\"max_on\":1,\"safe\":\"on\""), "l",
	  "safe" },
	{ "", LIGHT("l", "led:x", ",\"source\":\"x\""), "l", "source" },
	{ "", BOILER "," BOILER, "boiler", "name" },
	{ "{\"name\":\"boiler\",\"dir\":\"out\",\"line\":1}", BOILER, "boiler",
	  "name" },
};

static struct pins pins;

static int parse(const char *some_pins, const char *devices,
		 struct pin_errors *errors)
{
	char text[4096];

	errors->count = 0;
	(void)snprintf(text, sizeof(text), "{\"pins\":[%s],\"devices\":[%s]}",
		       some_pins, devices);
	return pins_parse(slice_str(text), &pins, errors);
}

static void test_every_mistake_names_device_and_field(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct pin_errors errors;

		assert_int_equal(
			parse(table[i].pins, table[i].devices, &errors),
			-EINVAL);
		assert_string_equal(errors.error[0].pin, table[i].pin);
		assert_string_equal(errors.error[0].field, table[i].field);
	}
}

static void test_what_is_taken_comes_out_again(void **state)
{
	static const char *const devices[] = {
		BOILER,
		"{\"name\":\"air\",\"kind\":\"iio\",\"label\":\"Air\","
		"\"room\":\"Hall\",\"source\":\"bme280/in_temp\","
		"\"unit\":\"K\",\"interval\":2.5,\"delta\":0.25,"
		"\"factor\":-2,\"offset\":-273.5}",
		"{\"name\":\"cpu\",\"kind\":\"cpu_temperature\"}",
		"{\"name\":\"volt\",\"kind\":\"under_voltage\"}",
		"{\"name\":\"slow\",\"kind\":\"throttled\"}",
		COVER("blind", "u", "d", TIMES ",\"end_time\":1.5"),
		LIGHT("lamp", "pwm:a:0 pwm:a:1 led:x",
		      ",\"frequency\":500,\"inverted\":true,\"gamma\":1,"
		      "\"transition\":0.5,\"safe\":\"hold\",\"boot\":\"on\","
		      "\"locked\":true,\"max_on\":9,\"auto_off\":8,"
		      "\"command_timeout\":7,\"failsafe\":6"),
	};
	char all[2048];
	struct pin_errors errors;
	json_t *document;
	char *text;

	(void)state;
	(void)snprintf(all, sizeof(all), "%s,%s,%s,%s,%s,%s,%s", devices[0],
		       devices[1], devices[2], devices[3], devices[4],
		       devices[5], devices[6]);
	assert_int_equal(parse(RELAYS, all, &errors), 0);
	assert_int_equal(pins.devices, 7);
	for (size_t i = 0; i < 7; i++) {
		json_t *object = device_to_json(&pins.device[i], false);

		text = json_text(object, JSON_COMPACT);
		assert_string_equal(text, devices[i]);
		free(text);
		json_decref(object);
	}
	document = pins_to_json(&pins);
	assert_int_equal(json_array_size(json_object_get(document, "devices")),
			 7);
	json_decref(document);
	assert_true(device_same(&pins.device[1], &pins.device[1]));
	assert_false(device_same(&pins.device[1], &pins.device[2]));
	assert_ptr_equal(devices_find(&pins, "cpu"), &pins.device[2]);
	assert_null(devices_find(&pins, "nobody"));
}

static void test_a_unit_follows_from_the_channel(void **state)
{
	static const struct {
		const char *device;
		const char *unit;
	} units[] = {
		{ BOILER, "°C" },
		{ "{\"name\":\"a\",\"kind\":\"iio\","
		  "\"source\":\"bme280/in_pressure\"}",
		  "hPa" },
		{ "{\"name\":\"a\",\"kind\":\"iio\","
		  "\"source\":\"ads1015/in_voltage3\"}",
		  "V" },
		{ "{\"name\":\"a\",\"kind\":\"iio\","
		  "\"source\":\"x/in_proximity0\"}",
		  "" },
		{ "{\"name\":\"a\",\"kind\":\"throttled\"}", "" },
		{ "{\"name\":\"a\",\"kind\":\"cpu_temperature\","
		  "\"unit\":\"K\"}",
		  "K" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		struct pin_errors errors;

		assert_int_equal(parse("", units[i].device, &errors), 0);
		assert_string_equal(device_unit(&pins.device[0]),
				    units[i].unit);
	}
}

static void test_there_is_an_end_to_devices(void **state)
{
	char many[4096] = "";
	size_t len = 0;
	struct pin_errors errors;

	(void)state;
	for (unsigned int i = 0; i <= DEVICES_MAX; i++) {
		assert_int_equal(parse("", many, &errors), 0);
		assert_int_equal(pins.devices, i);
		len += (size_t)snprintf(
			many + len, sizeof(many) - len,
			"%s{\"name\":\"d%u\",\"kind\":\"throttled\"}",
			i ? "," : "", i);
	}
	assert_int_equal(parse("", many, &errors), -EINVAL);
	assert_string_equal(errors.error[0].field, "devices");
	assert_int_equal(pins_parse(slice_str("{\"pins\":[],\"devices\":7}"),
				    &pins, &errors),
			 -EINVAL);
}

static void test_writing_survives_each_failing_allocation(void **state)
{
	struct pin_errors errors;
	unsigned int n = 0;
	json_t *document;

	(void)state;
	assert_int_equal(parse("", BOILER, &errors), 0);
	for (;; n++) {
		bool failed;

		failing_malloc_arm(n);
		document = pins_to_json(&pins);
		failed = failing_malloc_disarm();
		if (!failed)
			break;
		assert_null(document);
	}
	assert_int_equal(json_array_size(json_object_get(document, "devices")),
			 1);
	json_decref(document);
	assert_true(n > 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_mistake_names_device_and_field),
		cmocka_unit_test(test_what_is_taken_comes_out_again),
		cmocka_unit_test(test_a_unit_follows_from_the_channel),
		cmocka_unit_test(test_there_is_an_end_to_devices),
		cmocka_unit_test(test_writing_survives_each_failing_allocation),
	};

	/* Through here, so that failing_malloc reaches the library too. */
	json_set_alloc_funcs(malloc, free);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gpio/lines_sim.h"
#include "gpio/pins.h"
#include "tests/failing_malloc.h"

static struct pins pins;
static struct pin_errors errors;

static int parse(const char *json)
{
	errors.count = 0;
	return pins_parse(slice_str(json), &pins, &errors);
}

/* A configuration of one pin with these members. */
static int parse_pin(const char *members)
{
	char json[1024];

	(void)snprintf(json, sizeof(json), "{\"pins\":[{%s}]}", members);
	return parse(json);
}

static void test_a_whole_pin_as_the_hub_sends_it(void **state)
{
	const struct pin *pin = &pins.pin[0];

	(void)state;
	assert_int_equal(
		parse("{\"revision\":7,\"pins\":["
		      "{\"name\":\"pump\",\"dir\":\"out\","
		      "\"chip\":\"pinctrl-rp1\",\"line\":17,\"pin\":11,"
		      "\"bias\":\"down\",\"active_low\":true,"
		      "\"debounce_ms\":0,\"safe\":\"hold\","
		      "\"kind\":\"light\",\"label\":\"Pump\","
		      "\"room\":\"Cellar\"}]}"),
		0);
	assert_int_equal(errors.count, 0);
	assert_int_equal(pins.revision, 7);
	assert_int_equal(pins.count, 1);
	assert_string_equal(pin->name, "pump");
	assert_int_equal(pin->direction, LINE_OUTPUT);
	assert_string_equal(pin->chip, "pinctrl-rp1");
	assert_int_equal(pin->line, 17);
	assert_int_equal(pin->header_pin, 11);
	assert_int_equal(pin->bias, LINE_BIAS_AS_IS);
	assert_true(pin->active_low);
	assert_int_equal(pin->rules.safe, LOGIC_SAFE_HOLD);
	assert_int_equal(pin->kind, PIN_LIGHT);
}

static void test_what_is_not_said_has_a_default(void **state)
{
	(void)state;
	assert_int_equal(parse("{\"pins\":["
			       "{\"name\":\"b\",\"dir\":\"in\",\"line\":22},"
			       "{\"name\":\"r\",\"dir\":\"out\",\"line\":17,"
			       "\"chip\":null,\"pin\":null}]}"),
			 0);
	assert_int_equal(pins.revision, -1);
	assert_int_equal(pins.pin[0].bias, LINE_BIAS_UP);
	assert_int_equal(pins.pin[0].kind, PIN_SWITCH);
	assert_int_equal(pins.pin[0].debounce_ms, 0);
	assert_int_equal(pins.pin[1].bias, LINE_BIAS_AS_IS);
	assert_int_equal(pins.pin[1].kind, PIN_RELAY);
	assert_int_equal(pins.pin[1].rules.safe, LOGIC_SAFE_OFF);
	assert_false(pins.pin[1].active_low);
	assert_string_equal(pins.pin[1].chip, "");
	assert_int_equal(parse("{\"pins\":[]}"), 0);
	assert_int_equal(pins.count, 0);
}

#define GOOD "\"name\":\"a\",\"dir\":\"in\",\"line\":4"
#define OUT "\"name\":\"a\",\"dir\":\"out\",\"line\":4"
#define NAME33 "\"name\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\""

static void test_each_mistake_names_pin_and_field(void **state)
{
	static const struct {
		const char *members;
		const char *pin;
		const char *field;
	} cases[] = {
		{ "\"dir\":\"in\",\"line\":4", "#1", "name" },
		{ "\"name\":\"a\",\"line\":4", "a", "dir" },
		{ "\"name\":\"a\",\"dir\":\"in\"", "a", "line" },
		{ "\"name\":\"a\",\"dir\":\"in\",\"line\":null", "a", "line" },
		{ "\"name\":\"\",\"dir\":\"in\",\"line\":4", "#1", "name" },
		{ "\"name\":\"a/b\",\"dir\":\"in\",\"line\":4", "#1", "name" },
		{ "\"name\":5,\"dir\":\"in\",\"line\":4", "#1", "name" },
		{ "\"name\":\"a\\u0000\",\"dir\":\"in\",\"line\":4", "#1",
		  "name" },
		{ GOOD ",\"kind\":\"button\\u0000\"", "a", "kind" },
		{ GOOD ",\"room\":\"a\\u0000\"", "a", "room" },
		{ NAME33 ",\"dir\":\"in\",\"line\":4", "#1", "name" },
		{ "\"name\":\"a\",\"dir\":\"up\",\"line\":4", "a", "dir" },
		{ "\"name\":\"a\",\"dir\":\"in\",\"line\":-1", "a", "line" },
		{ "\"name\":\"a\",\"dir\":\"in\",\"line\":65536", "a", "line" },
		{ "\"name\":\"a\",\"dir\":\"in\",\"line\":4.5", "a", "line" },
		{ "\"name\":\"a\",\"dir\":\"in\",\"line\":\"4\"", "a", "line" },
		{ GOOD ",\"pin\":41", "a", "pin" },
		{ GOOD ",\"chip\":7", "a", "chip" },
		{ GOOD ",\"bias\":\"sideways\"", "a", "bias" },
		{ GOOD ",\"bias\":null", "a", "bias" },
		{ GOOD ",\"active_low\":1", "a", "active_low" },
		{ GOOD ",\"debounce_ms\":10001", "a", "debounce_ms" },
		{ GOOD ",\"safe\":true", "a", "safe" },
		{ GOOD ",\"kind\":\"toaster\"", "a", "kind" },
		{ GOOD ",\"kind\":\"relay\"", "a", "kind" },
		{ OUT ",\"kind\":\"button\"", "a", "kind" },
		{ OUT ",\"debounce_ms\":5", "a", "debounce_ms" },
		{ GOOD ",\"label\":[]", "a", "label" },
		{ GOOD ",\"room\":5", "a", "room" },
		{ GOOD ",\"colour\":\"red\"", "a", "colour" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(parse_pin(cases[i].members), -EINVAL);
		assert_int_equal(errors.count, 1);
		assert_string_equal(errors.error[0].pin, cases[i].pin);
		assert_string_equal(errors.error[0].field, cases[i].field);
		assert_true(errors.error[0].message[0] != '\0');
	}
	assert_int_equal(parse_pin(GOOD), 0);
	assert_int_equal(parse_pin(OUT ",\"kind\":\"switch\""), 0);
}

static void test_every_mistake_is_listed(void **state)
{
	(void)state;
	assert_int_equal(parse("{\"pins\":[7,"
			       "{\"name\":\"a\",\"dir\":\"x\",\"line\":-4},"
			       "{\"name\":\"b\"}]}"),
			 -EINVAL);
	assert_int_equal(errors.count, 5);
	assert_string_equal(errors.error[0].pin, "#1");
	assert_string_equal(errors.error[1].message, "must be one of in, out");
	assert_string_equal(errors.error[4].pin, "b");
}

static void test_pins_may_not_share_name_or_line(void **state)
{
	(void)state;
	assert_int_equal(parse("{\"pins\":["
			       "{\"name\":\"a\",\"dir\":\"in\",\"line\":4},"
			       "{\"name\":\"a\",\"dir\":\"in\",\"line\":5},"
			       "{\"name\":\"c\",\"dir\":\"out\",\"line\":4}]}"),
			 -EINVAL);
	assert_int_equal(errors.count, 2);
	assert_string_equal(errors.error[0].pin, "a");
	assert_string_equal(errors.error[0].field, "name");
	assert_string_equal(errors.error[1].pin, "c");
	assert_string_equal(errors.error[1].field, "line");
	assert_string_equal(errors.error[1].message,
			    "line 4 is also used by a");
	/* The same number on another chip is another line. */
	assert_int_equal(parse("{\"pins\":["
			       "{\"name\":\"a\",\"dir\":\"in\",\"line\":4},"
			       "{\"name\":\"c\",\"dir\":\"out\",\"line\":4,"
			       "\"chip\":\"x\"}]}"),
			 0);
}

static void test_what_is_no_configuration_is_refused_whole(void **state)
{
	static const char *const bad[] = {
		"",
		"7",
		"{",
		"[]",
		"{}",
		"{\"pins\":7}",
		"{\"pins\":[],\"pins\":[]}",
		"{\"pins\":[]} x",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(parse(bad[i]), -EINVAL);
		assert_int_equal(errors.count, 1);
		assert_string_equal(errors.error[0].pin, "");
	}
}

/* n pins on lines 0..n-1, each padded by some blanks. */
static char *many(size_t n, int padding)
{
	size_t size = 100 + n * ((size_t)padding + 80);
	char *json = test_malloc(size);
	size_t len = (size_t)snprintf(json, size, "{\"pins\":[");

	for (size_t i = 0; i < n; i++)
		len += (size_t)snprintf(json + len, size - len,
					"%s{\"name\":\"p%zu\",\"dir\":\"in\","
					"\"line\":%zu}%*s",
					i ? "," : "", i, i, padding, "");
	(void)snprintf(json + len, size - len, "]}");
	return json;
}

static void test_limits(void **state)
{
	char *json = many(PINS_MAX, 0);

	(void)state;
	assert_int_equal(parse(json), 0);
	assert_int_equal(pins.count, PINS_MAX);
	test_free(json);

	json = many(PINS_MAX + 1, 0);
	assert_int_equal(parse(json), -EINVAL);
	assert_string_equal(errors.error[0].field, "pins");
	test_free(json);

	json = many(PINS_MAX, 1100);
	assert_true(strlen(json) > PINS_JSON_MAX);
	assert_int_equal(parse(json), -EINVAL);
	assert_int_equal(errors.count, 1);
	test_free(json);

	errors.count = 0;
	for (unsigned int i = 0; i < PIN_ERRORS_MAX + 5; i++)
		pin_errors_add(&errors, "p", "f", "%u", i);
	assert_int_equal(errors.count, PIN_ERRORS_MAX);
}

static void test_the_board_must_have_the_lines(void **state)
{
	struct lines *lines;

	(void)state;
	assert_int_equal(lines_sim_open(&lines), 0);
	assert_int_equal(parse("{\"pins\":["
			       "{\"name\":\"a\",\"dir\":\"in\",\"line\":58},"
			       "{\"name\":\"b\",\"dir\":\"in\",\"line\":57,"
			       "\"chip\":\"gpio-ext\"},"
			       "{\"name\":\"c\",\"dir\":\"in\",\"line\":17,"
			       "\"pin\":12},"
			       "{\"name\":\"d\",\"dir\":\"in\",\"line\":40,"
			       "\"pin\":12},"
			       "{\"name\":\"e\",\"dir\":\"in\",\"line\":18,"
			       "\"pin\":12,\"chip\":\"pinctrl-bcm2711\"}]}"),
			 0);
	assert_int_equal(pins_check(&pins, lines, &errors), -EINVAL);
	assert_int_equal(errors.count, 4);
	assert_string_equal(errors.error[0].field, "line");
	assert_string_equal(errors.error[1].field, "chip");
	assert_string_equal(errors.error[2].field, "pin");
	assert_string_equal(errors.error[2].message,
			    "line 17 is at header pin 11, not 12");
	assert_string_equal(errors.error[3].pin, "d");

	assert_int_equal(parse_pin(GOOD), 0);
	assert_int_equal(pins_check(&pins, lines, &errors), 0);
	lines_close(lines);
}

static void test_pins_of_several_chips(void **state)
{
	struct lines *lines;

	(void)state;
	assert_int_equal(lines_sim_open(&lines), 0);
	assert_int_equal(parse("{\"pins\":["
			       "{\"name\":\"a\",\"dir\":\"in\",\"line\":4},"
			       "{\"name\":\"b\",\"dir\":\"in\",\"line\":4,"
			       "\"chip\":\"pcf8574\"},"
			       "{\"name\":\"c\",\"dir\":\"in\",\"line\":4,"
			       "\"chip\":\"pinctrl-bcm2711\"},"
			       "{\"name\":\"d\",\"dir\":\"in\",\"line\":8,"
			       "\"chip\":\"pcf8574\"}]}"),
			 0);
	assert_int_equal(pins_check(&pins, lines, &errors), -EINVAL);
	assert_int_equal(errors.count, 2);
	/* The header's chip by its name is the header's chip. */
	assert_string_equal(errors.error[0].pin, "c");
	assert_string_equal(errors.error[0].message,
			    "line 4 is also used by a");
	assert_string_equal(errors.error[1].message,
			    "pcf8574 has lines 0 to 7");
	/* One that was good once, and is gone: the others are used. */
	assert_int_equal(parse_pin(GOOD ",\"chip\":\"gone\""), 0);
	assert_int_equal(pins_check(&pins, lines, &errors), -EINVAL);
	assert_string_equal(errors.error[0].field, "chip");
	assert_int_equal(pins_check_kept(&pins, lines, &errors), 0);
	lines_close(lines);
}

static void test_written_and_read_again_it_is_the_same(void **state)
{
	static struct pins before;
	json_t *json;
	char *text;

	(void)state;
	assert_int_equal(
		parse("{\"revision\":9,\"pins\":["
		      "{\"name\":\"a\",\"dir\":\"in\",\"line\":4,"
		      "\"bias\":\"none\",\"debounce_ms\":20,"
		      "\"kind\":\"motion\"},"
		      "{\"name\":\"b\",\"dir\":\"out\",\"line\":5,"
		      "\"safe\":\"on\",\"active_low\":true,"
		      "\"chip\":\"pinctrl-rp1\",\"kind\":\"light\"}]}"),
		0);
	before = pins;
	json = pins_to_json(&before);
	text = json_dumps(json, 0);
	assert_int_equal(parse(text), 0);
	assert_int_equal(pins.revision, 9);
	assert_int_equal(pins.count, 2);
	assert_true(pin_same(&pins.pin[0], &before.pin[0]));
	assert_true(pin_same(&pins.pin[1], &before.pin[1]));
	assert_false(pin_same(&pins.pin[0], &before.pin[1]));
	free(text);
	json_decref(json);
}

static void test_sameness_of_pin_and_of_line(void **state)
{
	struct pin a = { .name = "a", .line = 4, .direction = LINE_OUTPUT };
	struct pin b = a;

	(void)state;
	b.rules.safe = LOGIC_SAFE_ON;
	assert_true(pin_same_line(&a, &b));
	assert_false(pin_same(&a, &b));
	b = a;
	b.active_low = true;
	assert_false(pin_same_line(&a, &b));
	b = a;
	b.kind = PIN_LIGHT;
	assert_false(pin_same(&a, &b));
	b = a;
	b.name[0] = 'x';
	assert_true(pin_same_line(&a, &b));
	assert_false(pin_same(&a, &b));
}

static void test_parse_and_write_survive_allocation_failure(void **state)
{
	unsigned int n = 0;
	json_t *json;

	(void)state;
	for (;;) {
		int r;

		failing_malloc_arm(n++);
		r = parse_pin(GOOD ",\"chip\":\"x\"");
		if (!failing_malloc_disarm()) {
			assert_int_equal(r, 0);
			break;
		}
		assert_int_equal(r, -EINVAL);
		assert_true(errors.count >= 1);
		assert_true(n < 1000);
	}
	for (n = 0;; n++) {
		failing_malloc_arm(n);
		json = pins_to_json(&pins);
		if (!failing_malloc_disarm())
			break;
		assert_null(json);
		assert_true(n < 1000);
	}
	assert_non_null(json);
	json_decref(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_whole_pin_as_the_hub_sends_it),
		cmocka_unit_test(test_what_is_not_said_has_a_default),
		cmocka_unit_test(test_each_mistake_names_pin_and_field),
		cmocka_unit_test(test_every_mistake_is_listed),
		cmocka_unit_test(test_pins_may_not_share_name_or_line),
		cmocka_unit_test(
			test_what_is_no_configuration_is_refused_whole),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_the_board_must_have_the_lines),
		cmocka_unit_test(test_pins_of_several_chips),
		cmocka_unit_test(test_written_and_read_again_it_is_the_same),
		cmocka_unit_test(test_sameness_of_pin_and_of_line),
		cmocka_unit_test(
			test_parse_and_write_survive_allocation_failure),
	};

	/* Through here, so that failing_malloc reaches the library too. */
	json_set_alloc_funcs(malloc, free);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

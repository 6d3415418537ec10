#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gpio/pins.h"
#include "tests/failing_malloc.h"

static struct pin_errors errors;

static struct pin_dialects take(const char *text)
{
	json_t *document = json_loads(text, 0, NULL);
	struct pin_dialects dialects;

	assert_non_null(document);
	errors.count = 0;
	pin_dialects_take(document, &dialects, &errors);
	json_decref(document);
	return dialects;
}

static void test_nothing_is_spoken_unless_said(void **state)
{
	struct pin_dialects none = take("{}");
	json_t *document = json_object();

	(void)state;
	assert_int_equal(errors.count, 0);
	assert_string_equal(none.homeassistant, "");
	assert_false(none.homie);
	assert_false(none.tasmota);
	assert_int_equal(pin_dialects_put(&none, document), 0);
	assert_int_equal(json_object_size(document), 0);
	json_decref(document);
}

static void test_what_is_written_is_read(void **state)
{
	const struct dialects hub = {
		.homeassistant = "ha",
		.to_homeassistant = true,
		.homie = true,
		.tasmota = true,
	};
	struct pin_dialects told;
	struct pin_dialects read;
	json_t *document = json_object();
	char *text;

	(void)state;
	pin_dialects_set(&told, &hub);
	assert_int_equal(pin_dialects_put(&told, document), 0);
	text = json_dumps(document, 0);
	read = take(text);
	assert_int_equal(errors.count, 0);
	assert_string_equal(read.homeassistant, "ha");
	assert_true(read.homie);
	assert_true(read.tasmota);
	free(text);
	json_decref(document);
}

static void test_the_hub_can_switch_it_off(void **state)
{
	struct dialects hub = { .homeassistant = "ha" };
	struct pin_dialects told;

	(void)state;
	pin_dialects_set(&told, &hub);
	assert_string_equal(told.homeassistant, "");
	hub.to_homeassistant = true;
	pin_dialects_set(&told, &hub);
	assert_string_equal(told.homeassistant, "ha");
}

static void test_each_mistake_is_told(void **state)
{
	static const struct {
		const char *text;
		const char *field;
	} table[] = {
		{ "{\"dialects\":[]}", "dialects" },
		{ "{\"dialects\":{\"klingon\":true}}", "dialects" },
		{ "{\"dialects\":{\"homie\":1}}", "homie" },
		{ "{\"dialects\":{\"tasmota\":\"yes\"}}", "tasmota" },
		{ "{\"dialects\":{\"homeassistant\":true}}", "homeassistant" },
		{ "{\"dialects\":{\"homeassistant\":\"\"}}", "homeassistant" },
		{ "{\"dialects\":{\"homeassistant\":\"a/b\"}}",
		  "homeassistant" },
		{ "{\"dialects\":{\"homeassistant\":\"a+\"}}",
		  "homeassistant" },
		{ "{\"dialects\":{\"homeassistant\":\"$a\"}}",
		  "homeassistant" },
		{ "{\"dialects\":{\"homeassistant\":\"a\\u0001\"}}",
		  "homeassistant" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		(void)take(table[i].text);
		assert_int_equal(errors.count, 1);
		assert_string_equal(errors.error[0].field, table[i].field);
	}
}

static void test_a_prefix_has_an_end(void **state)
{
	char prefix[DIALECT_PREFIX_MAX + 2];
	char text[256];

	(void)state;
	memset(prefix, 'p', sizeof(prefix));
	for (size_t len = DIALECT_PREFIX_MAX; len <= DIALECT_PREFIX_MAX + 1;
	     len++) {
		(void)snprintf(text, sizeof(text),
			       "{\"dialects\":{\"homeassistant\":\"%.*s\"}}",
			       (int)len, prefix);
		(void)take(text);
		assert_int_equal(errors.count, len > DIALECT_PREFIX_MAX);
	}
}

static void test_writing_survives_allocation_failure(void **state)
{
	const struct pin_dialects all = { .homeassistant = "ha",
					  .homie = true,
					  .tasmota = true };
	unsigned int n = 0;
	bool failed = true;

	(void)state;
	for (; failed && n < 1000; n++) {
		json_t *document = json_object();
		int r;

		failing_malloc_arm(n);
		r = pin_dialects_put(&all, document);
		failed = failing_malloc_disarm();
		assert_int_equal(r != 0, failed);
		json_decref(document);
	}
	assert_in_range(n, 5, 999);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_is_spoken_unless_said),
		cmocka_unit_test(test_what_is_written_is_read),
		cmocka_unit_test(test_the_hub_can_switch_it_off),
		cmocka_unit_test(test_each_mistake_is_told),
		cmocka_unit_test(test_a_prefix_has_an_end),
		cmocka_unit_test(test_writing_survives_allocation_failure),
	};

	json_set_alloc_funcs(malloc, free);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

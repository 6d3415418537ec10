#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "db/config.h"
#include "db/db.h"
#include "db/pins.h"
#include "db/settings.h"
#include "tests/db/scratch.h"
#include "tests/db/scratch_config.h"

static const struct db_pin lamp = {
	.name = "lamp",
	.chip = "pinctrl-bcm2711",
	.line = 22,
	.document = "{\"name\":\"lamp\",\"label\":\"K\xc3\xbc"
		    "che\"}",
};

/* The one of this name in the list, in *out. */
static bool find(const char *name, struct db_pin *out)
{
	struct db_pin *pins;
	bool found = false;
	size_t count;

	assert_int_equal(db_pins_list(config, "", &pins, &count), 0);
	for (size_t i = 0; i < count; i++) {
		if (strcmp(pins[i].name, name) != 0)
			continue;
		*out = pins[i];
		found = true;
	}
	free(pins);
	return found;
}

static void test_a_pin_comes_back_as_given(void **state)
{
	char holder[DB_PIN_NAME_MAX + 1];
	struct db_pin got;

	(void)state;
	assert_int_equal(db_pins_put(config, &lamp, holder), 1);
	assert_true(find("lamp", &got));
	assert_string_equal(got.name, lamp.name);
	assert_string_equal(got.chip, lamp.chip);
	assert_int_equal(got.line, lamp.line);
	assert_string_equal(got.document, lamp.document);
	assert_false(find("lam", &got));
}

static void test_put_replaces_and_says_so(void **state)
{
	char holder[DB_PIN_NAME_MAX + 1];
	struct db_pin pin = lamp;
	struct db_pin got;

	(void)state;
	assert_int_equal(db_pins_put(config, &pin, holder), 1);
	pin.line = 23;
	assert_int_equal(db_pins_put(config, &pin, holder), 0);
	assert_true(find("lamp", &got));
	assert_int_equal(got.line, 23);
	assert_int_equal(db_pins_remove(config, "", "lamp"), 0);
	assert_int_equal(db_pins_remove(config, "", "lamp"), -ENOENT);
	assert_int_equal(db_pins_put(config, &pin, holder), 1);
}

static void test_a_taken_line_names_its_holder(void **state)
{
	char holder[DB_PIN_NAME_MAX + 1] = "";
	struct db_pin pin = lamp;
	struct db_pin *pins;
	size_t count;

	(void)state;
	assert_int_equal(db_pins_put(config, &lamp, holder), 1);
	memcpy(pin.name, "other", 6);
	assert_int_equal(db_pins_put(config, &pin, holder), -EADDRINUSE);
	assert_string_equal(holder, "lamp");
	assert_int_equal(db_pins_list(config, "", &pins, &count), 0);
	assert_int_equal(count, 1);
	free(pins);

	/* The same number on another chip is another line. */
	pin.chip[0] = '\0';
	assert_int_equal(db_pins_put(config, &pin, holder), 1);
}

static void test_a_pin_must_have_a_name(void **state)
{
	char holder[DB_PIN_NAME_MAX + 1];
	struct db_pin pin = lamp;

	(void)state;
	pin.name[0] = '\0';
	assert_int_equal(db_pins_put(config, &pin, holder), -EINVAL);
	assert_false(find("lamp", &pin));
}

static void test_a_long_document_fits(void **state)
{
	char holder[DB_PIN_NAME_MAX + 1];
	struct db_pin pin = lamp, got;

	(void)state;
	memset(pin.document, ' ', DB_PIN_DOCUMENT_MAX);
	memcpy(pin.document, "{}", 2);
	pin.document[DB_PIN_DOCUMENT_MAX] = '\0';
	assert_int_equal(db_pins_put(config, &pin, holder), 1);
	assert_true(find("lamp", &got));
	assert_int_equal(strlen(got.document), DB_PIN_DOCUMENT_MAX);
}

static void test_pins_have_a_limit(void **state)
{
	char holder[DB_PIN_NAME_MAX + 1];
	struct db_pin pin = lamp;

	(void)state;
	assert_int_equal(db_config_begin(config), 0);
	for (uint32_t i = 0; i < DB_PINS_MAX; i++) {
		(void)snprintf(pin.name, sizeof(pin.name), "p%u", i);
		pin.line = i;
		assert_int_equal(db_pins_put(config, &pin, holder), 1);
	}
	assert_int_equal(db_config_end(config, true), 0);
	memcpy(pin.name, "extra", 6);
	pin.line = DB_PINS_MAX;
	assert_int_equal(db_pins_put(config, &pin, holder), -ENFILE);
	memcpy(pin.name, "p7", 3);
	assert_int_equal(db_pins_put(config, &pin, holder), 0);
}

static void test_the_demo_is_set_up_once(void **state)
{
	struct db_pin *pins;
	char *devices;
	size_t count;

	(void)state;
	assert_int_equal(db_pins_demo(config), 0);
	assert_int_equal(db_pins_list(config, "", &pins, &count), 0);
	assert_int_equal(count, 7);
	assert_int_equal(db_settings_get(config, "devices", &devices), 0);
	assert_non_null(strstr(devices, "\"shelf\""));
	free(devices);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(db_pins_remove(config, "", pins[i].name), 0);
	free(pins);

	assert_int_equal(db_pins_demo(config), 0);
	assert_int_equal(db_pins_list(config, "", &pins, &count), 0);
	assert_int_equal(count, 0);
	free(pins);
}

static void test_the_demo_leaves_a_house_alone(void **state)
{
	char holder[DB_PIN_NAME_MAX + 1];
	struct db_pin *pins;
	size_t count;

	(void)state;
	assert_int_equal(db_pins_put(config, &lamp, holder), 1);
	assert_int_equal(db_pins_demo(config), 0);
	assert_int_equal(db_pins_list(config, "", &pins, &count), 0);
	assert_int_equal(count, 1);
	free(pins);
}

#define TEST(name)                                                  \
	cmocka_unit_test_setup_teardown(name, scratch_config_setup, \
					scratch_config_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_pin_comes_back_as_given),
		TEST(test_put_replaces_and_says_so),
		TEST(test_a_taken_line_names_its_holder),
		TEST(test_a_pin_must_have_a_name),
		TEST(test_a_long_document_fits),
		TEST(test_pins_have_a_limit),
		TEST(test_the_demo_is_set_up_once),
		TEST(test_the_demo_leaves_a_house_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

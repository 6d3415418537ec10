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
#include "tests/db/scratch.h"

static struct db *db;
static struct db_config *config;

static int setup(void **state)
{
	*state = NULL;
	scratch_make();
	db = scratch_open();
	return db_config_open(db, &config);
}

static int teardown(void **state)
{
	(void)state;
	db_config_close(config);
	db_close(db);
	scratch_remove();
	return 0;
}

static const struct db_pin lamp = {
	.name = "lamp",
	.dir = DB_PIN_OUT,
	.chip = "pinctrl-bcm2711",
	.line = 22,
	.bias = DB_PIN_AS_IS,
	.active_low = true,
	.safe = DB_PIN_SAFE_HOLD,
	.kind = DB_PIN_LIGHT,
	.label = "K\xc3\xbc"
		 "che",
	.room = "Kitchen",
	.rules = { .boot = DB_PIN_BOOT_RESTORE,
		   .interlock = "gate",
		   .locked = true,
		   .limit = { 500, 6, 70, 8, 9, 10, 11, 12 } },
};

static void assert_comes_back(const struct db_pin *pin)
{
	char holder[DB_PIN_NAME_MAX + 1];
	struct db_pin got;

	assert_int_equal(db_pins_put(config, pin, holder), 1);
	memset(&got, 0xff, sizeof(got));
	assert_int_equal(db_pins_get(config, pin->name, &got), 0);
	assert_string_equal(got.name, pin->name);
	assert_int_equal(got.dir, pin->dir);
	assert_string_equal(got.chip, pin->chip);
	assert_int_equal(got.line, pin->line);
	assert_int_equal(got.bias, pin->bias);
	assert_int_equal(got.active_low, pin->active_low);
	assert_int_equal(got.debounce_ms, pin->debounce_ms);
	assert_int_equal(got.safe, pin->safe);
	assert_int_equal(got.kind, pin->kind);
	assert_string_equal(got.label, pin->label);
	assert_string_equal(got.room, pin->room);
	assert_int_equal(got.rules.boot, pin->rules.boot);
	assert_string_equal(got.rules.interlock, pin->rules.interlock);
	assert_int_equal(got.rules.locked, pin->rules.locked);
	assert_memory_equal(got.rules.limit, pin->rules.limit,
			    sizeof(got.rules.limit));
}

static void test_a_pin_comes_back_as_given(void **state)
{
	struct db_pin button = lamp;
	struct db_pin got;

	(void)state;
	assert_comes_back(&lamp);
	memcpy(button.name, "button", sizeof("button"));
	button.dir = DB_PIN_IN;
	button.kind = DB_PIN_BUTTON;
	button.line = 23;
	button.rules = (struct db_pin_rules){ 0 };
	button.debounce_ms = 7;
	assert_comes_back(&button);
	assert_int_equal(db_pins_get(config, "lam", &got), -ENOENT);
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
	assert_int_equal(db_pins_get(config, "lamp", &got), 0);
	assert_int_equal(got.line, 23);
	assert_int_equal(db_pins_remove(config, "lamp"), 0);
	assert_int_equal(db_pins_remove(config, "lamp"), -ENOENT);
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
	assert_int_equal(db_pins_list(config, &pins, &count), 0);
	assert_int_equal(count, 1);
	free(pins);

	/* The same number on another chip is another line. */
	pin.chip[0] = '\0';
	assert_int_equal(db_pins_put(config, &pin, holder), 1);
}

static void test_each_field_is_checked(void **state)
{
	const char *field = NULL;
	const char *message = NULL;
	char holder[DB_PIN_NAME_MAX + 1];
	struct db_pin pin;

	(void)state;
	assert_int_equal(db_pin_check(&lamp, &field, &message), 0);

#define BAD(name, change)                                                     \
	do {                                                                  \
		pin = lamp;                                                   \
		change;                                                       \
		assert_int_equal(db_pin_check(&pin, &field, &message),        \
				 -EINVAL);                                    \
		assert_string_equal(field, name);                             \
		assert_true(strlen(message) > 0);                             \
		assert_int_equal(db_pins_put(config, &pin, holder), -EINVAL); \
	} while (0)

	BAD("name", pin.name[0] = '\0');
	BAD("name", pin.name[0] = 'L');
	BAD("name", memcpy(pin.name, "a/b", 4));
	BAD("name", memset(pin.name, 'a', sizeof(pin.name)));
	BAD("dir", pin.dir = (enum db_pin_dir)2);
	BAD("chip", memcpy(pin.chip, "a\nb", 4));
	BAD("line", pin.line = 512);
	BAD("bias", pin.bias = (enum db_pin_bias)4);
	BAD("debounce_ms", pin.debounce_ms = 1);
	BAD("debounce_ms", (pin.dir = DB_PIN_IN, pin.kind = DB_PIN_SWITCH,
			    pin.debounce_ms = 10001));
	BAD("safe", pin.safe = (enum db_pin_safe)3);
	BAD("kind", pin.kind = (enum db_pin_kind)6);
	BAD("kind", pin.kind = DB_PIN_BUTTON);
	BAD("kind", pin.dir = DB_PIN_IN);
	BAD("dir", (pin.dir = DB_PIN_IN, pin.kind = DB_PIN_SWITCH));
	BAD("boot", pin.rules.boot = (enum db_pin_boot)4);
	BAD("boot", pin.rules.boot = DB_PIN_BOOT_ON);
	BAD("interlock", memcpy(pin.rules.interlock, "a b", 4));
	BAD("interlock",
	    memset(pin.rules.interlock, 'a', sizeof(pin.rules.interlock)));
	BAD("dead_ms", pin.rules.limit[DB_PIN_DEAD_MS] = 60001);
	BAD("dead_ms", pin.rules.interlock[0] = '\0');
	BAD("cycles", pin.rules.limit[DB_PIN_CYCLES] = 61);
	BAD("max_on", pin.rules.limit[DB_PIN_MAX_ON] = 604801);
	BAD("max_on", pin.rules.limit[DB_PIN_MAX_ON] = 8);
	BAD("safe", pin.safe = DB_PIN_SAFE_ON);
	BAD("safe", (pin.safe = DB_PIN_SAFE_ON, pin.rules.interlock[0] = '\0',
		     pin.rules.limit[DB_PIN_DEAD_MS] = 0));
	BAD("label", memcpy(pin.label, "\xff", 2));
	BAD("label", memset(pin.label, 'a', sizeof(pin.label)));
	BAD("room", memcpy(pin.room, "a\x1b[2J", 6));
}

static void test_words_are_those_of_rest(void **state)
{
	enum db_pin_bias bias;
	enum db_pin_kind kind;
	enum db_pin_safe safe;
	enum db_pin_dir dir;

	(void)state;
	for (int i = 0; i < 4; i++) {
		const char *text = db_pin_bias_text((enum db_pin_bias)i);

		assert_int_equal(db_pin_bias_parse(text, &bias), 0);
		assert_int_equal(bias, i);
	}
	assert_int_equal(db_pin_kind_parse("contact", &kind), 0);
	assert_int_equal(kind, DB_PIN_CONTACT);
	assert_int_equal(db_pin_safe_parse("hold", &safe), 0);
	assert_int_equal(safe, DB_PIN_SAFE_HOLD);
	assert_int_equal(db_pin_dir_parse("out", &dir), 0);
	assert_int_equal(dir, DB_PIN_OUT);
	assert_string_equal(db_pin_bias_text(DB_PIN_AS_IS), "as_is");
	assert_int_equal(db_pin_dir_parse("OUT", &dir), -EINVAL);
	assert_int_equal(db_pin_kind_parse("", &kind), -EINVAL);
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
	const char *field;
	const char *message;
	struct db_pin *pins;
	size_t count;

	(void)state;
	assert_int_equal(db_pins_demo(config), 0);
	assert_int_equal(db_pins_list(config, &pins, &count), 0);
	assert_int_equal(count, 7);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(db_pin_check(&pins[i], &field, &message), 0);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(db_pins_remove(config, pins[i].name), 0);
	free(pins);

	assert_int_equal(db_pins_demo(config), 0);
	assert_int_equal(db_pins_list(config, &pins, &count), 0);
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
	assert_int_equal(db_pins_list(config, &pins, &count), 0);
	assert_int_equal(count, 1);
	free(pins);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_pin_comes_back_as_given),
		TEST(test_put_replaces_and_says_so),
		TEST(test_a_taken_line_names_its_holder),
		TEST(test_each_field_is_checked),
		cmocka_unit_test(test_words_are_those_of_rest),
		TEST(test_pins_have_a_limit),
		TEST(test_the_demo_is_set_up_once),
		TEST(test_the_demo_leaves_a_house_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* A thousand bad configurations before the judge that hub and node share. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "broker/wire/utf8.h"
#include "gpio/lines_sim.h"
#include "gpio/pins.h"
#include "gpio/topics.h"
#include "tests/gpio/bad_pins.h"

#define CASES 1000

static struct bad_config bad;
static struct pins pins;
static struct pin_errors errors;

/* Of a field too long for an error there is its beginning. */
static bool names(const struct pin_error *e)
{
	size_t len = strlen(e->field);

	if (strcmp(e->pin, bad.pin) != 0)
		return false;
	return strcmp(e->field, bad.field) == 0 ||
	       (len >= sizeof(e->field) - 4 &&
		strlen(bad.field) >= sizeof(e->field) &&
		strncmp(e->field, bad.field, len) == 0);
}

static bool is_named(void)
{
	for (size_t i = 0; i < errors.count; i++)
		if (names(&errors.error[i]))
			return true;
	return false;
}

/* Each can be told as JSON, and says something. */
static void assert_can_be_told(const struct pin_error *e)
{
	assert_true(utf8_valid(slice_str(e->pin)));
	assert_true(utf8_valid(slice_str(e->field)));
	assert_true(utf8_valid(slice_str(e->message)));
	assert_true(e->message[0] != '\0');
}

/* As a node judges. */
static int judge(struct lines *lines)
{
	int r;

	errors.count = 0;
	r = pins_parse(slice_of(bad.bytes, bad.len), &pins, &errors);
	return r ? r : pins_check(&pins, lines, &errors);
}

static void
test_each_bad_configuration_is_refused_by_pin_and_field(void **state)
{
	struct lines *lines;

	(void)state;
	assert_int_equal(lines_sim_open(&lines), 0);
	for (uint64_t seed = 0; seed < CASES; seed++) {
		bad_config_make(seed, &bad);
		if (judge(lines) != -EINVAL || !is_named()) {
			print_message("seed %u, %s: %.*s\n", (unsigned int)seed,
				      bad.mistake,
				      (int)(bad.len < 2000 ? bad.len : 2000),
				      bad.bytes);
			for (size_t i = 0; i < errors.count; i++)
				print_message("%s %s: %s\n",
					      errors.error[i].pin,
					      errors.error[i].field,
					      errors.error[i].message);
			fail_msg("wanted pin '%s' field '%s'", bad.pin,
				 bad.field);
		}
		for (size_t i = 0; i < errors.count; i++)
			assert_can_be_told(&errors.error[i]);
		bad_config_free(&bad);
	}
	lines_close(lines);
}

static void test_a_seed_makes_the_same_again(void **state)
{
	static struct bad_config again;

	(void)state;
	for (uint64_t seed = 0; seed < 2 * bad_config_kinds(); seed++) {
		bad_config_make(seed, &bad);
		bad_config_make(seed, &again);
		assert_int_equal(bad.len, again.len);
		assert_memory_equal(bad.bytes, again.bytes, bad.len);
		bad_config_free(&bad);
		bad_config_free(&again);
	}
}

/* What is made around the mistakes is no reason to refuse: a mistake that was
 * none would be seen here as well. */
static void test_a_pin_alone_is_wrong_by_itself(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < CASES; seed++) {
		struct pin pin;
		json_t *object;

		bad_config_make(seed, &bad);
		if (bad.alone) {
			object = json_loads(bad.alone, JSON_ALLOW_NUL, NULL);
			errors.count = 0;
			assert_int_equal(pin_parse(object, "x", &pin, &errors),
					 -EINVAL);
			assert_true(is_named());
			json_decref(object);
		}
		bad_config_free(&bad);
	}
}

static void test_each_bad_command_is_refused_with_a_reason(void **state)
{
	static struct bad_command command;

	(void)state;
	for (uint64_t seed = 0; seed < CASES; seed++) {
		struct topics_command out;
		const char *reason = NULL;
		struct slice payload;

		bad_command_make(seed, &command);
		payload = slice_of(command.bytes, command.len);
		if (topics_parse_command(payload, &out, &reason) != -EINVAL)
			fail_msg("seed %u, %s: %.*s", (unsigned int)seed,
				 command.mistake, (int)command.len,
				 command.bytes);
		assert_true(reason && reason[0]);
		assert_null(out.id);
	}
}

static void test_an_error_is_cut_between_characters(void **state)
{
	static const char umlauts[] =
		"\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"
		"\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"
		"\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4";
	char text[64];

	(void)state;
	for (size_t at = 0; at < 4; at++) {
		memset(text, 'x', at);
		memcpy(text + at, umlauts, sizeof(umlauts));
		errors.count = 0;
		pin_errors_add(&errors, text, text, "%s%s%s%s", text, text,
			       text, text);
		assert_can_be_told(&errors.error[0]);
		assert_true(strlen(errors.error[0].field) >= 14);
		assert_true(strlen(errors.error[0].message) >= 126);
	}
	errors.count = 0;
	pin_errors_add(&errors, "", "exactly15bytes\xc3", "x");
	pin_errors_add(&errors, "", "fourteen bytes", "\xc3\xa4");
	assert_string_equal(errors.error[0].field, "exactly15bytes");
	assert_string_equal(errors.error[1].field, "fourteen bytes");
	assert_string_equal(errors.error[1].message, "\xc3\xa4");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_each_bad_configuration_is_refused_by_pin_and_field),
		cmocka_unit_test(test_a_seed_makes_the_same_again),
		cmocka_unit_test(test_a_pin_alone_is_wrong_by_itself),
		cmocka_unit_test(
			test_each_bad_command_is_refused_with_a_reason),
		cmocka_unit_test(test_an_error_is_cut_between_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

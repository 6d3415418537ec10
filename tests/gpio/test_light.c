/* Channels out of a tree of files as the kernel has it, brightness and transitions
 * without them, and commands as they are written. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gpio/channel.h"
#include "gpio/light.h"
#include "gpio/light_command.h"
#include "tests/failing_malloc.h"
#include "tests/gpio/tree.h"

#define PWM0 "class/pwm/pwmchip0/pwm0/"
#define LED "class/leds/ACT/"

static char root[TREE_ROOT_SIZE];

static int setup(void **state)
{
	(void)state;
	tree_make(root);
	tree_put_lights(root);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	tree_remove(root);
	return 0;
}

static bool near(double a, double b)
{
	return fabs(a - b) < 1e-6;
}

/* ---- channels ----------------------------------------------------------- */

static void test_names_are_judged(void **state)
{
	static const struct {
		const char *list;
		unsigned int count;
	} table[] = {
		{ "pwm:fe20c000.pwm:0", 1 },
		{ "led:ACT", 1 },
		{ "led:mmc0::", 1 },
		{ "pwm:a:0 pwm:a:1 led:x", 3 },
		{ "pwm:a:0 pwm:a:1 pwm:a:2 pwm:a:63", 4 },
		{ "", 0 },
		{ " ", 0 },
		{ "pwm:a:0 ", 0 },
		{ "pwm:a:0  pwm:a:1", 0 },
		{ "pwm:a:0 pwm:a:1 pwm:a:2 pwm:a:3 pwm:a:4", 0 },
		{ "pwm:a", 0 },
		{ "pwm:a:", 0 },
		{ "pwm::0", 0 },
		{ "pwm:a:64", 0 },
		{ "pwm:a:-1", 0 },
		{ "pwm:../../x:0", 0 },
		{ "led:", 0 },
		{ "led:../x", 0 },
		{ "led:..", 0 },
		{ "lamp:x", 0 },
	};
	struct channel_name names[CHANNEL_NAMES_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		assert_int_equal(channel_names_split(table[i].list, names),
				 table[i].count);
	assert_int_equal(channel_names_split("pwm:a.b:c:7", names), 1);
	assert_string_equal(names[0].device, "a.b:c");
	assert_int_equal(names[0].number, 7);
}

static int open_one(const char *text, uint32_t frequency, bool inverted,
		    struct channel **out)
{
	const struct channel_options options = { .frequency = frequency,
						 .inverted = inverted };
	struct channel_name name;

	assert_true(
		channel_name_parse(text, (unsigned int)strlen(text), &name));
	return channel_open(root, &name, &options, out);
}

static void test_pwm_is_found_by_where_it_is(void **state)
{
	struct channel *channel;
	double duty;

	(void)state;
	assert_int_equal(
		open_one("pwm:1f00098000.pwm:0", 1000, false, &channel),
		-ENODEV);
	assert_int_equal(open_one("pwm:fe20c000.pwm:0", 1000, false, &channel),
			 0);
	assert_string_equal(tree_get(root, PWM0 "period"), "1000000");
	assert_string_equal(tree_get(root, PWM0 "enable"), "1");
	assert_int_equal(channel_get(channel, &duty), 0);
	assert_true(near(duty, 0));
	assert_int_equal(channel_set(channel, 0.25), 0);
	assert_int_equal(strtol(tree_get(root, PWM0 "duty_cycle"), NULL, 10),
			 250000);
	channel_close(channel);

	/* Again: as bright as it was. */
	assert_int_equal(open_one("pwm:fe20c000.pwm:0", 1000, false, &channel),
			 0);
	assert_int_equal(channel_get(channel, &duty), 0);
	assert_true(near(duty, 0.25));
	channel_close(channel);
	/* Another frequency: the old duty would be refused. */
	assert_int_equal(open_one("pwm:fe20c000.pwm:0", 10000, false, &channel),
			 0);
	assert_string_equal(tree_get(root, PWM0 "period"), "100000");
	assert_int_equal(channel_get(channel, &duty), 0);
	assert_true(near(duty, 0));
	channel_close(channel);
}

static void test_what_is_exported_is_told_the_chip(void **state)
{
	struct channel *channel;

	(void)state;
	/* This tree has no kernel that would make it. */
	assert_int_equal(open_one("pwm:fe20c000.pwm:5", 1000, false, &channel),
			 -ENOENT);
	assert_string_equal(tree_get(root, "class/pwm/pwmchip0/export"), "5");
}

static void test_low_is_light_where_it_is_inverted(void **state)
{
	struct channel *channel;
	double duty;

	(void)state;
	assert_int_equal(open_one("pwm:fe20c000.pwm:0", 1000, true, &channel),
			 0);
	assert_string_equal(tree_get(root, PWM0 "polarity"), "inversed");
	assert_int_equal(channel_set(channel, 0.25), 0);
	assert_int_equal(strtol(tree_get(root, PWM0 "duty_cycle"), NULL, 10),
			 250000);
	channel_close(channel);
	/* A LED knows no polarity. */
	assert_int_equal(open_one("led:ACT", 1000, true, &channel), 0);
	assert_int_equal(channel_set(channel, 1), 0);
	assert_int_equal(strtol(tree_get(root, LED "brightness"), NULL, 10), 0);
	assert_int_equal(channel_get(channel, &duty), 0);
	assert_true(near(duty, 1));
	channel_close(channel);
}

static void test_a_led_is_taken_from_the_kernel(void **state)
{
	struct channel *channel;

	(void)state;
	assert_int_equal(open_one("led:PWR", 1000, false, &channel), -ENODEV);
	assert_int_equal(open_one("led:ACT", 1000, false, &channel), 0);
	assert_string_equal(tree_get(root, LED "trigger"), "none");
	assert_int_equal(channel_set(channel, 0.5), 0);
	assert_int_equal(strtol(tree_get(root, LED "brightness"), NULL, 10),
			 128);
	channel_close(channel);
}

/* ---- light -------------------------------------------------------------- */

static void test_the_eye_sees_a_line_where_time_is_a_curve(void **state)
{
	double duty[LIGHT_CHANNELS_MAX] = { 0 };
	struct light_wish wish = { .brightness = 51,
				   .any_transition = true,
				   .transition_ms = 1000 };
	struct light light;

	(void)state;
	light_init(&light, 1, 2, 0, duty);
	assert_false(light.on);
	light_switch(&light, true, &wish, 5000);
	assert_true(light_duty(&light, 5500, duty));
	assert_true(near(duty[0], 0.01));
	assert_false(light_duty(&light, 6000, duty));
	assert_true(near(duty[0], 0.04));
	/* Out in the middle of it: from where it is. */
	wish = (struct light_wish){ .brightness = 255,
				    .any_transition = true,
				    .transition_ms = 1000 };
	light_switch(&light, true, &wish, 7000);
	wish = (struct light_wish){ .any_transition = true,
				    .transition_ms = 1000 };
	light_switch(&light, false, &wish, 7500);
	assert_true(light_duty(&light, 7500, duty));
	assert_true(near(duty[0], 0.36));
	assert_true(light_duty(&light, 8000, duty));
	assert_true(near(duty[0], 0.09));
	/* At once, and what it was comes again. */
	light_switch(&light, false, NULL, 8100);
	assert_false(light_duty(&light, 8100, duty));
	assert_true(near(duty[0], 0));
	light_switch(&light, true, NULL, 9000);
	assert_int_equal(light.brightness, 255);
	assert_false(light_duty(&light, 9000, duty));
	assert_true(near(duty[0], 1));
}

static void test_a_command_without_time_takes_the_lights_own(void **state)
{
	double duty[LIGHT_CHANNELS_MAX] = { 0 };
	const struct light_wish wish = { 0 };
	struct light light;

	(void)state;
	light_init(&light, 1, 1, 2000, duty);
	light_switch(&light, true, &wish, 0);
	assert_true(light_duty(&light, 1000, duty));
	assert_true(near(duty[0], 0.5));
}

static void test_colours_are_shares_of_the_brightness(void **state)
{
	double duty[LIGHT_CHANNELS_MAX] = { 0 };
	const struct light_wish wish = { .brightness = 51,
					 .any_color = true,
					 .color = { 255, 51, 0 } };
	struct light light, again;

	(void)state;
	light_init(&light, 3, 1, 0, duty);
	light_switch(&light, true, &wish, 0);
	assert_false(light_duty(&light, 0, duty));
	assert_true(near(duty[0], 0.2));
	assert_true(near(duty[1], 0.04));
	assert_true(near(duty[2], 0));
	/* As it is read after a restart. */
	light_init(&again, 3, 1, 0, duty);
	assert_true(again.on);
	assert_int_equal(again.brightness, 51);
	assert_memory_equal(again.color, light.color, 3);
}

/* ---- commands ----------------------------------------------------------- */

static void test_commands_as_they_are_written(void **state)
{
	static const struct {
		const char *text;
		unsigned int channels;
		int brightness; /* -1: refused */
		uint32_t transition_ms;
		uint8_t blue;
	} table[] = {
		{ "ON", 1, 0, 0, 0 },
		{ "{\"state\":\"ON\"}", 1, 0, 0, 0 },
		{ "{\"state\":\"ON\",\"brightness\":128,\"transition\":1.5}", 1,
		  128, 1500, 0 },
		{ "{\"state\":\"ON\",\"color\":{\"r\":1,\"g\":2,\"b\":3}}", 3,
		  0, 0, 3 },
		{ "{\"state\":\"ON\",\"color\":{\"r\":1,\"g\":2,\"b\":3,"
		  "\"w\":4},\"on_time\":5,\"id\":7}",
		  4, 0, 0, 3 },
		{ "{\"state\":\"ON\",\"brightness\":0}", 1, -1, 0, 0 },
		{ "{\"state\":\"ON\",\"brightness\":256}", 1, -1, 0, 0 },
		{ "{\"state\":\"ON\",\"brightness\":\"1\"}", 1, -1, 0, 0 },
		{ "{\"state\":\"ON\",\"transition\":-1}", 1, -1, 0, 0 },
		{ "{\"state\":\"ON\",\"transition\":3601}", 1, -1, 0, 0 },
		{ "{\"state\":\"ON\",\"color\":{\"r\":1,\"g\":2,\"b\":3}}", 1,
		  -1, 0, 0 },
		{ "{\"state\":\"ON\",\"color\":{\"r\":1,\"g\":2,\"b\":3}}", 4,
		  -1, 0, 0 },
		{ "{\"state\":\"ON\",\"color\":{\"r\":1,\"g\":2,\"b\":256}}", 3,
		  -1, 0, 0 },
		{ "{\"state\":\"ON\",\"color\":7}", 3, -1, 0, 0 },
		{ "{\"brightness\":7}", 1, -1, 0, 0 },
		{ "{\"state\":\"ON\",\"effect\":\"disco\"}", 1, -1, 0, 0 },
		{ "[]", 1, -1, 0, 0 },
		{ "", 1, -1, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct topics_command command;
		struct light_wish wish;
		const char *reason = NULL;
		int r = light_command_parse(slice_str(table[i].text),
					    table[i].channels, &command, &wish,
					    &reason);

		assert_int_equal(r, table[i].brightness < 0 ? -EINVAL : 0);
		assert_true(!r == !reason);
		if (r)
			continue;
		assert_int_equal(wish.brightness, table[i].brightness);
		assert_int_equal(wish.transition_ms, table[i].transition_ms);
		assert_int_equal(wish.color[2], table[i].blue);
		assert_int_equal(command.logic.verb, LOGIC_ON);
		topics_command_free(&command);
	}
}

static void test_the_state_is_home_assistants(void **state)
{
	const double duty[LIGHT_CHANNELS_MAX] = { 0 };
	struct light light;
	char *text;

	(void)state;
	light_init(&light, 1, 1, 0, duty);
	text = light_state_text(&light);
	assert_string_equal(text, "{\"state\":\"OFF\",\"brightness\":255,"
				  "\"color_mode\":\"brightness\"}");
	free(text);
	light_init(&light, 4, 1, 0, duty);
	text = light_state_text(&light);
	assert_string_equal(text, "{\"state\":\"OFF\",\"brightness\":255,"
				  "\"color_mode\":\"rgbw\",\"color\":{\"r\":"
				  "255,\"g\":255,\"b\":255,\"w\":255}}");
	free(text);
}

static void test_all_survives_each_failing_allocation(void **state)
{
	static const char text[] =
		"{\"state\":\"ON\",\"brightness\":1,\"id\":7}";
	const double duty[LIGHT_CHANNELS_MAX] = { 0 };
	struct topics_command command;
	struct light_wish wish;
	const char *reason = NULL;
	struct light light;
	char *out = NULL;
	unsigned int n;

	(void)state;
	for (n = 0;; n++) {
		int r;

		failing_malloc_arm(n);
		r = light_command_parse(slice_str(text), 1, &command, &wish,
					&reason);
		if (!failing_malloc_disarm())
			break;
		assert_int_equal(r, -EINVAL);
	}
	topics_command_free(&command);
	light_init(&light, 4, 1, 0, duty);
	for (n = 0;; n++) {
		failing_malloc_arm(n);
		out = light_state_text(&light);
		if (!failing_malloc_disarm())
			break;
		assert_null(out);
	}
	free(out);
}

#define TREE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_are_judged),
		TREE_TEST(test_pwm_is_found_by_where_it_is),
		TREE_TEST(test_what_is_exported_is_told_the_chip),
		TREE_TEST(test_low_is_light_where_it_is_inverted),
		TREE_TEST(test_a_led_is_taken_from_the_kernel),
		cmocka_unit_test(
			test_the_eye_sees_a_line_where_time_is_a_curve),
		cmocka_unit_test(
			test_a_command_without_time_takes_the_lights_own),
		cmocka_unit_test(test_colours_are_shares_of_the_brightness),
		cmocka_unit_test(test_commands_as_they_are_written),
		cmocka_unit_test(test_the_state_is_home_assistants),
		cmocka_unit_test(test_all_survives_each_failing_allocation),
	};

	/* Through here, so that failing_malloc reaches the library too. */
	json_set_alloc_funcs(malloc, free);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gpio/tasmota_command.h"
#include "gpio/words.h"

static void test_commands_are_known_by_word_and_number(void **state)
{
	static const struct {
		const char *name;
		enum tasmota_verb verb;
		unsigned int index;
	} table[] = {
		{ "POWER", TASMOTA_POWER, 1 },
		{ "Power12", TASMOTA_POWER, 12 },
		{ "power0", TASMOTA_POWER, 0 },
		{ "Dimmer", TASMOTA_DIMMER, 1 },
		{ "Color2", TASMOTA_COLOR, 2 },
		{ "HsbColor3", TASMOTA_HSBCOLOR, 3 },
		{ "White", TASMOTA_WHITE, 1 },
		{ "CHANNEL4", TASMOTA_CHANNEL, 4 },
		{ "Fade", TASMOTA_FADE, 1 },
		{ "Speed", TASMOTA_SPEED, 1 },
		{ "ShutterOpen2", TASMOTA_SHUTTER_OPEN, 2 },
		{ "ShutterClose1", TASMOTA_SHUTTER_CLOSE, 1 },
		{ "ShutterStop1", TASMOTA_SHUTTER_STOP, 1 },
		{ "ShutterPosition1", TASMOTA_SHUTTER_POSITION, 1 },
		{ "STATE", TASMOTA_STATE, 1 },
		{ "Status", TASMOTA_STATUS, 1 },
		{ "Backlog0", TASMOTA_BACKLOG, 0 },
		{ "NoDelay", TASMOTA_NODELAY, 1 },
		{ "POWERS", TASMOTA_UNKNOWN, 1 },
		{ "POWER1x", TASMOTA_UNKNOWN, 1 },
		{ "POWER1000", TASMOTA_UNKNOWN, 1000 },
		{ "POWER99999999999", TASMOTA_UNKNOWN, 1 },
		{ "POWER-1", TASMOTA_UNKNOWN, 1 },
		{ "7", TASMOTA_UNKNOWN, 7 },
		{ "", TASMOTA_UNKNOWN, 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct tasmota_command c = tasmota_command(
			slice_str(table[i].name), slice_str(" ON\n"));

		assert_int_equal(c.verb, table[i].verb);
		if (c.verb != TASMOTA_UNKNOWN)
			assert_int_equal(c.index, table[i].index);
		assert_true(slice_equal(c.argument, slice_str("ON")));
	}
}

static void test_a_backlog_is_its_commands(void **state)
{
	struct slice rest = slice_str(
		"NoDelay;Fade 1; NoDelay ;;Speed\t4;Dimmer 50 ; POWER1;");
	static const struct {
		enum tasmota_verb verb;
		const char *argument;
	} table[] = {
		{ TASMOTA_NODELAY, "" },  { TASMOTA_FADE, "1" },
		{ TASMOTA_NODELAY, "" },  { TASMOTA_SPEED, "4" },
		{ TASMOTA_DIMMER, "50" }, { TASMOTA_POWER, "" },
	};
	struct tasmota_command c;

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		assert_true(tasmota_backlog_next(&rest, &c));
		assert_int_equal(c.verb, table[i].verb);
		assert_true(
			slice_equal(c.argument, slice_str(table[i].argument)));
	}
	assert_false(tasmota_backlog_next(&rest, &c));
	rest = slice_str("");
	assert_false(tasmota_backlog_next(&rest, &c));
}

static void test_power_words(void **state)
{
	static const struct {
		const char *text;
		bool good;
		enum logic_verb verb;
	} table[] = {
		{ "ON", true, LOGIC_ON },	  { "on", true, LOGIC_ON },
		{ "1", true, LOGIC_ON },	  { "true", true, LOGIC_ON },
		{ "OFF", true, LOGIC_OFF },	  { "0", true, LOGIC_OFF },
		{ "False", true, LOGIC_OFF },	  { "2", true, LOGIC_TOGGLE },
		{ "toggle", true, LOGIC_TOGGLE }, { "3", false, LOGIC_ON },
		{ "BLINK", false, LOGIC_ON },	  { "", false, LOGIC_ON },
		{ "O", false, LOGIC_ON },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		enum logic_verb verb;

		assert_int_equal(
			tasmota_parse_power(slice_str(table[i].text), &verb),
			table[i].good);
		if (table[i].good)
			assert_int_equal(verb, table[i].verb);
	}
}

static void test_percentages(void **state)
{
	static const struct {
		const char *text;
		unsigned int now;
		int percent; /* -1: it is none */
	} table[] = {
		{ "0", 50, 0 },	   { "100", 50, 100 },	  { "101", 50, -1 },
		{ "-1", 50, -1 },  { "+", 50, 60 },	  { "+", 95, 100 },
		{ "-", 50, 40 },   { "-", 5, 0 },	  { "", 50, -1 },
		{ "5.5", 50, -1 }, { "9999999", 50, -1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		unsigned int percent;
		bool good = tasmota_parse_percent(slice_str(table[i].text),
						  table[i].now, &percent);

		assert_int_equal(good, table[i].percent >= 0);
		if (good)
			assert_int_equal(percent, table[i].percent);
	}
}

static void test_colours(void **state)
{
	static const struct {
		const char *text;
		unsigned int channels;
		bool good;
		uint8_t color[4];
	} table[] = {
		{ "255,128,0", 3, true, { 255, 128, 0, 0 } },
		{ "255, 128, 0", 3, true, { 255, 128, 0, 0 } },
		{ "#FF8000", 3, true, { 255, 128, 0, 0 } },
		{ "ff8000", 3, true, { 255, 128, 0, 0 } },
		{ "FF80000A", 4, true, { 255, 128, 0, 10 } },
		{ "1,2,3,4", 4, true, { 1, 2, 3, 4 } },
		{ "1,2,3", 4, true, { 1, 2, 3, 0 } },
		{ "1,2,3,4", 3, false, { 0 } },
		{ "FF80000A", 3, false, { 0 } },
		{ "1,2", 3, false, { 0 } },
		{ "1,2,", 3, false, { 0 } },
		{ ",1,2", 3, false, { 0 } },
		{ "256,0,0", 3, false, { 0 } },
		{ "FF80", 3, false, { 0 } },
		{ "FF800", 3, false, { 0 } },
		{ "red", 3, false, { 0 } },
		{ "zz8000", 3, false, { 0 } },
		{ "", 3, false, { 0 } },
		{ "255,128,0", 1, false, { 0 } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		uint8_t color[LIGHT_CHANNELS_MAX];

		assert_int_equal(words_color(slice_str(table[i].text),
					     table[i].channels, color),
				 table[i].good);
		if (table[i].good)
			assert_memory_equal(color, table[i].color, 4);
	}
}

static void test_hue_saturation_brightness(void **state)
{
	unsigned int hsb[3];

	(void)state;
	assert_true(tasmota_parse_hsb(slice_str("360,100,1"), hsb));
	assert_int_equal(hsb[0], 360);
	assert_int_equal(hsb[2], 1);
	assert_false(tasmota_parse_hsb(slice_str("361,0,0"), hsb));
	assert_false(tasmota_parse_hsb(slice_str("0,101,0"), hsb));
	assert_false(tasmota_parse_hsb(slice_str("0,0,101"), hsb));
	assert_false(tasmota_parse_hsb(slice_str("0,0"), hsb));
	assert_false(tasmota_parse_hsb(slice_str("0,0,0,0"), hsb));
}

static void test_colours_have_a_hue(void **state)
{
	static const struct {
		uint8_t rgb[3];
		unsigned int hue;
		unsigned int saturation;
	} table[] = {
		{ { 255, 0, 0 }, 0, 100 },    { { 255, 255, 0 }, 60, 100 },
		{ { 0, 255, 0 }, 120, 100 },  { { 0, 255, 255 }, 180, 100 },
		{ { 0, 0, 255 }, 240, 100 },  { { 255, 0, 255 }, 300, 100 },
		{ { 255, 255, 255 }, 0, 0 },  { { 255, 0, 128 }, 330, 100 },
		{ { 255, 128, 128 }, 0, 50 },
	};
	unsigned int hue, saturation;
	uint8_t rgb[3];

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		tasmota_to_hs(table[i].rgb, &hue, &saturation);
		assert_int_equal(hue, table[i].hue);
		assert_int_equal(saturation, table[i].saturation);
		tasmota_from_hs(hue, saturation, rgb);
		for (unsigned int c = 0; c < 3; c++)
			assert_in_range(rgb[c] + 1, table[i].rgb[c],
					table[i].rgb[c] + 2);
	}
	tasmota_to_hs((const uint8_t[]){ 0, 0, 0 }, &hue, &saturation);
	assert_int_equal(hue + saturation, 0);
	tasmota_from_hs(360, 100, rgb);
	assert_memory_equal(rgb, ((const uint8_t[]){ 255, 0, 0 }), 3);
}

/* What is said back is what was asked for. */
static void test_every_percent_comes_back(void **state)
{
	uint8_t color[4] = { 100, 50, 0, 0 };
	uint8_t black[4] = { 0 };

	(void)state;
	for (unsigned int percent = 1; percent <= 100; percent++)
		assert_int_equal(light_percent(light_of_percent(percent)),
				 percent);
	assert_int_equal(light_percent(0), 1);
	assert_int_equal(tasmota_full_color(color), 100);
	assert_memory_equal(color, ((const uint8_t[]){ 255, 128, 0, 0 }), 4);
	assert_int_equal(tasmota_full_color(black), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_commands_are_known_by_word_and_number),
		cmocka_unit_test(test_a_backlog_is_its_commands),
		cmocka_unit_test(test_power_words),
		cmocka_unit_test(test_percentages),
		cmocka_unit_test(test_colours),
		cmocka_unit_test(test_hue_saturation_brightness),
		cmocka_unit_test(test_colours_have_a_hue),
		cmocka_unit_test(test_every_percent_comes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gpio/board.h"
#include "gpio/boards.h"
#include "gpio/lines_sim.h"

#define BCM2835 "pinctrl-bcm2835"
#define BCM2711 "pinctrl-bcm2711"
#define RP1 "pinctrl-rp1"

/* As the device tree has them. */
static const struct {
	const char *model, *label, *id;
	unsigned int pins;
} boards[] = {
	{ "Raspberry Pi Model B Rev 1", BCM2835, "pi1-rev1", 26 },
	{ "Raspberry Pi Model B Rev 2", BCM2835, "pi1", 26 },
	{ "Raspberry Pi Model A Rev 2", BCM2835, "pi1", 26 },
	{ "Raspberry Pi Model A Plus Rev 1.1", BCM2835, "pi1-plus", 40 },
	{ "Raspberry Pi Model B Plus Rev 1.2", BCM2835, "pi1-plus", 40 },
	{ "Raspberry Pi 2 Model B Rev 1.1", BCM2835, "pi2", 40 },
	{ "Raspberry Pi 3 Model B Rev 1.2", BCM2835, "pi3", 40 },
	{ "Raspberry Pi 3 Model B Plus Rev 1.3", BCM2835, "pi3", 40 },
	{ "Raspberry Pi 4 Model B Rev 1.4", BCM2711, "pi4", 40 },
	{ "Raspberry Pi 400 Rev 1.0", BCM2711, "pi4", 40 },
	{ "Raspberry Pi Compute Module 4 Rev 1.0", BCM2711, "pi4", 40 },
	{ "Raspberry Pi 5 Model B Rev 1.0", RP1, "pi5", 40 },
	{ "Raspberry Pi 500 Rev 1.0", RP1, "pi5", 40 },
	{ "Raspberry Pi Zero W Rev 1.1", BCM2835, "pi-zero", 40 },
	{ "Raspberry Pi Zero 2 W Rev 1.0", BCM2835, "pi-zero2", 40 },
	/* No device tree, or one that came after us: the chip tells. */
	{ "", BCM2835, "pi", 40 },
	{ "", BCM2711, "pi4", 40 },
	{ "Raspberry Pi 9 Model Z", RP1, "pi5", 40 },
	/* Another chip than the header's, another board. */
	{ "Raspberry Pi 4 Model B Rev 1.4", "raspberrypi-exp-gpio", "generic",
	  0 },
	{ "Radxa ROCK 5B", "gpio0", "generic", 0 },
	{ "", "", "generic", 0 },
};

static void test_each_board_is_known_by_model_and_chip(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(boards) / sizeof(boards[0]); i++) {
		const struct board *board =
			boards_find(boards[i].model, boards[i].label);

		assert_string_equal(board->id, boards[i].id);
		assert_int_equal(board->pins, boards[i].pins);
		assert_int_equal(board->name[0] != '\0', board->pins > 0);
	}
}

/* Pins that are power, ground and nothing else. */
static bool is_power(unsigned int pin)
{
	static const unsigned int power[] = { 1,  2,  4,  6,  9,  14,
					      17, 20, 25, 30, 34, 39 };

	for (size_t i = 0; i < sizeof(power) / sizeof(power[0]); i++)
		if (power[i] == pin)
			return true;
	return false;
}

static void test_every_pin_of_every_board_is_one_line_or_power(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(boards) / sizeof(boards[0]); i++) {
		const struct board *board =
			boards_find(boards[i].model, boards[i].label);
		unsigned int lines[41] = { 0 };
		struct boards_line line;

		for (unsigned int n = 0; n < 60; n++) {
			if (!boards_line(board, n, &line))
				continue;
			assert_in_range(line.pin, 1, board->pins);
			lines[line.pin]++;
			assert_non_null(line.functions);
			assert_int_equal(line.warning != NULL,
					 line.risk != BOARD_FREE);
		}
		for (unsigned int pin = 1; pin <= board->pins; pin++)
			assert_int_equal(lines[pin], !is_power(pin));
	}
}

static void test_lines_of_a_pi_4(void **state)
{
	static const struct {
		unsigned int line, pin;
		bool up;
		const char *risk;
	} known[] = {
		{ 0, 27, true, "eeprom" },  { 1, 28, true, "eeprom" },
		{ 2, 3, true, "i2c" },	    { 3, 5, true, "i2c" },
		{ 4, 7, true, "one_wire" }, { 5, 29, true, NULL },
		{ 6, 31, true, NULL },	    { 7, 26, true, "spi" },
		{ 8, 24, true, "spi" },	    { 9, 21, false, "spi" },
		{ 10, 19, false, "spi" },   { 11, 23, false, "spi" },
		{ 12, 32, false, NULL },    { 13, 33, false, NULL },
		{ 14, 8, false, "uart" },   { 15, 10, false, "uart" },
		{ 16, 36, false, NULL },    { 17, 11, false, NULL },
		{ 18, 12, false, "audio" }, { 19, 35, false, "audio" },
		{ 20, 38, false, "audio" }, { 21, 40, false, "audio" },
		{ 22, 15, false, NULL },    { 23, 16, false, NULL },
		{ 24, 18, false, NULL },    { 25, 22, false, NULL },
		{ 26, 37, false, NULL },    { 27, 13, false, NULL },
	};
	const struct board *board = boards_find("", BCM2711);
	struct boards_line line;

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		const char *risk;

		assert_true(boards_line(board, known[i].line, &line));
		assert_int_equal(line.pin, known[i].pin);
		assert_int_equal(line.pulled_up, known[i].up);
		risk = boards_risk_text(line.risk);
		assert_int_equal(!risk, !known[i].risk);
		if (risk)
			assert_string_equal(risk, known[i].risk);
	}
	assert_false(boards_line(board, 28, &line));
}

static void test_the_first_header_had_other_lines(void **state)
{
	const struct board *first =
		boards_find("Raspberry Pi Model B Rev 1", BCM2835);
	const struct board *second =
		boards_find("Raspberry Pi Model B Rev 2", BCM2835);
	struct boards_line line;

	(void)state;
	assert_true(boards_line(first, 0, &line));
	assert_int_equal(line.pin, 3);
	assert_int_equal(line.risk, BOARD_I2C);
	assert_true(boards_line(first, 21, &line));
	assert_int_equal(line.pin, 13);
	assert_int_equal(line.risk, BOARD_FREE);
	assert_false(boards_line(first, 27, &line));
	assert_true(boards_line(second, 27, &line));
	assert_int_equal(line.pin, 13);
	assert_false(boards_line(second, 0, &line));
	assert_false(boards_line(second, 21, &line));
}

static void test_each_chip_has_its_own_functions(void **state)
{
	struct boards_line line;

	(void)state;
	assert_true(boards_line(boards_find("", BCM2835), 12, &line));
	assert_string_equal(line.functions, "PWM0");
	assert_true(boards_line(boards_find("", BCM2711), 12, &line));
	assert_string_equal(line.functions, "PWM0 SDA5 TXD5 SPI5_CE0");
	assert_true(boards_line(boards_find("", RP1), 18, &line));
	assert_string_equal(line.functions, "PCM_CLK PWM2 SPI1_CE0");
}

static void test_a_simulated_board_is_a_pi_4_wherever_it_runs(void **state)
{
	struct lines *lines;

	(void)state;
	assert_int_equal(lines_sim_open(&lines), 0);
	assert_string_equal(boards_of(lines)->id, "pi4");
	lines_close(lines);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_board_is_known_by_model_and_chip),
		cmocka_unit_test(
			test_every_pin_of_every_board_is_one_line_or_power),
		cmocka_unit_test(test_lines_of_a_pi_4),
		cmocka_unit_test(test_the_first_header_had_other_lines),
		cmocka_unit_test(test_each_chip_has_its_own_functions),
		cmocka_unit_test(
			test_a_simulated_board_is_a_pi_4_wherever_it_runs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

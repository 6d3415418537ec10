#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gpio/board.h"
#include "tests/gpio/tree.h"

/* The pins of the 40-pin header that are power, ground and nothing else. */
static bool is_power(unsigned int pin)
{
	static const unsigned int power[] = { 1,  2,  4,  6,  9,  14,
					      17, 20, 25, 30, 34, 39 };

	for (size_t i = 0; i < sizeof(power) / sizeof(power[0]); i++)
		if (power[i] == pin)
			return true;
	return false;
}

static void test_lines_come_out_where_the_documentation_says(void **state)
{
	/* BCM number and header pin, from the Raspberry Pi documentation. */
	static const unsigned int known[][2] = {
		{ 2, 3 },   { 3, 5 },	{ 4, 7 },   { 17, 11 }, { 27, 13 },
		{ 22, 15 }, { 10, 19 }, { 9, 21 },  { 11, 23 }, { 0, 27 },
		{ 5, 29 },  { 6, 31 },	{ 13, 33 }, { 19, 35 }, { 26, 37 },
		{ 14, 8 },  { 15, 10 }, { 18, 12 }, { 23, 16 }, { 24, 18 },
		{ 25, 22 }, { 8, 24 },	{ 7, 26 },  { 1, 28 },	{ 12, 32 },
		{ 16, 36 }, { 20, 38 }, { 21, 40 },
	};

	(void)state;
	assert_int_equal(sizeof(known) / sizeof(known[0]), BOARD_HEADER_LINES);
	for (size_t i = 0; i < BOARD_HEADER_LINES; i++)
		assert_int_equal(board_line(known[i][0])->pin, known[i][1]);
	assert_null(board_line(BOARD_HEADER_LINES));
}

static void test_every_pin_is_a_line_or_power(void **state)
{
	(void)state;
	for (unsigned int pin = 1; pin <= 40; pin++) {
		unsigned int lines = 0;

		for (unsigned int i = 0; i < BOARD_HEADER_LINES; i++)
			lines += board_line(i)->pin == pin;
		assert_int_equal(lines, is_power(pin) ? 0 : 1);
	}
}

static void test_the_first_nine_are_pulled_up(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < BOARD_HEADER_LINES; i++)
		assert_int_equal(board_line(i)->pulled_up, i <= 8);
}

static void test_the_model_is_read_and_cut_to_size(void **state)
{
	static const char model[] = "Raspberry Pi 4 Model B Rev 1.4";
	char root[TREE_ROOT_SIZE];
	char out[64];
	char small[10];

	(void)state;
	tree_make(root);
	assert_int_equal(board_model(root, out, sizeof(out)), -ENOENT);
	tree_put(root, "firmware/devicetree/base/model", model);
	assert_int_equal(board_model(root, out, sizeof(out)), 0);
	assert_string_equal(out, model);
	assert_int_equal(board_model(root, small, sizeof(small)), 0);
	assert_string_equal(small, "Raspberry");
	tree_remove(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_lines_come_out_where_the_documentation_says),
		cmocka_unit_test(test_every_pin_is_a_line_or_power),
		cmocka_unit_test(test_the_first_nine_are_pulled_up),
		cmocka_unit_test(test_the_model_is_read_and_cut_to_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

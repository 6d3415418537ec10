/* Numbers compared as they are written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "broker/match/decimal.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static int sign(int value)
{
	return (value > 0) - (value < 0);
}

static struct decimal number(const char *text)
{
	struct decimal out;

	if (!decimal_parse(slice_str(text), &out))
		fail_msg("%s is no number", text);
	return out;
}

static void test_order(void **state)
{
	/* Each is less than the next line's, and the same as its neighbours. */
	static const char *const rows[][5] = {
		{ "-1e1000000", NULL },
		{ "-18446744073709551616", NULL },
		{ "-100", "-1e2", "-1E+2", "-1000e-1", NULL },
		{ "-99.99999999999999999999", NULL },
		{ "-0.001", "-1e-3", "-0.0010", NULL },
		{ "0", "-0", "0.0", "-0.000e5", NULL },
		{ "1e-400", NULL },
		{ "0.05", "5e-2", "0.0500", "0.5e-1", NULL },
		{ "0.1", "1e-1", NULL },
		{ "0.10000000000000000000000001", NULL },
		{ "0.3", NULL },
		{ "9", "9.0", "0.9e1", NULL },
		{ "10", "1e1", "0.1e2", "100e-1", NULL },
		{ "25", "25.0", "2.5e1", NULL },
		{ "25.000001", NULL },
		{ "9007199254740992", NULL },
		{ "9007199254740993", "9007199254740993.0", NULL },
		{ "18446744073709551615", "1844674407370955161.5e1", NULL },
		{ "18446744073709551616", NULL },
		{ "1e400", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		for (size_t j = 0; j < COUNT(rows); j++)
			for (size_t n = 0; rows[i][n]; n++)
				for (size_t m = 0; rows[j][m]; m++) {
					struct decimal a = number(rows[i][n]);
					struct decimal b = number(rows[j][m]);

					assert_int_equal(
						sign(decimal_compare(&a, &b)),
						sign((int)i - (int)j));
				}
}

static void test_what_is_no_number_of_json(void **state)
{
	static const char *const rows[] = {
		"",    "-",   "+1",  ".5",   "1.",   "01",  "-01", "1e",
		"1e+", "1.e", "e1",  "0x10", "1 ",   " 1",  "1,0", "1.2.3",
		"--1", "NaN", "inf", "1e1.", "1e1e", "1-1", "0-",  "-.5",
	};
	struct decimal out;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		if (decimal_parse(slice_str(rows[i]), &out))
			fail_msg("%s is taken", rows[i]);
	assert_false(decimal_parse(slice_of(NULL, 0), &out));
	assert_false(decimal_parse(slice_of("1\0", 2), &out));
}

/* Exponents that no variable holds are the largest there are. */
static void test_exponents_without_end(void **state)
{
	struct decimal huge = number("1e99999999999999999999999999999999");
	struct decimal tiny = number("1e-99999999999999999999999999999999");
	struct decimal one = number("1");
	struct decimal zero = number("0e99999999999999999999999999999999");

	(void)state;
	assert_true(decimal_compare(&huge, &one) > 0);
	assert_true(decimal_compare(&tiny, &one) < 0);
	assert_true(decimal_compare(&tiny, &zero) > 0);
}

/* Where a double is exact, it is the reference. */
static void test_small_numbers_are_ordered_as_doubles(void **state)
{
	unsigned int seed = 7;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		double x[2];
		char text[2][32];
		struct decimal a, b;

		for (int n = 0; n < 2; n++) {
			int eighths = rand_r(&seed) % 4001 - 2000;
			int places = 3 + rand_r(&seed) % 3;

			x[n] = eighths / 8.0;
			if (rand_r(&seed) % 2)
				snprintf(text[n], sizeof(text[n]), "%.*f",
					 places, x[n]);
			else
				snprintf(text[n], sizeof(text[n]), "%.*e",
					 places + 3, x[n]);
		}
		a = number(text[0]);
		b = number(text[1]);
		assert_int_equal(sign(decimal_compare(&a, &b)),
				 (x[0] > x[1]) - (x[0] < x[1]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_what_is_no_number_of_json),
		cmocka_unit_test(test_exponents_without_end),
		cmocka_unit_test(test_small_numbers_are_ordered_as_doubles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "broker/base/environment.h"

/* One thread: NOLINTBEGIN(concurrency-mt-unsafe) */

#define NAME "HEARTH_TEST_ENVIRONMENT"

static void test_only_a_plain_decimal_number_is_one(void **state)
{
	static const struct {
		const char *text;
		uint64_t number;
	} cases[] = {
		{ "0", 0 },
		{ "17", 17 },
		{ "007", 7 },
		{ "18446744073709551615", UINT64_MAX },
		{ "18446744073709551616", 0 },
		{ "", 0 },
		{ " 1", 0 },
		{ "+1", 0 },
		{ "-1", 0 },
		{ "1 ", 0 },
		{ "1x", 0 },
		{ "0x10", 0 },
		{ "x", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(setenv(NAME, cases[i].text, 1), 0);
		assert_string_equal(environment_text(NAME), cases[i].text);
		assert_true(environment_number(NAME) == cases[i].number);
	}
}

static void test_what_is_not_set_is_neither_text_nor_number(void **state)
{
	(void)state;
	assert_int_equal(unsetenv(NAME), 0);
	assert_null(environment_text(NAME));
	assert_int_equal(environment_number(NAME), 0);
}

/* NOLINTEND(concurrency-mt-unsafe) */

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_only_a_plain_decimal_number_is_one),
		cmocka_unit_test(
			test_what_is_not_set_is_neither_text_nor_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ctl/text.h"
#include "tests/failing_malloc.h"

static const struct {
	const char *text;
	const char *shown;
	size_t width;
} cases[] = {
	{ "", "", 0 },
	{ "plain ~", "plain ~", 7 },
	{ "\xe6\xb0\xb4\xc3\xa9\xf0\x9f\x94\xa5",
	  "\xe6\xb0\xb4\xc3\xa9\xf0\x9f\x94\xa5", 3 },
	{ "a\x1b[2Jb", "a\\x1B[2Jb", 9 },
	{ "\r\n\t\x7f", "\\x0D\\x0A\\x09\\x7F", 16 },
	{ "\xc2\x9b" /* CSI, 8 bits */, "\\xC2\\x9B", 8 },
	{ "\xe2\x80\xae" /* right to left override */, "\\xE2\\x80\\xAE", 12 },
	{ "\xc0\xaf", "\\xC0\\xAF", 8 },
	{ "\xed\xa0\x80", "\\xED\\xA0\\x80", 12 },
	{ "\xf4\x90\x80\x80", "\\xF4\\x90\\x80\\x80", 16 },
	{ "\xe6\xb0", "\\xE6\\xB0", 8 },
	{ "\xff", "\\xFF", 4 },
};

static void test_only_harmless_text_reaches_the_terminal(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *shown;
		size_t size;
		FILE *out = open_memstream(&shown, &size);

		text_print(out, cases[i].text, strlen(cases[i].text));
		fclose(out);
		assert_string_equal(shown, cases[i].shown);
		assert_int_equal(
			text_width(cases[i].text, strlen(cases[i].text)),
			cases[i].width);
		free(shown);
	}
}

static void test_times_of_people(void **state)
{
	static const struct {
		const char *text;
		long long ms;
	} good[] = {
		{ "90s", 10000000000 - 90000 },
		{ "15m", 10000000000 - 900000 },
		{ "2h", 10000000000 - 7200000 },
		{ "7d", 10000000000 - 604800000 },
		{ "1970-01-02", 86400000 },
		{ "1970-01-01T00:01", 60000 },
		{ "1970-01-01T00:00:09Z", 9000 },
	};
	static const char *const bad[] = {
		"",    "5",	      "h",   "5y",	"-5m",
		"5mm", "1970-01-01x", "now", "9999999d"
	};
	long long ms;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(
			text_parse_time(good[i].text, 10000000000, &ms), 0);
		assert_int_equal(ms, good[i].ms);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(text_parse_time(bad[i], 0, &ms), -EINVAL);
}

static void test_times_are_printed_in_utc(void **state)
{
	char text[TEXT_TIME_SIZE];

	(void)state;
	text_time(text, 1795251600123);
	assert_string_equal(text, "2026-11-21T09:00:00.123Z");
	text_time(text, -1);
	assert_string_equal(text, "-");
}

static void test_table_survives_allocation_failure(void **state)
{
	static const char *const head[] = { "A", "B", NULL };
	unsigned int n = 0;
	int r;

	(void)state;
	do {
		struct table *table;

		failing_malloc_arm(n++);
		table = table_new(head);
		r = table ? table_add(table, head) : -ENOMEM;
		table_free(table);
		if (!failing_malloc_disarm())
			break;
		assert_int_equal(r, -ENOMEM);
	} while (n < 20);

	assert_int_equal(r, 0);
	assert_true(n >= 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_only_harmless_text_reaches_the_terminal),
		cmocka_unit_test(test_times_of_people),
		cmocka_unit_test(test_times_are_printed_in_utc),
		cmocka_unit_test(test_table_survives_allocation_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <float.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "broker/base/json_text.h"
#include "tests/failing_malloc.h"

static const struct {
	double number;
	const char *text;
} reals[] = {
	{ 0.2, "0.2" },
	{ -0.1, "-0.1" },
	{ 21.4, "21.4" },
	{ 0.1 + 0.2, "0.30000000000000004" },
	{ 1.0 / 3, "0.3333333333333333" },
	{ 2.0 / 3, "0.6666666666666666" },
	{ 1e-5, "1e-05" },
	{ 1.1e-5, "1.1e-05" },
	{ 5e-324, "4.94065645841247e-324" },
	{ 9007199254740993.0, "9007199254740992" },
	{ 123456789012345680.0, "1.2345678901234568e+17" },
	{ 1e22, "1e+22" },
	{ DBL_MAX, "1.7976931348623157e+308" },
	{ 0, "0" },
};

static void test_a_real_number_is_as_short_as_it_can_be(void **state)
{
	char text[JSON_TEXT_REAL_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(reals) / sizeof(reals[0]); i++) {
		json_text_real(text, reals[i].number);
		assert_string_equal(text, reals[i].text);
		assert_true(strtod(text, NULL) == reals[i].number);
	}
}

/* As jansson reads it: a real number stays one, with all its bits. */
static void test_what_is_read_again_is_the_same(void **state)
{
	uint64_t seed = 88172645463325252u;

	(void)state;
	for (unsigned int i = 0; i < 20000; i++) {
		json_t *list = json_array();
		double number;
		json_t *again;
		char *text;

		seed ^= seed << 13;
		seed ^= seed >> 7;
		seed ^= seed << 17;
		/* Any bits, and what sensors say. */
		memcpy(&number, &seed, sizeof(number));
		if (i % 2)
			number = (double)(int64_t)seed / 1e15;
		if (!(number - number == 0))
			number = (double)i;
		json_array_append_new(list, json_real(number));
		text = json_text(list, JSON_COMPACT);
		assert_non_null(text);
		again = json_loads(text, 0, NULL);
		assert_true(json_equal(list, again));
		free(text);
		json_decref(again);
		json_decref(list);
	}
}

static void test_only_real_numbers_are_shortened(void **state)
{
	static const char wanted[] =
		"{\"a\":0.2,\"0.20000000000000001\":[1,0.2,-0.1,1e-05,2.0],"
		"\"count\":9007199254740993,\"least\":-9223372036854775808,"
		"\"text\":\"say \\\"0.20000000000000001\\\\\\\" 3\","
		"\"no\":null,\"yes\":true,\"empty\":\"\",\"big\":1e22}";
	json_t *value = json_pack(
		"{s:f,s:[i,f,f,f,f],s:I,s:I,s:s,s:n,s:b,s:s,s:f}", "a", 0.2,
		"0.20000000000000001", 1, 0.2, -0.1, 1e-5, 2.0, "count",
		(json_int_t)9007199254740993, "least", (json_int_t)INT64_MIN,
		"text", "say \"0.20000000000000001\\\" 3", "no", "yes", 1,
		"empty", "", "big", 1e22);
	char *text = json_text(value, JSON_COMPACT);

	(void)state;
	assert_non_null(text);
	assert_string_equal(text, wanted);
	free(text);
	json_decref(value);
}

/* Longer than what is made room for at first, several times. */
static void test_a_long_text_is_whole(void **state)
{
	json_t *list = json_array();
	json_t *again;
	char *text;

	(void)state;
	for (int i = 0; i < 5000; i++)
		json_array_append_new(list, json_real(i + 0.2));
	text = json_text(list, JSON_INDENT(1));
	assert_non_null(text);
	assert_null(strstr(text, "0000000001"));
	again = json_loads(text, 0, NULL);
	assert_true(json_equal(list, again));
	free(text);
	json_decref(again);
	json_decref(list);
}

static void test_there_is_no_text_of_nothing(void **state)
{
	json_t *number = json_integer(7);
	char *text;

	(void)state;
	assert_null(json_text(NULL, 0));
	/* As json_dumps() has it. */
	assert_null(json_text(number, 0));
	text = json_text(number, JSON_ENCODE_ANY);
	assert_string_equal(text, "7");
	free(text);
	json_decref(number);
}

static void test_half_a_text_is_none(void **state)
{
	json_t *list = json_array();
	unsigned int n = 0;
	char *text;

	(void)state;
	for (int i = 0; i < 2000; i++)
		json_array_append_new(list, json_integer(i));
	do {
		failing_malloc_arm(n++);
		text = json_text(list, JSON_COMPACT);
		if (!failing_malloc_disarm())
			break;
		assert_null(text);
	} while (n < 100);
	assert_non_null(text);
	/* 1, 2, 4, 8 and 16 KiB. */
	assert_int_equal(n, 6);
	free(text);
	json_decref(list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_real_number_is_as_short_as_it_can_be),
		cmocka_unit_test(test_what_is_read_again_is_the_same),
		cmocka_unit_test(test_only_real_numbers_are_shortened),
		cmocka_unit_test(test_a_long_text_is_whole),
		cmocka_unit_test(test_there_is_no_text_of_nothing),
		cmocka_unit_test(test_half_a_text_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

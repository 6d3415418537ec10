#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "broker/base/dialects.h"

static void test_an_identifier_has_plain_letters_only(void **state)
{
	static const struct {
		const char *text;
		const char *id;
	} table[] = {
		{ "", "" },
		{ "living-room", "living-room" },
		{ "Pi4", "Pi4" },
		{ "a_b", "a_5fb" },
		{ "a.b", "a_2eb" },
		{ "a b", "a_20b" },
		{ "\xc3\xbc", "_c3_bc" },
	};
	char out[DIALECT_ID_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		assert_string_equal(dialect_id(out, table[i].text),
				    table[i].id);
}

static void test_homie_has_no_upper_case(void **state)
{
	char out[DIALECT_ID_SIZE];

	(void)state;
	assert_string_equal(dialect_homie_id(out, "pump-2"), "pump-2");
	assert_string_equal(dialect_homie_id(out, "Pi_4"), "-50i-5f4");
}

/* Other names have other addresses, a name the same one for ever: what Home Assistant
 * knows of a board hangs on it. */
static void test_an_address_is_nobodys_and_stays(void **state)
{
	char a[DIALECT_MAC_SIZE];
	char b[DIALECT_MAC_SIZE];

	(void)state;
	assert_string_equal(dialect_tasmota_mac(a, "pi"), "0207B57D800D");
	assert_string_equal(dialect_tasmota_mac(a, ""), "02E484E9D1B9");
	assert_string_not_equal(dialect_tasmota_mac(a, "pi1"),
				dialect_tasmota_mac(b, "pi2"));
}

/* The longest host name has room, whatever it is made of; more is cut. */
static void test_an_identifier_has_an_end(void **state)
{
	char out[DIALECT_ID_SIZE];
	char text[200];

	(void)state;
	memset(text, '.', sizeof(text));
	text[64] = '\0';
	assert_int_equal(strlen(dialect_id(out, text)), DIALECT_ID_SIZE - 1);
	text[64] = '.';
	text[199] = '\0';
	assert_int_equal(strlen(dialect_id(out, text)), DIALECT_ID_SIZE - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_identifier_has_plain_letters_only),
		cmocka_unit_test(test_homie_has_no_upper_case),
		cmocka_unit_test(test_an_address_is_nobodys_and_stays),
		cmocka_unit_test(test_an_identifier_has_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

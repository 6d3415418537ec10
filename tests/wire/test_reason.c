#include "broker/wire/reason.h"

#include "tests/wire/bytes.h"

static void test_reasons_have_the_specifications_names(void **state)
{
	(void)state;
	assert_string_equal(reason_name(MQTT_SUCCESS), "Success");
	assert_string_equal(reason_name(MQTT_MALFORMED_PACKET),
			    "Malformed Packet");
	assert_string_equal(
		reason_name(MQTT_WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED),
		"Wildcard Subscriptions not supported");
	assert_string_equal(reason_name((enum mqtt_reason)0x03),
			    "unknown reason");
	assert_string_equal(reason_name((enum mqtt_reason)0xff),
			    "unknown reason");
}

/* Table 2-6 has 43 codes, and no two of the same name. */
static void test_every_reason_has_a_name_of_its_own(void **state)
{
	const char *seen[256];
	size_t count = 0, i;
	unsigned int code;

	(void)state;
	for (code = 0; code < 256; code++) {
		const char *name = reason_name((enum mqtt_reason)code);

		if (strcmp(name, "unknown reason") == 0)
			continue;
		for (i = 0; i < count; i++)
			assert_string_not_equal(name, seen[i]);
		seen[count++] = name;
	}
	assert_int_equal(count, 43);
}

/* 3.1.1, table 3.1. A refusal must never read as "accepted". */
static void test_old_clients_get_the_nearest_return_code(void **state)
{
	unsigned int code;

	(void)state;
	assert_int_equal(reason_to_connack3(MQTT_SUCCESS), 0);
	assert_int_equal(reason_to_connack3(MQTT_UNSUPPORTED_PROTOCOL_VERSION),
			 1);
	assert_int_equal(reason_to_connack3(MQTT_CLIENT_IDENTIFIER_NOT_VALID),
			 2);
	assert_int_equal(reason_to_connack3(MQTT_SERVER_UNAVAILABLE), 3);
	assert_int_equal(reason_to_connack3(MQTT_SERVER_BUSY), 3);
	assert_int_equal(reason_to_connack3(MQTT_QUOTA_EXCEEDED), 3);
	assert_int_equal(reason_to_connack3(MQTT_BAD_USER_NAME_OR_PASSWORD), 4);
	assert_int_equal(reason_to_connack3(MQTT_NOT_AUTHORIZED), 5);
	assert_int_equal(reason_to_connack3(MQTT_BANNED), 5);
	for (code = 0x80; code < 0x100; code++)
		assert_in_range(reason_to_connack3((enum mqtt_reason)code), 1,
				5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reasons_have_the_specifications_names),
		cmocka_unit_test(test_every_reason_has_a_name_of_its_own),
		cmocka_unit_test(test_old_clients_get_the_nearest_return_code),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Bans over REST, on a whole hub. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/web/rest.h"

static int64_t only(void **state, json_t **out)
{
	json_t *list = call(state, 200, "GET", "/api/v1/bans", NULL);

	assert_int_equal(length(list, "bans"), 1);
	*out = list;
	return number(item(list, "bans", 0), "id");
}

static void test_a_ban_is_made_listed_and_lifted(void **state)
{
	char path[64];
	json_t *json;
	int64_t id;

	json = call(state, 201, "POST", "/api/v1/bans",
		    "{\"kind\":\"address\",\"what\":\"192.0.2.7/24\","
		    "\"reason\":\"noise\",\"seconds\":3600}");
	id = number(json, "id");
	assert_string_equal(text(json, "what"), "192.0.2.0/24");
	assert_true(number(json, "until") ==
		    number(json, "created") + 3600 * 1000);
	json_decref(json);
	/* Again: the same ban, now for good. */
	json = call(state, 201, "POST", "/api/v1/bans",
		    "{\"kind\":\"address\",\"what\":\"192.0.2.9/24\"}");
	assert_int_equal(number(json, "id"), id);
	json_decref(json);
	assert_int_equal(only(state, &json), id);
	assert_string_equal(text(item(json, "bans", 0), "kind"), "address");
	assert_string_equal(text(item(json, "bans", 0), "by"), HUB_ADMIN);
	assert_string_equal(text(item(json, "bans", 0), "reason"), "");
	assert_true(
		json_is_null(json_object_get(item(json, "bans", 0), "until")));
	assert_true(json_is_false(
		json_object_get(item(json, "bans", 0), "automatic")));
	json_decref(json);
	snprintf(path, sizeof(path), "/api/v1/bans/%lld", (long long)id);
	expect(state, 204, "DELETE", path, NULL);
	expect(state, 404, "DELETE", path, NULL);
	json = call(state, 200, "GET", "/api/v1/bans", NULL);
	assert_int_equal(length(json, "bans"), 0);
	json_decref(json);
}

static void test_malformed_bans_are_refused(void **state)
{
	static const char *const bodies[] = {
		"{}",
		"{\"kind\":\"user\"}",
		"{\"kind\":\"user\",\"what\":\"\"}",
		"{\"kind\":\"house\",\"what\":\"x\"}",
		"{\"kind\":\"address\",\"what\":\"kitchen\"}",
		"{\"kind\":\"address\",\"what\":\"192.0.2.0/33\"}",
		"{\"kind\":\"user\",\"what\":\"x\",\"seconds\":0}",
		"{\"kind\":\"user\",\"what\":\"x\",\"more\":1}",
	};

	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
		expect(state, 422, "POST", "/api/v1/bans", bodies[i]);
	expect(state, 404, "DELETE", "/api/v1/bans/0", NULL);
	expect(state, 404, "DELETE", "/api/v1/bans/x", NULL);
	expect(state, 404, "DELETE", "/api/v1/bans/2147483648", NULL);
	expect(state, 404, "DELETE", "/api/v1/bans/99999999999", NULL);
}

/* What was done, by whom, from where; what was refused is none. */
static void test_changes_are_kept(void **state)
{
	const json_t *newest;
	json_t *json;

	expect(state, 201, "POST", "/api/v1/bans",
	       "{\"kind\":\"user\",\"what\":\"bob\",\"reason\":\"noise\"}");
	expect(state, 422, "POST", "/api/v1/bans", "{}");
	expect(state, 201, "PUT", "/api/v1/users/ben",
	       "{\"password\":\"long enough\"}");
	json = call(state, 200, "GET", "/api/v1/audit", NULL);
	assert_int_equal(length(json, "changes"), 2);
	newest = item(json, "changes", 0);
	assert_string_equal(text(newest, "what"), "user ben made");
	assert_string_equal(text(newest, "user"), HUB_ADMIN);
	assert_memory_equal(text(newest, "address"), "127.0.0.1:", 10);
	assert_string_equal(text(item(json, "changes", 1), "what"),
			    "user bob banned (1): noise");
	json_decref(json);
	json = call(state, 200, "GET", "/api/v1/audit?limit=1", NULL);
	assert_int_equal(length(json, "changes"), 1);
	json_decref(json);
	expect(state, 400, "GET", "/api/v1/audit?limit=0", NULL);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, rest_setup, rest_teardown)
	const struct CMUnitTest tests[] = {
		T(test_a_ban_is_made_listed_and_lifted),
		T(test_malformed_bans_are_refused),
		T(test_changes_are_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

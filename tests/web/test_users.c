/* Users and rules over REST, on a whole hub. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/web/rest.h"

static void test_users(void **state)
{
	struct rig *rig = *state;
	struct answer answer;
	char etag[64], headers[640];
	json_t *json;

	json = call(state, 201, "PUT", "/api/v1/users/ben",
		    "{\"password\":\"long enough\"}");
	assert_string_equal(text(json, "kind"), "person");
	assert_null(json_object_get(json, "password"));
	snprintf(etag, sizeof(etag), "%s", text(json, "etag"));
	json_decref(json);
	hub_login(rig->hub, "ben", "long enough");
	/* Changed since it was read. */
	expect(state, 200, "PUT", "/api/v1/users/ben", "{\"admin\":true}");
	snprintf(headers, sizeof(headers), "%sIf-Match: %s\r\n",
		 rig->admin.headers, etag);
	answer = hub_request(rig->hub, "PUT", "/api/v1/users/ben", headers,
			     "{\"admin\":false}");
	assert_int_equal(answer.status, 412);
	answer_free(&answer);
	json = call(state, 200, "GET", "/api/v1/users", NULL);
	assert_int_equal(length(json, "users"), 2);
	assert_string_equal(text(item(json, "users", 1), "name"), "ben");
	assert_true(
		json_is_true(json_object_get(item(json, "users", 1), "admin")));
	json_decref(json);
	expect(state, 204, "DELETE", "/api/v1/users/ben", NULL);
	expect(state, 404, "DELETE", "/api/v1/users/ben", NULL);
	expect(state, 422, "PUT", "/api/v1/users/carl", "{}");
	expect(state, 422, "PUT", "/api/v1/users/carl",
	       "{\"password\":\"short\"}");
	expect(state, 422, "PUT", "/api/v1/users/a%2Fb",
	       "{\"password\":\"long enough\"}");
	expect(state, 422, "PUT", "/api/v1/users/gpio",
	       "{\"password\":\"long enough\"}");
}

static void test_a_device_is_told_its_password_once(void **state)
{
	struct rig *rig = *state;
	char password[64];
	json_t *json;

	json = call(state, 201, "PUT", "/api/v1/users/lamp",
		    "{\"kind\":\"device\"}");
	snprintf(password, sizeof(password), "%s", text(json, "password"));
	assert_int_equal(strlen(password), PASSWORD_TOKEN_SIZE - 1);
	/* Nothing of it is told but that it can be proven. */
	assert_true(json_is_true(json_object_get(json, "scram")));
	json_decref(json);
	hub_login(rig->hub, "lamp", password);
	json = call(state, 200, "PUT", "/api/v1/users/lamp",
		    "{\"enabled\":true}");
	assert_null(json_object_get(json, "password"));
	assert_true(json_is_true(json_object_get(json, "scram")));
	json_decref(json);
	json = call(state, 200, "PUT", "/api/v1/users/lamp",
		    "{\"password\":\"chosen by hand\"}");
	assert_true(json_is_false(json_object_get(json, "scram")));
	json_decref(json);
}

static void test_the_last_administrator_stays(void **state)
{
	expect(state, 409, "DELETE", "/api/v1/users/" HUB_ADMIN, NULL);
	expect(state, 409, "PUT", "/api/v1/users/" HUB_ADMIN,
	       "{\"admin\":false}");
	expect(state, 409, "PUT", "/api/v1/users/" HUB_ADMIN,
	       "{\"enabled\":false}");
}

static void test_a_disabled_user_is_out_at_once(void **state)
{
	struct rig *rig = *state;
	struct login ben;

	expect(state, 201, "PUT", "/api/v1/users/ben",
	       "{\"password\":\"long enough\"}");
	ben = hub_login(rig->hub, "ben", "long enough");
	json_decref(hub_expect(rig->hub, 200, "GET", "/api/v1/status",
			       ben.headers, NULL));
	expect(state, 200, "PUT", "/api/v1/users/ben", "{\"enabled\":false}");
	json_decref(hub_expect(rig->hub, 401, "GET", "/api/v1/status",
			       ben.headers, NULL));
	json_decref(hub_expect(rig->hub, 401, "POST", "/api/v1/login", NULL,
			       "{\"user\":\"ben\","
			       "\"password\":\"long enough\"}"));
}

static void test_rules_hold_for_rest(void **state)
{
	struct rig *rig = *state;
	struct login ben;
	char path[64];
	json_t *json;

	expect(state, 201, "PUT", "/api/v1/users/ben",
	       "{\"password\":\"long enough\"}");
	ben = hub_login(rig->hub, "ben", "long enough");
	json = hub_expect(rig->hub, 403, "POST", "/api/v1/publish", ben.headers,
			  "{\"topic\":\"attic/x\",\"payload\":\"1\"}");
	assert_string_equal(text(json, "type"), "/problems/not-authorized");
	json_decref(json);
	json = call(state, 201, "POST", "/api/v1/acl",
		    "{\"user\":\"ben\",\"filter\":\"attic/#\","
		    "\"action\":\"write\",\"effect\":\"allow\"}");
	snprintf(path, sizeof(path), "/api/v1/acl/%lld",
		 (long long)number(json, "id"));
	json_decref(json);
	json_decref(hub_expect(rig->hub, 200, "POST", "/api/v1/publish",
			       ben.headers,
			       "{\"topic\":\"attic/x\",\"payload\":\"1\","
			       "\"retain\":true,\"qos\":1}"));
	/* Writing is not reading. */
	json_decref(hub_expect(rig->hub, 403, "GET",
			       "/api/v1/topics/value?topic=attic/x",
			       ben.headers, NULL));
	json_decref(hub_expect(rig->hub, 403, "GET",
			       "/api/v1/history?topic=attic/x", ben.headers,
			       NULL));
	json = hub_expect(rig->hub, 200, "GET",
			  "/api/v1/topics?filter=attic/%23", ben.headers, NULL);
	assert_int_equal(length(json, "topics"), 0);
	json_decref(json);
	expect(state, 204, "DELETE", path, NULL);
	json_decref(hub_expect(rig->hub, 403, "POST", "/api/v1/publish",
			       ben.headers,
			       "{\"topic\":\"attic/x\",\"payload\":\"1\"}"));
	expect(state, 404, "DELETE", path, NULL);
}

static void test_only_administrators_manage(void **state)
{
	static const struct {
		const char *method;
		const char *path;
		const char *body;
	} calls[] = {
		{ "GET", "/api/v1/users", NULL },
		{ "GET", "/api/v1/clients", NULL },
		{ "GET", "/api/v1/acl", NULL },
		{ "PUT", "/api/v1/users/ben", "{\"admin\":true}" },
		{ "DELETE", "/api/v1/users/anna", NULL },
		{ "DELETE", "/api/v1/clients/x", NULL },
		{ "PUT", "/api/v1/pins/x", "{\"dir\":\"out\",\"line\":1}" },
		{ "POST", "/api/v1/sim/lines/1", "{\"level\":1}" },
		{ "POST", "/api/v1/acl/test", "{}" },
		{ "GET", "/api/v1/notices", NULL },
		{ "GET", "/api/v1/audit", NULL },
		{ "POST", "/api/v1/reload", NULL },
		{ "GET", "/api/v1/trace", NULL },
		{ "POST", "/api/v1/trace", "{}" },
		{ "DELETE", "/api/v1/trace", NULL },
		{ "GET", "/api/v1/bans", NULL },
		{ "POST", "/api/v1/bans", "{}" },
		{ "DELETE", "/api/v1/bans/1", NULL },
	};
	struct rig *rig = *state;
	struct login ben;
	json_t *json;

	expect(state, 201, "PUT", "/api/v1/users/ben",
	       "{\"password\":\"long enough\"}");
	ben = hub_login(rig->hub, "ben", "long enough");
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		json = hub_expect(rig->hub, 403, calls[i].method, calls[i].path,
				  ben.headers, calls[i].body);
		assert_string_equal(text(json, "type"), "/problems/not-admin");
		json_decref(json);
	}
}

static void test_rules_can_be_asked(void **state)
{
	json_t *json;
	int64_t id;

	expect(state, 201, "PUT", "/api/v1/users/ben",
	       "{\"password\":\"long enough\"}");
	json = call(state, 201, "POST", "/api/v1/acl",
		    "{\"user\":\"ben\",\"filter\":\"%u/#\","
		    "\"action\":\"read\",\"effect\":\"allow\"}");
	id = number(json, "id");
	json_decref(json);
	json = call(state, 200, "POST", "/api/v1/acl/test",
		    "{\"user\":\"ben\",\"action\":\"read\","
		    "\"topic\":\"ben/x\"}");
	assert_true(json_is_true(json_object_get(json, "allowed")));
	assert_int_equal(number(json, "rule"), id);
	json_decref(json);
	json = call(state, 200, "POST", "/api/v1/acl/test",
		    "{\"user\":\"ben\",\"action\":\"write\","
		    "\"topic\":\"ben/x\"}");
	assert_false(json_is_true(json_object_get(json, "allowed")));
	assert_true(json_is_null(json_object_get(json, "rule")));
	json_decref(json);
	json = call(state, 200, "POST", "/api/v1/acl/test",
		    "{\"user\":\"nobody\",\"action\":\"read\","
		    "\"topic\":\"ben/x\"}");
	assert_false(json_is_true(json_object_get(json, "allowed")));
	json_decref(json);
	expect(state, 422, "POST", "/api/v1/acl/test",
	       "{\"user\":\"ben\",\"action\":\"readwrite\","
	       "\"topic\":\"x\"}");
	expect(state, 422, "POST", "/api/v1/acl",
	       "{\"user\":\"ben\",\"filter\":\"a#\",\"action\":\"read\"}");
	expect(state, 404, "POST", "/api/v1/acl",
	       "{\"user\":\"nobody\",\"filter\":\"a\",\"action\":\"read\"}");
	expect(state, 409, "POST", "/api/v1/acl",
	       "{\"user\":\"ben\",\"filter\":\"%u/#\","
	       "\"action\":\"read\",\"effect\":\"allow\"}");
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, rest_setup, rest_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_users),
		TEST(test_a_device_is_told_its_password_once),
		TEST(test_the_last_administrator_stays),
		TEST(test_a_disabled_user_is_out_at_once),
		TEST(test_rules_hold_for_rest),
		TEST(test_only_administrators_manage),
		TEST(test_rules_can_be_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

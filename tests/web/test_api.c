/* Status, messages and clients over REST, on a whole hub. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "broker/local_client.h"
#include "tests/web/rest.h"

static void test_status(void **state)
{
	json_t *json = call(state, 200, "GET", "/api/v1/status", NULL);

	assert_string_equal(text(json, "node"), HUB_NODE);
	assert_string_equal(text(json, "version"), HEARTH_VERSION);
	assert_true(number(json, "rss_bytes") > 1000000);
	assert_string_equal(text(json_object_get(json, "store"), "state"),
			    "none");
	assert_true(json_is_null(
		json_object_get(json_object_get(json, "gpio"), "backend")));
	json_decref(json);
}

static void test_health_and_document_need_no_login(void **state)
{
	struct rig *rig = *state;
	struct answer answer;
	json_t *json;

	answer = hub_request(rig->hub, "GET", "/healthz", NULL, NULL);
	assert_int_equal(answer.status, 200);
	assert_string_equal(answer.body, "ok\n");
	answer_free(&answer);
	json = hub_expect(rig->hub, 200, "GET", "/api/v1/openapi.json", NULL,
			  NULL);
	assert_string_equal(text(json, "openapi"), "3.1.0");
	json_decref(json);
}

static void test_every_answer_has_the_security_headers(void **state)
{
	static const char *const paths[] = { "/", "/api/v1/session",
					     "/api/v1/status", "/nothing" };
	static const char *const names[] = {
		"Content-Security-Policy", "X-Content-Type-Options",
		"Referrer-Policy",	   "Cross-Origin-Opener-Policy",
		"Permissions-Policy",
	};
	struct rig *rig = *state;
	struct answer answer;

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		answer = hub_request(rig->hub, "GET", paths[i], NULL, NULL);
		for (size_t j = 0; j < sizeof(names) / sizeof(names[0]); j++)
			if (!answer_header(&answer, names[j]))
				fail_msg("%s without %s", paths[i], names[j]);
		assert_null(
			answer_header(&answer, "Access-Control-Allow-Origin"));
		answer_free(&answer);
	}
}

static void test_a_value_comes_back(void **state)
{
	json_t *json;

	expect(state, 200, "POST", "/api/v1/publish",
	       "{\"topic\":\"home/\xc3\xa4/t\",\"payload\":\"21.5\","
	       "\"qos\":1,\"retain\":true}");
	json = call(state, 200, "GET",
		    "/api/v1/topics/value?topic=home/%C3%A4/t", NULL);
	assert_string_equal(text(json, "payload"), "21.5");
	assert_string_equal(text(json, "topic"), "home/\xc3\xa4/t");
	assert_string_equal(text(json, "user"), HUB_ADMIN);
	assert_int_equal(number(json, "qos"), 1);
	assert_true(number(json, "time") > 1500000000000);
	json_decref(json);
	expect(state, 404, "GET", "/api/v1/topics/value?topic=home/x", NULL);
	expect(state, 400, "GET", "/api/v1/topics/value?topic=home/%23", NULL);
	expect(state, 400, "GET", "/api/v1/topics/value", NULL);
}

static void test_bytes_come_back_in_base64(void **state)
{
	json_t *json;

	expect(state, 200, "POST", "/api/v1/publish",
	       "{\"topic\":\"b\",\"payload_base64\":\"AP+A\","
	       "\"retain\":true}");
	json = call(state, 200, "GET", "/api/v1/topics/value?topic=b", NULL);
	assert_string_equal(text(json, "payload_base64"), "AP+A");
	assert_null(json_object_get(json, "payload"));
	json_decref(json);
}

static void test_bad_publishes_are_refused(void **state)
{
	static const struct {
		const char *body;
		int status;
	} bad[] = {
		{ "{\"topic\":\"a\"}", 422 },
		{ "{\"payload\":\"a\"}", 422 },
		{ "{\"topic\":\"a/#\",\"payload\":\"a\"}", 422 },
		{ "{\"topic\":\"\",\"payload\":\"a\"}", 422 },
		{ "{\"topic\":1,\"payload\":\"a\"}", 422 },
		{ "{\"topic\":\"a\",\"payload\":1}", 422 },
		{ "{\"topic\":\"a\",\"payload\":\"a\",\"qos\":3}", 422 },
		{ "{\"topic\":\"a\",\"payload\":\"a\",\"qos\":1.5}", 422 },
		{ "{\"topic\":\"a\",\"payload\":\"a\",\"retain\":1}", 422 },
		{ "{\"topic\":\"a\",\"payload\":\"a\",\"extra\":1}", 422 },
		{ "{\"topic\":\"a\",\"payload_base64\":\"%\"}", 422 },
		{ "{\"topic\":\"a\",\"payload\":\"a\","
		  "\"payload_base64\":\"YQ==\"}",
		  422 },
		{ "{\"topic\":\"a\",\"topic\":\"b\",\"payload\":\"a\"}", 400 },
		{ "{\"topic\":\"a\",\"payload\":\"a\"} x", 400 },
		{ "{\"topic\":\"a\\u0000b\",\"payload\":\"a\"}", 400 },
		{ "{\"topic\":\"\xff\",\"payload\":\"a\"}", 400 },
		{ "[]", 400 },
		{ "", 415 },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		expect(state, bad[i].status, "POST", "/api/v1/publish",
		       bad[i].body[0] ? bad[i].body : NULL);
}

static void test_topics_come_in_pages(void **state)
{
	char body[128], path[128];
	json_t *json;

	for (int i = 0; i < 5; i++) {
		snprintf(body, sizeof(body),
			 "{\"topic\":\"p/%d\",\"payload\":\"%d\","
			 "\"retain\":true,\"qos\":1}",
			 i, i);
		expect(state, 200, "POST", "/api/v1/publish", body);
	}
	json = call(state, 200, "GET", "/api/v1/topics?filter=p/%2B&limit=2",
		    NULL);
	assert_int_equal(length(json, "topics"), 2);
	assert_string_equal(text(item(json, "topics", 1), "topic"), "p/1");
	snprintf(path, sizeof(path), "/api/v1/topics?filter=p/%%2B&after=%s",
		 text(json, "next"));
	json_decref(json);
	json = call(state, 200, "GET", path, NULL);
	assert_int_equal(length(json, "topics"), 3);
	assert_string_equal(text(item(json, "topics", 0), "topic"), "p/2");
	assert_true(json_is_null(json_object_get(json, "next")));
	json_decref(json);
	expect(state, 400, "GET", "/api/v1/topics?limit=0", NULL);
	expect(state, 400, "GET", "/api/v1/topics?limit=x", NULL);
	expect(state, 400, "GET", "/api/v1/topics?filter=a%23", NULL);
}

static void test_clients(void **state)
{
	const struct local_client_options options = {
		.client_id = "odd/id ?",
		.address = "test",
		.mailbox = 16,
	};
	struct rig *rig = *state;
	struct local_client *client;
	const json_t *found = NULL;
	json_t *json;

	client = local_client_new(rig->hub->broker, &options);
	assert_non_null(client);
	assert_int_equal(local_client_subscribe(client, slice_str("a/+"), 1, 1),
			 0);
	/* After the subscribe, which the broker handles in order. */
	json = call(state, 200, "GET",
		    "/api/v1/clients/odd%2Fid%20%3F/subscriptions", NULL);
	assert_int_equal(length(json, "subscriptions"), 1);
	assert_string_equal(text(item(json, "subscriptions", 0), "filter"),
			    "a/+");
	json_decref(json);
	json = call(state, 200, "GET", "/api/v1/clients", NULL);
	for (size_t i = 0; i < length(json, "clients"); i++)
		if (strcmp(text(item(json, "clients", i), "id"),
			   options.client_id) == 0)
			found = item(json, "clients", i);
	assert_non_null(found);
	assert_string_equal(text(found, "transport"), "local");
	assert_int_equal(number(found, "subscriptions"), 1);
	assert_int_equal(number(found, "queued_bytes"), 0);
	assert_int_equal(number(found, "refused"), 0);
	assert_true(json_is_null(json_object_get(found, "oldest")));
	json_decref(json);
	json = call(state, 200, "GET", "/api/v1/clients?which=ghosts", NULL);
	assert_int_equal(length(json, "clients"), 0);
	json_decref(json);
	json = call(state, 200, "GET", "/api/v1/clients?which=slow", NULL);
	assert_int_equal(length(json, "clients"), 0);
	json_decref(json);
	expect(state, 400, "GET", "/api/v1/clients?which=dead", NULL);
	/* Those inside the hub are not to be put out. */
	expect(state, 404, "DELETE", "/api/v1/clients/odd%2Fid%20%3F", NULL);
	expect(state, 404, "DELETE", "/api/v1/clients/nobody", NULL);
	expect(state, 404, "GET", "/api/v1/clients/nobody/subscriptions", NULL);
	local_client_free(client);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, rest_setup, rest_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_status),
		TEST(test_health_and_document_need_no_login),
		TEST(test_every_answer_has_the_security_headers),
		TEST(test_a_value_comes_back),
		TEST(test_bytes_come_back_in_base64),
		TEST(test_bad_publishes_are_refused),
		TEST(test_topics_come_in_pages),
		TEST(test_clients),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

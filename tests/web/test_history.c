/* The history over REST, on a whole hub with its store. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/web/rest.h"

static void publish(void **state, const char *topic, const char *payload)
{
	char body[256];

	snprintf(body, sizeof(body), "{\"topic\":\"%s\",\"%s\",\"qos\":1}",
		 topic, payload);
	expect(state, 200, "POST", "/api/v1/publish", body);
}

/* The answer once it holds so many samples: they are written a little later. */
static json_t *wait_samples(void **state, const char *path, size_t count)
{
	for (int i = 0; i < 6000; i++) {
		json_t *json = call(state, 200, "GET", path, NULL);

		if (length(json, "samples") >= count)
			return json;
		json_decref(json);
		usleep(5000);
	}
	fail_msg("the history does not hold %zu samples", count);
	return NULL;
}

static double value_at(const json_t *json, size_t i)
{
	return json_number_value(
		json_object_get(item(json, "samples", i), "value"));
}

static void test_samples_come_oldest_first_with_their_values(void **state)
{
	json_t *json;

	publish(state, "h/t", "payload\":\"21.5");
	publish(state, "h/t", "payload\":\"ON");
	publish(state, "h/t", "payload\":\"what");
	publish(state, "h/t", "payload_base64\":\"AP8=");
	json = wait_samples(state, "/api/v1/history?topic=h/t", 4);
	assert_string_equal(text(json, "topic"), "h/t");
	assert_true(value_at(json, 0) > 21.4 && value_at(json, 0) < 21.6);
	assert_string_equal(text(item(json, "samples", 0), "payload"), "21.5");
	assert_string_equal(text(item(json, "samples", 0), "user"), HUB_ADMIN);
	assert_true(value_at(json, 1) > 0.9 && value_at(json, 1) < 1.1);
	assert_true(json_is_null(
		json_object_get(item(json, "samples", 2), "value")));
	assert_string_equal(text(item(json, "samples", 3), "payload_base64"),
			    "AP8=");
	assert_true(json_is_null(json_object_get(json, "next")));
	json_decref(json);
}

static void test_pages_follow_each_other(void **state)
{
	char payload[32], path[128];
	json_t *json;

	for (int i = 0; i < 5; i++) {
		snprintf(payload, sizeof(payload), "payload\":\"%d", i);
		publish(state, "h/n", payload);
	}
	json_decref(wait_samples(state, "/api/v1/history?topic=h/n", 5));
	snprintf(path, sizeof(path), "/api/v1/history?topic=h/n&limit=2");
	for (int i = 0; i < 5; i += 2) {
		json = call(state, 200, "GET", path, NULL);
		assert_int_equal(length(json, "samples"), i < 4 ? 2 : 1);
		assert_int_equal((int)value_at(json, 0), i);
		assert_int_equal(json_is_null(json_object_get(json, "next")),
				 i == 4);
		snprintf(path, sizeof(path),
			 "/api/v1/history?topic=h/n&limit=2&after=%s",
			 text(json, "next"));
		json_decref(json);
	}
}

static void test_a_span_is_cut_out(void **state)
{
	char path[128];
	json_t *json;
	int64_t time;

	publish(state, "h/s", "payload\":\"1");
	json = wait_samples(state, "/api/v1/history?topic=h/s", 1);
	time = number(item(json, "samples", 0), "t");
	json_decref(json);
	snprintf(path, sizeof(path), "/api/v1/history?topic=h/s&from=%lld",
		 (long long)time + 1);
	json = call(state, 200, "GET", path, NULL);
	assert_int_equal(length(json, "samples"), 0);
	json_decref(json);
	snprintf(path, sizeof(path),
		 "/api/v1/history?topic=h/s&from=%lld&to=%lld", (long long)time,
		 (long long)time);
	json = call(state, 200, "GET", path, NULL);
	assert_int_equal(length(json, "samples"), 1);
	json_decref(json);
	/* Without from, the day before to. */
	snprintf(path, sizeof(path), "/api/v1/history?topic=h/s&to=%lld",
		 (long long)time + 1000);
	json = call(state, 200, "GET", path, NULL);
	assert_int_equal(length(json, "samples"), 1);
	json_decref(json);
}

static void test_topics_are_those_one_may_read(void **state)
{
	struct rig *rig = *state;
	struct login ben;
	json_t *json;

	expect(state, 201, "PUT", "/api/v1/users/ben",
	       "{\"password\":\"long enough\"}");
	ben = hub_login(rig->hub, "ben", "long enough");
	publish(state, "hearth/x/in/door", "payload\":\"ON");
	publish(state, "attic/x", "payload\":\"ON");
	json_decref(wait_samples(state,
				 "/api/v1/history?topic=hearth/x/in/door", 1));
	json_decref(wait_samples(state, "/api/v1/history?topic=attic/x", 1));
	json = call(state, 200, "GET", "/api/v1/history/topics", NULL);
	assert_int_equal(length(json, "topics"), 2);
	assert_int_equal(number(item(json, "topics", 0), "samples"), 1);
	json_decref(json);
	json = hub_expect(rig->hub, 200, "GET", "/api/v1/history/topics",
			  ben.headers, NULL);
	assert_int_equal(length(json, "topics"), 1);
	assert_string_equal(text(item(json, "topics", 0), "topic"),
			    "hearth/x/in/door");
	json_decref(json);
}

/* ---- policies ------------------------------------------------------------ */

#define POLICIES "/api/v1/history/policies"

static void test_a_policy_holds_from_then_on(void **state)
{
	json_t *json;

	expect(state, 200, "PUT", POLICIES "/h%2Foff", "{\"keep\":false}");
	publish(state, "h/off", "payload\":\"1");
	publish(state, "h/on", "payload\":\"1");
	json_decref(wait_samples(state, "/api/v1/history?topic=h/on", 1));
	json = call(state, 200, "GET", "/api/v1/history?topic=h/off", NULL);
	assert_int_equal(length(json, "samples"), 0);
	json_decref(json);

	expect(state, 204, "DELETE", POLICIES "/h%2Foff", NULL);
	expect(state, 404, "DELETE", POLICIES "/h%2Foff", NULL);
	publish(state, "h/off", "payload\":\"2");
	json = wait_samples(state, "/api/v1/history?topic=h/off", 1);
	assert_string_equal(text(item(json, "samples", 0), "payload"), "2");
	assert_true(strlen(text(item(json, "samples", 0), "address")) > 0);
	json_decref(json);
}

static void test_policies_are_listed_as_they_were_put(void **state)
{
	const json_t *policy;
	json_t *json;

	json = call(state, 200, "PUT", POLICIES "/a%2F%23",
		    "{\"on_change\":true,\"averages\":false,\"days\":7,"
		    "\"min_interval_ms\":500,\"rows\":9}");
	assert_string_equal(text(json, "filter"), "a/#");
	assert_true(json_is_true(json_object_get(json, "keep")));
	json_decref(json);
	json = call(state, 200, "GET", POLICIES, NULL);
	assert_int_equal(length(json, "policies"), 2);
	policy = item(json, "policies", 1);
	assert_string_equal(text(policy, "filter"), "a/#");
	assert_true(json_is_true(json_object_get(policy, "on_change")));
	assert_true(json_is_false(json_object_get(policy, "averages")));
	assert_int_equal(number(policy, "days"), 7);
	assert_int_equal(number(policy, "min_interval_ms"), 500);
	assert_int_equal(number(policy, "rows"), 9);
	json_decref(json);

	expect(state, 422, "PUT", POLICIES "/a%2F%23%2Fb", "{}");
	expect(state, 422, "PUT", POLICIES "/a", "{\"days\":-1}");
	expect(state, 422, "PUT", POLICIES "/a", "{\"what\":1}");
	json = call(state, 200, "GET", POLICIES, NULL);
	assert_int_equal(length(json, "policies"), 2);
	json_decref(json);
}

static void test_limits_are_set_and_the_budget_is_shown(void **state)
{
	json_t *json;

	publish(state, "h/t", "payload\":\"1");
	json_decref(wait_samples(state, "/api/v1/history?topic=h/t", 1));
	json = call(state, 200, "GET", "/api/v1/history/status", NULL);
	assert_int_equal(number(json, "days"), 30);
	assert_int_equal(number(json, "budget_mb"), 100);
	assert_false(json_is_true(json_object_get(json, "failing")));
	json_decref(json);
	json = call(state, 200, "PUT", "/api/v1/history/limits",
		    "{\"days\":5,\"budget_mb\":0}");
	assert_int_equal(number(json, "days"), 5);
	assert_int_equal(number(json, "budget_mb"), 0);
	json_decref(json);
	expect(state, 422, "PUT", "/api/v1/history/limits",
	       "{\"days\":0,\"budget_mb\":1}");
	expect(state, 422, "PUT", "/api/v1/history/limits", "{\"days\":1}");
}

/* ---- steps, filters, files ----------------------------------------------- */

static void test_numbers_come_in_steps(void **state)
{
	json_t *json, *steps;
	int64_t count = 0;

	publish(state, "h/t", "payload\":\"1");
	publish(state, "h/t", "payload\":\"4");
	publish(state, "h/t", "payload\":\"open");
	json_decref(wait_samples(state, "/api/v1/history?topic=h/t", 3));
	json = call(state, 200, "GET",
		    "/api/v1/history?topic=h/t&step=86400&from=0", NULL);
	steps = json_object_get(json, "steps");
	assert_int_equal(number(json, "step"), 86400);
	for (size_t i = 0; i < json_array_size(steps); i++)
		count += number(json_array_get(steps, i), "count");
	assert_true(json_is_null(json_object_get(json, "next")));
	json_decref(json);
	assert_int_equal(count, 2);
	expect(state, 400, "GET", "/api/v1/history?topic=h/t&step=0", NULL);
}

static void test_a_filter_goes_through_its_topics(void **state)
{
	static const char *const topics[] = { "f/a", "f/b", "f/c" };
	char path[160];
	size_t seen = 0;
	json_t *json;

	for (int i = 0; i < 9; i++)
		publish(state, topics[i % 3], "payload\":\"1");
	publish(state, "g", "payload\":\"1");
	json_decref(wait_samples(state, "/api/v1/history?filter=f/%23", 9));
	snprintf(path, sizeof(path), "/api/v1/history?filter=f/%%23&limit=2");
	for (;;) {
		const char *next;

		json = call(state, 200, "GET", path, NULL);
		for (size_t i = 0; i < length(json, "samples"); i++, seen++)
			assert_string_equal(
				text(item(json, "samples", i), "topic"),
				topics[seen / 3]);
		if (json_is_null(json_object_get(json, "next")))
			break;
		next = text(json, "next");
		snprintf(path, sizeof(path),
			 "/api/v1/history?filter=f/%%23&limit=2&after=%s",
			 next);
		json_decref(json);
	}
	json_decref(json);
	assert_int_equal(seen, 9);
	expect(state, 400, "GET", "/api/v1/history?filter=f/%23&after=x", NULL);
	expect(state, 400, "GET", "/api/v1/history?filter=a/%23/b", NULL);
}

static size_t lines_of(const char *body)
{
	size_t lines = 0;

	while ((body = strchr(body, '\n'))) {
		body++;
		lines++;
	}
	return lines;
}

static void test_a_file_has_all_of_it(void **state)
{
	struct rig *rig = *state;
	struct answer answer;
	char payload[48];

	for (int i = 0; i < 450; i++) {
		snprintf(payload, sizeof(payload), "payload\":\"%d", i);
		publish(state, i % 2 ? "e/1" : "e/2", payload);
	}
	publish(state, "e/3", "payload\":\"=a,\\\"b\\\"");
	json_decref(wait_samples(state, "/api/v1/history?filter=e/%23", 451));
	answer = hub_request(rig->hub, "GET",
			     "/api/v1/history/export?filter=e/%23",
			     rig->admin.headers, NULL);
	assert_int_equal(answer.status, 200);
	assert_int_equal(lines_of(answer.body), 452);
	assert_non_null(strstr(answer.body, "\"'=a,\"\"b\"\"\",,\"" HUB_ADMIN));
	answer_free(&answer);
	answer = hub_request(rig->hub, "GET",
			     "/api/v1/history/export?filter=e/1&format=ndjson",
			     rig->admin.headers, NULL);
	assert_int_equal(answer.status, 200);
	assert_int_equal(lines_of(answer.body), 225);
	answer_free(&answer);
	expect(state, 400, "GET", "/api/v1/history/export", NULL);
	expect(state, 400, "GET", "/api/v1/history/export?filter=e&format=xml",
	       NULL);
}

static void expect_part(void **state, const char *path, const char *part)
{
	struct rig *rig = *state;
	struct answer answer =
		hub_request(rig->hub, "GET", path, rig->admin.headers, NULL);

	assert_int_equal(answer.status, 200);
	assert_non_null(strstr(answer.body, part));
	answer_free(&answer);
}

/* Not as 0.20000000000000001. */
static void test_numbers_are_written_as_short_as_they_came(void **state)
{
	publish(state, "n/t", "payload\":\"0.2");
	json_decref(wait_samples(state, "/api/v1/history?topic=n/t", 1));
	expect_part(state, "/api/v1/history?topic=n/t", "\"value\":0.2,");
	expect_part(state, "/api/v1/history/export?filter=n/t",
		    ",\"0.2\",0.2,\"");
	expect_part(state, "/api/v1/history/export?filter=n/t&format=ndjson",
		    "\"value\":0.2,");
}

static void test_history_is_asked_in_bounds(void **state)
{
	json_t *json = call(state, 200, "GET", "/api/v1/history?topic=a", NULL);

	assert_int_equal(length(json, "samples"), 0);
	json_decref(json);
	json = call(state, 200, "GET", "/api/v1/history/topics", NULL);
	assert_int_equal(length(json, "topics"), 0);
	json_decref(json);
	expect(state, 400, "GET", "/api/v1/history", NULL);
	expect(state, 400, "GET", "/api/v1/history?topic=a&limit=10001", NULL);
	expect(state, 400, "GET", "/api/v1/history?topic=a&from=x", NULL);
	expect(state, 400, "GET", "/api/v1/history?topic=a/%2B", NULL);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, rest_setup_stored, rest_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_samples_come_oldest_first_with_their_values),
		TEST(test_pages_follow_each_other),
		TEST(test_a_span_is_cut_out),
		TEST(test_topics_are_those_one_may_read),
		TEST(test_history_is_asked_in_bounds),
		TEST(test_a_policy_holds_from_then_on),
		TEST(test_policies_are_listed_as_they_were_put),
		TEST(test_limits_are_set_and_the_budget_is_shown),
		TEST(test_numbers_come_in_steps),
		TEST(test_a_filter_goes_through_its_topics),
		TEST(test_a_file_has_all_of_it),
		TEST(test_numbers_are_written_as_short_as_they_came),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

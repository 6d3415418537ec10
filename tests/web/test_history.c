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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Pins over REST, with the test as hearth-gpiod, on a whole hub. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "broker/local_client.h"
#include "gpio/devices.h"
#include "tests/web/rest.h"

static struct local_event *wait_event(struct local_client *client,
				      enum local_event_type type)
{
	const struct timespec pause = { .tv_nsec = 2000000 };

	for (int i = 0; i < 15000; i++) {
		struct local_event *event = local_client_next(client);

		if (event && event->type == type)
			return event;
		local_event_free(event);
		if (!event)
			nanosleep(&pause, NULL);
	}
	fail_msg("the broker sent nothing");
	return NULL;
}

static json_t *wait_message(struct local_client *client)
{
	struct local_event *event = wait_event(client, LOCAL_CLIENT_MESSAGE);
	struct slice payload;
	json_t *json;

	/* wait_event() has failed already: a compiler may not see it. */
	if (!event)
		return NULL;
	payload = message_payload(event->message);
	json = json_loadb((const char *)payload.data, payload.len, 0, NULL);
	local_event_free(event);
	return json;
}

static struct local_client *node_start(struct rig *rig, const char *topic)
{
	const struct local_client_options options = {
		.client_id = "node",
		.address = "test",
		.mailbox = 64,
	};
	struct local_client *client;

	client = local_client_new(rig->hub->broker, &options);
	assert_non_null(client);
	assert_int_equal(local_client_subscribe(client, slice_str(topic), 1, 1),
			 0);
	return client;
}

static void node_report(struct local_client *client, int64_t revision)
{
	char report[2048];

	snprintf(report, sizeof(report),
		 "{\"backend\":\"sim\",\"revision\":%lld,\"errors\":[],"
		 "\"chip\":\"pinctrl-bcm2711\",\"chips\":[{\"label\":"
		 "\"pcf8574\","
		 "\"count\":8,\"lines\":[{\"line\":1,\"name\":\"RELAY1\","
		 "\"used\":true,\"consumer\":\"boiler\"},{\"line\":2,"
		 "\"name\":\"RELAY2\",\"used\":false}]}],"
		 "\"board\":{\"id\":\"pi4\",\"name\":\"Raspberry Pi 4\","
		 "\"pins\":40},"
		 "\"lines\":[{\"line\":17,\"pin\":11,\"name\":\"GPIO17\","
		 "\"functions\":[],\"used\":true,\"consumer\":\"hearth\","
		 "\"configured\":\"pump\",\"warning\":null},"
		 "{\"line\":4,\"pin\":7,\"name\":\"GPIO4\",\"functions\":[],"
		 "\"used\":true,\"consumer\":\"w1\",\"configured\":null,"
		 "\"warning\":null},"
		 "{\"line\":3,\"pin\":5,\"name\":\"GPIO3\",\"functions\":[],"
		 "\"used\":false,\"consumer\":null,\"configured\":null,"
		 "\"risk\":\"i2c\",\"warning\":\"an I2C bus\","
		 "\"switched_on\":true}]}",
		 (long long)revision);
	assert_int_equal(local_client_publish(
				 client,
				 slice_str("$hearth/gpio/" HUB_NODE "/report"),
				 slice_str(report), 1, true, 9),
			 0);
	local_event_free(wait_event(client, LOCAL_CLIENT_ANSWER));
}

static json_t *pins_once_reported(void **state)
{
	for (int i = 0; i < 5000; i++) {
		json_t *json = call(state, 200, "GET", "/api/v1/pins", NULL);

		if (json_is_string(json_object_get(json, "backend")))
			return json;
		json_decref(json);
	}
	fail_msg("the report did not arrive");
	return NULL;
}

static void test_pins_reach_the_node_and_its_report_comes_back(void **state)
{
	struct rig *rig = *state;
	struct local_client *node;
	json_t *json, *config;

	node = node_start(rig, "$hearth/gpio/" HUB_NODE "/config");
	/* Retained, from the start. */
	config = wait_message(node);
	assert_int_equal(length(config, "pins"), 0);
	json_decref(config);
	expect(state, 201, "PUT", "/api/v1/pins/pump",
	       "{\"dir\":\"out\",\"line\":17,\"kind\":\"relay\","
	       "\"label\":\"Pump\",\"active_low\":true}");
	config = wait_message(node);
	assert_int_equal(length(config, "pins"), 1);
	assert_string_equal(text(item(config, "pins", 0), "name"), "pump");
	assert_true(json_is_true(
		json_object_get(item(config, "pins", 0), "active_low")));
	node_report(node, number(config, "revision"));
	json_decref(config);
	json = pins_once_reported(state);
	assert_string_equal(text(json, "backend"), "sim");
	assert_false(json_is_true(json_object_get(json, "pending")));
	assert_int_equal(length(json, "lines"), 3);
	assert_string_equal(text(json_object_get(json, "board"), "id"), "pi4");
	assert_int_equal(number(item(json, "pins", 0), "pin"), 11);
	json_decref(json);
	/* A line that another driver holds, and one of our own. */
	json = call(state, 409, "PUT", "/api/v1/pins/probe",
		    "{\"dir\":\"in\",\"line\":4,\"kind\":\"switch\"}");
	assert_non_null(strstr(text(json, "detail"), "w1"));
	json_decref(json);
	json = call(state, 409, "PUT", "/api/v1/pins/fan",
		    "{\"dir\":\"out\",\"line\":17,\"kind\":\"relay\"}");
	assert_non_null(strstr(text(json, "detail"), "pump"));
	json_decref(json);
	expect(state, 200, "PUT", "/api/v1/pins/pump", "{\"room\":\"Cellar\"}");
	json_decref(wait_message(node));
	expect(state, 204, "DELETE", "/api/v1/pins/pump", NULL);
	config = wait_message(node);
	assert_int_equal(length(config, "pins"), 0);
	json_decref(config);
	expect(state, 404, "DELETE", "/api/v1/pins/pump", NULL);
	local_client_free(node);
}

static void test_a_risky_line_wants_a_second_thought(void **state)
{
	struct rig *rig = *state;
	struct local_client *node = node_start(rig, "$hearth/none");
	json_t *json;

	/* Nothing is known of the board yet: nobody is asked twice. */
	expect(state, 201, "PUT", "/api/v1/pins/early",
	       "{\"dir\":\"in\",\"line\":2}");
	node_report(node, 1);
	json_decref(pins_once_reported(state));
	json = call(state, 409, "PUT", "/api/v1/pins/bell",
		    "{\"dir\":\"in\",\"line\":3}");
	assert_string_equal(text(json, "type"), "/problems/risky-line");
	assert_non_null(
		strstr(text(json, "detail"), "an I2C bus; it is switched on"));
	json_decref(json);
	expect(state, 409, "PUT", "/api/v1/pins/bell",
	       "{\"dir\":\"in\",\"line\":3,\"confirm\":false}");
	expect(state, 409, "PUT", "/api/v1/pins/bell",
	       "{\"dir\":\"in\",\"line\":3,\"confirm\":\"yes\"}");
	expect(state, 201, "PUT", "/api/v1/pins/bell",
	       "{\"dir\":\"in\",\"line\":3,\"confirm\":true}");
	/* It was thought over already; another pin's move was not. */
	expect(state, 200, "PUT", "/api/v1/pins/bell", "{\"room\":\"Hall\"}");
	expect(state, 200, "PUT", "/api/v1/pins/bell", "{\"line\":22}");
	expect(state, 409, "PUT", "/api/v1/pins/early", "{\"line\":3}");
	expect(state, 409, "PUT", "/api/v1/pins/bell", "{\"line\":3}");
	/* On another chip the number says nothing. */
	expect(state, 200, "PUT", "/api/v1/pins/bell",
	       "{\"line\":3,\"chip\":\"gpio-ext\"}");
	local_client_free(node);
}

static void test_a_line_may_be_called_by_name_and_chip(void **state)
{
	static const struct {
		const char *line, *chip; /* "": the header's */
		int64_t number;
	} good[] = {
		{ "GPIO17", "", 17 },
		{ "pinctrl-bcm2711:17", "", 17 },
		{ "RELAY2", "pcf8574", 2 },
		{ "pcf8574:2", "pcf8574", 2 },
	};
	static const char *const bad[] = {
		"GPIO99",     "",
		":2",	      "pcf8574:",
		"pcf8574:9",  "x:2",
		"17",	      "pcf8574",
		"pcf8574:2x", "pcf8574:-2",
		"relay2",     "12345678901234567890123456789012345:1",
	};
	struct rig *rig = *state;
	struct local_client *node = node_start(rig, "$hearth/none");
	char body[128];
	json_t *json;

	node_report(node, 1);
	json_decref(pins_once_reported(state));
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		const char *chip;

		snprintf(body, sizeof(body),
			 "{\"dir\":\"out\",\"line\":\"%s\"}", good[i].line);
		json = call(state, i ? 200 : 201, "PUT", "/api/v1/pins/pump",
			    body);
		assert_int_equal(number(json, "line"), good[i].number);
		chip = json_string_value(json_object_get(json, "chip"));
		assert_string_equal(chip ? chip : "", good[i].chip);
		json_decref(json);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(body, sizeof(body),
			 "{\"dir\":\"out\",\"line\":\"%s\"}", bad[i]);
		expect(state, 422, "PUT", "/api/v1/pins/fan", body);
	}
	/* Held by another driver, on any chip. */
	json = call(state, 409, "PUT", "/api/v1/pins/fan",
		    "{\"dir\":\"out\",\"line\":\"RELAY1\"}");
	assert_non_null(strstr(text(json, "detail"), "boiler"));
	json_decref(json);
	local_client_free(node);
}

static void test_a_header_pin_must_be_the_lines(void **state)
{
	struct rig *rig = *state;
	struct local_client *node = node_start(rig, "$hearth/none");
	json_t *json;

	node_report(node, 1);
	json_decref(pins_once_reported(state));
	json = call(state, 422, "PUT", "/api/v1/pins/pump",
		    "{\"dir\":\"out\",\"line\":17,\"pin\":12}");
	assert_string_equal(text(item(json, "errors", 0), "field"), "pin");
	json_decref(json);
	expect(state, 422, "PUT", "/api/v1/pins/pump",
	       "{\"dir\":\"out\",\"line\":17,\"pin\":\"11\"}");
	expect(state, 201, "PUT", "/api/v1/pins/pump",
	       "{\"dir\":\"out\",\"line\":17,\"pin\":11}");
	expect(state, 200, "PUT", "/api/v1/pins/pump",
	       "{\"dir\":\"out\",\"line\":17,\"pin\":null}");
	local_client_free(node);
}

static void test_bad_pins_are_refused(void **state)
{
	static const char *const bad[] = {
		"{}",
		"{\"dir\":\"out\"}",
		"{\"line\":17}",
		"{\"dir\":\"up\",\"line\":17}",
		"{\"dir\":\"out\",\"line\":-1}",
		"{\"dir\":\"out\",\"line\":512}",
		"{\"dir\":\"out\",\"line\":\"17\"}",
		"{\"dir\":\"in\",\"line\":17,\"kind\":\"relay\"}",
		"{\"dir\":\"out\",\"line\":17,\"kind\":\"button\"}",
		"{\"dir\":\"in\",\"line\":17,\"debounce_ms\":10001}",
		"{\"dir\":\"out\",\"line\":17,\"colour\":\"red\"}",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		expect(state, 422, "PUT", "/api/v1/pins/pump", bad[i]);
	expect(state, 422, "PUT", "/api/v1/pins/Not%20a%20name",
	       "{\"dir\":\"out\",\"line\":17,\"kind\":\"relay\"}");
	/* hearth-gpiod would take it; people type it. */
	expect(state, 422, "PUT", "/api/v1/pins/Pump",
	       "{\"dir\":\"out\",\"line\":17,\"kind\":\"relay\"}");
}

static void test_simulated_inputs_are_pressed(void **state)
{
	struct rig *rig = *state;
	struct local_client *node;
	json_t *json;

	expect(state, 409, "POST", "/api/v1/sim/lines/17", "{\"level\":1}");
	node = node_start(rig, "$hearth/gpio/" HUB_NODE "/sim");
	node_report(node, 1);
	json_decref(pins_once_reported(state));
	expect(state, 204, "POST", "/api/v1/sim/lines/17",
	       "{\"press_ms\":200}");
	json = wait_message(node);
	assert_int_equal(number(json, "line"), 17);
	assert_int_equal(number(json, "press_ms"), 200);
	json_decref(json);
	expect(state, 204, "POST", "/api/v1/sim/lines/17",
	       "{\"scenario\":\"door\"}");
	json = wait_message(node);
	assert_string_equal(text(json, "scenario"), "door");
	json_decref(json);
	expect(state, 204, "POST", "/api/v1/sim/lines/17",
	       "{\"fault\":\"none\"}");
	json = wait_message(node);
	assert_true(json_is_null(json_object_get(json, "fault")));
	json_decref(json);
	expect(state, 422, "POST", "/api/v1/sim/lines/17",
	       "{\"scenario\":\"fire\"}");
	expect(state, 422, "POST", "/api/v1/sim/lines/17",
	       "{\"scenario\":\"door\",\"level\":1}");
	expect(state, 422, "POST", "/api/v1/sim/lines/17", "{\"fault\":1}");
	expect(state, 422, "POST", "/api/v1/sim/lines/17", "{\"level\":2}");
	expect(state, 422, "POST", "/api/v1/sim/lines/17", "{}");
	expect(state, 204, "POST", "/api/v1/sim/lines/2",
	       "{\"level\":0,\"chip\":\"pcf8574\"}");
	json = wait_message(node);
	assert_string_equal(text(json, "chip"), "pcf8574");
	json_decref(json);
	expect(state, 404, "POST", "/api/v1/sim/lines/17",
	       "{\"level\":0,\"chip\":\"pcf8574\"}");
	expect(state, 422, "POST", "/api/v1/sim/lines/2",
	       "{\"scenario\":\"door\",\"chip\":\"pcf8574\"}");
	expect(state, 422, "POST", "/api/v1/sim/lines/2",
	       "{\"level\":0,\"chip\":7}");
	expect(state, 404, "POST", "/api/v1/sim/lines/99", "{\"level\":1}");
	expect(state, 404, "POST", "/api/v1/sim/lines/x", "{\"level\":1}");
	local_client_free(node);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, rest_setup, rest_teardown)

static void test_devices_reach_the_node(void **state)
{
	struct rig *rig = *state;
	struct local_client *node;
	json_t *json, *config;

	node = node_start(rig, "$hearth/gpio/" HUB_NODE "/config");
	config = wait_message(node);
	assert_int_equal(length(config, "devices"), 0);
	json_decref(config);
	expect(state, 201, "PUT", "/api/v1/devices/boiler",
	       "{\"kind\":\"ds18b20\",\"source\":\"28-0316a2791cff\","
	       "\"label\":\"Boiler\",\"delta\":0.5}");
	config = wait_message(node);
	assert_string_equal(text(item(config, "devices", 0), "name"), "boiler");
	json_decref(config);

	/* What was not sent keeps its value; another kind has others. */
	expect(state, 200, "PUT", "/api/v1/devices/boiler",
	       "{\"room\":\"Cellar\"}");
	json_decref(wait_message(node));
	json = call(state, 200, "GET", "/api/v1/devices", NULL);
	assert_int_equal(length(json, "devices"), 1);
	assert_string_equal(text(item(json, "devices", 0), "source"),
			    "28-0316a2791cff");
	assert_string_equal(text(item(json, "devices", 0), "room"), "Cellar");
	assert_string_equal(text(item(json, "devices", 0), "measured_in"),
			    "°C");
	assert_int_equal(length(json, "sources"), 0);
	json_decref(json);
	expect(state, 200, "PUT", "/api/v1/devices/boiler",
	       "{\"kind\":\"cpu_temperature\"}");
	config = wait_message(node);
	assert_string_equal(text(item(config, "devices", 0), "label"),
			    "Boiler");
	assert_string_equal(text(item(config, "devices", 0), "source"),
			    "(none)");
	json_decref(config);

	/* Their topics are shared with the pins. */
	expect(state, 422, "PUT", "/api/v1/pins/boiler",
	       "{\"dir\":\"out\",\"line\":17}");
	expect(state, 204, "DELETE", "/api/v1/devices/boiler", NULL);
	config = wait_message(node);
	assert_int_equal(length(config, "devices"), 0);
	json_decref(config);
	expect(state, 404, "DELETE", "/api/v1/devices/boiler", NULL);
	local_client_free(node);
}

static void test_bad_devices_are_refused(void **state)
{
	static const char *const bad[] = {
		"{}",
		"{\"kind\":\"nose\"}",
		"{\"kind\":\"ds18b20\"}",
		"{\"kind\":\"ds18b20\",\"source\":\"../..\"}",
		"{\"kind\":\"throttled\",\"interval\":0}",
		"{\"kind\":\"throttled\",\"colour\":\"red\"}",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		expect(state, 422, "PUT", "/api/v1/devices/cpu", bad[i]);
	expect(state, 422, "PUT", "/api/v1/devices/Not%20a%20name",
	       "{\"kind\":\"throttled\"}");
	expect(state, 422, "PUT", "/api/v1/devices/Boiler",
	       "{\"kind\":\"throttled\"}");
}

static void test_there_is_an_end_to_devices(void **state)
{
	char path[64];

	for (unsigned int i = 0; i <= DEVICES_MAX; i++) {
		(void)snprintf(path, sizeof(path), "/api/v1/devices/d%u", i);
		expect(state, i < DEVICES_MAX ? 201 : 409, "PUT", path,
		       "{\"kind\":\"throttled\"}");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_pins_reach_the_node_and_its_report_comes_back),
		TEST(test_a_risky_line_wants_a_second_thought),
		TEST(test_a_line_may_be_called_by_name_and_chip),
		TEST(test_a_header_pin_must_be_the_lines),
		TEST(test_bad_pins_are_refused),
		TEST(test_simulated_inputs_are_pressed),
		TEST(test_devices_reach_the_node),
		TEST(test_bad_devices_are_refused),
		TEST(test_there_is_an_end_to_devices),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

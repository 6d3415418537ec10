#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gpio/tallies.h"
#include "gpio/topics.h"
#include "tests/failing_malloc.h"

static void test_names_are_built_as_documented(void **state)
{
	char topic[TOPICS_SIZE];

	(void)state;
	assert_string_equal(topics_pin(topic, "pi", "out", "pump", ""),
			    "hearth/pi/out/pump");
	assert_string_equal(topics_pin(topic, "pi", "in", "door", "/event"),
			    "hearth/pi/in/door/event");
	assert_string_equal(topics_node(topic, "pi", "status"),
			    "hearth/pi/status");
	assert_string_equal(topics_hub(topic, "pi", "report"),
			    "$hearth/gpio/pi/report");
}

static void test_the_longest_names_fit(void **state)
{
	char node[NODE_NAME_MAX + 1];
	char name[PIN_NAME_MAX + 1];
	char topic[TOPICS_SIZE];

	(void)state;
	memset(node, 'n', NODE_NAME_MAX);
	node[NODE_NAME_MAX] = '\0';
	memset(name, 'p', PIN_NAME_MAX);
	name[PIN_NAME_MAX] = '\0';
	topics_pin(topic, node, "light", name, "/result");
	assert_string_equal(topic + strlen(topic) - 8, "p/result");
}

static void test_node_names(void **state)
{
	char longest[NODE_NAME_MAX + 2];

	(void)state;
	assert_true(topics_node_valid("pi"));
	assert_true(topics_node_valid("k\xc3\xbc"
				      "che 1"));
	assert_false(topics_node_valid(""));
	assert_false(topics_node_valid("a/b"));
	assert_false(topics_node_valid("a+"));
	assert_false(topics_node_valid("#"));
	assert_false(topics_node_valid("a\n"));
	assert_false(topics_node_valid("\xff"));
	memset(longest, 'n', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_false(topics_node_valid(longest));
	longest[NODE_NAME_MAX] = '\0';
	assert_true(topics_node_valid(longest));
}

static void test_what_a_topic_is_for(void **state)
{
	static const struct {
		const char *topic;
		enum topics_kind kind;
		const char *name;
	} cases[] = {
		{ "$hearth/gpio/pi/config", TOPIC_CONFIG, "" },
		{ "$hearth/gpio/pi/sim", TOPIC_SIM, "" },
		{ "$hearth/gpio/pi/report", TOPIC_OTHER, "" },
		{ "$hearth/gpio/pi2/config", TOPIC_OTHER, "" },
		{ "$hearth/gpio/p/config", TOPIC_OTHER, "" },
		{ "hearth/pi/out/pump/set", TOPIC_OUT_SET, "pump" },
		{ "hearth/pi/light/desk/set", TOPIC_LIGHT_SET, "desk" },
		{ "hearth/pi/out//set", TOPIC_OUT_SET, "" },
		{ "hearth/pi/out/pump", TOPIC_OTHER, "" },
		{ "hearth/pi/out/set", TOPIC_OTHER, "" },
		{ "hearth/pi/out/a/b/set", TOPIC_OTHER, "" },
		{ "hearth/pi/in/pump/set", TOPIC_OTHER, "" },
		{ "hearth/pi/in/meter/count/set", TOPIC_COUNT_SET, "meter" },
		{ "hearth/pi/in/a/b/count/set", TOPIC_OTHER, "" },
		{ "hearth/pi/out/pump/count/set", TOPIC_OTHER, "" },
		{ "hearth/pie/out/pump/set", TOPIC_OTHER, "" },
		{ "hearth/", TOPIC_OTHER, "" },
		{ "", TOPIC_OTHER, "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct slice name;

		assert_int_equal(
			topics_parse("pi", slice_str(cases[i].topic), &name),
			cases[i].kind);
		assert_true(slice_equal(name, slice_str(cases[i].name)));
	}
}

static void test_commands_that_are_understood(void **state)
{
	static const struct {
		const char *payload;
		enum logic_verb verb;
		uint64_t on_time_ms;
	} cases[] = {
		{ "ON", LOGIC_ON, 0 },
		{ "on", LOGIC_ON, 0 },
		{ "Off", LOGIC_OFF, 0 },
		{ "TOGGLE", LOGIC_TOGGLE, 0 },
		{ "true", LOGIC_ON, 0 },
		{ "FALSE", LOGIC_OFF, 0 },
		{ "1", LOGIC_ON, 0 },
		{ "0", LOGIC_OFF, 0 },
		{ " ON\r\n", LOGIC_ON, 0 },
		{ "{\"state\":\"ON\"}", LOGIC_ON, 0 },
		{ "{\"state\":\"toggle\",\"on_time\":2}", LOGIC_TOGGLE, 2000 },
		{ "{\"state\":false}", LOGIC_OFF, 0 },
		{ "{\"state\":1,\"on_time\":0.25}", LOGIC_ON, 250 },
		{ "{\"on_time\":300,\"state\":\"ON\"}", LOGIC_ON, 300000 },
		{ "{\"state\":\"ON\",\"on_time\":604800}", LOGIC_ON,
		  LOGIC_TIME_MAX_MS },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct topics_command command;
		const char *reason;

		assert_int_equal(
			topics_parse_command(slice_str(cases[i].payload),
					     &command, &reason),
			0);
		assert_int_equal(command.logic.verb, cases[i].verb);
		assert_int_equal(command.logic.on_time_ms, cases[i].on_time_ms);
		assert_null(command.id);
		topics_command_free(&command);
	}
}

static void test_commands_that_are_refused_say_why(void **state)
{
	static const struct {
		const char *payload;
		const char *reason;
	} cases[] = {
		{ "", "neither" },
		{ "perhaps", "neither" },
		{ "2", "neither" },
		{ "ON OFF", "neither" },
		{ "{\"state\":\"ON\"", "neither" },
		{ "{\"state\":\"ON\",\"state\":\"OFF\"}", "neither" },
		{ "[\"ON\"]", "must be" },
		{ "\"ON\"", "neither" },
		{ "{}", "state" },
		{ "{\"state\":\"OPEN\"}", "state" },
		{ "{\"state\":2}", "state" },
		{ "{\"state\":null}", "state" },
		{ "{\"state\":\"ON\",\"on_time\":\"5\"}", "on_time" },
		{ "{\"state\":\"ON\",\"on_time\":0}", "on_time" },
		{ "{\"state\":\"ON\",\"on_time\":-1}", "on_time" },
		{ "{\"state\":\"ON\",\"on_time\":604801}", "on_time" },
		{ "{\"state\":\"ON\",\"on_time\":1e300}", "on_time" },
		{ "{\"state\":\"OFF\",\"on_time\":5}", "on_time" },
		{ "{\"state\":\"ON\",\"brightness\":128}", "dimmed" },
		{ "{\"state\":\"ON\",\"id\":\"x\",\"speed\":1}", "unknown" },
		{ "{\"state\":\"ON\",\"id\":[]}", "id" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct topics_command command;
		const char *reason = NULL;

		assert_int_equal(
			topics_parse_command(slice_str(cases[i].payload),
					     &command, &reason),
			-EINVAL);
		assert_non_null(strstr(reason, cases[i].reason));
		assert_null(command.id);
	}
}

static void test_a_command_is_judged_by_its_bytes_not_past_them(void **state)
{
	struct topics_command command;
	const char *reason;
	char big[COMMAND_MAX + 2];

	(void)state;
	assert_int_equal(
		topics_parse_command(slice_of("ONX", 2), &command, &reason), 0);
	assert_int_equal(
		topics_parse_command(slice_of("ON\0", 3), &command, &reason),
		-EINVAL);
	memset(big, 'x', sizeof(big));
	assert_int_equal(topics_parse_command(slice_of(big, sizeof(big)),
					      &command, &reason),
			 -EINVAL);
	assert_string_equal(reason, "too long");
}

static void test_the_id_comes_back_in_the_result(void **state)
{
	struct topics_command command;
	const char *reason;
	char *text;

	(void)state;
	assert_int_equal(
		topics_parse_command(
			slice_str("{\"state\":\"ON\",\"id\":\"a\\\"1\"}"),
			&command, &reason),
		0);
	text = topics_result(NULL, true, command.id);
	assert_string_equal(text, "{\"applied\":true,\"state\":\"ON\","
				  "\"id\":\"a\\\"1\"}");
	free(text);
	text = topics_result("line 4 is broken", false, command.id);
	assert_string_equal(text, "{\"applied\":false,\"reason\":"
				  "\"line 4 is broken\",\"id\":\"a\\\"1\"}");
	free(text);
	topics_command_free(&command);

	text = topics_result(NULL, false, NULL);
	assert_string_equal(text, "{\"applied\":true,\"state\":\"OFF\"}");
	free(text);
}

static void test_errors_show_what_was_sent(void **state)
{
	uint8_t bytes[ERROR_PAYLOAD_MAX + 50];
	json_t *json;
	char *text;

	(void)state;
	text = topics_error(slice_str("hearth/pi/out/x/set"),
			    slice_str("m\xc3\xb6glich"), "no", 7);
	assert_string_equal(text, "{\"topic\":\"hearth/pi/out/x/set\","
				  "\"payload\":\"m\xc3\xb6glich\","
				  "\"reason\":\"no\",\"count\":7}");
	free(text);

	/* Bytes that are no text, and too many of them. */
	memset(bytes, 0xfe, sizeof(bytes));
	bytes[0] = 'a';
	bytes[1] = '\n';
	text = topics_error(slice_str("t"), slice_of(bytes, sizeof(bytes)),
			    "no", 1);
	json = json_loads(text, 0, NULL);
	assert_non_null(json);
	assert_int_equal(json_string_length(json_object_get(json, "payload")),
			 ERROR_PAYLOAD_MAX);
	assert_memory_equal(json_string_value(json_object_get(json, "payload")),
			    "a???", 4);
	json_decref(json);
	free(text);
}

static void test_counts_are_whole_numbers(void **state)
{
	static const char *const bad[] = { "",
					   "-1",
					   "+1",
					   "1.0",
					   "1e3",
					   "0x1",
					   "1 2",
					   "\"1\"",
					   "9007199254740993",
					   "12345678901234567",
					   "" };
	uint64_t count;

	(void)state;
	assert_true(topics_parse_count(slice_str("0"), &count));
	assert_int_equal(count, 0);
	assert_true(topics_parse_count(slice_str(" 0012\n"), &count));
	assert_int_equal(count, 12);
	assert_true(topics_parse_count(slice_str("9007199254740992"), &count));
	assert_int_equal(count, TALLY_MAX);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(topics_parse_count(slice_str(bad[i]), &count));
}

static void test_clicks_of_a_chip_beside_the_headers(void **state)
{
	struct topics_sim sim;
	const char *reason;

	(void)state;
	assert_int_equal(topics_parse_sim(slice_str("{\"line\":3,\"level\":1}"),
					  &sim, &reason),
			 0);
	assert_string_equal(sim.chip, "");
	assert_int_equal(topics_parse_sim(slice_str("{\"line\":3,\"level\":1,"
						    "\"chip\":\"pcf8574\"}"),
					  &sim, &reason),
			 0);
	assert_string_equal(sim.chip, "pcf8574");
}

static void test_clicks_of_the_simulated_board(void **state)
{
	static const char *const bad[] = {
		"",
		"7",
		"{}",
		"{\"line\":4}",
		"{\"level\":1}",
		"{\"line\":4,\"level\":2}",
		"{\"line\":4,\"level\":\"1\"}",
		"{\"line\":-1,\"level\":1}",
		"{\"line\":4,\"press_ms\":0}",
		"{\"line\":4,\"press_ms\":60001}",
		"{\"line\":4,\"press_ms\":5,\"level\":1}",
		"{\"line\":4,\"scenario\":\"doors\"}",
		"{\"line\":4,\"scenario\":1}",
		"{\"line\":4,\"fault\":\"fire\"}",
		"{\"line\":4,\"fault\":null,\"scenario\":null}",
		"{\"line\":4,\"level\":1,\"chip\":4}",
		"{\"chip\":\"0123456789abcdef0123456789abcdef\"}",
	};
	struct topics_sim sim;
	const char *reason;

	(void)state;
	assert_int_equal(
		topics_parse_sim(slice_str("{\"line\":22,\"level\":1}"), &sim,
				 &reason),
		0);
	assert_int_equal(sim.line, 22);
	assert_int_equal(sim.level, 1);
	assert_int_equal(sim.press_ms, 0);
	assert_int_equal(
		topics_parse_sim(slice_str("{\"line\":22,\"level\":null}"),
				 &sim, &reason),
		0);
	assert_int_equal(sim.level, -1);
	assert_int_equal(
		topics_parse_sim(slice_str("{\"line\":22,\"press_ms\":200}"),
				 &sim, &reason),
		0);
	assert_int_equal(sim.press_ms, 200);

	assert_int_equal(
		topics_parse_sim(
			slice_str("{\"line\":2,\"scenario\":\"door\"}"), &sim,
			&reason),
		0);
	assert_int_equal(sim.what, TOPICS_SIM_SCENARIO);
	assert_int_equal(sim.scenario, SIM_PLAY_DOOR);
	assert_int_equal(
		topics_parse_sim(
			slice_str("{\"line\":2,\"fault\":\"lost_events\"}"),
			&sim, &reason),
		0);
	assert_int_equal(sim.what, TOPICS_SIM_FAULT);
	assert_int_equal(sim.fault, LINES_SIM_LOST_EVENTS);
	assert_int_equal(
		topics_parse_sim(slice_str("{\"line\":2,\"fault\":null}"), &sim,
				 &reason),
		0);
	assert_int_equal(sim.fault, LINES_SIM_WORKS);

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(
			topics_parse_sim(slice_str(bad[i]), &sim, &reason),
			-EINVAL);
		assert_non_null(reason);
	}
}

static void test_payloads_survive_allocation_failure(void **state)
{
	json_t *id = json_string("x");
	unsigned int n;
	char *text;

	(void)state;
	for (n = 0;; n++) {
		failing_malloc_arm(n);
		text = topics_result(NULL, true, id);
		if (!failing_malloc_disarm())
			break;
		/* Nothing, or all of it; never half. */
		if (text)
			assert_string_equal(text, "{\"applied\":true,"
						  "\"state\":\"ON\","
						  "\"id\":\"x\"}");
		free(text);
		assert_true(n < 100);
	}
	free(text);
	for (n = 0;; n++) {
		failing_malloc_arm(n);
		text = topics_error(slice_str("t"), slice_str("p"), "r", 1);
		if (!failing_malloc_disarm())
			break;
		/* The payload may have been shown after all. */
		free(text);
		assert_true(n < 100);
	}
	assert_string_equal(text, "{\"topic\":\"t\",\"payload\":\"p\","
				  "\"reason\":\"r\",\"count\":1}");
	free(text);
	json_decref(id);
}

static void test_a_command_survives_allocation_failure(void **state)
{
	struct slice payload = slice_str("{\"state\":\"ON\",\"id\":\"x\"}");
	struct topics_command command;
	const char *reason;
	unsigned int n;
	int r;

	(void)state;
	for (n = 0;; n++) {
		failing_malloc_arm(n);
		r = topics_parse_command(payload, &command, &reason);
		if (!failing_malloc_disarm())
			break;
		assert_int_equal(r, -EINVAL);
		assert_null(command.id);
		assert_true(n < 100);
	}
	assert_int_equal(r, 0);
	topics_command_free(&command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_are_built_as_documented),
		cmocka_unit_test(test_the_longest_names_fit),
		cmocka_unit_test(test_node_names),
		cmocka_unit_test(test_what_a_topic_is_for),
		cmocka_unit_test(test_commands_that_are_understood),
		cmocka_unit_test(test_commands_that_are_refused_say_why),
		cmocka_unit_test(
			test_a_command_is_judged_by_its_bytes_not_past_them),
		cmocka_unit_test(test_the_id_comes_back_in_the_result),
		cmocka_unit_test(test_errors_show_what_was_sent),
		cmocka_unit_test(test_counts_are_whole_numbers),
		cmocka_unit_test(test_clicks_of_a_chip_beside_the_headers),
		cmocka_unit_test(test_clicks_of_the_simulated_board),
		cmocka_unit_test(test_payloads_survive_allocation_failure),
		cmocka_unit_test(test_a_command_survives_allocation_failure),
	};

	json_set_alloc_funcs(malloc, free);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

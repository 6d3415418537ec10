/* Whole command lines against a hub that is scripted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/ctl/run.h"

static void test_status_is_a_table(void **state)
{
	struct run r = run(
		"-u|anna|status",
		ANSWERS(OK(
			"{\"node\":\"attic\",\"version\":\"1\",\"uptime_s\":5,"
			"\"clients\":{\"connected\":2,\"sessions\":3},"
			"\"gpio\":{\"online\":true,\"backend\":null},"
			"\"store\":{\"state\":\"ok\"}}")));

	(void)state;
	assert_int_equal(r.code, CTL_OK);
	assert_request(&r, 0, "GET /api/v1/status HTTP/1.1", "");
	/* anna:from environment */
	assert_header(&r, 0,
		      "Authorization: Basic YW5uYTpmcm9tIGVudmlyb25tZW50\r\n");
	assert_non_null(strstr(r.out, "node            attic\n"));
	assert_non_null(strstr(r.out, "connected       2\n"));
	assert_non_null(strstr(r.out, "gpio online     yes\n"));
	assert_non_null(strstr(r.out, "gpio backend    -\n"));
	assert_string_equal(r.err, "");
	run_end(&r);
}

static void test_without_a_user_nothing_is_sent_to_log_in(void **state)
{
	struct run r =
		run("status", ANSWERS({ 401, "{\"title\":\"Log in\"}", NULL }));

	(void)state;
	assert_int_equal(r.code, CTL_UNAUTHORIZED);
	assert_null(strstr(fake_hub_request(r.hub, 0), "Authorization"));
	assert_string_equal(r.err,
			    "hearthctl: Log in\n"
			    "hearthctl: give a user name: --user NAME\n");
	run_end(&r);
}

static void test_password_file_is_preferred(void **state)
{
	struct run r = run_input("status|-u|anna|-P|-", "secret\nmore\n",
				 ANSWERS(OK("{}")));

	(void)state;
	assert_int_equal(r.code, CTL_OK);
	assert_header(&r, 0, "Authorization: Basic YW5uYTpzZWNyZXQ=\r\n");
	run_end(&r);
}

/* Each answer of the hub has one exit code. */
static void test_exit_codes_tell_refused_from_unauthorized(void **state)
{
	static const struct {
		int status;
		enum ctl_exit code;
	} table[] = {
		{ 400, CTL_REFUSED },	   { 401, CTL_UNAUTHORIZED },
		{ 403, CTL_UNAUTHORIZED }, { 404, CTL_REFUSED },
		{ 409, CTL_REFUSED },	   { 429, CTL_REFUSED },
		{ 500, CTL_REFUSED },	   { 503, CTL_REFUSED },
		{ 302, CTL_REFUSED },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct run r = run("user|del|bob",
				   ANSWERS({ table[i].status, "{}", NULL }));

		assert_int_equal(r.code, table[i].code);
		assert_true(r.err[0] != '\0');
		assert_int_equal(fake_hub_count(r.hub), 1);
		run_end(&r);
	}
}

static void test_nobody_there_is_exit_three(void **state)
{
	struct fake_hub *hub = fake_hub_new(ANSWERS(DONE));
	char url[64];
	struct run r;

	(void)state;
	snprintf(url, sizeof(url), "%s", fake_hub_url(hub));
	fake_hub_free(hub);
	r = run_against(url, "status", "\n");
	assert_int_equal(r.code, CTL_UNREACHABLE);
	assert_non_null(strstr(r.err, url));
	run_end(&r);
}

static void test_something_else_there_is_exit_three(void **state)
{
	struct run r = run("status", ANSWERS({ 200, "<html>", "text/html" }));

	(void)state;
	assert_int_equal(r.code, CTL_UNREACHABLE);
	assert_non_null(strstr(r.err, "this is no hearth"));
	run_end(&r);
}

static void test_a_problem_is_told_with_its_fields(void **state)
{
	struct run r =
		run("pin|set|p|line=99",
		    ANSWERS(OK("{\"pins\":[]}"),
			    { 422,
			      "{\"title\":\"Invalid\",\"detail\":\"pin p\","
			      "\"errors\":[{\"field\":\"line\","
			      "\"message\":\"0 to \\u001b[2J27\"}]}",
			      NULL }));

	(void)state;
	assert_int_equal(r.code, CTL_REFUSED);
	assert_string_equal(r.err, "hearthctl: Invalid: pin p\n"
				   "hearthctl: line: 0 to \\x1B[2J27\n");
	run_end(&r);
}

static void test_command_lines_that_are_wrong_ask_nobody(void **state)
{
	static const char *const lines[] = {
		"",
		"nonsense",
		"user",
		"user|rename|a",
		"user|del",
		"user|del|a|b",
		"status|--retain",
		"status|--nonsense",
		"status|--url",
		"pub|t|m|--qos|3",
		"pub|t|m|--qos|x",
		"pub|t",
		"pub|t|m|--file|/dev/null",
		"user|add|a|--device|--admin",
		"status|--password-file|/dev/null",
		"-u|a|-P|/dev/null|status",
		"-u|a|-P|/nonexistent|status",
		"pin|set|p|line",
		"history|t|--from|yesterday",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct run r = run(lines[i], ANSWERS(OK("{\"pins\":[]}")));

		if (r.code != CTL_USAGE)
			fail_msg("%s: exit %d", lines[i], (int)r.code);
		assert_true(r.err[0] != '\0');
		assert_string_equal(r.out, "");
		if (!strstr(lines[i], "pin|"))
			assert_int_equal(fake_hub_count(r.hub), 0);
		run_end(&r);
	}
}

static void test_help_and_version_need_no_hub(void **state)
{
	struct run r = run("help", ANSWERS(DONE));

	(void)state;
	assert_int_equal(r.code, CTL_OK);
	assert_non_null(strstr(r.out, "acl test"));
	run_end(&r);
	r = run("--version", ANSWERS(DONE));
	assert_int_equal(r.code, CTL_OK);
	assert_string_equal(r.out, "hearthctl " HEARTH_VERSION "\n");
	run_end(&r);
}

static void test_claim_sends_token_and_password(void **state)
{
	struct run r = run_input("-u|x|claim|anna|--token-file|-|"
				 "--new-password-file|-",
				 "t0ken\nhouse of anna\n",
				 ANSWERS(CREATED("{\"user\":\"anna\"}")));

	(void)state;
	assert_int_equal(r.code, CTL_OK);
	assert_request(&r, 0, "POST /api/v1/claim HTTP/1.1",
		       "{\"token\":\"t0ken\",\"user\":\"anna\","
		       "\"password\":\"house of anna\"}");
	assert_null(strstr(fake_hub_request(r.hub, 0), "Authorization"));
	run_end(&r);
}

static void test_user_add_makes_and_never_changes(void **state)
{
	struct run r = run_input("user|add|bob/..|--new-password-file|-|"
				 "--admin",
				 "house of bob\n", ANSWERS(CREATED("{}")));

	(void)state;
	assert_int_equal(r.code, CTL_OK);
	assert_request(&r, 0, "PUT /api/v1/users/bob%2F.. HTTP/1.1",
		       "{\"kind\":\"person\",\"admin\":true,\"enabled\":true,"
		       "\"password\":\"house of bob\"}");
	assert_header(&r, 0, "If-None-Match: *\r\n");
	run_end(&r);
}

static void test_a_device_is_given_its_password_once(void **state)
{
	struct run r = run("user|add|lamp|--device",
			   ANSWERS(CREATED("{\"password\":\"abc\"}")));

	(void)state;
	assert_int_equal(r.code, CTL_OK);
	assert_request(
		&r, 0, "PUT /api/v1/users/lamp HTTP/1.1",
		"{\"kind\":\"device\",\"admin\":false,\"enabled\":true}");
	assert_string_equal(r.out, "abc\n");
	run_end(&r);
}

static void test_users_are_changed_one_field_at_a_time(void **state)
{
	struct run r = run("user|disable|bob", ANSWERS(OK("{}")));

	(void)state;
	assert_request(&r, 0, "PUT /api/v1/users/bob HTTP/1.1",
		       "{\"enabled\":false}");
	assert_header(&r, 0, "If-Match: *\r\n");
	run_end(&r);
	r = run("user|enable|bob", ANSWERS(OK("{}")));
	assert_request(&r, 0, "PUT /api/v1/users/bob HTTP/1.1",
		       "{\"enabled\":true}");
	run_end(&r);
	r = run_input("user|passwd|bob|--new-password-file|-", "house of b\n",
		      ANSWERS(OK("{}")));
	assert_int_equal(r.code, CTL_OK);
	assert_request(&r, 0, "PUT /api/v1/users/bob HTTP/1.1",
		       "{\"password\":\"house of b\"}");
	run_end(&r);
	r = run("user|del|bob", ANSWERS(DONE));
	assert_int_equal(r.code, CTL_OK);
	assert_request(&r, 0, "DELETE /api/v1/users/bob HTTP/1.1", "");
	run_end(&r);
}

static void test_lists_line_up(void **state)
{
	struct run r = run(
		"user|list",
		ANSWERS(OK("{\"users\":[{\"name\":\"anna\",\"kind\":\"person\","
			   "\"admin\":true,\"enabled\":true,\"created\":1000},"
			   "{\"name\":\"z\\u001b\",\"kind\":\"device\","
			   "\"admin\":false,\"enabled\":false}]}")));

	(void)state;
	assert_int_equal(r.code, CTL_OK);
	assert_string_equal(
		r.out,
		"NAME   KIND    ADMIN  ENABLED  CREATED\n"
		"anna   person  yes    yes      1970-01-01T00:00:01.000Z\n"
		"z\\x1B  device  no     no       -\n");
	run_end(&r);
}

static void test_bans_are_made_listed_and_lifted(void **state)
{
	struct run r = run("ban|add|address|192.0.2.0/24|--for|60|--reason|x",
			   ANSWERS(CREATED("{\"id\":3}")));

	(void)state;
	assert_int_equal(r.code, CTL_OK);
	assert_string_equal(r.out, "3\n");
	assert_request(&r, 0, "POST /api/v1/bans HTTP/1.1",
		       "{\"kind\":\"address\",\"what\":\"192.0.2.0/24\","
		       "\"reason\":\"x\",\"seconds\":60}");
	run_end(&r);
	r = run("ban|list",
		ANSWERS(OK("{\"bans\":[{\"id\":3,\"kind\":\"user\","
			   "\"what\":\"bob\",\"until\":null,\"hits\":2,"
			   "\"by\":\"anna\",\"reason\":\"x\"}]}")));
	assert_string_equal(r.out, "ID  KIND  WHAT  UNTIL  HITS  BY    REASON\n"
				   "3   user  bob   -      2     anna  x\n");
	run_end(&r);
}

static void test_a_trace_is_begun_shown_and_ended(void **state)
{
	struct run r = run("trace|client|lamp|--for|60|--max|4096",
			   ANSWERS(CREATED("{\"file\":\"/d/trace/t.log\"}")));

	(void)state;
	assert_string_equal(r.out, "/d/trace/t.log\n");
	assert_request(&r, 0, "POST /api/v1/trace HTTP/1.1",
		       "{\"kind\":\"client\",\"what\":\"lamp\","
		       "\"seconds\":60,\"max_bytes\":4096}");
	run_end(&r);
}

static void test_rules_are_added_tested_and_removed(void **state)
{
	struct run r = run("acl|add|*|read|a/#|--deny",
			   ANSWERS(CREATED("{\"id\":7}")));

	(void)state;
	assert_int_equal(r.code, CTL_OK);
	assert_string_equal(r.out, "7\n");
	assert_request(&r, 0, "POST /api/v1/acl HTTP/1.1",
		       "{\"user\":\"*\",\"action\":\"read\",\"filter\":\"a/#\","
		       "\"effect\":\"deny\"}");
	run_end(&r);
	r = run("acl|test|bob|write|a/b|--client|c1",
		ANSWERS(OK("{\"allowed\":false,\"reason\":\"rule 7\"}")));
	assert_int_equal(r.code, CTL_REFUSED);
	assert_string_equal(r.out, "refused: rule 7\n");
	assert_request(
		&r, 0, "POST /api/v1/acl/test HTTP/1.1",
		"{\"user\":\"bob\",\"action\":\"write\",\"topic\":\"a/b\","
		"\"client\":\"c1\"}");
	run_end(&r);
	r = run("acl|test|bob|write|a/b",
		ANSWERS(OK("{\"allowed\":true,\"reason\":\"rule 8\"}")));
	assert_int_equal(r.code, CTL_OK);
	assert_string_equal(r.out, "allowed: rule 8\n");
	run_end(&r);
	r = run("acl|del|7", ANSWERS(DONE));
	assert_request(&r, 0, "DELETE /api/v1/acl/7 HTTP/1.1", "");
	run_end(&r);
}

/* The file alone goes to the output. */
static void test_node_add_prints_the_file(void **state)
{
	struct run r = run("node|add|shed|--hub|mqtts://h:1",
			   ANSWERS(OK("{\"join\":\"hub = x\\n\"}")));

	(void)state;
	assert_int_equal(r.code, CTL_OK);
	assert_string_equal(r.out, "hub = x\n");
	assert_request(&r, 0, "PUT /api/v1/nodes/shed HTTP/1.1",
		       "{\"hub\":\"mqtts://h:1\"}");
	run_end(&r);
	r = run("node|renew|shed", ANSWERS(OK("{\"join\":\"hub = y\\n\"}")));
	assert_string_equal(r.out, "hub = y\n");
	assert_request(&r, 0, "POST /api/v1/nodes/shed/credential HTTP/1.1",
		       "{}");
	run_end(&r);
	r = run("node|del|shed", ANSWERS(DONE));
	assert_int_equal(r.code, CTL_OK);
	assert_request(&r, 0, "DELETE /api/v1/nodes/shed HTTP/1.1", "");
	run_end(&r);
}

static void test_pins_can_be_of_another_board(void **state)
{
	struct run r = run("pin|set|pump|line=17|--node|s x",
			   ANSWERS(OK("{\"pins\":[]}"), OK("{}")));

	(void)state;
	assert_int_equal(r.code, CTL_OK);
	assert_request(&r, 0, "GET /api/v1/pins?node=s%20x HTTP/1.1", "");
	assert_request(&r, 1, "PUT /api/v1/pins/pump?node=s%20x HTTP/1.1",
		       "{\"line\":17}");
	run_end(&r);
}

/* Fields not named keep what they were. */
static void test_pin_set_changes_what_it_names(void **state)
{
	struct run r =
		run("pin|set|pump|line=17|active_low=yes|label=Well=1|chip=",
		    ANSWERS(OK("{\"pins\":[{\"name\":\"x\",\"line\":1},"
			       "{\"name\":\"pump\",\"dir\":\"out\",\"line\":4,"
			       "\"pin\":7,\"safe\":\"off\",\"chip\":\"c\"}]}"),
			    OK("{}")));

	(void)state;
	assert_int_equal(r.code, CTL_OK);
	assert_request(&r, 0, "GET /api/v1/pins HTTP/1.1", "");
	assert_request(
		&r, 1, "PUT /api/v1/pins/pump HTTP/1.1",
		"{\"dir\":\"out\",\"line\":17,\"safe\":\"off\","
		"\"chip\":null,\"active_low\":true,\"label\":\"Well=1\"}");
	run_end(&r);
	r = run("pin|set|pump|line=x", ANSWERS(OK("{\"pins\":[]}")));
	assert_int_equal(r.code, CTL_USAGE);
	assert_int_equal(fake_hub_count(r.hub), 1);
	run_end(&r);
}

static void test_pub_sends_text_or_base64(void **state)
{
	struct run r = run("pub|-q|1|-r|a/b|--|-5",
			   ANSWERS(OK("{\"acknowledged\":true}")));

	(void)state;
	assert_int_equal(r.code, CTL_OK);
	assert_request(&r, 0, "POST /api/v1/publish HTTP/1.1",
		       "{\"topic\":\"a/b\",\"qos\":1,\"retain\":true,"
		       "\"payload\":\"-5\"}");
	run_end(&r);
	r = run_input("pub|a|--file|-", "\xff\x01\n", ANSWERS(OK("{}")));
	assert_int_equal(r.code, CTL_OK);
	assert_request(&r, 0, "POST /api/v1/publish HTTP/1.1",
		       "{\"topic\":\"a\",\"qos\":0,\"retain\":false,"
		       "\"payload_base64\":\"/wEK\"}");
	run_end(&r);
}

static void test_get_prints_the_payload(void **state)
{
	struct run r =
		run("get|a b", ANSWERS(OK("{\"topic\":\"a b\","
					  "\"payload_base64\":\"/wE=\"}")));

	(void)state;
	assert_int_equal(r.code, CTL_OK);
	assert_string_equal(r.out, "\xff\x01\n");
	assert_request(&r, 0, "GET /api/v1/topics/value?topic=a%20b HTTP/1.1",
		       "");
	run_end(&r);
}

static void test_sub_ends_after_the_count(void **state)
{
	static const char stream[] =
		": hello\n\n"
		"event: message\ndata: {\"topic\":\"a\",\"payload\":\"1\"}\n\n"
		"event: other\ndata: {\"topic\":\"no\",\"payload\":\"x\"}\n\n"
		"event: message\ndata: {\"topic\":\"b\",\"payload\":\"2\"}\n\n"
		"event: message\ndata: {\"topic\":\"c\",\"payload\":\"3\"}\n\n";
	struct run r = run("sub|+/#|-v|-C|2",
			   ANSWERS({ 200, stream, "text/event-stream" }));

	(void)state;
	assert_int_equal(r.code, CTL_OK);
	assert_string_equal(r.out, "a 1\nb 2\n");
	assert_request(&r, 0, "GET /api/v1/events?filter=%2B%2F%23 HTTP/1.1",
		       "");
	run_end(&r);
	r = run("sub|#", ANSWERS({ 200, stream, "text/event-stream" }));
	assert_int_equal(r.code, CTL_UNREACHABLE);
	assert_string_equal(r.out, "1\n2\n3\n");
	assert_non_null(strstr(r.err, "the hub ended the stream"));
	run_end(&r);
	r = run("sub|#", ANSWERS({ 403, "{\"title\":\"No\"}", NULL }));
	assert_int_equal(r.code, CTL_UNAUTHORIZED);
	assert_string_equal(r.err, "hearthctl: No\n");
	run_end(&r);
}

/* A filter's messages come with their topics; a file is passed on as it comes. */
static void test_history_of_a_filter(void **state)
{
	struct run r =
		run("history|a/#",
		    ANSWERS(OK("{\"samples\":[{\"t\":0,\"topic\":\"a/b\","
			       "\"payload\":\"1\",\"user\":\"anna\","
			       "\"client\":\"c\",\"address\":\"::1\"}],"
			       "\"next\":null}")));

	(void)state;
	assert_int_equal(r.code, CTL_OK);
	assert_request(&r, 0, "GET /api/v1/history?filter=a%2F%23 HTTP/1.1",
		       "");
	assert_non_null(strstr(r.out, "a/b"));
	assert_non_null(strstr(r.out, "::1"));
	run_end(&r);
	r = run("export|a/#|--json", ANSWERS(OK("{\"topic\":\"a/b\"}")));
	assert_int_equal(r.code, CTL_OK);
	assert_request(&r, 0,
		       "GET /api/v1/history/export?format=ndjson&filter="
		       "a%2F%23 HTTP/1.1",
		       "");
	assert_string_equal(r.out, "{\"topic\":\"a/b\"}");
	run_end(&r);
}

/* Fields not named keep what they were. */
static void test_policy_set_changes_what_it_names(void **state)
{
	struct run r = run("policy|set|a/#|days=7|keep=no",
			   ANSWERS(OK("{\"policies\":[{\"filter\":\"b\"},"
				      "{\"filter\":\"a/#\",\"keep\":true,"
				      "\"rows\":4,\"days\":0}]}"),
				   OK("{}")));

	(void)state;
	assert_int_equal(r.code, CTL_OK);
	assert_request(&r, 0, "GET /api/v1/history/policies HTTP/1.1", "");
	assert_request(&r, 1, "PUT /api/v1/history/policies/a%2F%23 HTTP/1.1",
		       "{\"filter\":\"a/#\",\"keep\":false,\"rows\":4,"
		       "\"days\":7}");
	run_end(&r);
	r = run("policy|set|a|days=x", ANSWERS(OK("{\"policies\":[]}")));
	assert_int_equal(r.code, CTL_USAGE);
	assert_int_equal(fake_hub_count(r.hub), 1);
	run_end(&r);
	r = run("policy|set|a|what=1", ANSWERS(OK("{\"policies\":[]}")));
	assert_int_equal(r.code, CTL_USAGE);
	run_end(&r);
	r = run("policy|del|a/#", ANSWERS(DONE));
	assert_request(&r, 0,
		       "DELETE /api/v1/history/policies/a%2F%23 HTTP/1.1", "");
	run_end(&r);
}

static void test_history_is_asked_for_in_milliseconds(void **state)
{
	struct run r = run("history|a/b|--from|2026-11-21T09:00:00|--to|"
			   "2026-11-22|--limit|5",
			   ANSWERS(OK("{\"samples\":[{\"t\":1500,\"value\":1,"
				      "\"payload\":\"ON\",\"user\":\"u\","
				      "\"client\":\"c\"}],\"next\":\"5\"}")));

	(void)state;
	assert_int_equal(r.code, CTL_OK);
	assert_request(&r, 0,
		       "GET /api/v1/history?topic=a%2Fb&from=1795251600000"
		       "&to=1795305600000&limit=5 HTTP/1.1",
		       "");
	assert_string_equal(
		r.out, "TIME                      PAYLOAD  USER  CLIENT  FROM\n"
		       "1970-01-01T00:00:01.500Z  ON       u     c       -\n");
	assert_non_null(strstr(r.err, "there is more"));
	run_end(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_status_is_a_table),
		cmocka_unit_test(test_without_a_user_nothing_is_sent_to_log_in),
		cmocka_unit_test(test_password_file_is_preferred),
		cmocka_unit_test(
			test_exit_codes_tell_refused_from_unauthorized),
		cmocka_unit_test(test_nobody_there_is_exit_three),
		cmocka_unit_test(test_something_else_there_is_exit_three),
		cmocka_unit_test(test_a_problem_is_told_with_its_fields),
		cmocka_unit_test(test_command_lines_that_are_wrong_ask_nobody),
		cmocka_unit_test(test_help_and_version_need_no_hub),
		cmocka_unit_test(test_claim_sends_token_and_password),
		cmocka_unit_test(test_user_add_makes_and_never_changes),
		cmocka_unit_test(test_a_device_is_given_its_password_once),
		cmocka_unit_test(test_users_are_changed_one_field_at_a_time),
		cmocka_unit_test(test_lists_line_up),
		cmocka_unit_test(test_rules_are_added_tested_and_removed),
		cmocka_unit_test(test_a_trace_is_begun_shown_and_ended),
		cmocka_unit_test(test_bans_are_made_listed_and_lifted),
		cmocka_unit_test(test_node_add_prints_the_file),
		cmocka_unit_test(test_pins_can_be_of_another_board),
		cmocka_unit_test(test_pin_set_changes_what_it_names),
		cmocka_unit_test(test_pub_sends_text_or_base64),
		cmocka_unit_test(test_get_prints_the_payload),
		cmocka_unit_test(test_sub_ends_after_the_count),
		cmocka_unit_test(test_history_is_asked_for_in_milliseconds),
		cmocka_unit_test(test_history_of_a_filter),
		cmocka_unit_test(test_policy_set_changes_what_it_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

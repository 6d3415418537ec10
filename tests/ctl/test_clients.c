/* hearthctl clients, ghosts, slow, disconnect. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/ctl/run.h"

static void test_clients_are_read_page_by_page(void **state)
{
	struct run r =
		run("ghosts|--json", ANSWERS(OK("{\"clients\":[{\"id\":\"a\"}],"
						"\"next\":\"a/&\"}"),
					     OK("{\"clients\":[{\"id\":\"b\"}],"
						"\"next\":null}")));

	(void)state;
	assert_int_equal(r.code, CTL_OK);
	assert_request(&r, 1,
		       "GET /api/v1/clients?limit=1000&which=ghosts"
		       "&after=a%2F%26 HTTP/1.1",
		       "");
	assert_non_null(strstr(r.out, "\"a\""));
	assert_non_null(strstr(r.out, "\"b\""));
	run_end(&r);
	r = run("disconnect|a|--session", ANSWERS(DONE));
	assert_request(&r, 0, "DELETE /api/v1/clients/a?session=true HTTP/1.1",
		       "");
	run_end(&r);
}

static void test_ghosts_are_told_with_what_waits(void **state)
{
	struct run r = run("ghosts",
			   ANSWERS(OK("{\"clients\":[{\"id\":\"lamp\",\"user\":"
				      "\"anna\",\"since\":1500,\"queued\":7,"
				      "\"queued_bytes\":90,\"oldest\":2500,"
				      "\"dropped\":1,\"refused\":2}],"
				      "\"next\":null}")));

	(void)state;
	assert_int_equal(r.code, CTL_OK);
	assert_string_equal(
		r.out,
		"CLIENT  USER  AWAY SINCE                QUEUED  BYTES  OLDEST"
		"                    DROPPED  REFUSED\n"
		"lamp    anna  1970-01-01T00:00:01.500Z  7       90     "
		"1970-01-01T00:00:02.500Z  1        2\n");
	run_end(&r);
}

static void test_slow_clients_are_told_with_what_they_hold_up(void **state)
{
	struct run r = run(
		"slow",
		ANSWERS(OK("{\"clients\":[{\"id\":\"tablet\",\"address\":"
			   "\"192.0.2.7:5\",\"queued\":900,\"queued_bytes\":"
			   "1000,\"oldest\":null,\"output_bytes\":65536,"
			   "\"dropped\":3,\"refused\":0}],\"next\":null}")));

	(void)state;
	assert_int_equal(r.code, CTL_OK);
	assert_request(&r, 0,
		       "GET /api/v1/clients?limit=1000&which=slow HTTP/1.1",
		       "");
	assert_string_equal(
		r.out,
		"CLIENT  ADDRESS      QUEUED  BYTES  OLDEST  OUTPUT  DROPPED  "
		"REFUSED\n"
		"tablet  192.0.2.7:5  900     1000   -       65536   3        "
		"0\n");
	run_end(&r);
	r = run("slow|--json", ANSWERS(OK("{\"clients\":[{\"id\":\"tablet\"}],"
					  "\"next\":null}")));
	assert_non_null(strstr(r.out, "\"tablet\""));
	run_end(&r);
	/* It takes no words. */
	r = run("slow|tablet", ANSWERS(DONE));
	assert_int_equal(r.code, CTL_USAGE);
	assert_int_equal(fake_hub_count(r.hub), 0);
	run_end(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clients_are_read_page_by_page),
		cmocka_unit_test(test_ghosts_are_told_with_what_waits),
		cmocka_unit_test(
			test_slow_clients_are_told_with_what_they_hold_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

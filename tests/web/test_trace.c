/* Traces over REST, and the files they leave. */
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "broker/limits.h"
#include "tests/web/rest.h"

#define BODY "{\"kind\":\"client\",\"what\":\"lamp\"}"

static const char *dir(void **state)
{
	const struct rig *rig = *state;

	return hub_path(rig->hub, "data/trace");
}

static size_t files(void **state)
{
	DIR *listing = opendir(dir(state));
	struct dirent *entry;
	size_t count = 0;

	if (!listing)
		return 0;
	while ((entry = readdir(listing)))
		count += entry->d_name[0] != '.';
	closedir(listing);
	return count;
}

/* As many as are kept, from long ago, or from a clock that was wrong. */
static void put_files(void **state, const char *year)
{
	char path[512];

	if (mkdir(dir(state), 0700) < 0)
		assert_int_equal(files(state), 0);
	for (int i = 0; i < LIMIT_TRACE_FILES; i++) {
		snprintf(path, sizeof(path), "%s/trace-%s0101T000000.%03d.log",
			 dir(state), year, i);
		close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	}
	assert_int_equal(files(state), LIMIT_TRACE_FILES);
}

static bool there(void **state, const char *year, int i)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/trace-%s0101T000000.%03d.log",
		 dir(state), year, i);
	return access(path, F_OK) == 0;
}

static void test_a_trace_that_is_refused_takes_nothing_away(void **state)
{
	json_t *json;

	expect(state, 201, "POST", "/api/v1/trace", BODY);
	json = call(state, 200, "GET", "/api/v1/trace", NULL);
	assert_int_equal(length(json, "traces"), 1);
	assert_int_equal(access(text(item(json, "traces", 0), "file"), F_OK),
			 0);
	json_decref(json);
	for (int i = 0; i < LIMIT_TRACE_FILES + 2; i++)
		expect(state, 409, "POST", "/api/v1/trace", BODY);
	assert_int_equal(files(state), 1);
	expect(state, 204, "DELETE", "/api/v1/trace", NULL);
	expect(state, 404, "DELETE", "/api/v1/trace", NULL);
	assert_int_equal(files(state), 1);
}

static void test_the_oldest_goes_when_one_has_begun(void **state)
{
	put_files(state, "2001");
	expect(state, 201, "POST", "/api/v1/trace", BODY);
	assert_int_equal(files(state), LIMIT_TRACE_FILES);
	assert_false(there(state, "2001", 0));
	assert_true(there(state, "2001", 1));
	expect(state, 409, "POST", "/api/v1/trace", BODY);
	assert_true(there(state, "2001", 1));
	assert_int_equal(files(state), LIMIT_TRACE_FILES);
	expect(state, 204, "DELETE", "/api/v1/trace", NULL);
}

/* Its own name is the oldest, and it stays all the same. */
static void test_the_one_in_use_stays_when_the_clock_was_wrong(void **state)
{
	json_t *json;

	put_files(state, "2999");
	json = call(state, 201, "POST", "/api/v1/trace", BODY);
	assert_int_equal(access(text(json, "file"), F_OK), 0);
	json_decref(json);
	assert_int_equal(files(state), LIMIT_TRACE_FILES);
	assert_false(there(state, "2999", 0));
	expect(state, 204, "DELETE", "/api/v1/trace", NULL);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, rest_setup, rest_teardown)
	const struct CMUnitTest tests[] = {
		T(test_a_trace_that_is_refused_takes_nothing_away),
		T(test_the_oldest_goes_when_one_has_begun),
		T(test_the_one_in_use_stays_when_the_clock_was_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/failing_malloc.h"
#include "web/limits.h"
#include "web/session.h"

static int setup(void **state)
{
	*state = sessions_new();
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	sessions_free(*state);
	return 0;
}

static struct session *find(void **state, const char *id, uint64_t now)
{
	return sessions_find(*state, slice_str(id), now);
}

static void test_a_session_is_found_by_its_cookie_only(void **state)
{
	char anna[SESSION_ID_SIZE], ben[SESSION_ID_SIZE];
	struct session *session;

	session = sessions_start(*state, "anna", 0, anna);
	assert_non_null(session);
	assert_non_null(sessions_start(*state, "ben", 0, ben));
	assert_int_equal(strlen(anna), SESSION_ID_SIZE - 1);
	assert_string_not_equal(anna, ben);
	assert_string_equal(find(state, anna, 1)->user, "anna");
	assert_string_equal(find(state, ben, 1)->user, "ben");
	assert_int_equal(strlen(session->csrf), SESSION_CSRF_SIZE - 1);
	anna[5] = anna[5] == 'a' ? 'b' : 'a';
	assert_null(find(state, anna, 1));
	assert_null(find(state, "", 1));
	assert_null(sessions_find(*state, slice_of(ben, 63), 1));
}

/* What is kept cannot be sent as a cookie: a memory dump gives no session. */
static void test_the_identifier_is_not_kept(void **state)
{
	char id[SESSION_ID_SIZE];
	struct session *session = sessions_start(*state, "anna", 0, id);

	assert_null(memmem(session, sizeof(*session), id, sizeof(id) - 1));
}

static void test_an_idle_session_ends(void **state)
{
	char id[SESSION_ID_SIZE];

	sessions_start(*state, "anna", 0, id);
	assert_non_null(find(state, id, WEB_SESSION_IDLE_MS - 1));
	assert_non_null(find(state, id, 2 * WEB_SESSION_IDLE_MS - 2));
	assert_null(find(state, id, 3 * WEB_SESSION_IDLE_MS - 2));
}

static void test_a_used_session_ends_after_a_day(void **state)
{
	char id[SESSION_ID_SIZE];
	uint64_t now;

	sessions_start(*state, "anna", 0, id);
	for (now = 0; now < WEB_SESSION_MS; now += WEB_SESSION_IDLE_MS / 2)
		assert_non_null(find(state, id, now));
	assert_null(find(state, id, WEB_SESSION_MS));
}

static void test_a_users_other_sessions_end(void **state)
{
	char one[SESSION_ID_SIZE], two[SESSION_ID_SIZE], ben[SESSION_ID_SIZE];

	sessions_start(*state, "anna", 0, one);
	sessions_start(*state, "anna", 0, two);
	sessions_start(*state, "ben", 0, ben);
	sessions_end_user(*state, "anna", find(state, two, 1));
	assert_null(find(state, one, 1));
	assert_non_null(find(state, two, 1));
	assert_non_null(find(state, ben, 1));
	sessions_end_user(*state, "anna", NULL);
	assert_null(find(state, two, 1));
	assert_non_null(find(state, ben, 1));
}

static void test_the_one_unused_longest_makes_room(void **state)
{
	char first[SESSION_ID_SIZE], second[SESSION_ID_SIZE];
	char id[SESSION_ID_SIZE];

	sessions_start(*state, "anna", 0, first);
	sessions_start(*state, "ben", 0, second);
	for (int i = 2; i < WEB_SESSIONS; i++)
		assert_non_null(sessions_start(*state, "carl", 1, id));
	assert_non_null(find(state, first, 2));
	assert_non_null(sessions_start(*state, "dora", 3, id));
	assert_null(find(state, second, 4));
	assert_non_null(find(state, first, 4));
	assert_non_null(find(state, id, 4));
}

static void test_no_memory(void **state)
{
	char id[SESSION_ID_SIZE];

	failing_malloc_arm(0);
	assert_null(sessions_start(*state, "anna", 0, id));
	assert_true(failing_malloc_disarm());
	failing_malloc_arm(0);
	assert_null(sessions_new());
	assert_true(failing_malloc_disarm());
	sessions_free(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_session_is_found_by_its_cookie_only),
		TEST(test_the_identifier_is_not_kept),
		TEST(test_an_idle_session_ends),
		TEST(test_a_used_session_ends_after_a_day),
		TEST(test_a_users_other_sessions_end),
		TEST(test_the_one_unused_longest_makes_room),
		TEST(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

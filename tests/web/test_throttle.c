#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/failing_malloc.h"
#include "web/limits.h"
#include "web/throttle.h"

static int setup(void **state)
{
	*state = throttle_new();
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	throttle_free(*state);
	return 0;
}

/* One attempt; returns the wait, and if there was none ends it as told. */
static uint64_t attempt(void **state, const char *address, const char *user,
			enum throttle_result result, uint64_t now)
{
	uint64_t wait = throttle_begin(*state, address, user, now);

	if (!wait)
		throttle_end(*state, address, user, result, now);
	return wait;
}

static void wrong(void **state, const char *address, const char *user,
		  int times, uint64_t now)
{
	while (times--)
		assert_int_equal(
			attempt(state, address, user, THROTTLE_WRONG, now), 0);
}

static void test_each_wrong_password_doubles_the_wait(void **state)
{
	uint64_t now = 1000, wait = WEB_LOGIN_WAIT_MS;

	wrong(state, "a", "anna", WEB_LOGIN_FREE + 1, now);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(
			attempt(state, "a", "anna", THROTTLE_WRONG, now), wait);
		assert_int_equal(attempt(state, "a", "anna", THROTTLE_WRONG,
					 now + wait - 1),
				 1);
		now += wait;
		wrong(state, "a", "anna", 1, now);
		wait *= 2;
	}
}

static void test_the_wait_has_an_end(void **state)
{
	uint64_t now = 1000, wait, longest = 0;

	for (int i = 0; i < 40; i++) {
		wait = attempt(state, "a", "anna", THROTTLE_WRONG, now);
		longest = wait > longest ? wait : longest;
		now += wait;
	}
	assert_int_equal(longest, WEB_LOGIN_WAIT_MAX_MS);
}

static void test_a_user_is_not_locked_out_for_long(void **state)
{
	char address[16];
	uint64_t now = 1000, wait, longest = 0;

	for (int i = 0; i < 60; i++) {
		snprintf(address, sizeof(address), "10.0.0.%d", i / 3);
		wait = attempt(state, address, "anna", THROTTLE_WRONG, now);
		longest = wait > longest ? wait : longest;
		now += wait;
	}
	assert_int_equal(longest, WEB_LOGIN_USER_WAIT_MAX_MS);
	/* Others, from elsewhere, are not concerned. */
	assert_int_equal(attempt(state, "b", "ben", THROTTLE_RIGHT, now), 0);
}

static void test_one_address_guessing_for_many_waits(void **state)
{
	char user[16];

	for (int i = 0; i <= WEB_LOGIN_FREE; i++) {
		snprintf(user, sizeof(user), "user%d", i);
		wrong(state, "a", user, 1, 1000);
	}
	assert_true(attempt(state, "a", "other", THROTTLE_WRONG, 1000) > 0);
	assert_int_equal(attempt(state, "b", "other", THROTTLE_RIGHT, 1000), 0);
}

static void test_a_right_password_clears_the_user_not_the_address(void **state)
{
	wrong(state, "a", "anna", WEB_LOGIN_FREE, 1000);
	assert_int_equal(attempt(state, "a", "anna", THROTTLE_RIGHT, 1000), 0);
	wrong(state, "b", "anna", WEB_LOGIN_FREE, 1000);
	wrong(state, "a", "ben", 1, 1000);
	assert_true(attempt(state, "a", "ben", THROTTLE_WRONG, 1000) > 0);
}

static void test_attempts_at_once_are_bounded(void **state)
{
	for (int i = 0; i < WEB_LOGIN_PENDING; i++)
		assert_int_equal(throttle_begin(*state, "a", "anna", 1000), 0);
	assert_true(throttle_begin(*state, "a", "anna", 1000) > 0);
	assert_true(throttle_begin(*state, "a", "ben", 1000) > 0);
	assert_true(throttle_begin(*state, "b", "anna", 1000) > 0);
	/* They are no reason to wait for who is known. */
	assert_int_equal(throttle_wait(*state, "a", "anna", 1000), 0);
	throttle_end(*state, "a", "anna", THROTTLE_UNKNOWN, 1000);
	assert_int_equal(throttle_begin(*state, "a", "anna", 1000), 0);
}

static void test_an_hour_of_quiet_forgives(void **state)
{
	wrong(state, "a", "anna", WEB_LOGIN_FREE + 1, 1000);
	wrong(state, "a", "anna", WEB_LOGIN_FREE + 1, 1000 + 3600 * 1000);
}

static void test_memory_is_bounded(void **state)
{
	char address[24];

	wrong(state, "first", "anna", WEB_LOGIN_FREE + 1, 1000);
	for (int i = 0; i < 3 * WEB_LOGIN_REMEMBERED; i++) {
		snprintf(address, sizeof(address), "10.1.%d.%d", i / 256,
			 i % 256);
		wrong(state, address, address, 1, 1001);
	}
	/* The oldest is forgotten, the newest is not. */
	wrong(state, "first", "anna", 1, 1002);
	wrong(state, address, "anna", WEB_LOGIN_FREE, 1002);
	assert_true(attempt(state, address, "carl", THROTTLE_WRONG, 1002) > 0);
}

static void test_no_memory(void **state)
{
	(void)state;
	failing_malloc_arm(0);
	assert_null(throttle_new());
	assert_true(failing_malloc_disarm());
	throttle_free(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_each_wrong_password_doubles_the_wait),
		TEST(test_the_wait_has_an_end),
		TEST(test_a_user_is_not_locked_out_for_long),
		TEST(test_one_address_guessing_for_many_waits),
		TEST(test_a_right_password_clears_the_user_not_the_address),
		TEST(test_attempts_at_once_are_bounded),
		TEST(test_an_hour_of_quiet_forgives),
		TEST(test_memory_is_bounded),
		TEST(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "broker/admin/tally.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "broker/base/hash.h"
#include "broker/limits.h"
#include "tests/failing_malloc.h"

#define WINDOW 1000

static int setup(void **state)
{
	hash_seed();
	*state = tally_new(WINDOW);
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	tally_free(*state);
	return 0;
}

static enum tally_result add(struct tally *tally, const char *key, uint64_t now)
{
	return tally_add(tally, slice_str(key), "192.0.2.1:1", 3, now, NULL);
}

static void test_an_episode_is_told_once(void **state)
{
	struct tally *t = *state;

	assert_int_equal(add(t, "a", 0), TALLY_QUIET);
	assert_int_equal(add(t, "a", 1), TALLY_QUIET);
	assert_false(tally_active(t, slice_str("a"), 1));
	assert_int_equal(add(t, "b", 1), TALLY_QUIET);
	assert_int_equal(add(t, "a", 2), TALLY_BEGINS);
	assert_int_equal(add(t, "a", 3), TALLY_GOES_ON);
	assert_true(tally_active(t, slice_str("a"), 3));
	assert_false(tally_active(t, slice_str("b"), 3));
	/* The next window is as bad. */
	for (uint64_t i = 0; i < 5; i++)
		assert_int_equal(add(t, "a", WINDOW + i), TALLY_GOES_ON);
}

static void test_too_few_in_a_window_are_quiet(void **state)
{
	for (uint64_t i = 0; i < 10; i++)
		assert_int_equal(add(*state, "a", i * WINDOW / 2), TALLY_QUIET);
}

static void test_it_ends_with_a_window_below_the_threshold(void **state)
{
	struct tally *t = *state;

	for (uint64_t i = 0; i < 3; i++)
		add(t, "a", i);
	assert_int_equal(add(t, "a", WINDOW), TALLY_GOES_ON);
	/* That was the only one in its window. */
	assert_int_equal(add(t, "a", 2 * WINDOW), TALLY_QUIET);
	assert_int_equal(add(t, "a", 2 * WINDOW), TALLY_QUIET);
	assert_int_equal(add(t, "a", 2 * WINDOW), TALLY_BEGINS);
}

static void test_it_ends_with_silence(void **state)
{
	struct tally *t = *state;

	for (uint64_t i = 0; i < 3; i++)
		add(t, "a", 0);
	assert_true(tally_active(t, slice_str("a"), 2 * WINDOW - 1));
	assert_false(tally_active(t, slice_str("a"), 2 * WINDOW));
	assert_int_equal(add(t, "a", 2 * WINDOW), TALLY_QUIET);
}

static void test_both_addresses_are_known(void **state)
{
	struct tally *t = *state;
	const struct tally_entry *e;

	tally_add(t, slice_str("a"), "192.0.2.1:1", 3, 0, &e);
	assert_string_equal(e->from, "192.0.2.1:1");
	assert_string_equal(e->other, "");
	/* Another port is no other place. */
	tally_add(t, slice_str("a"), "192.0.2.1:2", 3, 0, &e);
	assert_string_equal(e->from, "192.0.2.1:2");
	assert_string_equal(e->other, "");
	tally_add(t, slice_str("a"), "192.0.2.11:2", 3, 0, &e);
	assert_string_equal(e->from, "192.0.2.11:2");
	assert_string_equal(e->other, "192.0.2.1:2");
	tally_add(t, slice_str("a"), "192.0.2.11:3", 3, 0, &e);
	assert_string_equal(e->other, "192.0.2.1:2");
	tally_add(t, slice_str("a"), "unix", 3, 0, &e);
	tally_add(t, slice_str("a"), "unix", 3, 0, &e);
	assert_string_equal(e->other, "192.0.2.11:3");
	assert_int_equal(e->count, 6);
}

static void test_no_threshold_means_never(void **state)
{
	for (int i = 0; i < 100; i++)
		assert_int_equal(
			tally_add(*state, slice_str("a"), "x", 0, 0, NULL),
			TALLY_QUIET);
}

static void test_the_one_quiet_longest_is_forgotten(void **state)
{
	struct tally *t = *state;
	char key[16];

	add(t, "first", 0);
	add(t, "second", 0);
	for (unsigned int i = 0; i < LIMIT_TALLY - 2; i++) {
		snprintf(key, sizeof(key), "k%u", i);
		add(t, key, 0);
	}
	add(t, "first", 0);
	add(t, "one more", 0); /* "second" goes */
	assert_int_equal(add(t, "first", 0), TALLY_BEGINS);
	assert_int_equal(add(t, "second", 0), TALLY_QUIET);
	assert_int_equal(add(t, "second", 0), TALLY_QUIET);
	assert_int_equal(add(t, "second", 0), TALLY_BEGINS);
}

static void test_without_memory_nothing_is_counted(void **state)
{
	const struct tally_entry *e;
	unsigned int n = 0;
	struct tally *t;

	failing_malloc_arm(0);
	assert_int_equal(tally_add(*state, slice_str("a"), "x", 1, 0, &e),
			 TALLY_QUIET);
	assert_true(failing_malloc_disarm());
	assert_null(e);
	assert_int_equal(tally_add(*state, slice_str("a"), "x", 1, 0, &e),
			 TALLY_BEGINS);
	do {
		failing_malloc_arm(n++);
		t = tally_new(WINDOW);
		if (!failing_malloc_disarm())
			break;
		assert_null(t);
	} while (n < 10);
	assert_int_equal(n, 3);
	tally_free(t);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_an_episode_is_told_once),
		TEST(test_too_few_in_a_window_are_quiet),
		TEST(test_it_ends_with_a_window_below_the_threshold),
		TEST(test_it_ends_with_silence),
		TEST(test_both_addresses_are_known),
		TEST(test_no_threshold_means_never),
		TEST(test_the_one_quiet_longest_is_forgotten),
		TEST(test_without_memory_nothing_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

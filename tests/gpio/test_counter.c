/* counter.h and tallies.h: pulses, and what is kept of them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "gpio/counter.h"
#include "gpio/file.h"
#include "gpio/tallies.h"
#include "tests/failing_malloc.h"

#define SECOND 1000000000ull

static void test_a_pulse_is_a_change_to_on(void **state)
{
	struct counter c;

	(void)state;
	counter_init(&c, 40, false);
	assert_int_equal(counter_edge(&c, true, 1 * SECOND, 0), 1);
	assert_int_equal(counter_edge(&c, false, 2 * SECOND, 0), 0);
	assert_int_equal(counter_edge(&c, true, 3 * SECOND, 0), 1);
	assert_int_equal(c.count, 42);
	assert_int_equal(c.lost, 0);
}

/* A line goes on and off in turn, so what was lost is known. */
static void test_lost_edges_are_counted(void **state)
{
	static const struct {
		bool on;
		uint32_t lost;
		uint64_t pulses;
	} cases[] = {
		{ true, 0, 1 },	 { true, 1, 1 },  { true, 2, 2 },
		{ true, 3, 2 },	 { false, 0, 0 }, { false, 1, 1 },
		{ false, 2, 1 }, { false, 3, 2 }, { true, 1000, 501 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct counter c;

		counter_init(&c, 0, false);
		assert_int_equal(
			counter_edge(&c, cases[i].on, SECOND, cases[i].lost),
			cases[i].pulses);
		assert_int_equal(c.count, cases[i].pulses);
		assert_int_equal(c.lost, cases[i].lost);
	}
}

/* The same in each run. */
static uint32_t next_random(void)
{
	static uint32_t x = 7;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	return x;
}

/* Any part of a train lost, and the count is that of the whole train. */
static void test_no_loss_changes_the_count(void **state)
{
	(void)state;
	for (int round = 0; round < 200; round++) {
		uint32_t lost = 0;
		struct counter c;

		counter_init(&c, 0, false);
		for (uint64_t i = 1; i <= 1000; i++) {
			/* The last one always comes. */
			if (i < 1000 && next_random() % 4 == 0) {
				lost++;
				continue;
			}
			counter_edge(&c, i % 2, i * SECOND, lost);
			lost = 0;
		}
		assert_int_equal(c.count, 500);
	}
}

static void test_the_rate_is_that_of_the_last_two(void **state)
{
	struct counter c;

	(void)state;
	counter_init(&c, 0, false);
	assert_true(counter_rate(&c, SECOND) == 0);
	counter_edge(&c, true, 10 * SECOND, 0);
	assert_true(counter_rate(&c, 11 * SECOND) == 0);
	counter_edge(&c, false, 11 * SECOND, 0);
	counter_edge(&c, true, 12 * SECOND, 0);
	assert_true(counter_rate(&c, 12 * SECOND) == 1800);
	assert_true(counter_rate(&c, 14 * SECOND) == 1800);
	/* Nothing for longer: it can be no more than this. */
	assert_true(counter_rate(&c, 16 * SECOND) == 900);
	/* Two pulses among the lost ones share the time. */
	counter_edge(&c, true, 20 * SECOND, 3);
	assert_true(counter_rate(&c, 20 * SECOND) == 900);
}

/* ---- kept --------------------------------------------------------------- */

static char directory[32];

static int setup(void **state)
{
	(void)state;
	(void)snprintf(directory, sizeof(directory), "/tmp/hearth-XXXXXX");
	return mkdtemp(directory) ? 0 : -1;
}

static int teardown(void **state)
{
	char path[64];

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/%s", directory, TALLIES_FILE);
	(void)unlink(path);
	return rmdir(directory);
}

static void test_counts_come_back(void **state)
{
	static struct tallies tallies, back;

	(void)state;
	assert_int_equal(tallies_load(directory, &back), -ENOENT);
	assert_int_equal(back.count, 0);
	tallies_put(&tallies, "water", 7);
	tallies_put(&tallies, "power", TALLY_MAX);
	tallies_put(&tallies, "water", 8);
	assert_int_equal(tallies_save(directory, &tallies), 0);
	assert_int_equal(tallies_load(directory, &back), 0);
	assert_int_equal(back.count, 2);
	assert_int_equal(tallies_of(&back, "water"), 8);
	assert_true(tallies_of(&back, "power") == TALLY_MAX);
	assert_int_equal(tallies_of(&back, "gas"), 0);
}

static void test_the_oldest_is_forgotten(void **state)
{
	static struct tallies tallies;
	char name[16];

	(void)state;
	for (unsigned int i = 0; i < PINS_MAX + 1; i++) {
		(void)snprintf(name, sizeof(name), "c%u", i);
		tallies_put(&tallies, name, i + 1);
	}
	assert_int_equal(tallies.count, PINS_MAX);
	assert_int_equal(tallies_of(&tallies, "c0"), 0);
	assert_int_equal(tallies_of(&tallies, "c1"), 2);
	assert_int_equal(tallies_of(&tallies, name), PINS_MAX + 1);
}

static void test_a_damaged_file_is_not_believed(void **state)
{
	static const char *const bad[] = {
		"",
		"[",
		"[]",
		"{\"a\":-1}",
		"{\"a\":1.5}",
		"{\"a\":\"1\"}",
		"{\"a\":9007199254740993}",
		"{\"a\":1,\"a\":2}",
		"{\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\":1}",
	};
	static struct tallies tallies;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(file_replace(directory, TALLIES_FILE,
					      slice_str(bad[i]), false),
				 0);
		assert_int_equal(tallies_load(directory, &tallies), -EINVAL);
		assert_int_equal(tallies.count, 0);
	}
}

static void test_memory_that_runs_out_loses_no_count(void **state)
{
	static struct tallies tallies, back;
	bool failed = true;

	(void)state;
	tallies_put(&tallies, "water", 7);
	assert_int_equal(tallies_save(directory, &tallies), 0);
	tallies_put(&tallies, "water", 8);
	for (unsigned int n = 0; failed; n++) {
		int r;

		failing_malloc_arm(n);
		r = tallies_save(directory, &tallies);
		failed = failing_malloc_disarm();
		assert_int_equal(r, failed ? -ENOMEM : 0);
		assert_int_equal(tallies_load(directory, &back), 0);
		assert_int_equal(tallies_of(&back, "water"), failed ? 7 : 8);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_pulse_is_a_change_to_on),
		cmocka_unit_test(test_lost_edges_are_counted),
		cmocka_unit_test(test_no_loss_changes_the_count),
		cmocka_unit_test(test_the_rate_is_that_of_the_last_two),
		cmocka_unit_test_setup_teardown(test_counts_come_back, setup,
						teardown),
		cmocka_unit_test(test_the_oldest_is_forgotten),
		cmocka_unit_test_setup_teardown(
			test_a_damaged_file_is_not_believed, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_memory_that_runs_out_loses_no_count, setup,
			teardown),
	};

	json_set_alloc_funcs(malloc, free);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

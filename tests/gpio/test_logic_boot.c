#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/gpio/logic_bench.h"

enum { A, B, C };

/* The process dies, and is there again after so long. */
static void restart(unsigned int output, uint64_t after)
{
	struct logic_memory memory = *logic_remember(&bench.logic, output);

	bench.now += after;
	logic_init(&bench.logic, bench.now);
	logic_hub(&bench.logic, true, bench.now);
	bench_add(output, memory.on, memory.told, &memory);
	bench_run();
}

/* A freezer that waits for its min_off must not stay off for ever because
 * hearth-gpiod was upgraded meanwhile. */
static void test_a_boot_value_outlives_the_process(void **state)
{
	(void)state;
	bench.rules[A].boot = LOGIC_BOOT_ON;
	bench.rules[A].min_off_ms = 10000;
	bench.rules[A].auto_off_ms = 5000;
	bench_add(A, false, false, NULL);
	bench_run();
	bench_pass(3000);
	restart(A, 100);
	bench_pass(6899);
	assert_false(bench_on(A));
	bench_pass(1);
	assert_true(bench_on(A));
	restart(A, 100);
	bench_pass(4900);
	assert_false(bench_on(A));
	/* It came; it does not come again. */
	restart(A, 100);
	bench_pass(100000);
	assert_false(bench_on(A));
}

static void test_what_is_restored_outlives_the_process(void **state)
{
	(void)state;
	bench.rules[A].boot = LOGIC_BOOT_RESTORE;
	bench.rules[A].min_off_ms = 10000;
	bench_add(A, false, true, NULL);
	bench_run();
	restart(A, 20000);
	assert_true(bench_on(A));
}

static void test_an_order_ends_what_the_start_asked_for(void **state)
{
	(void)state;
	bench.rules[A].boot = LOGIC_BOOT_ON;
	bench.rules[A].min_off_ms = 10000;
	bench_add(A, false, false, NULL);
	bench_run();
	assert_int_equal(bench_order(A, LOGIC_OFF), LOGIC_APPLIED);
	restart(A, 100);
	bench_pass(100000);
	assert_false(bench_on(A));
}

/* Off, too: the line may not obey before the process dies. */
static void test_a_line_that_does_not_obey_at_the_start(void **state)
{
	(void)state;
	bench.rules[A].boot = LOGIC_BOOT_OFF;
	bench.broken[A] = true;
	bench_add(A, true, false, NULL);
	bench_run();
	bench_pass(5 * LOGIC_RETRY_MS);
	assert_true(bench_on(A));
	restart(A, 100);
	bench.broken[A] = false;
	bench_pass(LOGIC_RETRY_MS);
	assert_false(bench_on(A));
}

static void test_who_comes_late_has_lost_its_turn(void **state)
{
	(void)state;
	bench.rules[A].group = bench.rules[B].group = 7;
	bench.rules[B].boot = LOGIC_BOOT_RESTORE;
	bench_add(A, true, false, NULL);
	bench_add(B, false, true, NULL);
	bench_run();
	assert_true(bench_on(A));
	assert_false(logic_remember(&bench.logic, B)->told);
	/* Nobody reserves it, and nobody comes back by himself. */
	assert_int_equal(bench_order(A, LOGIC_ON), LOGIC_APPLIED);
	assert_int_equal(bench_order(A, LOGIC_OFF), LOGIC_APPLIED);
	bench_pass(100000);
	assert_false(bench_on(B));
}

static void test_who_is_to_go_off_gives_its_turn(void **state)
{
	(void)state;
	bench.rules[A].group = bench.rules[B].group = 7;
	bench.rules[A].boot = LOGIC_BOOT_OFF;
	bench.rules[A].dead_ms = 500;
	bench.rules[B].boot = LOGIC_BOOT_RESTORE;
	bench_add(A, true, false, NULL);
	bench_add(B, false, true, NULL);
	bench_run();
	assert_false(bench_on(A));
	assert_false(bench_on(B));
	bench_pass(500);
	assert_true(bench_on(B));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup(name, bench_setup)
	const struct CMUnitTest tests[] = {
		T(test_a_boot_value_outlives_the_process),
		T(test_what_is_restored_outlives_the_process),
		T(test_an_order_ends_what_the_start_asked_for),
		T(test_a_line_that_does_not_obey_at_the_start),
		T(test_who_comes_late_has_lost_its_turn),
		T(test_who_is_to_go_off_gives_its_turn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

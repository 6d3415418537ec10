#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "broker/base/clock.h"

static uint64_t seven_seconds(void)
{
	return UINT64_C(7000000000) + 999999;
}

static int64_t year_2038(void)
{
	return INT64_C(2147483648) * 1000 + 5;
}

static void test_monotonic_time_never_goes_back(void **state)
{
	uint64_t before = clock_ns();

	(void)state;
	for (int i = 0; i < 10000; i++) {
		uint64_t now = clock_ns();

		assert_true(now >= before);
		before = now;
	}
	assert_true(clock_ms() >= before / 1000000);
}

static void test_wall_time_is_the_systems(void **state)
{
	int64_t before = (int64_t)time(NULL) * 1000;
	int64_t now = clock_wall_ms();
	int64_t after = ((int64_t)time(NULL) + 1) * 1000;

	(void)state;
	/* time(2) may read a tick behind clock_gettime(2). */
	assert_true(now >= before - 1000 && now <= after + 1000);
}

static void test_a_test_may_bring_its_own_time(void **state)
{
	(void)state;
	clock_set_source(seven_seconds, year_2038);
	assert_int_equal(clock_ms(), 7000);
	assert_int_equal(clock_ns(), UINT64_C(7000999999));
	assert_true(clock_wall_ms() == INT64_C(2147483648005));
	clock_set_source(NULL, NULL);
	assert_true(clock_wall_ms() != INT64_C(2147483648005));
	assert_true(clock_ns() != UINT64_C(7000999999));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_monotonic_time_never_goes_back),
		cmocka_unit_test(test_wall_time_is_the_systems),
		cmocka_unit_test(test_a_test_may_bring_its_own_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

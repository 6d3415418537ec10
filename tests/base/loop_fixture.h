/*
 * A loop under a clock that the test moves, and timers that note when they fire:
 * for the tests of the loop.
 */
#ifndef TESTS_BASE_LOOP_FIXTURE_H
#define TESTS_BASE_LOOP_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "broker/base/clock.h"
#include "broker/base/loop.h"

#define HOUR (UINT64_C(3600) * 1000)

/* Time stands still unless a test moves it; it starts where the lowest digits of
 * the wheel are about to carry. */
#define START ((UINT64_C(1) << 37) - 100)
static uint64_t fake_ms;

static inline uint64_t fake_ns(void)
{
	return fake_ms * 1000000;
}

static struct loop *loop;

static inline int with_fake_time(void **state)
{
	(void)state;
	fake_ms = START;
	clock_set_source(fake_ns, NULL);
	loop = loop_new();
	return loop ? 0 : -1;
}

static inline int with_real_time(void **state)
{
	(void)state;
	loop = loop_new();
	return loop ? 0 : -1;
}

static inline int teardown(void **state)
{
	(void)state;
	loop_free(loop);
	clock_set_source(NULL, NULL);
	return 0;
}

static inline void turn_at(uint64_t ms)
{
	fake_ms = ms;
	assert_int_equal(loop_turn(loop, 0), 0);
	assert_int_equal(loop_now(loop), ms);
}

struct alarm {
	struct loop_timer timer;
	uint64_t fired_at; /* 0: not yet */
	unsigned int times;
};

static uint64_t last_due; /* of the alarm that fired last in this turn */
static unsigned int fired;

static inline void ring(struct loop_timer *timer)
{
	struct alarm *alarm = list_entry(timer, struct alarm, timer);

	assert_true(timer->due <= loop_now(loop));
	assert_true(timer->due >= last_due);
	last_due = timer->due;
	alarm->fired_at = loop_now(loop);
	alarm->times++;
	fired++;
}

static inline void set(struct alarm *alarm, uint64_t delay)
{
	*alarm = (struct alarm){ .timer.fn = ring };
	loop_timer_set(loop, &alarm->timer, delay);
}

#define FAKE(test) \
	cmocka_unit_test_setup_teardown(test, with_fake_time, teardown)
#define REAL(test) \
	cmocka_unit_test_setup_teardown(test, with_real_time, teardown)

#endif

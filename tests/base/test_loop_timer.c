#include "tests/base/loop_fixture.h"

#define MANY 3000

static void test_a_timer_fires_at_its_millisecond_and_not_before(void **state)
{
	/* Both sides of a tick, of each level's end, and what lies beyond. */
	static const uint64_t delays[] = {
		1,	   7,		8,
		9,	   99,		100,
		101,	   511,		512,
		513,	   32767,	32768,
		32769,	   2097151,	2097152,
		2097153,   134217727,	134217728,
		134217729, 1000 * HOUR, HOUR * 24 * 30 + 3,
	};
	struct alarm alarm;

	(void)state;
	for (size_t i = 0; i < sizeof(delays) / sizeof(delays[0]); i++) {
		uint64_t due = fake_ms + delays[i];

		last_due = 0;
		set(&alarm, delays[i]);
		turn_at(due - 1);
		assert_int_equal(alarm.times, 0);
		turn_at(due);
		assert_int_equal(alarm.times, 1);
		turn_at(due + HOUR);
		assert_int_equal(alarm.times, 1);
	}
}

static uint32_t any(void)
{
	static uint32_t x = 12345;

	x = x * 1664525 + 1013904223;
	return x >> 8;
}

/* Delays spread over all levels, near ones as likely as far ones. */
static uint64_t any_delay(void)
{
	return ((uint64_t)any() << 8 | (any() & 255)) >> any() % 32;
}

static void check(const struct alarm *alarms, const bool *cancelled,
		  uint64_t before)
{
	for (int i = 0; i < MANY; i++) {
		const struct alarm *a = &alarms[i];

		if (cancelled[i] || a->timer.due > fake_ms) {
			assert_int_equal(a->times, 0);
		} else {
			assert_int_equal(a->times, 1);
			/* At the first turn, not at a later one. */
			assert_true(a->timer.due <= before ||
				    a->fired_at == fake_ms);
		}
	}
}

static void test_thousands_over_all_levels_fire_once_in_order(void **state)
{
	static struct alarm alarms[MANY];
	static bool cancelled[MANY];
	uint64_t before = fake_ms;

	(void)state;
	fired = 0;
	for (int i = 0; i < MANY; i++) {
		set(&alarms[i], any_delay());
		cancelled[i] = i % 10 == 0;
		if (cancelled[i])
			loop_timer_cancel(loop, &alarms[i].timer);
	}
	while (fired < MANY - MANY / 10) {
		last_due = 0;
		turn_at(fake_ms + 1 + any_delay() / 8);
		check(alarms, cancelled, before);
		before = fake_ms;
		assert_true(fake_ms < START + 10000 * HOUR);
	}
}

static void test_hours_without_a_turn_are_caught_up_in_order(void **state)
{
	static struct alarm alarms[MANY];

	(void)state;
	fired = 0;
	last_due = 0;
	for (int i = 0; i < MANY; i++)
		set(&alarms[i], any_delay());
	turn_at(START + 20000 * HOUR);
	assert_int_equal(fired, MANY);
}

static void test_setting_again_moves_a_timer(void **state)
{
	struct alarm alarm;

	(void)state;
	last_due = 0;
	set(&alarm, 10);
	loop_timer_set(loop, &alarm.timer, 5000);
	turn_at(START + 20);
	assert_int_equal(alarm.times, 0);
	loop_timer_set(loop, &alarm.timer, 3);
	turn_at(START + 23);
	assert_int_equal(alarm.times, 1);
	turn_at(START + 5000);
	assert_int_equal(alarm.times, 1);
}

static void test_the_longest_delay_does_not_wrap(void **state)
{
	struct alarm alarm;

	(void)state;
	set(&alarm, UINT64_MAX);
	turn_at(START + 10000 * HOUR);
	assert_int_equal(alarm.times, 0);
	loop_timer_cancel(loop, &alarm.timer);
}

static void again(struct loop_timer *timer)
{
	fired++;
	loop_timer_set(loop, timer, 0);
}

static void test_no_delay_means_the_next_turn(void **state)
{
	struct loop_timer timer = { .fn = again };

	(void)state;
	fired = 0;
	loop_timer_set(loop, &timer, 0);
	for (unsigned int i = 1; i <= 5; i++) {
		turn_at(START);
		assert_int_equal(fired, i);
	}
	/* Also when late, and never twice in a turn. */
	turn_at(START + HOUR);
	assert_int_equal(fired, 6);
	loop_timer_cancel(loop, &timer);
	turn_at(START + HOUR);
	assert_int_equal(fired, 6);
}

static struct alarm victim;

static void cancel_the_other(struct loop_timer *timer)
{
	(void)timer;
	loop_timer_cancel(loop, &victim.timer);
}

static void postpone_the_other(struct loop_timer *timer)
{
	(void)timer;
	loop_timer_set(loop, &victim.timer, 50);
}

static void test_a_timer_may_cancel_one_that_is_due_with_it(void **state)
{
	struct loop_timer first = { .fn = cancel_the_other };

	(void)state;
	loop_timer_set(loop, &first, 10);
	set(&victim, 10);
	turn_at(START + 10);
	turn_at(START + HOUR);
	assert_int_equal(victim.times, 0);
}

static void test_a_timer_may_postpone_one_that_is_due_with_it(void **state)
{
	struct loop_timer first = { .fn = postpone_the_other };

	(void)state;
	last_due = 0;
	loop_timer_set(loop, &first, 10);
	set(&victim, 10);
	turn_at(START + 10);
	assert_int_equal(victim.times, 0);
	turn_at(START + 60);
	assert_int_equal(victim.times, 1);
}

static void test_a_clock_that_steps_back_is_not_followed(void **state)
{
	struct alarm alarm;

	(void)state;
	last_due = 0;
	turn_at(START + 1000);
	fake_ms = START;
	assert_int_equal(loop_turn(loop, 0), 0);
	assert_int_equal(loop_now(loop), START + 1000);
	set(&alarm, 10);
	turn_at(START + 1010);
	assert_int_equal(alarm.times, 1);
}

static void test_a_turn_sleeps_until_the_next_timer(void **state)
{
	/* The second lies a level higher: dealing it out is no turn. */
	static const uint64_t delays[] = { 20, 600 };
	struct alarm alarm;

	(void)state;
	for (int i = 0; i < 2; i++) {
		last_due = 0;
		assert_int_equal(loop_turn(loop, 0), 0);
		set(&alarm, delays[i]);
		assert_int_equal(loop_turn(loop, -1), 0);
		assert_int_equal(alarm.times, 1);
		assert_true(clock_ms() >= alarm.timer.due);
	}
}

static void wake_up(void)
{
	loop_wake(loop);
	assert_int_equal(loop_turn(loop, -1), 0);
}

/* The alarm stands at an hour by then; who misses this one sleeps for as long. */
static void test_a_sleep_ends_for_a_timer_set_after_a_later_one(void **state)
{
	struct alarm later;
	struct alarm sooner;

	(void)state;
	last_due = 0;
	set(&later, HOUR);
	wake_up();
	for (unsigned int i = 1; i <= 3; i++) {
		set(&sooner, 10);
		while (sooner.times == 0)
			assert_int_equal(loop_turn(loop, -1), 0);
	}
	assert_int_equal(later.times, 0);
	loop_timer_cancel(loop, &later.timer);
}

static void count_turn(void *arg)
{
	++*(unsigned int *)arg;
}

/* It rings for nobody, which is no turn. */
static void test_a_cancelled_timer_does_not_end_a_sleep(void **state)
{
	struct alarm cancelled;
	struct alarm kept;
	unsigned int turns = 0;

	(void)state;
	/* Again, should the machine have been busy for so long. */
	do {
		last_due = 0;
		set(&cancelled, 30);
		set(&kept, 60);
		wake_up();
	} while (cancelled.times > 0);
	loop_timer_cancel(loop, &cancelled.timer);
	loop_set_turn_end(loop, count_turn, &turns);
	assert_int_equal(loop_turn(loop, -1), 0);
	assert_int_equal(cancelled.times, 0);
	assert_int_equal(kept.times, 1);
	assert_int_equal(turns, 1);
}

static void test_a_turn_ends_after_its_longest_wait(void **state)
{
	uint64_t before = clock_ms();
	struct alarm alarm;

	(void)state;
	set(&alarm, HOUR);
	assert_int_equal(loop_turn(loop, 30), 0);
	assert_true(clock_ms() >= before + 30);
	assert_int_equal(alarm.times, 0);
	loop_timer_cancel(loop, &alarm.timer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FAKE(test_a_timer_fires_at_its_millisecond_and_not_before),
		FAKE(test_thousands_over_all_levels_fire_once_in_order),
		FAKE(test_hours_without_a_turn_are_caught_up_in_order),
		FAKE(test_setting_again_moves_a_timer),
		FAKE(test_the_longest_delay_does_not_wrap),
		FAKE(test_no_delay_means_the_next_turn),
		FAKE(test_a_timer_may_cancel_one_that_is_due_with_it),
		FAKE(test_a_timer_may_postpone_one_that_is_due_with_it),
		FAKE(test_a_clock_that_steps_back_is_not_followed),
		REAL(test_a_turn_sleeps_until_the_next_timer),
		REAL(test_a_sleep_ends_for_a_timer_set_after_a_later_one),
		REAL(test_a_cancelled_timer_does_not_end_a_sleep),
		REAL(test_a_turn_ends_after_its_longest_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

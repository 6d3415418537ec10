#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#include "broker/base/clock.h"
#include "broker/base/loop.h"
#include "tests/failing_malloc.h"

#define MANY 3000
#define HOUR (UINT64_C(3600) * 1000)

/* Time stands still unless a test moves it; it starts where the lowest digits of
 * the wheel are about to carry. */
#define START ((UINT64_C(1) << 37) - 100)
static uint64_t fake_ms;

static uint64_t fake_ns(void)
{
	return fake_ms * 1000000;
}

static struct loop *loop;

static int with_fake_time(void **state)
{
	(void)state;
	fake_ms = START;
	clock_set_source(fake_ns, NULL);
	loop = loop_new();
	return loop ? 0 : -1;
}

static int with_real_time(void **state)
{
	(void)state;
	loop = loop_new();
	return loop ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	loop_free(loop);
	clock_set_source(NULL, NULL);
	return 0;
}

static void turn_at(uint64_t ms)
{
	fake_ms = ms;
	assert_int_equal(loop_turn(loop, 0), 0);
	assert_int_equal(loop_now(loop), ms);
}

/* Timers */

struct alarm {
	struct loop_timer timer;
	uint64_t fired_at; /* 0: not yet */
	unsigned int times;
};

static uint64_t last_due; /* of the alarm that fired last in this turn */
static unsigned int fired;

static void ring(struct loop_timer *timer)
{
	struct alarm *alarm = list_entry(timer, struct alarm, timer);

	assert_true(timer->due <= loop_now(loop));
	assert_true(timer->due >= last_due);
	last_due = timer->due;
	alarm->fired_at = loop_now(loop);
	alarm->times++;
	fired++;
}

static void set(struct alarm *alarm, uint64_t delay)
{
	*alarm = (struct alarm){ .timer.fn = ring };
	loop_timer_set(loop, &alarm->timer, delay);
}

static void test_a_timer_fires_at_its_millisecond_and_not_before(void **state)
{
	/* Both sides of a tick, of each level's end, and what lies beyond. */
	static const uint64_t delays[] = {
		1, 7, 8, 9, 99, 100, 101, 511, 512, 513, 32767, 32768, 32769,
		2097151, 2097152, 2097153, 134217727, 134217728, 134217729,
		1000 * HOUR, 30 * 24 * HOUR + 3,
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

/* Sources */

struct bell {
	struct loop_source source;
	unsigned int times;
	struct bell *remove; /* when called */
	bool close;
};

static void bell_init(struct bell *bell)
{
	*bell = (struct bell){ .source.fd = -1 };
}

static void drop(struct bell *bell)
{
	int fd = bell->source.fd;

	loop_remove(loop, &bell->source);
	if (fd >= 0)
		close(fd);
}

static void called(struct loop_source *source, uint32_t events)
{
	struct bell *bell = list_entry(source, struct bell, source);

	assert_true(events & EPOLLIN);
	bell->times++;
	if (bell->remove)
		drop(bell->remove);
}

/* An eventfd that rings until read. */
static void add(struct bell *bell)
{
	int fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);

	assert_true(fd >= 0);
	bell_init(bell);
	assert_int_equal(loop_add(loop, &bell->source, fd, EPOLLIN, called), 0);
}

static void test_a_ready_source_is_called_each_turn_until_removed(void **state)
{
	struct bell bell;

	(void)state;
	add(&bell);
	assert_int_equal(loop_turn(loop, -1), 0);
	assert_int_equal(loop_turn(loop, -1), 0);
	assert_int_equal(bell.times, 2);

	assert_int_equal(loop_modify(loop, &bell.source, 0), 0);
	assert_int_equal(loop_turn(loop, 0), 0);
	assert_int_equal(bell.times, 2);
	assert_int_equal(loop_modify(loop, &bell.source, EPOLLIN), 0);
	assert_int_equal(loop_turn(loop, -1), 0);
	assert_int_equal(bell.times, 3);

	drop(&bell);
	assert_int_equal(bell.source.fd, -1);
	assert_int_equal(loop_turn(loop, 0), 0);
	assert_int_equal(bell.times, 3);
	loop_remove(loop, &bell.source);
}

static void test_a_source_may_remove_itself(void **state)
{
	struct bell bell;

	(void)state;
	add(&bell);
	bell.remove = &bell;
	assert_int_equal(loop_turn(loop, -1), 0);
	assert_int_equal(loop_turn(loop, 0), 0);
	assert_int_equal(bell.times, 1);
}

static void test_a_removed_source_is_not_called_in_the_same_turn(void **state)
{
	struct bell a;
	struct bell b;

	(void)state;
	/* Both are ready; whichever is called first removes the other. */
	add(&a);
	add(&b);
	a.remove = &b;
	b.remove = &a;
	assert_int_equal(loop_turn(loop, -1), 0);
	assert_int_equal(a.times + b.times, 1);
	drop(&a);
	drop(&b);
}

static struct bell *reborn;

static void bear_again(struct loop_source *source, uint32_t events)
{
	(void)source;
	(void)events;
	if (!reborn->remove)
		return;
	drop(reborn);
	add(reborn); /* same memory, perhaps same number, another file */
}

static void test_a_source_added_anew_misses_the_old_ones_event(void **state)
{
	struct bell a;
	struct bell b;

	(void)state;
	add(&a);
	add(&b);
	a.source.fn = bear_again;
	reborn = &b;
	b.remove = &a; /* only a mark for bear_again() */
	/* epoll reports in the order of becoming ready: a before b. */
	assert_int_equal(loop_turn(loop, -1), 0);
	assert_int_equal(b.times, 0);
	assert_int_equal(loop_turn(loop, -1), 0);
	assert_int_equal(b.times, 1);
	drop(&a);
	drop(&b);
}

static void postpone_on_event(struct loop_source *source, uint32_t events)
{
	(void)source;
	(void)events;
	loop_timer_set(loop, &victim.timer, 100);
}

/* A packet that arrives with the end of its keep-alive is in time. */
static void test_an_event_saves_a_timer_due_in_the_same_turn(void **state)
{
	struct bell bell;

	(void)state;
	last_due = 0;
	add(&bell);
	bell.source.fn = postpone_on_event;
	set(&victim, 100);
	turn_at(START + 100);
	assert_int_equal(victim.times, 0);
	drop(&bell);
	turn_at(START + 200);
	assert_int_equal(victim.times, 1);
}

static void test_errors_of_epoll_are_told_and_change_nothing(void **state)
{
	struct bell bell;
	int fd;

	(void)state;
	bell_init(&bell);
	assert_int_equal(loop_add(loop, &bell.source, -1, EPOLLIN, called),
			 -EBADF);
	assert_int_equal(bell.source.fd, -1);

	add(&bell);
	fd = bell.source.fd;
	assert_int_equal(loop_add(loop, &bell.source, fd, EPOLLIN, called),
			 -EEXIST);
	close(fd);
	assert_int_equal(loop_modify(loop, &bell.source, EPOLLOUT), -EBADF);
	assert_int_equal(bell.source.events, EPOLLIN);
	loop_remove(loop, &bell.source);
	assert_int_equal(bell.source.fd, -1);
}

/* The whole */

static void note_turn(void *arg)
{
	*(unsigned int *)arg += fired * 100 + 1;
}

static void test_the_turn_end_comes_last_in_every_turn(void **state)
{
	unsigned int seen = 0;
	struct alarm alarm;

	(void)state;
	fired = 0;
	last_due = 0;
	loop_set_turn_end(loop, note_turn, &seen);
	turn_at(START);
	assert_int_equal(seen, 1);
	set(&alarm, 5);
	turn_at(START + 5);
	assert_int_equal(seen, 102);
	loop_set_turn_end(loop, NULL, NULL);
	turn_at(START + 6);
	assert_int_equal(seen, 102);
}

static void *stop_it(void *arg)
{
	(void)arg;
	loop_stop(loop);
	return NULL;
}

static void *wake_it(void *arg)
{
	(void)arg;
	loop_wake(loop);
	return NULL;
}

static void test_other_threads_wake_and_stop_it(void **state)
{
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, wake_it, NULL), 0);
	assert_int_equal(loop_turn(loop, -1), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);

	for (int i = 0; i < 3; i++) {
		assert_int_equal(pthread_create(&thread, NULL, stop_it, NULL),
				 0);
		assert_int_equal(loop_run(loop), 0);
		assert_int_equal(pthread_join(thread, NULL), 0);
	}
}

static void stop_in_timer(struct loop_timer *timer)
{
	(void)timer;
	fired++;
	loop_stop(loop);
}

static void test_a_stopped_loop_may_run_again(void **state)
{
	struct loop_timer timer = { .fn = stop_in_timer };

	(void)state;
	fired = 0;
	for (unsigned int i = 1; i <= 3; i++) {
		loop_timer_set(loop, &timer, 0);
		assert_int_equal(loop_run(loop), 0);
		assert_int_equal(fired, i);
	}
}

static void test_without_memory_there_is_none_and_later_none_is_needed(
	void **state)
{
	struct alarm alarm;
	struct bell bell;

	(void)state;
	failing_malloc_arm(0);
	assert_null(loop_new());
	assert_true(failing_malloc_disarm());
	assert_int_equal(errno, ENOMEM);

	last_due = 0;
	failing_malloc_arm(0);
	add(&bell);
	set(&alarm, HOUR);
	turn_at(START + HOUR);
	drop(&bell);
	assert_false(failing_malloc_disarm());
	assert_int_equal(alarm.times, 1);
}

#define FAKE(test) cmocka_unit_test_setup_teardown(test, with_fake_time, teardown)
#define REAL(test) cmocka_unit_test_setup_teardown(test, with_real_time, teardown)

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
		REAL(test_a_turn_ends_after_its_longest_wait),
		REAL(test_a_ready_source_is_called_each_turn_until_removed),
		REAL(test_a_source_may_remove_itself),
		REAL(test_a_removed_source_is_not_called_in_the_same_turn),
		REAL(test_a_source_added_anew_misses_the_old_ones_event),
		FAKE(test_an_event_saves_a_timer_due_in_the_same_turn),
		REAL(test_errors_of_epoll_are_told_and_change_nothing),
		FAKE(test_the_turn_end_comes_last_in_every_turn),
		REAL(test_other_threads_wake_and_stop_it),
		REAL(test_a_stopped_loop_may_run_again),
		FAKE(test_without_memory_there_is_none_and_later_none_is_needed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

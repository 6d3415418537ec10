#include "tests/base/loop_fixture.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/failing_malloc.h"

static struct alarm victim;

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

static void
test_without_memory_there_is_none_and_later_none_is_needed(void **state)
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

/* epoll, the wake-up and the alarm. */
static void
test_without_descriptors_there_is_none_and_none_is_kept(void **state)
{
	const int lowest = dup(0);
	struct rlimit before;
	struct rlimit few;

	(void)state;
	assert_true(lowest >= 0);
	assert_int_equal(close(lowest), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	for (unsigned int i = 0; i < 3; i++) {
		few = before;
		few.rlim_cur = (rlim_t)lowest + i;
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
		assert_null(loop_new());
		assert_int_equal(errno, EMFILE);
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
		assert_int_equal(dup(0), lowest);
		assert_int_equal(close(lowest), 0);
	}
}

static int64_t asked;

static int64_t counted_wall(void)
{
	return 1000 + asked++;
}

static void test_the_wall_clock_is_read_once_a_turn_that_asks(void **state)
{
	(void)state;
	asked = 0;
	clock_set_source(fake_ns, counted_wall);
	turn_at(START + 10);
	assert_int_equal(asked, 0);
	assert_int_equal(loop_wall(loop), 1000);
	assert_int_equal(loop_wall(loop), 1000);
	turn_at(START + 10);
	assert_int_equal(loop_wall(loop), 1001);
	assert_int_equal(asked, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		REAL(test_a_ready_source_is_called_each_turn_until_removed),
		REAL(test_a_source_may_remove_itself),
		REAL(test_a_removed_source_is_not_called_in_the_same_turn),
		REAL(test_a_source_added_anew_misses_the_old_ones_event),
		FAKE(test_an_event_saves_a_timer_due_in_the_same_turn),
		REAL(test_errors_of_epoll_are_told_and_change_nothing),
		FAKE(test_the_turn_end_comes_last_in_every_turn),
		FAKE(test_the_wall_clock_is_read_once_a_turn_that_asks),
		REAL(test_other_threads_wake_and_stop_it),
		REAL(test_a_stopped_loop_may_run_again),
		FAKE(test_without_memory_there_is_none_and_later_none_is_needed),
		REAL(test_without_descriptors_there_is_none_and_none_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

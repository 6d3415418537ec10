/*
 * One thread's event loop: epoll, timers, and a way to be woken. Sources and
 * timers are embedded in their owners; the loop allocates nothing after
 * loop_new(). Timers are kept in a wheel of 64 x 4 slots at 8 ms, so setting and
 * cancelling cost the same however many there are; one fires at the first turn
 * at or after its due time, never before.
 *
 * Only the loop's own thread may call, but for loop_wake() and loop_stop().
 */
#ifndef BASE_LOOP_H
#define BASE_LOOP_H

#include <stdint.h>
#include <sys/epoll.h>

#include "broker/base/list.h"

struct loop;
struct loop_source;
struct loop_timer;

typedef void loop_source_fn(struct loop_source *source, uint32_t events);
typedef void loop_timer_fn(struct loop_timer *timer);
typedef void loop_turn_fn(void *arg);

struct loop_source {
	int fd; /* -1: not in the loop */
	uint32_t events;
	loop_source_fn *fn;
};

struct loop_timer {
	struct list link;
	uint64_t due; /* clock_ms() */
	loop_timer_fn *fn;
};

/* Returns NULL with errno set. */
struct loop *loop_new(void);
void loop_free(struct loop *loop);

/* events: EPOLLIN, EPOLLOUT, EPOLLET ... Returns 0 or a negative errno. A source
 * removed while a turn is handling events is not called any more in that turn. */
int loop_add(struct loop *loop, struct loop_source *source, int fd,
	     uint32_t events, loop_source_fn *fn);
int loop_modify(struct loop *loop, struct loop_source *source, uint32_t events);
void loop_remove(struct loop *loop, struct loop_source *source);

/* (Re)arm timer to fire delay_ms from loop_now(). fn is kept from timer->fn. */
void loop_timer_set(struct loop *loop, struct loop_timer *timer,
		    uint64_t delay_ms);
void loop_timer_cancel(struct loop *loop, struct loop_timer *timer);

/* Called at the end of every turn, after events and timers: where dirty sockets
 * are flushed. One function; NULL takes it away. */
void loop_set_turn_end(struct loop *loop, loop_turn_fn *fn, void *arg);

/* Monotonic milliseconds, read once a turn. */
uint64_t loop_now(const struct loop *loop);

/* clock_wall_ms(), read once a turn, and only in one that asks. */
int64_t loop_wall(struct loop *loop);

/* One turn: wait for events at most max_wait_ms (-1: until something happens),
 * handle them, timers, turn end. Returns 0 or a negative errno of epoll_wait. */
int loop_turn(struct loop *loop, int max_wait_ms);
/* Turns until loop_stop(). */
int loop_run(struct loop *loop);

/* From any thread. */
void loop_wake(struct loop *loop);
void loop_stop(struct loop *loop);

#endif

/*
 * The wheel. Time is cut into ticks of 8 ms and a tick's number into digits to
 * the base 64. A timer lies at the level of the highest digit in which its tick
 * differs from the current one, in the slot of that digit; beyond four digits
 * (37 hours) it lies in far. So
 *
 *	- slots behind the current digit are empty on every level,
 *	- whatever lies on a lower level comes before what lies on a higher one,
 *	- when the current tick reaches a slot of level n > 0 all lower levels
 *	  are empty, and the slot is dealt out to them.
 *
 * The earliest slot is then the lowest bit set on the lowest level in use, and
 * hours without a turn are jumped over in a few steps. A cancelled timer may
 * leave the bit of an empty slot behind; who finds it clears it.
 */
#include "broker/base/loop.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "broker/base/clock.h"

#define TICK_BITS 3
#define TICK_MS (1 << TICK_BITS)
#define DIGIT_BITS 6
#define SLOTS (1 << DIGIT_BITS)
#define LEVELS 4

/* Events of one turn: enough that a busy house is answered in one flush for
 * each socket, few enough that timers are not late. */
#define EVENTS_MAX 256

#define NEVER UINT64_MAX

struct loop {
	int epoll_fd;
	struct loop_source wake;
	struct loop_source alarm; /* a timerfd */
	uint64_t armed; /* when it rings, in ms; NEVER: it does not */
	atomic_bool stopping;

	uint64_t now;
	int64_t wall; /* of this turn, 0: nobody has asked */
	loop_turn_fn *turn_end;
	void *turn_end_arg;

	/* Those being handled; a removed source's pointer is taken out. */
	struct epoll_event events[EVENTS_MAX];
	int event_count;

	uint64_t tick; /* now in ticks once a turn has advanced the wheel */
	uint64_t next; /* nothing is due, nor to be dealt out, before this ms */
	uint64_t used[LEVELS]; /* a bit for each slot that may hold timers */
	struct list slots[LEVELS][SLOTS];
	struct list far;
	struct list expired; /* to be called in this turn, in order */
};

static void drain_wake(struct loop_source *source, uint32_t events)
{
	uint64_t counter;
	ssize_t n = read(source->fd, &counter, sizeof(counter));

	(void)n;
	(void)events;
}

/* Whoever sleeps next sets it anew. */
static void on_alarm(struct loop_source *source, uint32_t events)
{
	struct loop *loop = list_entry(source, struct loop, alarm);

	(void)events;
	loop->armed = NEVER;
}

static void wheel_init(struct loop *loop)
{
	for (int level = 0; level < LEVELS; level++) {
		for (int slot = 0; slot < SLOTS; slot++)
			list_init(&loop->slots[level][slot]);
	}
	list_init(&loop->far);
	list_init(&loop->expired);
	loop->now = clock_ms();
	loop->tick = loop->now >> TICK_BITS;
	loop->next = NEVER;
}

/* Takes fd, which may be an error's -1 with errno. Returns 0 or a negative errno. */
static int add_own(struct loop *loop, struct loop_source *source, int fd,
		   uint32_t events, loop_source_fn *fn)
{
	int r = fd < 0 ? -errno : loop_add(loop, source, fd, events, fn);

	if (r < 0 && fd >= 0)
		close(fd);
	return r;
}

static int add_wake(struct loop *loop)
{
	return add_own(loop, &loop->wake,
		       eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), EPOLLIN,
		       drain_wake);
}

/* Set off again, it is news: nobody has to read it. */
static int add_alarm(struct loop *loop)
{
	loop->armed = NEVER;
	return add_own(
		loop, &loop->alarm,
		timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK),
		EPOLLIN | EPOLLET, on_alarm);
}

struct loop *loop_new(void)
{
	struct loop *loop = calloc(1, sizeof(*loop));
	int r;

	if (!loop)
		return NULL;
	atomic_init(&loop->stopping, false);
	wheel_init(loop);

	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll_fd < 0) {
		r = -errno;
		goto err_free;
	}
	r = add_wake(loop);
	if (r < 0)
		goto err_close_epoll;
	r = add_alarm(loop);
	if (r < 0)
		goto err_close_wake;

	return loop;

err_close_wake:
	close(loop->wake.fd);
err_close_epoll:
	close(loop->epoll_fd);
err_free:
	free(loop);
	errno = -r;
	return NULL;
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	close(loop->alarm.fd);
	close(loop->wake.fd);
	close(loop->epoll_fd);
	free(loop);
}

int loop_add(struct loop *loop, struct loop_source *source, int fd,
	     uint32_t events, loop_source_fn *fn)
{
	struct epoll_event event = { .events = events, .data.ptr = source };

	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
		return -errno;

	source->fd = fd;
	source->events = events;
	source->fn = fn;
	return 0;
}

int loop_modify(struct loop *loop, struct loop_source *source, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = source };

	if (source->events == events)
		return 0;
	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_MOD, source->fd, &event) < 0)
		return -errno;

	source->events = events;
	return 0;
}

void loop_remove(struct loop *loop, struct loop_source *source)
{
	if (source->fd < 0)
		return;

	/* It fails only if the fd was closed before, which removed it too. */
	(void)epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, source->fd, NULL);
	for (int i = 0; i < loop->event_count; i++) {
		if (loop->events[i].data.ptr == source)
			loop->events[i].data.ptr = NULL;
	}
	source->fd = -1;
}

/* The first tick that belongs to a slot of the current turn of a level. */
static uint64_t slot_tick(const struct loop *loop, int level, unsigned int slot)
{
	unsigned int low = DIGIT_BITS * (unsigned int)level;

	return (loop->tick >> (low + DIGIT_BITS) << DIGIT_BITS | slot) << low;
}

static uint64_t far_tick(const struct loop *loop)
{
	return ((loop->tick >> DIGIT_BITS * LEVELS) + 1) << DIGIT_BITS * LEVELS;
}

/* Into the slot its due time asks for. Returns when to look there. */
static uint64_t wheel_put(struct loop *loop, struct loop_timer *timer)
{
	uint64_t tick = timer->due >> TICK_BITS;
	uint64_t differs = tick ^ loop->tick;
	unsigned int slot;
	int level = 0;

	assert(tick >= loop->tick);

	while (level < LEVELS && differs >> DIGIT_BITS * (level + 1) != 0)
		level++;
	if (level == LEVELS) {
		list_append(&loop->far, &timer->link);
		return far_tick(loop) << TICK_BITS;
	}

	slot = tick >> DIGIT_BITS * level & (SLOTS - 1);
	list_append(&loop->slots[level][slot], &timer->link);
	loop->used[level] |= UINT64_C(1) << slot;
	if (level == 0)
		return timer->due;
	return slot_tick(loop, level, slot) << TICK_BITS;
}

/* The earliest slot in use. Returns its list with level and first tick, or NULL
 * if there is no timer at all. */
static struct list *wheel_first(struct loop *loop, int *level, uint64_t *tick)
{
	for (*level = 0; *level < LEVELS; ++*level) {
		while (loop->used[*level]) {
			uint64_t used = loop->used[*level];
			unsigned int slot = (unsigned int)__builtin_ctzll(used);
			struct list *list = &loop->slots[*level][slot];

			*tick = slot_tick(loop, *level, slot);
			if (!list_empty(list))
				return list;
			loop->used[*level] &= used - 1;
		}
	}
	*tick = far_tick(loop);
	return list_empty(&loop->far) ? NULL : &loop->far;
}

/* Move what is due from a slot of level 0 to expired, in order: all its timers
 * share a tick, so eight milliseconds are all there are to sort by. */
static void wheel_collect(struct loop *loop, struct list *slot)
{
	struct list by_ms[TICK_MS];
	struct list *at;
	struct list *after;

	for (int i = 0; i < TICK_MS; i++)
		list_init(&by_ms[i]);
	list_for_each (at, after, slot) {
		struct loop_timer *timer =
			list_entry(at, struct loop_timer, link);

		if (timer->due > loop->now)
			continue;
		list_remove(at);
		list_append(&by_ms[timer->due & (TICK_MS - 1)], at);
	}
	for (int i = 0; i < TICK_MS; i++) {
		list_for_each (at, after, &by_ms[i]) {
			list_remove(at);
			list_append(&loop->expired, at);
		}
	}
}

/* Deal the timers of a higher slot out to the levels below. */
static void wheel_deal(struct loop *loop, struct list *slot)
{
	struct list dealt;
	struct list *at;

	/* Those still too far away come back to the same list. */
	list_init(&dealt);
	while ((at = list_first(slot))) {
		list_remove(at);
		list_append(&dealt, at);
	}
	while ((at = list_first(&dealt))) {
		list_remove(at);
		wheel_put(loop, list_entry(at, struct loop_timer, link));
	}
}

static uint64_t earliest(const struct list *slot)
{
	uint64_t due = NEVER;

	for (const struct list *at = slot->next; at != slot; at = at->next) {
		const struct loop_timer *timer =
			(const struct loop_timer *)((const char *)at -
						    offsetof(struct loop_timer,
							     link));

		if (timer->due < due)
			due = timer->due;
	}
	return due;
}

static void wheel_advance(struct loop *loop)
{
	uint64_t until = loop->now >> TICK_BITS;
	struct list *slot;
	uint64_t tick;
	int level;

	if (loop->now < loop->next) {
		loop->tick = until;
		return;
	}

	for (;;) {
		slot = wheel_first(loop, &level, &tick);
		if (!slot || tick > until)
			break;
		loop->tick = tick;
		if (level > 0) {
			if (level < LEVELS)
				loop->used[level] &= loop->used[level] - 1;
			wheel_deal(loop, slot);
			continue;
		}
		wheel_collect(loop, slot);
		if (!list_empty(slot))
			break; /* due later in the current tick */
	}
	loop->tick = until;
	loop->next = !slot	  ? NEVER
		     : level == 0 ? earliest(slot)
				  : tick << TICK_BITS;
}

void loop_timer_set(struct loop *loop, struct loop_timer *timer,
		    uint64_t delay_ms)
{
	uint64_t look;

	list_remove(&timer->link);
	timer->due =
		delay_ms < NEVER - loop->now ? loop->now + delay_ms : NEVER;
	look = wheel_put(loop, timer);
	if (look < loop->next)
		loop->next = look;
}

void loop_timer_cancel(struct loop *loop, struct loop_timer *timer)
{
	(void)loop;
	list_remove(&timer->link);
}

void loop_set_turn_end(struct loop *loop, loop_turn_fn *fn, void *arg)
{
	loop->turn_end = fn;
	loop->turn_end_arg = arg;
}

uint64_t loop_now(const struct loop *loop)
{
	return loop->now;
}

static void read_clock(struct loop *loop)
{
	uint64_t now = clock_ms();

	if (now > loop->now)
		loop->now = now;
	loop->wall = 0;
}

int64_t loop_wall(struct loop *loop)
{
	if (!loop->wall)
		loop->wall = clock_wall_ms();
	return loop->wall;
}

static uint64_t ms_until(uint64_t end)
{
	uint64_t now = clock_ms();

	return end > now ? end - now : 0;
}

/*
 * Ring when the next timer is due, or before: what rings too early costs a turn,
 * but a sleep that ends at a time of its own would cost the kernel a timer to set
 * and to cancel for each packet. Returns whether there is time to sleep.
 */
static bool set_alarm(struct loop *loop)
{
	struct itimerspec when = { 0 };
	uint64_t ms;

	if (loop->next >= loop->armed)
		return true;
	ms = loop->next > loop->now ? ms_until(loop->next) : 0;
	if (ms == 0)
		return false;
	when.it_value.tv_sec = (time_t)(ms / 1000);
	when.it_value.tv_nsec = (long)(ms % 1000 * 1000000);
	/* It fails for no value of these; then it would not sleep at all. */
	if (timerfd_settime(loop->alarm.fd, 0, &when, NULL) < 0)
		return false;
	loop->armed = loop->next;
	return true;
}

/* How long epoll may sleep before end, or until the alarm. */
static int sleep_ms(struct loop *loop, uint64_t end)
{
	uint64_t ms;

	if (end <= loop->now || !set_alarm(loop))
		return 0;
	if (end == NEVER)
		return -1;
	ms = ms_until(end);
	return ms < INT_MAX ? (int)ms : INT_MAX;
}

/* Until there are events, expired timers or end. The wheel may have to be
 * turned on the way, which is nobody's business outside. */
static int wait_for_something(struct loop *loop, uint64_t end)
{
	int n;

	do {
		n = epoll_wait(loop->epoll_fd, loop->events, EVENTS_MAX,
			       sleep_ms(loop, end));
		if (n < 0)
			return errno == EINTR ? 0 : -errno;
		if (n == 1 && loop->events[0].data.ptr == &loop->alarm) {
			on_alarm(&loop->alarm, EPOLLIN);
			n = 0;
		}
		read_clock(loop);
		wheel_advance(loop);
	} while (n == 0 && list_empty(&loop->expired) && loop->now < end);

	return n;
}

static void call_sources(struct loop *loop, int n)
{
	loop->event_count = n;
	for (int i = 0; i < n; i++) {
		struct loop_source *source = loop->events[i].data.ptr;

		if (source)
			source->fn(source, loop->events[i].events);
	}
	loop->event_count = 0;
}

static void call_timers(struct loop *loop)
{
	struct list *at;

	while ((at = list_first(&loop->expired))) {
		struct loop_timer *timer =
			list_entry(at, struct loop_timer, link);

		list_remove(at);
		timer->fn(timer);
	}
}

int loop_turn(struct loop *loop, int max_wait_ms)
{
	uint64_t end = NEVER;
	int n;

	if (max_wait_ms == 0)
		end = loop->now;
	else if (max_wait_ms > 0)
		end = clock_ms() + (uint64_t)max_wait_ms;

	/* Timers are collected before events are handled and called after: what
	 * an event sets anew or cancels does not fire in the same turn. */
	n = wait_for_something(loop, end);
	if (n < 0)
		return n;
	call_sources(loop, n);
	call_timers(loop);
	if (loop->turn_end)
		loop->turn_end(loop->turn_end_arg);

	return 0;
}

int loop_run(struct loop *loop)
{
	int r = 0;

	while (r == 0 && !atomic_load(&loop->stopping))
		r = loop_turn(loop, -1);
	atomic_store(&loop->stopping, false);

	return r;
}

void loop_wake(struct loop *loop)
{
	uint64_t one = 1;
	ssize_t n = write(loop->wake.fd, &one, sizeof(one));

	/* Fails only with the counter at its limit, which wakes as well. */
	(void)n;
}

void loop_stop(struct loop *loop)
{
	atomic_store(&loop->stopping, true);
	loop_wake(loop);
}

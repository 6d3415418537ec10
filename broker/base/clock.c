#include "broker/base/clock.h"

#include <assert.h>
#include <stddef.h>
#include <time.h>

static uint64_t (*monotonic_source)(void);
static int64_t (*wall_source)(void);

void clock_set_source(uint64_t (*monotonic_ns)(void), int64_t (*wall_ms)(void))
{
	monotonic_source = monotonic_ns;
	wall_source = wall_ms;
}

static struct timespec now(clockid_t id)
{
	struct timespec t;
	int r = clock_gettime(id, &t);

	/* Both clocks are as old as Linux 2.6, and t is ours. */
	assert(r == 0);
	(void)r;
	return t;
}

uint64_t clock_ns(void)
{
	struct timespec t;

	if (monotonic_source)
		return monotonic_source();

	t = now(CLOCK_MONOTONIC);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

uint64_t clock_ms(void)
{
	return clock_ns() / 1000000;
}

int64_t clock_wall_ms(void)
{
	struct timespec t;

	if (wall_source)
		return wall_source();

	t = now(CLOCK_REALTIME);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

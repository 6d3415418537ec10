/*
 * Pulses of a meter: how many, and how fast. Pure; times are those of the edges,
 * in nanoseconds of the monotonic clock.
 *
 * A pulse is a change from off to on. Edges that were lost on the way are known
 * by number (lines.h), and since a line goes on and off in turn, the pulses among
 * them are too: the count stays right, only their times are not known.
 */
#ifndef GPIO_COUNTER_H
#define GPIO_COUNTER_H

#include <stdbool.h>
#include <stdint.h>

struct counter {
	uint64_t count;
	uint64_t lost; /* edges, since the start */
	bool on; /* after the last edge */
	uint64_t last_ns; /* of the last pulse; 0: none yet */
	uint64_t gap_ns; /* between the last two; 0: not known */
};

/* on: as the line is now. */
void counter_init(struct counter *counter, uint64_t count, bool on);

/* lost: edges before this one that never came. Returns the pulses it adds. */
uint64_t counter_edge(struct counter *counter, bool on, uint64_t time_ns,
		      uint32_t lost);

/* Pulses an hour, now: by the last two, and fewer and fewer when no more come. */
double counter_rate(const struct counter *counter, uint64_t now_ns);

#endif

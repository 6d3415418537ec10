/*
 * Time. Everything that waits uses the monotonic clock (milliseconds since some
 * start); the wall clock is only shown and stored, never compared with a
 * deadline, because a board without a clock chip jumps from 1970 to today.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

uint64_t clock_ms(void);
uint64_t clock_ns(void);
/* Milliseconds since 1970-01-01 UTC. */
int64_t clock_wall_ms(void);

/* For tests: where time comes from instead; NULL puts the real one back. Before
 * other threads read the time. */
void clock_set_source(uint64_t (*monotonic_ns)(void), int64_t (*wall_ms)(void));

#endif

/*
 * A clock that stands still until a test moves it. Before the broker is made.
 */
#ifndef TESTS_SIM_CLOCK_H
#define TESTS_SIM_CLOCK_H

#include <stdint.h>

struct broker;

void sim_clock_start(void);
void sim_clock_stop(void);
/* The broker runs at the new time. */
void sim_clock_advance(struct broker *broker, uint64_t ms);

#endif

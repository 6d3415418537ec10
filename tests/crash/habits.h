/*
 * What clients do all day, at random.
 */
#ifndef TESTS_CRASH_HABITS_H
#define TESTS_CRASH_HABITS_H

#include "tests/crash/world.h"

/* One of them does something. Returns false if nobody does and time passes, which
 * is the caller's to see to. */
bool habits_act(struct world *w);

#endif

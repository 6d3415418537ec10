/*
 * Counts everything in a broker anew and compares that with its counters: what a
 * test or a fuzzer asks after whatever it did.
 */
#ifndef TESTS_SIM_CHECK_H
#define TESTS_SIM_CHECK_H

struct broker;

/* Ends the process with an assertion when something does not add up. */
void sim_check(const struct broker *broker);

#endif

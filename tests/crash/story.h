/*
 * One random life of a house, made of a seed: clients come and go, publish,
 * subscribe and dawdle, power fails now and then. Whatever is written is
 * recorded, and after each write and each acknowledgement the power fails in
 * simulation too: the card as it may then be is opened by the same code, all
 * clients come back to it, and what they were promised is looked for.
 */
#ifndef TESTS_CRASH_STORY_H
#define TESTS_CRASH_STORY_H

#include <stdbool.h>
#include <stdint.h>

struct story_options {
	uint64_t seed;
	uint64_t images; /* enough when so many have been looked at in all */
	unsigned int steps;
};

struct story_result {
	uint64_t images; /* added to */
	uint64_t ops; /* writes, syncs ... recorded; added to */
	uint64_t taken; /* publishes acknowledged; added to */
	uint64_t came; /* deliveries; added to */
	char wrong[256]; /* "" when every promise was kept */
};

/* Once; the directories of the houses. */
void story_open(void);
void story_close(void);

/* Returns false at the first promise that was not kept. */
bool story_run(const struct story_options *options,
	       struct story_result *result);

#endif

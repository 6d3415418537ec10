/*
 * How often something has happened of late, for each of many keys that peers
 * choose: client identifiers, addresses. Counts start anew with each window.
 * Reaching the threshold begins an episode, which lasts for as long as every
 * window reaches it again: so it is told once, however long it goes on.
 *
 * Bounded: of LIMIT_TALLY keys the one quiet longest is forgotten. Time is
 * passed in. Broker thread only.
 */
#ifndef BROKER_ADMIN_TALLY_H
#define BROKER_ADMIN_TALLY_H

#include <stdbool.h>
#include <stdint.h>

#include "broker/base/slice.h"

struct tally;

#define TALLY_NOTE_SIZE 80 /* a peer's address, with its port */

struct tally_entry {
	uint32_t count; /* in this window */
	bool active; /* its episode goes on */
	/* Where the last one came from, and the last before that from another
	 * address; "" if there was none. */
	char from[TALLY_NOTE_SIZE];
	char other[TALLY_NOTE_SIZE];
};

enum tally_result {
	TALLY_QUIET,
	TALLY_BEGINS, /* an episode: the threshold is reached just now */
	TALLY_GOES_ON,
};

/* NULL when out of memory. */
struct tally *tally_new(uint64_t window_ms);
void tally_free(struct tally *tally);

/* It has happened, to key, from an address as the log writes it. threshold 0:
 * never. *entry (if asked for) is valid until the next call, NULL when out of
 * memory: then nothing is counted. */
enum tally_result tally_add(struct tally *tally, struct slice key,
			    const char *from, uint32_t threshold, uint64_t now,
			    const struct tally_entry **entry);

/* Whether an episode of key goes on; costs nothing while there is none. */
bool tally_active(const struct tally *tally, struct slice key, uint64_t now);

#endif

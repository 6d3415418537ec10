/*
 * When to begin the next commit. Publishers that were just acknowledged are about
 * to publish again; on a slow card one commit with all of theirs is faster than
 * two with half of them, of which each waits for the other. So the next one waits
 * for as many operations as were under way, but not longer than a small part of
 * what the one before took; what comes later than that never waits.
 *
 * Pure: time comes in, in nanoseconds.
 */
#ifndef DB_GATHER_H
#define DB_GATHER_H

#include <stddef.h>
#include <stdint.h>

/* What only removes messages that were delivered: nobody waits for that, and what
 * is removed together lies on the same pages. After a crash so much may come
 * twice. */
#define GATHER_REMOVALS_NS 100000000

/* The part, and a limit: a card that stopped for a second to tidy up says nothing
 * about the next commit. */
#define GATHER_SHARE 8
#define GATHER_MAX_NS 10000000

struct gather {
	size_t ops;
	uint64_t until;
	uint64_t since; /* the first operation waits */
};

/* A commit is over, with so many operations in it or waiting behind it. */
void gather_expect(struct gather *gather, size_t ops, uint64_t begun,
		   uint64_t now);
/* How long the next one, with so many operations so far, may wait for more. */
uint64_t gather_left(const struct gather *gather, size_t ops, uint64_t now);

/* The first operation of a transaction has come. */
void gather_begin(struct gather *gather, uint64_t now);
/* How long it may wait for more when it only removes. */
uint64_t gather_removals_left(const struct gather *gather, uint64_t now);

#endif

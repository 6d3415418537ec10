/*
 * What the simulated card (slow_card.c) has counted, in a file that the broker and
 * the load generator map. Written under a lock by one process.
 */
#ifndef BENCH_CARD_H
#define BENCH_CARD_H

#include <stdatomic.h>
#include <stdint.h>

/* A card takes nothing smaller; a file system neither. */
#define CARD_BLOCK 4096

struct card_count {
	atomic_uint_least64_t syncs;
	atomic_uint_least64_t synced; /* bytes that a sync has written */
	atomic_uint_least64_t dirty; /* bytes that none has written yet */
};

#endif

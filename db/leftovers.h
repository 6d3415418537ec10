/*
 * Messages that everybody has and whose rows are still on disk. The messages of
 * one session lie among those of others: to remove them as they are delivered
 * writes each page many times, to remove them together frees it whole. A crash
 * forgets them, and loses nothing by it: a message that no queued row names goes
 * with the next load.
 *
 * Pure: it knows neither SQL nor the clock. Belongs to the store's thread.
 */
#ifndef DB_LEFTOVERS_H
#define DB_LEFTOVERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Neighbouring ids of one block: some hundred pages of state.db, a transaction of
 * a few milliseconds. */
#define LEFTOVERS_BLOCK 4096
/* 32 KiB in all; a hundred thousand messages that wait fill half of it. */
#define LEFTOVERS_BLOCKS 64

struct leftovers_block;

/* Zeroed: empty. */
struct leftovers {
	struct leftovers_block *blocks[LEFTOVERS_BLOCKS]; /* in order of ids */
	size_t count;
};

void leftovers_clear(struct leftovers *leftovers);

/* Returns 0, -ENOMEM or -ENOBUFS. now: when its block began, if it begins. */
int leftovers_add(struct leftovers *leftovers, uint64_t id, uint64_t now);
/* The row is wanted again. */
void leftovers_forget(struct leftovers *leftovers, uint64_t id);

/* The block that waits longest, or count when there is none, and since when. */
size_t leftovers_oldest(const struct leftovers *leftovers, uint64_t *since);
/* The first ids without a gap in block n that are not below *first. false: there
 * are none. */
bool leftovers_run(const struct leftovers *leftovers, size_t n, uint64_t *first,
		   uint64_t *last);
void leftovers_drop(struct leftovers *leftovers, size_t n);

#endif

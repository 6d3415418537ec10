/*
 * What the rows of the store name by a number, while they are loaded. They come in
 * order of these, and are named mostly in the same order: an array that remembers
 * its place is faster than a table, by as much as 100,000 rows take to be found.
 *
 * Broker thread only.
 */
#ifndef BROKER_SESSION_LOAD_IDS_H
#define BROKER_SESSION_LOAD_IDS_H

#include <stddef.h>
#include <stdint.h>

struct load_id {
	uint64_t id;
	void *of; /* borrowed */
};

/* Zeroed: empty. */
struct load_ids {
	struct load_id *all; /* in order */
	size_t count;
	size_t cap;
	size_t place; /* of the one found last */
};

void load_ids_clear(struct load_ids *ids);
/* Returns 0 or -ENOMEM. Of two with one number either is found. */
int load_ids_put(struct load_ids *ids, uint64_t id, void *of);
/* NULL: not there. */
void *load_ids_get(struct load_ids *ids, uint64_t id);

#endif

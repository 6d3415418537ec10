/*
 * Wills of clients that have come, waiting to be written together: a client that
 * comes and goes costs the card nothing. Belongs to the store's thread.
 */
#ifndef DB_WILLS_H
#define DB_WILLS_H

#include "broker/base/hash.h"
#include "broker/base/list.h"
#include "broker/store.h"

/* The first waits so long; with it go all that have waited half of that. A sensor
 * that wakes up, reports and sleeps again takes less. */
#define WILLS_MS 5000

struct wills {
	struct hash_table sessions;
	struct list order; /* longest waiting first */
};

struct wills_entry {
	struct hash_node node;
	struct list link;
	struct store_will will; /* with a reference to its message */
	uint64_t since;
};

/* 0 or -ENOMEM. */
int wills_init(struct wills *wills);
/* Drops what is left. NULL slots: nothing to do. */
void wills_free(struct wills *wills);

/* In the place of an earlier one of the session, in whose time it goes on waiting;
 * a reference is taken. 0 or -ENOMEM. */
int wills_put(struct wills *wills, const struct store_will *will, uint64_t now);
void wills_remove(struct wills *wills, uint64_t session);
/* The one that waits longest; NULL: none. */
struct wills_entry *wills_first(const struct wills *wills);
/* Forget the n that have waited longest; there must be as many. */
void wills_drop(struct wills *wills, size_t n);

#endif

/*
 * Retained values nobody was promised: the last message of each topic, waiting
 * to be written with many others. Belongs to the store's thread.
 */
#ifndef DB_LAZY_H
#define DB_LAZY_H

#include "broker/base/hash.h"
#include "broker/base/list.h"
#include "broker/message.h"

struct lazy {
	struct hash_table topics;
	struct list order; /* longest waiting first */
};

struct lazy_entry {
	struct hash_node node;
	struct list link;
	struct message *message;
};

/* 0 or -ENOMEM. */
int lazy_init(struct lazy *lazy);
/* Drops what is left. */
void lazy_free(struct lazy *lazy);

/* Takes the place of an earlier value; a reference is taken. 0 or -ENOMEM. */
int lazy_put(struct lazy *lazy, struct message *message);
void lazy_remove(struct lazy *lazy, struct slice topic);
/* Forget the n that have waited longest; there must be as many. */
void lazy_drop(struct lazy *lazy, size_t n);

static inline size_t lazy_count(const struct lazy *lazy)
{
	return lazy->topics.count;
}

#endif

/*
 * A hash table of elements that carry their own link, keyed by bytes. Peers
 * choose the keys, so the hash is SipHash-1-3 under a key drawn at start. When
 * memory for a larger table cannot be had the table stays as it is and chains
 * grow: slower, never wrong, so adding cannot fail.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include "broker/base/slice.h"

struct hash_node {
	struct hash_node *next;
	uint64_t hash;
};

struct hash_table {
	struct hash_node **slots;
	size_t mask; /* slots - 1, a power of two less one */
	size_t count;
};

/* Draws the key, once for each process; hash_table_init() does it too. Must come
 * before the first hash. Ends the process when the kernel has no randomness. */
void hash_seed(void);
uint64_t hash_bytes(struct slice bytes);
/* Under a key of the caller's: what the reference vectors are checked with. */
uint64_t hash_bytes_keyed(const uint64_t key[2], struct slice bytes);

/* Returns 0 or -ENOMEM. */
int hash_table_init(struct hash_table *table);
/* Frees the slots, not the elements. */
void hash_table_free(struct hash_table *table);
void hash_table_add(struct hash_table *table, struct hash_node *node,
		    uint64_t hash);
/* node must be in the table. */
void hash_table_remove(struct hash_table *table, struct hash_node *node);

/* First node of this hash, then the following ones; the caller compares keys. */
struct hash_node *hash_table_first(const struct hash_table *table,
				   uint64_t hash);
struct hash_node *hash_table_next(const struct hash_node *node);

/* Every element in no order: *slot and node start at 0 and NULL; NULL at the
 * end. The element returned may be removed before the next call only if the
 * caller fetched its follower first. */
struct hash_node *hash_table_walk(const struct hash_table *table, size_t *slot,
				  const struct hash_node *node);

#define hash_entry(node, type, member) \
	((type *)(void *)((char *)(node)-offsetof(type, member)))

#endif

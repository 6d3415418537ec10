#include "broker/base/hash.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SLOTS_FIRST 16

static uint64_t key[2];
static pthread_once_t seeded = PTHREAD_ONCE_INIT;

static void draw_key(void)
{
	/* A key that can be guessed lets one peer slow the house down, so
	 * without randomness there is no start. */
	if (getentropy(key, sizeof(key)) < 0)
		abort();
}

void hash_seed(void)
{
	if (pthread_once(&seeded, draw_key) != 0)
		abort();
}

/* SipHash-1-3 (Aumasson and Bernstein): one round for each word, three at the
 * end; as Rust and Python use it for tables. */
static uint64_t rotate(uint64_t x, unsigned int bits)
{
	return x << bits | x >> (64 - bits);
}

/* Inline: its state stays in registers. */
static inline __attribute__((always_inline)) void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[0] = rotate(v[0], 32);
	v[2] += v[3];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[2] = rotate(v[2], 32);
}

static uint64_t load64(const uint8_t p[8])
{
	uint64_t x;

	memcpy(&x, p, sizeof(x));
	return le64toh(x);
}

/* What is left: fewer than eight bytes. */
static uint64_t load_rest(const uint8_t *p, size_t len)
{
	uint64_t x = 0;

	while (len-- > 0)
		x = x << 8 | p[len];
	return x;
}

static uint64_t siphash13(const uint64_t k[2], struct slice bytes)
{
	uint64_t v[4] = {
		k[0] ^ 0x736f6d6570736575,
		k[1] ^ 0x646f72616e646f6d,
		k[0] ^ 0x6c7967656e657261,
		k[1] ^ 0x7465646279746573,
	};
	const uint8_t *p = bytes.data;
	size_t left = bytes.len;
	uint64_t word;

	for (; left >= 8; p += 8, left -= 8) {
		word = load64(p);
		v[3] ^= word;
		sip_round(v);
		v[0] ^= word;
	}
	word = load_rest(p, left) | (uint64_t)bytes.len << 56;
	v[3] ^= word;
	sip_round(v);
	v[0] ^= word;

	v[2] ^= 0xff;
	for (int i = 0; i < 3; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

uint64_t hash_bytes(struct slice bytes)
{
	return siphash13(key, bytes);
}

uint64_t hash_bytes_keyed(const uint64_t k[2], struct slice bytes)
{
	return siphash13(k, bytes);
}

int hash_table_init(struct hash_table *table)
{
	hash_seed();

	*table = (struct hash_table){ 0 };
	table->slots = calloc(SLOTS_FIRST, sizeof(struct hash_node *));
	if (!table->slots)
		return -ENOMEM;
	table->mask = SLOTS_FIRST - 1;
	return 0;
}

void hash_table_free(struct hash_table *table)
{
	free(table->slots);
	*table = (struct hash_table){ 0 };
}

static void push(struct hash_table *table, struct hash_node *node)
{
	struct hash_node **slot = &table->slots[node->hash & table->mask];

	node->next = *slot;
	*slot = node;
}

static void grow(struct hash_table *table)
{
	struct hash_node **old = table->slots;
	size_t n = table->mask + 1;
	struct hash_node **slots;

	if (n > SIZE_MAX / sizeof(struct hash_node *) / 2)
		return;
	slots = calloc(2 * n, sizeof(struct hash_node *));
	if (!slots)
		return;

	table->slots = slots;
	table->mask = 2 * n - 1;
	for (size_t i = 0; i < n; i++) {
		struct hash_node *node = old[i];

		while (node) {
			struct hash_node *next = node->next;

			push(table, node);
			node = next;
		}
	}
	free(old);
}

void hash_table_add(struct hash_table *table, struct hash_node *node,
		    uint64_t hash)
{
	if (table->count > table->mask)
		grow(table);

	node->hash = hash;
	push(table, node);
	table->count++;
}

void hash_table_remove(struct hash_table *table, struct hash_node *node)
{
	struct hash_node **at = &table->slots[node->hash & table->mask];

	while (*at != node) {
		assert(*at);
		at = &(*at)->next;
	}
	*at = node->next;
	node->next = NULL;
	table->count--;
}

static struct hash_node *skip_to(struct hash_node *node, uint64_t hash)
{
	while (node && node->hash != hash)
		node = node->next;
	return node;
}

struct hash_node *hash_table_first(const struct hash_table *table,
				   uint64_t hash)
{
	return skip_to(table->slots[hash & table->mask], hash);
}

struct hash_node *hash_table_next(const struct hash_node *node)
{
	return skip_to(node->next, node->hash);
}

struct hash_node *hash_table_walk(const struct hash_table *table, size_t *slot,
				  const struct hash_node *node)
{
	if (node && node->next)
		return node->next;

	while (*slot <= table->mask) {
		struct hash_node *first = table->slots[(*slot)++];

		if (first)
			return first;
	}
	return NULL;
}

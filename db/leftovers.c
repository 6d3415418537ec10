#include "db/leftovers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BITS 64u

struct leftovers_block {
	uint64_t base; /* the first id it has room for */
	uint64_t since;
	uint64_t bits[LEFTOVERS_BLOCK / BITS];
};

void leftovers_clear(struct leftovers *leftovers)
{
	while (leftovers->count)
		leftovers_drop(leftovers, leftovers->count - 1);
}

/* Where the block of this base is, or would be. */
static size_t place(const struct leftovers *leftovers, uint64_t base)
{
	size_t n = leftovers->count;

	/* From the end: what goes now is mostly what came last. */
	while (n && leftovers->blocks[n - 1]->base >= base)
		n--;

	return n;
}

static uint64_t base_of(uint64_t id)
{
	return id / LEFTOVERS_BLOCK * LEFTOVERS_BLOCK;
}

static struct leftovers_block *find(const struct leftovers *leftovers,
				    uint64_t base, size_t *n)
{
	*n = place(leftovers, base);
	if (*n == leftovers->count || leftovers->blocks[*n]->base != base)
		return NULL;

	return leftovers->blocks[*n];
}

static struct leftovers_block *begin(struct leftovers *leftovers, size_t n,
				     uint64_t base, uint64_t now)
{
	struct leftovers_block *block = calloc(1, sizeof(*block));

	if (!block)
		return NULL;
	block->base = base;
	block->since = now;
	memmove(&leftovers->blocks[n + 1], &leftovers->blocks[n],
		(leftovers->count - n) * sizeof(*leftovers->blocks));
	leftovers->blocks[n] = block;
	leftovers->count++;

	return block;
}

int leftovers_add(struct leftovers *leftovers, uint64_t id, uint64_t now)
{
	const uint64_t base = base_of(id);
	struct leftovers_block *block;
	size_t n;

	block = find(leftovers, base, &n);
	if (!block && leftovers->count == LEFTOVERS_BLOCKS)
		return -ENOBUFS;
	if (!block)
		block = begin(leftovers, n, base, now);
	if (!block)
		return -ENOMEM;
	block->bits[(id - base) / BITS] |= UINT64_C(1) << id % BITS;

	return 0;
}

void leftovers_forget(struct leftovers *leftovers, uint64_t id)
{
	const uint64_t base = base_of(id);
	struct leftovers_block *block;
	size_t n;

	block = find(leftovers, base, &n);
	if (block)
		block->bits[(id - base) / BITS] &= ~(UINT64_C(1) << id % BITS);
}

size_t leftovers_oldest(const struct leftovers *leftovers, uint64_t *since)
{
	size_t oldest = 0;

	if (!leftovers->count)
		return 0;
	for (size_t n = 1; n < leftovers->count; n++) {
		if (leftovers->blocks[n]->since <
		    leftovers->blocks[oldest]->since)
			oldest = n;
	}
	*since = leftovers->blocks[oldest]->since;

	return oldest;
}

static bool has(const struct leftovers_block *block, uint64_t offset)
{
	return block->bits[offset / BITS] >> offset % BITS & 1;
}

bool leftovers_run(const struct leftovers *leftovers, size_t n, uint64_t *first,
		   uint64_t *last)
{
	const struct leftovers_block *block = leftovers->blocks[n];
	uint64_t at = *first > block->base ? *first - block->base : 0;

	while (at < LEFTOVERS_BLOCK && !has(block, at))
		at++;
	if (at >= LEFTOVERS_BLOCK)
		return false;
	*first = block->base + at;
	while (at + 1 < LEFTOVERS_BLOCK && has(block, at + 1))
		at++;
	*last = block->base + at;

	return true;
}

void leftovers_drop(struct leftovers *leftovers, size_t n)
{
	free(leftovers->blocks[n]);
	leftovers->count--;
	memmove(&leftovers->blocks[n], &leftovers->blocks[n + 1],
		(leftovers->count - n) * sizeof(*leftovers->blocks));
}

#include "broker/admin/tally.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/base/hash.h"
#include "broker/base/list.h"
#include "broker/limits.h"

struct counted {
	struct hash_node by_key;
	struct list link; /* in order of the last time */
	struct tally_entry entry;
	uint64_t begin; /* of the window */
	size_t len;
	uint8_t key[];
};

struct tally {
	struct hash_table table;
	struct list order; /* quiet longest first */
	uint64_t window;
	size_t active;
};

struct tally *tally_new(uint64_t window_ms)
{
	struct tally *tally = calloc(1, sizeof(*tally));

	if (!tally)
		return NULL;
	if (hash_table_init(&tally->table) < 0) {
		free(tally);
		return NULL;
	}
	list_init(&tally->order);
	tally->window = window_ms;
	return tally;
}

static void set_active(struct tally *tally, struct counted *c, bool active)
{
	if (c->entry.active != active)
		tally->active += active ? 1 : (size_t)-1;
	c->entry.active = active;
}

static void forget(struct tally *tally, struct counted *c)
{
	set_active(tally, c, false);
	hash_table_remove(&tally->table, &c->by_key);
	list_remove(&c->link);
	free(c);
}

void tally_free(struct tally *tally)
{
	struct list *first;

	if (!tally)
		return;
	while ((first = list_first(&tally->order)))
		forget(tally, list_entry(first, struct counted, link));
	hash_table_free(&tally->table);
	free(tally);
}

static struct counted *find(const struct tally *tally, struct slice key,
			    uint64_t hash)
{
	struct hash_node *at = hash_table_first(&tally->table, hash);

	for (; at; at = hash_table_next(at)) {
		struct counted *c = hash_entry(at, struct counted, by_key);

		if (slice_equal(slice_of(c->key, c->len), key))
			return c;
	}
	return NULL;
}

static struct counted *obtain(struct tally *tally, struct slice key,
			      uint64_t now)
{
	const uint64_t hash = hash_bytes(key);
	struct counted *c = find(tally, key, hash);
	struct list *oldest;

	if (c) {
		list_remove(&c->link);
	} else {
		c = calloc(1, sizeof(*c) + key.len);
		if (!c)
			return NULL;
		oldest = list_first(&tally->order);
		if (oldest && tally->table.count >= LIMIT_TALLY)
			forget(tally, list_entry(oldest, struct counted, link));
		c->begin = now;
		c->len = key.len;
		if (key.len)
			memcpy(c->key, key.data, key.len);
		hash_table_add(&tally->table, &c->by_key, hash);
	}
	list_append(&tally->order, &c->link);
	return c;
}

/* An episode ends with a window that did not reach the threshold. */
static void roll(struct tally *tally, struct counted *c, uint32_t threshold,
		 uint64_t now)
{
	if (now < c->begin + tally->window)
		return;
	if (c->entry.count < threshold || now >= c->begin + 2 * tally->window)
		set_active(tally, c, false);
	c->begin = now;
	c->entry.count = 0;
}

static bool same_address(const char *a, const char *b)
{
	const char *port_a = strrchr(a, ':');
	const char *port_b = strrchr(b, ':');

	return port_a && port_b && port_a - a == port_b - b &&
	       memcmp(a, b, (size_t)(port_a - a)) == 0;
}

static void remember(struct tally_entry *entry, const char *from)
{
	if (entry->from[0] && strcmp(entry->from, from) != 0 &&
	    !same_address(entry->from, from))
		snprintf(entry->other, sizeof(entry->other), "%s", entry->from);
	snprintf(entry->from, sizeof(entry->from), "%s", from);
}

enum tally_result tally_add(struct tally *tally, struct slice key,
			    const char *from, uint32_t threshold, uint64_t now,
			    const struct tally_entry **entry)
{
	struct counted *c = obtain(tally, key, now);

	if (entry)
		*entry = c ? &c->entry : NULL;
	if (!c)
		return TALLY_QUIET;
	roll(tally, c, threshold, now);
	c->entry.count++;
	remember(&c->entry, from);
	if (c->entry.active)
		return TALLY_GOES_ON;
	if (threshold == 0 || c->entry.count < threshold)
		return TALLY_QUIET;
	set_active(tally, c, true);
	return TALLY_BEGINS;
}

bool tally_active(const struct tally *tally, struct slice key, uint64_t now)
{
	const struct counted *c;

	if (tally->active == 0)
		return false;
	c = find(tally, key, hash_bytes(key));
	return c && c->entry.active && now < c->begin + 2 * tally->window;
}

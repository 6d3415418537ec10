#include "tests/crash/card_file.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void *card_must(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

struct bytes {
	uint8_t *data;
	size_t size;
	size_t cap;
};

/* A write, or (data NULL) a truncation to at. */
struct change {
	size_t at;
	size_t len;
	uint8_t *data;
};

struct card_file {
	unsigned int refs;
	struct bytes synced;
	struct change *changes;
	size_t count;
	size_t cap;
};

static void bytes_resize(struct bytes *b, size_t size)
{
	if (size > b->cap) {
		b->cap = size * 2 + 4096;
		b->data = card_must(realloc(b->data, b->cap));
	}
	if (size > b->size)
		memset(b->data + b->size, 0, size - b->size);
	b->size = size;
}

static void bytes_change(struct bytes *b, const struct change *c)
{
	if (!c->data) {
		bytes_resize(b, c->at);
		return;
	}
	if (c->at + c->len > b->size)
		bytes_resize(b, c->at + c->len);
	assert(b->data);
	memcpy(b->data + c->at, c->data, c->len);
}

struct card_file *card_file_new(void)
{
	struct card_file *f = card_must(calloc(1, sizeof(*f)));

	f->refs = 1;
	return f;
}

struct card_file *card_file_ref(struct card_file *f)
{
	if (f)
		f->refs++;
	return f;
}

bool card_file_dirty(const struct card_file *f)
{
	return f->count > 0;
}

void card_file_unref(struct card_file *f)
{
	if (!f || --f->refs > 0)
		return;
	for (size_t i = 0; i < f->count; i++)
		free(f->changes[i].data);
	free(f->changes);
	free(f->synced.data);
	free(f);
}

void card_file_change(struct card_file *f, const struct disk_op *op)
{
	struct change *c;

	if (f->count == f->cap) {
		f->cap = f->cap * 2 + 16;
		f->changes =
			card_must(realloc(f->changes, f->cap * sizeof(*c)));
	}
	c = &f->changes[f->count++];
	*c = (struct change){ .at = op->at, .len = op->len };
	if (op->type == DISK_WRITE) {
		c->data = card_must(malloc(op->len));
		memcpy(c->data, op->data, op->len);
	}
}

void card_file_sync(struct card_file *f)
{
	for (size_t i = 0; i < f->count; i++) {
		bytes_change(&f->synced, &f->changes[i]);
		free(f->changes[i].data);
	}
	f->count = 0;
}

void card_file_lose(struct card_file *f, struct rng *dice)
{
	for (size_t i = 0; i < f->count; i++) {
		if (rng_percent(dice, 50))
			bytes_change(&f->synced, &f->changes[i]);
		free(f->changes[i].data);
	}
	f->count = 0;
}

static void garble(struct change *piece, struct rng *rng)
{
	for (size_t i = 0; i < piece->len; i++)
		piece->data[i] = (uint8_t)rng_next(rng);
}

/* The changes cut at the borders of sectors, in any order. */
static size_t shatter(const struct card_file *f, size_t sector,
		      struct change **out, struct rng *rng)
{
	struct change *pieces = NULL;
	size_t n = 0;

	for (size_t i = 0; i < f->count; i++) {
		struct change c = f->changes[i];
		size_t most = c.len / sector + 3;

		pieces = card_must(realloc(pieces, (n + most) * sizeof(c)));
		do {
			struct change piece = c;

			if (piece.len > sector - c.at % sector)
				piece.len = sector - c.at % sector;
			pieces[n++] = piece;
			c.at += piece.len;
			c.data += c.data ? piece.len : 0;
			c.len -= piece.len;
		} while (c.len > 0);
	}
	for (size_t i = n; i > 1; i--) {
		size_t j = rng_below(rng, (unsigned int)i);
		struct change swap = pieces[i - 1];

		pieces[i - 1] = pieces[j];
		pieces[j] = swap;
	}
	*out = pieces;
	return n;
}

static void apply_torn(const struct card_file *f, struct bytes *b, bool garbage,
		       struct rng *rng)
{
	const size_t sector = rng_percent(rng, 50) ? CARD_SECTOR : CARD_PAGE;
	uint8_t nonsense[CARD_PAGE];
	struct change *pieces;
	size_t n = shatter(f, sector, &pieces, rng);

	for (size_t i = 0; i < n; i++) {
		if (!rng_percent(rng, 60))
			continue;
		if (garbage && pieces[i].data && rng_percent(rng, 20)) {
			pieces[i].data = nonsense;
			garble(&pieces[i], rng);
		}
		bytes_change(b, &pieces[i]);
	}
	free(pieces);
}

void card_file_found(const struct card_file *f, enum card_kind kind,
		     struct rng *rng, card_file_fn *fn, void *arg,
		     const char *name)
{
	struct bytes b = { 0 };

	bytes_resize(&b, f->synced.size);
	if (b.size)
		memcpy(b.data, f->synced.data, b.size);
	if (kind == CARD_TORN || kind == CARD_GARBAGE)
		apply_torn(f, &b, kind == CARD_GARBAGE, rng);
	else
		for (size_t i = 0; kind != CARD_DROPPED && i < f->count; i++)
			if (kind == CARD_KEPT || rng_percent(rng, 50))
				bytes_change(&b, &f->changes[i]);
	fn(arg, name, b.data, b.size);
	free(b.data);
}

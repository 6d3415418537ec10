#include "tests/crash/card.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAMES 16

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

struct file {
	unsigned int refs;
	struct bytes synced;
	struct change *changes;
	size_t count;
	size_t cap;
};

/* A directory entry: what it names, and what it surely names. */
struct name {
	char text[64];
	struct file *now;
	struct file *synced;
};

struct card {
	struct name names[NAMES];
	size_t count;
};

static const char *const kind_names[CARD_KINDS] = {
	[CARD_DROPPED] = "dropped", [CARD_KEPT] = "kept",
	[CARD_SUBSET] = "subset",   [CARD_TORN] = "torn",
	[CARD_GARBAGE] = "garbage",
};

const char *card_kind_name(enum card_kind kind)
{
	return kind_names[kind];
}

static void *must(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

static void bytes_resize(struct bytes *b, size_t size)
{
	if (size > b->cap) {
		b->cap = size * 2 + 4096;
		b->data = must(realloc(b->data, b->cap));
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

static void file_unref(struct file *f)
{
	if (!f || --f->refs > 0)
		return;
	for (size_t i = 0; i < f->count; i++)
		free(f->changes[i].data);
	free(f->changes);
	free(f->synced.data);
	free(f);
}

static void point(struct file **at, struct file *to)
{
	if (to)
		to->refs++;
	file_unref(*at);
	*at = to;
}

struct card *card_new(void)
{
	return must(calloc(1, sizeof(struct card)));
}

void card_free(struct card *card)
{
	if (!card)
		return;
	for (size_t i = 0; i < card->count; i++) {
		point(&card->names[i].now, NULL);
		point(&card->names[i].synced, NULL);
	}
	free(card);
}

static struct name *name_of(struct card *card, const char *text)
{
	struct name *name;

	for (size_t i = 0; i < card->count; i++)
		if (strcmp(card->names[i].text, text) == 0)
			return &card->names[i];
	assert(card->count < NAMES);
	name = &card->names[card->count++];
	(void)snprintf(name->text, sizeof(name->text), "%s", text);
	return name;
}

static void add_change(struct file *f, const struct disk_op *op)
{
	struct change *c;

	if (f->count == f->cap) {
		f->cap = f->cap * 2 + 16;
		f->changes = must(realloc(f->changes, f->cap * sizeof(*c)));
	}
	c = &f->changes[f->count++];
	*c = (struct change){ .at = op->at, .len = op->len };
	if (op->type == DISK_WRITE) {
		c->data = must(malloc(op->len));
		memcpy(c->data, op->data, op->len);
	}
}

static void file_sync(struct file *f)
{
	for (size_t i = 0; i < f->count; i++) {
		bytes_change(&f->synced, &f->changes[i]);
		free(f->changes[i].data);
	}
	f->count = 0;
}

void card_apply(struct card *card, const struct disk_op *op)
{
	struct name *name = name_of(card, op->name);

	switch (op->type) {
	case DISK_CREATE:
		point(&name->now, must(calloc(1, sizeof(struct file))));
		break;
	case DISK_DELETE:
		point(&name->now, NULL);
		break;
	case DISK_WRITE:
	case DISK_TRUNCATE:
		/* Deleted while open: lost anyhow. */
		if (name->now)
			add_change(name->now, op);
		break;
	case DISK_SYNC:
		if (name->now)
			file_sync(name->now);
		break;
	case DISK_SYNC_NAMES:
		for (size_t i = 0; i < card->count; i++)
			point(&card->names[i].synced, card->names[i].now);
		break;
	}
}

bool card_dirty(const struct card *card)
{
	for (size_t i = 0; i < card->count; i++) {
		const struct name *name = &card->names[i];

		if (name->now != name->synced ||
		    (name->now && name->now->count))
			return true;
	}
	return false;
}

static void garble(struct change *piece, struct rng *rng)
{
	for (size_t i = 0; i < piece->len; i++)
		piece->data[i] = (uint8_t)rng_next(rng);
}

/* The changes cut at the borders of sectors, in any order. */
static size_t shatter(const struct file *f, struct change **out,
		      struct rng *rng)
{
	struct change *pieces = NULL;
	size_t n = 0;

	for (size_t i = 0; i < f->count; i++) {
		struct change c = f->changes[i];
		size_t most = c.len / CARD_SECTOR + 3;

		pieces = must(realloc(pieces, (n + most) * sizeof(c)));
		do {
			struct change piece = c;

			if (piece.len > CARD_SECTOR - c.at % CARD_SECTOR)
				piece.len = CARD_SECTOR - c.at % CARD_SECTOR;
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

static void apply_torn(const struct file *f, struct bytes *b, bool garbage,
		       struct rng *rng)
{
	uint8_t nonsense[CARD_SECTOR];
	struct change *pieces;
	size_t n = shatter(f, &pieces, rng);

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

static struct bytes found(const struct file *f, enum card_kind kind,
			  struct rng *rng)
{
	struct bytes b = { 0 };

	bytes_resize(&b, f->synced.size);
	if (b.size)
		memcpy(b.data, f->synced.data, b.size);
	if (kind == CARD_TORN || kind == CARD_GARBAGE) {
		apply_torn(f, &b, kind == CARD_GARBAGE, rng);
		return b;
	}
	for (size_t i = 0; kind != CARD_DROPPED && i < f->count; i++)
		if (kind == CARD_KEPT || rng_percent(rng, 50))
			bytes_change(&b, &f->changes[i]);
	return b;
}

static const struct file *named(const struct name *name, enum card_kind kind,
				struct rng *rng)
{
	switch (kind) {
	case CARD_DROPPED:
		return name->synced;
	case CARD_KEPT:
		return name->now;
	case CARD_SUBSET:
	case CARD_TORN:
	case CARD_GARBAGE:
	case CARD_KINDS:
		break;
	}
	return rng_percent(rng, 50) ? name->now : name->synced;
}

void card_image(const struct card *card, enum card_kind kind, struct rng *rng,
		const char *dir)
{
	for (size_t i = 0; i < card->count; i++) {
		const struct file *f = named(&card->names[i], kind, rng);
		struct bytes b;

		if (!f)
			continue;
		b = found(f, kind, rng);
		ram_vfs_put(dir, card->names[i].text, b.data, b.size);
		free(b.data);
	}
}

void card_cut(struct card *card, enum card_kind kind, struct rng *rng)
{
	for (size_t i = 0; i < card->count; i++) {
		struct name *name = &card->names[i];
		const struct file *f = named(name, kind, rng);
		struct file *left = NULL;

		if (f) {
			left = must(calloc(1, sizeof(*left)));
			left->synced = found(f, kind, rng);
		}
		point(&name->now, left);
		point(&name->synced, left);
	}
}

#include "tests/crash/card.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/crash/card_file.h"

#define NAMES 64

/* A directory entry: what it names, and what it surely names. */
struct name {
	char text[128];
	struct card_file *now;
	struct card_file *synced;
};

/* What has been done to directories and not been synced. It is there or not as a
 * whole: file systems have a journal for it. */
struct naming {
	size_t to; /* of names; names file, or nothing if that is NULL */
	size_t from; /* that names nothing from then on; or NAMES */
	struct card_file *file;
};

struct card {
	struct name names[NAMES];
	size_t count;
	struct naming *namings;
	size_t naming_count;
	size_t naming_cap;
	struct rng dice; /* for what a failed sync leaves */
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

static void point(struct card_file **at, struct card_file *to)
{
	card_file_ref(to);
	card_file_unref(*at);
	*at = to;
}

struct card *card_new(void)
{
	return card_must(calloc(1, sizeof(struct card)));
}

void card_free(struct card *card)
{
	if (!card)
		return;
	for (size_t i = 0; i < card->count; i++) {
		point(&card->names[i].now, NULL);
		point(&card->names[i].synced, NULL);
	}
	for (size_t i = 0; i < card->naming_count; i++)
		card_file_unref(card->namings[i].file);
	free(card->namings);
	free(card);
}

static size_t name_of(struct card *card, const char *text)
{
	struct name *name;

	for (size_t i = 0; i < card->count; i++)
		if (strcmp(card->names[i].text, text) == 0)
			return i;
	assert(card->count < NAMES && strlen(text) < sizeof(name->text));
	name = &card->names[card->count];
	(void)snprintf(name->text, sizeof(name->text), "%s", text);
	return card->count++;
}

/* The file is taken. */
static void rename_to(struct card *card, size_t to, size_t from,
		      struct card_file *file)
{
	if (card->naming_count == card->naming_cap) {
		card->naming_cap = card->naming_cap * 2 + 16;
		card->namings = card_must(
			realloc(card->namings,
				card->naming_cap * sizeof(*card->namings)));
	}
	card->namings[card->naming_count++] = (struct naming){
		.to = to,
		.from = from,
		.file = file,
	};
	if (from < NAMES)
		point(&card->names[from].now, NULL);
	point(&card->names[to].now, file);
}

static bool lies_in(const char *name, const char *dir)
{
	const char *slash = strrchr(name, '/');
	size_t len = slash ? (size_t)(slash - name) : 0;

	return strlen(dir) == len && strncmp(name, dir, len) == 0;
}

static void sync_names(struct card *card, const char *dir)
{
	size_t left = 0;

	for (size_t i = 0; i < card->naming_count; i++) {
		const struct naming n = card->namings[i];

		if (!lies_in(card->names[n.to].text, dir) &&
		    (n.from == NAMES ||
		     !lies_in(card->names[n.from].text, dir))) {
			card->namings[left++] = n;
			continue;
		}
		if (n.from < NAMES)
			point(&card->names[n.from].synced, NULL);
		point(&card->names[n.to].synced, n.file);
		card_file_unref(n.file);
	}
	card->naming_count = left;
}

static void apply_naming(struct card *card, size_t name,
			 const struct disk_op *op)
{
	struct card_file *file = card->names[name].now;

	switch ((int)op->type) {
	case DISK_CREATE:
		rename_to(card, name, NAMES, card_file_new());
		break;
	case DISK_DELETE:
		rename_to(card, name, NAMES, NULL);
		break;
	case DISK_RENAME:
	case DISK_LINK:
		if (!file)
			break;
		rename_to(card, name_of(card, op->to),
			  op->type == DISK_RENAME ? name : NAMES,
			  card_file_ref(file));
		break;
	default:
		abort();
	}
}

void card_apply(struct card *card, const struct disk_op *op)
{
	size_t name;

	if (op->type == DISK_SYNC_NAMES) {
		sync_names(card, op->name);
		return;
	}
	name = name_of(card, op->name);
	switch (op->type) {
	case DISK_WRITE:
	case DISK_TRUNCATE:
		/* Deleted while open: lost anyhow. */
		if (card->names[name].now)
			card_file_change(card->names[name].now, op);
		break;
	case DISK_SYNC:
		if (card->names[name].now)
			card_file_sync(card->names[name].now);
		break;
	case DISK_SYNC_FAILED:
		if (card->names[name].now)
			card_file_lose(card->names[name].now, &card->dice);
		break;
	case DISK_CREATE:
	case DISK_DELETE:
	case DISK_RENAME:
	case DISK_LINK:
	case DISK_SYNC_NAMES:
		apply_naming(card, name, op);
		break;
	}
}

bool card_dirty(const struct card *card)
{
	for (size_t i = 0; i < card->count; i++)
		if (card->names[i].now && card_file_dirty(card->names[i].now))
			return true;
	return card->naming_count > 0;
}

/* Which files the names name. */
static void name_all(const struct card *card, enum card_kind kind,
		     struct rng *rng, struct card_file *out[NAMES])
{
	for (size_t i = 0; i < card->count; i++)
		out[i] = card->names[i].synced;
	for (size_t i = 0; i < card->naming_count; i++) {
		const struct naming *n = &card->namings[i];

		if (kind == CARD_DROPPED ||
		    (kind != CARD_KEPT && rng_percent(rng, 50)))
			continue;
		if (n->from < NAMES)
			out[n->from] = NULL;
		out[n->to] = n->file;
	}
}

void card_image(const struct card *card, enum card_kind kind, struct rng *rng,
		card_file_fn *fn, void *arg)
{
	struct card_file *named[NAMES] = { NULL };

	name_all(card, kind, rng, named);
	for (size_t i = 0; i < card->count; i++)
		if (named[i])
			card_file_found(named[i], kind, rng, fn, arg,
					card->names[i].text);
}

/* The same files, whole and synced. */
static void put(void *arg, const char *name, const uint8_t *data, size_t len)
{
	const struct disk_op ops[] = {
		{ .type = DISK_CREATE, .name = name },
		{ .type = DISK_WRITE, .name = name, .len = len, .data = data },
		{ .type = DISK_SYNC, .name = name },
	};

	for (size_t i = 0; i < sizeof(ops) / sizeof(*ops); i++)
		if (ops[i].type != DISK_WRITE || len)
			card_apply(arg, &ops[i]);
}

void card_cut(struct card *card, enum card_kind kind, struct rng *rng)
{
	struct card *left = card_new();
	struct card swap;

	card_image(card, kind, rng, put, left);
	for (size_t i = 0; i < left->naming_count; i++) {
		const struct naming *n = &left->namings[i];

		point(&left->names[n->to].synced, n->file);
		card_file_unref(n->file);
	}
	left->naming_count = 0;
	swap = *card;
	*card = *left;
	*left = swap;
	card_free(left);
}

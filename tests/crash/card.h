/*
 * A card that loses its power: fed with what was done to files, in order, it
 * knows what must be on it by now (what was synced) and what may be (the rest),
 * and makes up what a cut at this instant could leave.
 */
#ifndef TESTS_CRASH_CARD_H
#define TESTS_CRASH_CARD_H

#include <stdbool.h>

#include "tests/crash/disk.h"
#include "tests/crash/rng.h"

/* A write arrives by sectors, of the one size or the other; any of them may be the
 * last. */
#define CARD_SECTOR 512
#define CARD_PAGE 4096

enum card_kind {
	CARD_DROPPED, /* nothing that was not synced */
	CARD_KEPT, /* all of it */
	CARD_SUBSET, /* some writes */
	CARD_TORN, /* some sectors of writes, in any order */
	CARD_GARBAGE, /* the same, and some are nonsense */
	CARD_KINDS
};

struct card;

struct card *card_new(void);
void card_free(struct card *card);

void card_apply(struct card *card, const struct disk_op *op);
/* Something is not synced: the kinds of image differ. */
bool card_dirty(const struct card *card);

/* What is found after a cut, file by file; data is borrowed. */
typedef void card_file_fn(void *arg, const char *name, const uint8_t *data,
			  size_t len);
void card_image(const struct card *card, enum card_kind kind, struct rng *rng,
		card_file_fn *fn, void *arg);
/* From now on the card holds what the image holds: pulled and put in again. */
void card_cut(struct card *card, enum card_kind kind, struct rng *rng);

const char *card_kind_name(enum card_kind kind);

#endif

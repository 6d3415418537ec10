/*
 * A file on a card (card.h): what is surely in it, and what has been done to it
 * since it was synced.
 */
#ifndef TESTS_CRASH_CARD_FILE_H
#define TESTS_CRASH_CARD_FILE_H

#include "tests/crash/card.h"

struct card_file;

/* An empty one, with one reference. */
struct card_file *card_file_new(void);
/* NULL gives NULL; does nothing. */
struct card_file *card_file_ref(struct card_file *f);
void card_file_unref(struct card_file *f);

/* DISK_WRITE or DISK_TRUNCATE. */
void card_file_change(struct card_file *f, const struct disk_op *op);
void card_file_sync(struct card_file *f);
/* A sync has failed: dice say what has arrived of what it was about. The rest
 * never does, however often the file is synced after it. */
void card_file_lose(struct card_file *f, struct rng *dice);
bool card_file_dirty(const struct card_file *f);

/* fn is given what a cut may leave of it, under this name. */
void card_file_found(const struct card_file *f, enum card_kind kind,
		     struct rng *rng, card_file_fn *fn, void *arg,
		     const char *name);

/* What a test has no memory for, it cannot test. */
void *card_must(void *memory);

#endif

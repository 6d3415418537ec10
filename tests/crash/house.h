/*
 * The broker and its store as hearthd composes them, on files in memory and
 * without a thread: each takes a turn when told to. Peers are on socket pairs.
 */
#ifndef TESTS_CRASH_HOUSE_H
#define TESTS_CRASH_HOUSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/crash/link.h"

struct broker;
struct db;
struct db_store;

struct house {
	char dir[64]; /* a real one, for the lock */
	struct db *db;
	struct db_store *owner;
	struct broker *broker;
};

/* The directory, once; house_remove() removes it. */
void house_make(struct house *house);
void house_remove(struct house *house);

/* From what ram_vfs.h has for the directory. Returns NULL, or what failed. */
const char *house_open(struct house *house);
/* As when the process is killed: nothing is written any more that counts. */
void house_close(struct house *house);

void house_broker_turn(struct house *house);
void house_store_turn(struct house *house);
/* Something waits for the store, or to be given to it. */
bool house_store_busy(const struct house *house);

/* What its clients see of it, while it is open. */
struct place house_place(struct house *house);

/* broker_options.max_delay of houses opened from now on. */
extern uint32_t house_max_delay;

/* Time as all houses see it, in milliseconds; stands still. */
extern uint64_t house_clock_ms;
/* The time of the wall when that was 0, in milliseconds since 1970. */
#define HOUSE_EPOCH_MS INT64_C(1795251600000)
extern int64_t house_epoch_ms;

#endif

/*
 * A log gone through from its beginning: what the card holds and what the clients
 * know after each record, and what would be found if the power failed there.
 */
#ifndef TESTS_CRASH_DAEMON_REPLAY_H
#define TESTS_CRASH_DAEMON_REPLAY_H

#include "tests/crash/card.h"
#include "tests/crash/house.h"
#include "tests/crash_daemon/line.h"

struct replay_counts {
	uint64_t images;
	uint64_t records;
	uint64_t taken;
	uint64_t came;
	uint64_t cuts; /* after which the daemon itself went on */
};

struct replay {
	struct record_log *log; /* borrowed */
	struct house *house; /* borrowed: where images are opened; closed */
	struct replay_counts *counts; /* borrowed; added to */
	struct rng dice; /* of the images: looking changes nothing */
	struct rng fate; /* of the card when the power really fails */
	struct model model; /* what the clients know */
	struct model copy;
	struct lines lines;
	struct card *card;
	uint64_t now; /* the latest time on record */
	uint32_t events; /* of the model when it was looked at last */
	char wrong[256]; /* "": every promise was kept so far */
};

void replay_init(struct replay *replay, struct record_log *log,
		 struct house *house, struct replay_counts *counts);
void replay_free(struct replay *replay);

/* As far as the log goes by now. false: a promise is broken. */
bool replay_go_on(struct replay *replay);
/* Adds up what was acknowledged and delivered. */
void replay_count(const struct replay *replay);

#endif

/*
 * When to take in no more that is to be kept. A full disk is told at once, and the
 * ballast given up for what was taken in before (space.h); other troubles when they
 * have lasted. It is over when there is room again, or what failed succeeds.
 *
 * The store's thread, but for why, which any thread may read.
 */
#ifndef DB_REFUSAL_H
#define DB_REFUSAL_H

#include <stdatomic.h>

#include "db/space.h"

/* Whoever waits longer for an acknowledgement had better be told. */
#define REFUSAL_PATIENCE_MS 5000

/* Between looks whether there is room again. */
#define REFUSAL_LOOK_MS 2000

struct refusal {
	atomic_int why; /* 0: none; or a negative errno */
	bool crowded; /* the file, whatever room the disk has */
	bool for_good; /* nothing can be kept until the next start */
	uint64_t since; /* what failed does so since; 0: nothing does */
	uint64_t look_at; /* when to look for room; 0: no need */
	struct space space;
};

enum refusal_advice {
	REFUSAL_WAIT, /* as before */
	REFUSAL_RETRY, /* at once: there is more room */
};

/* stand_in: see db_stand_in(). */
void refusal_init(struct refusal *refusal, int dir_fd, uint64_t ballast,
		  int stand_in);

/* Something was not written for this reason. */
enum refusal_advice refusal_failed(struct refusal *refusal, int error,
				   uint64_t now);
/* It was. crowded: the file is near its cap, which is as good as a full disk. */
void refusal_succeeded(struct refusal *refusal, bool crowded, uint64_t now);
/* Look for room, if it is time. True: there is none yet, so some should be made. */
bool refusal_look(struct refusal *refusal, uint64_t now);

#endif

/*
 * A shutter, blind or door that two relays drive up and down: where it is, worked
 * out from how long which of them was on, and what to order to get it elsewhere.
 * Pure: it drives nothing and reads no clock; time (monotonic milliseconds) is
 * passed in.
 *
 * Where it is, is known from low to high, in percent: 0 is closed, 100 open. That
 * begins as all of it and becomes a point when the cover has run so far that it
 * must stand at an end. Every run to an end is longer than needed by end_ms: what
 * was off by a little is right again. The lines' own states are what counts, not
 * what was ordered: a wall switch on the relay is understood too.
 *
 * The relays are outputs of logic.h, whose interlock keeps them apart; an order
 * to one is also for how long (on_time), so it ends though nobody is there.
 */
#ifndef GPIO_COVER_H
#define GPIO_COVER_H

#include <stdbool.h>
#include <stdint.h>

/* A cover that is wanted nearer than a run of this to where it is, is there; a
 * relay needs some 10 ms to do anything. */
#define COVER_RUN_MIN_MS 100u

/* How much a run may end before its time and still be one that was ended by it:
 * the loop is not that late. */
#define COVER_EARLY_MS 50u

enum cover_motion {
	COVER_STILL,
	COVER_UP,
	COVER_DOWN,
};

struct cover_rules {
	uint64_t up_ms; /* from closed to open */
	uint64_t down_ms;
	uint64_t end_ms; /* longer at the ends */
};

struct cover {
	struct cover_rules rules;
	double low; /* as it was at since */
	double high;
	enum cover_motion motion;
	uint64_t since; /* when motion began, or was looked at last */
	bool going; /* to goal */
	double goal;
	enum cover_motion run; /* what was ordered to get there */
	uint64_t run_ms;
	uint64_t run_end; /* when it is over; 0: it has not begun */
};

/* What to order: COVER_STILL is both off. */
struct cover_order {
	enum cover_motion motion;
	uint64_t ms; /* for how long */
};

/* It stands, as far as is known, from low to high. */
void cover_init(struct cover *cover, const struct cover_rules *rules,
		double low, double high);

/* The lines are so, read back. */
void cover_moves(struct cover *cover, enum cover_motion motion, uint64_t now);
/* Nobody knows what the lines do, or did. */
void cover_lost(struct cover *cover);

/* Go to goal, 0 to 100. */
struct cover_order cover_go(struct cover *cover, double goal, uint64_t now);
/* Stay where it is. */
struct cover_order cover_stop(struct cover *cover);

/* It stands, and is not where it was to go: go on. False: there is no more to do. */
bool cover_go_on(struct cover *cover, uint64_t now, struct cover_order *order);

/* From where to where it may stand at now. */
void cover_at(const struct cover *cover, uint64_t now, double *low,
	      double *high);
/* To a percent; -1: not known. */
int cover_position(const struct cover *cover, uint64_t now);
/* "open", "closed", "opening", "closing"; "stopped": it stands, who knows where. */
const char *cover_text(const struct cover *cover, uint64_t now);

#endif

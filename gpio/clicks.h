/*
 * What somebody meant by pressing a button: single, double and triple clicks,
 * long presses, and holding on. Pure: it reads no clock; time (monotonic
 * milliseconds, those of the edges) is passed in, events come out.
 *
 *	press, release   with each change
 *	single, double, triple
 *	                 so many short presses, when double_ms have passed without
 *	                 another; three are known at once, as one is with double_ms 0
 *	long             held for long_ms; what was clicked before comes first, and
 *	                 the release is then no click
 *	hold             every hold_ms from then on, while it is held
 */
#ifndef GPIO_CLICKS_H
#define GPIO_CLICKS_H

#include <stdbool.h>
#include <stdint.h>

/* Times in milliseconds; 0: there is no such thing. */
struct clicks_times {
	uint32_t
		double_ms; /* longest pause between clicks that belong together */
	uint32_t long_ms;
	uint32_t hold_ms;
};

/* As people press: of the wall switches on sale these are the usual ones. */
#define CLICKS_DOUBLE_MS 300u
#define CLICKS_LONG_MS 800u

/* Nobody waits longer to see a light go on. */
#define CLICKS_DOUBLE_MAX_MS 2000u
/* Nobody presses longer. */
#define CLICKS_TIME_MAX_MS 60000u
/* A held button may not flood the house. */
#define CLICKS_HOLD_MIN_MS 50u

enum click {
	CLICK_PRESS,
	CLICK_RELEASE,
	CLICK_SINGLE,
	CLICK_DOUBLE,
	CLICK_TRIPLE,
	CLICK_LONG,
	CLICK_HOLD,
};

struct clicks {
	struct clicks_times times;
	bool pressed;
	bool was_long;
	unsigned int count; /* of short presses so far */
	uint64_t
		due; /* when something follows by itself; UINT64_MAX: nothing */
};

typedef void clicks_fn(enum click click, void *arg);

/* pressed: as it is at the start, which is no press. */
void clicks_init(struct clicks *clicks, const struct clicks_times *times,
		 bool pressed);

/* It changed at this time. What was due before comes first. fn is called for each
 * event, in order. */
void clicks_edge(struct clicks *clicks, bool pressed, uint64_t time,
		 clicks_fn *fn, void *arg);

/* All that is due by now. The next is due at clicks->due. */
void clicks_pass(struct clicks *clicks, uint64_t now, clicks_fn *fn, void *arg);

/* "press", ... */
const char *click_text(enum click click);

#endif

#include "gpio/clicks.h"

#include <assert.h>

#define NEVER UINT64_MAX

const char *click_text(enum click click)
{
	switch (click) {
	case CLICK_PRESS:
		return "press";
	case CLICK_RELEASE:
		return "release";
	case CLICK_SINGLE:
		return "single";
	case CLICK_DOUBLE:
		return "double";
	case CLICK_TRIPLE:
		return "triple";
	case CLICK_LONG:
		return "long";
	case CLICK_HOLD:
		return "hold";
	}
	return "";
}

void clicks_init(struct clicks *clicks, const struct clicks_times *times,
		 bool pressed)
{
	*clicks = (struct clicks){
		.times = *times,
		.pressed = pressed,
		/* Pressed by whom and since when is not known: no click. */
		.was_long = pressed,
		.due = NEVER,
	};
}

/* So many clicks were meant. */
static void finish(struct clicks *clicks, clicks_fn *fn, void *arg)
{
	static const enum click meant[] = { CLICK_SINGLE, CLICK_DOUBLE,
					    CLICK_TRIPLE };

	assert(clicks->count <= 3);
	if (clicks->count > 0)
		fn(meant[clicks->count - 1], arg);
	clicks->count = 0;
}

void clicks_pass(struct clicks *clicks, uint64_t now, clicks_fn *fn, void *arg)
{
	while (clicks->due <= now) {
		uint64_t time = clicks->due;

		clicks->due = NEVER;
		if (!clicks->pressed) {
			finish(clicks, fn, arg);
		} else if (!clicks->was_long) {
			finish(clicks, fn, arg);
			clicks->was_long = true;
			fn(CLICK_LONG, arg);
		} else {
			fn(CLICK_HOLD, arg);
		}
		if (!clicks->pressed || !clicks->times.hold_ms)
			continue;
		/* After a long stop it does not make up for all of them. */
		clicks->due = time + clicks->times.hold_ms;
		if (clicks->due < now)
			clicks->due = now + clicks->times.hold_ms;
	}
}

static void press(struct clicks *clicks, uint64_t time)
{
	clicks->was_long = false;
	clicks->due =
		clicks->times.long_ms ? time + clicks->times.long_ms : NEVER;
}

static void release(struct clicks *clicks, uint64_t time, clicks_fn *fn,
		    void *arg)
{
	clicks->due = NEVER;
	if (clicks->was_long)
		return;
	clicks->count++;
	if (clicks->count == 3 || !clicks->times.double_ms)
		finish(clicks, fn, arg);
	else
		clicks->due = time + clicks->times.double_ms;
}

void clicks_edge(struct clicks *clicks, bool pressed, uint64_t time,
		 clicks_fn *fn, void *arg)
{
	clicks_pass(clicks, time, fn, arg);
	if (pressed == clicks->pressed)
		return;
	clicks->pressed = pressed;
	fn(pressed ? CLICK_PRESS : CLICK_RELEASE, arg);
	if (pressed)
		press(clicks, time);
	else
		release(clicks, time, fn, arg);
}

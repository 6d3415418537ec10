/*
 * Outputs that hold their level whatever happens (safe: hold) stay requested
 * while no hearth-gpiod runs: their descriptors are kept by systemd
 * (base/fdstore.h), under names that say which line each is. Where the kernel
 * lets a released line fall back to its pull, nothing else keeps the level.
 * Outputs that become safe are not kept: hearth-gpiod --safe has to get at them.
 */
#ifndef GPIO_HELD_H
#define GPIO_HELD_H

#include "broker/base/fdstore.h"
#include "gpio/pins.h"

struct held {
	char label[LINES_NAME_SIZE]; /* of the chip */
	unsigned int line;
	bool active_low;
};

/* Is it one of those? */
bool held_wanted(const struct pin *pin);

/* "line 17 low pinctrl-rp1". False: the chip's label cannot be part of a name. */
bool held_name(const struct held *held, char out[FDSTORE_NAME_MAX + 1]);
/* False: it is no such name. */
bool held_parse(const char *name, struct held *out);

/* Take what was kept for us, as far as these pins want it; the rest is closed.
 * pins may be NULL: none is known. */
void held_take(struct lines *lines, const struct pins *pins);

#endif

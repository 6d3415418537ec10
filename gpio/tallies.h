/*
 * gpio.counters: what the counters stand at, kept in the state directory at most
 * once a minute (a card wears out by writing) and at the end. After a cut of the
 * power the pulses of the last minute are missing.
 */
#ifndef GPIO_TALLIES_H
#define GPIO_TALLIES_H

#include <stddef.h>
#include <stdint.h>

#include "gpio/pins.h"

#define TALLIES_FILE "gpio.counters"
#define TALLIES_KEEP_MS 60000u

/* JSON's whole numbers, as all can read them. */
#define TALLY_MAX ((uint64_t)1 << 53)

struct tally {
	char name[PIN_NAME_MAX + 1];
	uint64_t count;
};

struct tallies {
	size_t count;
	struct tally tally[PINS_MAX];
};

/* Whatever is wrong with the file, *out is usable. Returns 0, -ENOENT, -EINVAL
 * (damaged) or another errno. */
int tallies_load(const char *directory, struct tallies *out);
/* On the disk when it returns. 0 or a negative errno. */
int tallies_save(const char *directory, const struct tallies *tallies);

/* Past PINS_MAX the oldest is forgotten. */
void tallies_put(struct tallies *tallies, const char *name, uint64_t count);

/* 0: nothing is known of it. */
uint64_t tallies_of(const struct tallies *tallies, const char *name);

#endif

/* What lines_gpiod.c (one chip and its requests) and chips_gpiod.c (finding
 * chips) share. */
#ifndef GPIO_CHIPS_GPIOD_H
#define GPIO_CHIPS_GPIOD_H

#include <gpiod.h>

#include "gpio/lines_gpiod.h"

struct real_chip {
	struct lines base;
	struct gpiod_chip *chip;
	char node[LINES_NAME_SIZE]; /* in /dev */
};

/* chip is taken if this returns 0; else a negative errno. */
int real_chip_new(struct gpiod_chip *chip, const char *node,
		  struct lines **out);

void chips_gpiod_rescan(struct lines *lines);

#endif

/* What lines_gpiod.c (one chip and its requests) and chips_gpiod.c (finding
 * chips) share. */
#ifndef GPIO_CHIPS_GPIOD_H
#define GPIO_CHIPS_GPIOD_H

#include <gpiod.h>

#include "gpio/lines_gpiod.h"

struct adopted;

struct real_chip {
	struct lines base;
	struct gpiod_chip *chip;
	struct adopted *adopted; /* and not asked for yet */
	char node[LINES_NAME_SIZE]; /* in /dev */
};

/* chip is taken if this returns 0; else a negative errno. */
int real_chip_new(struct gpiod_chip *chip, const char *node,
		  struct lines **out);

void chips_gpiod_rescan(struct lines *lines);

/* adopted_gpiod.c: lines_adopt() of a chip. */
int adopted_add(struct real_chip *real, unsigned int offset, bool active_low,
		int fd);
/* The one that these are, or NULL; what else is waiting of them is let go. */
struct line_request *adopted_take(struct real_chip *real,
				  const struct line_config *configs, size_t n);
void adopted_close(struct real_chip *real);

#endif

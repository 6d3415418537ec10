/* Numbers and colours as other conventions write them. Pure. */
#ifndef GPIO_WORDS_H
#define GPIO_WORDS_H

#include <stdbool.h>

#include "broker/base/slice.h"
#include "gpio/light.h"

/* Without the space around it: of JSON, and what a shell leaves behind. */
struct slice words_trim(struct slice text);
/* In any case. */
bool words_are(struct slice text, const char *word);
/* A whole number from 0 to max, of six digits at most. */
bool words_number(struct slice text, unsigned int max, unsigned int *out);
/* Such numbers with commas between them, at most so many. Returns how many; 0: it is
 * something else. */
unsigned int words_list(struct slice text, unsigned int max, unsigned int *out,
			unsigned int most);
/*
 * "255,128,0", "#FF8000", "FF8000"; of four channels also with white. What is not
 * said is 0. False: it is no colour, or the light has none.
 */
bool words_color(struct slice text, unsigned int channels,
		 uint8_t out[LIGHT_CHANNELS_MAX]);

#endif

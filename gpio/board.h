/*
 * What is known of the 40-pin header of a Raspberry Pi (and boards that copy
 * it): which pin a line comes out at, what else it can be, what pulls it at
 * power-up, and why one might not want to use it. Facts only; nothing is read
 * but the board's model.
 */
#ifndef GPIO_BOARD_H
#define GPIO_BOARD_H

#include <stdbool.h>
#include <stddef.h>

/* Lines 0..27 are on the header. */
#define BOARD_HEADER_LINES 28u

/* Alternate functions named for one line. */
#define BOARD_FUNCTIONS_MAX 4

struct board_line {
	unsigned int pin; /* on the header, 1..40 */
	bool pulled_up; /* at power-up; else down */
	const char *functions[BOARD_FUNCTIONS_MAX]; /* up to the first NULL */
	const char *warning; /* NULL: free and harmless */
};

/* Does a chip of this label drive such a header? */
bool board_has_header(const char *label);

/* NULL if that line is not on the header. Never freed. */
const struct board_line *board_line(unsigned int line);

/*
 * "Raspberry Pi 4 Model B Rev 1.4", from the device tree under root ("" for
 * the machine's own). Returns 0, -ENOENT when there is none, or another errno.
 */
int board_model(const char *root, char *out, size_t size);

#endif

/*
 * The 40-pin header of a Raspberry Pi (and boards that copy it): which pin a line
 * comes out at, and what pulls it at power-up; and the name of this machine.
 * boards.h knows the boards.
 */
#ifndef GPIO_BOARD_H
#define GPIO_BOARD_H

#include <stdbool.h>
#include <stddef.h>

/* Lines 0..27 are on the header. */
#define BOARD_HEADER_LINES 28u

struct board_line {
	unsigned int pin; /* on the header, 1..40 */
	bool pulled_up; /* at power-up; else down */
};

/* NULL if that line is not on the header. Never freed. */
const struct board_line *board_line(unsigned int line);

/*
 * "Raspberry Pi 4 Model B Rev 1.4", from the device tree in the sysfs at root
 * ("/sys"; /proc/device-tree leads there, but may be hidden from us). Returns 0,
 * -ENOENT when there is none, or another errno.
 */
int board_model(const char *root, char *out, size_t size);

#endif

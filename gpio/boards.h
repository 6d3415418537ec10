/*
 * Which board this is, of those that are known, and what is known of the lines
 * of its header: where each comes out, what else it can be, what pulls it at
 * power-up, and what may already use it. Raspberry Pi 1 to 5, 400, 500, Zero and
 * Zero 2 W; any other board is generic: it has lines and no header.
 *
 * Facts only: what is switched on, buses.h finds out. A line that the firmware gave
 * to a bus may well be shown as free by the kernel.
 */
#ifndef GPIO_BOARDS_H
#define GPIO_BOARDS_H

#include <stdbool.h>

#include "gpio/lines.h"

/* Why one might not want to use a line. */
enum board_risk {
	BOARD_FREE,
	BOARD_EEPROM,
	BOARD_I2C,
	BOARD_ONE_WIRE,
	BOARD_UART,
	BOARD_SPI,
	BOARD_AUDIO,
};

struct board {
	const char *id; /* "pi4" */
	const char *name; /* "Raspberry Pi 4" */
	const char *chip; /* label of the chip behind its header */
	unsigned int pins; /* of the header: 40, 26, or 0: none is known */
};

struct boards_line {
	unsigned int pin; /* on the header, from 1 */
	bool pulled_up; /* at power-up; else down */
	enum board_risk risk;
	const char *warning; /* in words; NULL: free and harmless */
	const char *functions; /* with blanks in between: "SDA1 TXD2" */
};

/* model: of the device tree, "" where there is none; label: of the chip that
 * is used. A chip that is not the header's makes it generic. Never NULL. */
const struct board *boards_find(const char *model, const char *label);
/* The board that these lines are of. */
const struct board *boards_of(const struct lines *lines);

/* False if that line is not on the header. */
bool boards_line(const struct board *board, unsigned int line,
		 struct boards_line *out);

/* "i2c"; NULL for a free one. */
const char *boards_risk_text(enum board_risk risk);

#endif

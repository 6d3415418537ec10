/*
 * Whether the buses of a Raspberry Pi's header are switched on, from the device tree
 * that the kernel was started with: config.txt (dtparam=i2c_arm=on, overlays) is what
 * the firmware made that from. A bus that is on drives its lines although the kernel
 * may show them as free.
 *
 * What cannot be read, or says something else than on or off, is not known, and a
 * line of which that is not known is to be treated like one whose bus is on.
 */
#ifndef GPIO_BUSES_H
#define GPIO_BUSES_H

#include "gpio/boards.h"

enum bus_state {
	BUS_UNKNOWN,
	BUS_OFF,
	BUS_ON,
};

/*
 * Of the bus that uses this line by risk; a line without one has none, and whether
 * a HAT's EEPROM is read nobody says: unknown. root is "/sys", or a tree of a test's.
 */
enum bus_state buses_state(const char *root, enum board_risk risk,
			   unsigned int line);

#endif

/*
 * Makes a board safe without hub, loop or anything else that can fail: each
 * output of gpio.state is driven to its safe value and let go. systemd runs it
 * (hearth-gpiod --safe) when hearth-gpiod has died; a Raspberry Pi keeps the level.
 */
#ifndef GPIO_SAFE_H
#define GPIO_SAFE_H

#include "gpio/lines.h"

/* sysfs: where lights are, "/sys". Returns 0, also when there is no gpio.state
 * or the outputs hold; or the last error, having tried all outputs. Each error is
 * logged. */
int safe_drive(struct lines *lines, const char *state_directory,
	       const char *sysfs);

#endif

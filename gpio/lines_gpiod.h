/*
 * Real lines, by libgpiod (>= 2.1) and the kernel's GPIO character device. The
 * only part that knows them. A chip is never found by its number: that changed
 * twice on the Pi 5 alone.
 */
#ifndef GPIO_LINES_GPIOD_H
#define GPIO_LINES_GPIOD_H

#include "gpio/lines.h"

/*
 * Open all chips, in front the one with this label, else with a line of this
 * name. With NULL, the chip that drives the board's header: labelled as on a
 * Raspberry Pi (pinctrl-bcm2835, -bcm2711, -rp1), else with any label that
 * begins with "pinctrl-", else with a line named GPIO17. A link to a chip is
 * passed over. Returns 0, -ENODEV when there is none, -ENOTUNIQ: two have that
 * label, -EACCES when there may be one but it could not be looked at, -ENOMEM.
 * Built without libgpiod: always -ENODEV.
 */
int lines_gpiod_open(const char *label, struct lines **out);

#endif

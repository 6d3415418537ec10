/*
 * gpio.state: the last configuration that was applied, kept by hearth-gpiod in
 * a directory of its own, so that it works, and can be made safe, before the
 * hub is there or when it never comes. Same form as the hub's configuration
 * (pins.h), without the revision. Written only when it changed; after a cut of the power it is the old one
 * or the new one, whole.
 */
#ifndef GPIO_STATE_H
#define GPIO_STATE_H

#include "gpio/pins.h"

#define STATE_FILE "gpio.state"

/* Returns 0; -ENOENT: there is none yet; -EINVAL: damaged, errors says how; or
 * another errno. */
int state_load(const char *directory, struct pins *out,
	       struct pin_errors *errors);

/* Returns 0 when it is on the disk, or a negative errno; the old is then still
 * there. */
int state_save(const char *directory, const struct pins *pins);

#endif

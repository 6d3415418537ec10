/*
 * One lamp's worth of light out of sysfs: a PWM channel of a chip that is found by
 * where it is, never by its number (hardware PWM and the software PWM of the
 * pwm-gpio and pwm-pio overlays are alike), or a LED of the kernel. It keeps what
 * it was set to when it is closed. On the loop's thread: a write takes
 * microseconds.
 */
#ifndef GPIO_CHANNEL_H
#define GPIO_CHANNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "gpio/channel_name.h"

struct channel;

struct channel_options {
	uint32_t frequency; /* Hz, of PWM */
	bool inverted; /* low is light */
};

/*
 * As bright as it is now, if its frequency is right already; else off. Returns 0,
 * or -ENODEV: it is not there; -EACCES: nor ours, or not yet (udev is slower than
 * the kernel); or another negative errno.
 */
int channel_open(const char *sysfs, const struct channel_name *name,
		 const struct channel_options *options, struct channel **out);
/* NULL is accepted. */
void channel_close(struct channel *channel);

/* duty from 0 to 1, for PWM the share of time, as it is read back after it was
 * written. Return 0 or a negative errno. */
int channel_get(const struct channel *channel, double *duty);
int channel_set(struct channel *channel, double duty);

#endif

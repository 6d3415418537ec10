/* What a channel of light (channel.h) is called in a configuration. The hub knows
 * it too. */
#ifndef GPIO_CHANNEL_NAME_H
#define GPIO_CHANNEL_NAME_H

#include <stdbool.h>

/* Bytes of a name, and names of one light: red, green, blue, white. */
#define CHANNEL_NAME_MAX 64u
#define CHANNEL_NAMES_MAX 4u

struct channel_name {
	bool led;
	unsigned int number; /* of the channel; LED: 0 */
	char device[CHANNEL_NAME_MAX + 1]; /* or that of the LED */
};

/* "pwm:DEVICE:NUMBER", where DEVICE is a part of the path of its device, as in
 * "pwm:fe20c000.pwm:0"; or "led:NAME". It ends at len. False: it is none. */
bool channel_name_parse(const char *text, unsigned int len,
			struct channel_name *out);
/* Names with a space between them. Returns how many; 0: one of them is none, or
 * they are too many. */
unsigned int channel_names_split(const char *list,
				 struct channel_name out[CHANNEL_NAMES_MAX]);
bool channel_name_same(const struct channel_name *a,
		       const struct channel_name *b);

#endif

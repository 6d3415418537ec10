/*
 * What is said to a device with Tasmota, as bytes: cmnd/<topic>/<command> with the
 * argument as payload, and several at once as "Backlog Fade 1; Dimmer 50". Words and
 * numbers in any case. Pure.
 */
#ifndef GPIO_TASMOTA_COMMAND_H
#define GPIO_TASMOTA_COMMAND_H

#include <stdbool.h>

#include "broker/base/slice.h"
#include "gpio/light.h"
#include "gpio/logic.h"

/* Commands of one backlog: Tasmota's own limit. */
#define TASMOTA_BACKLOG_MAX 30u

/* Half seconds of a fade, at most. */
#define TASMOTA_SPEED_MAX 40u

enum tasmota_verb {
	TASMOTA_UNKNOWN,
	TASMOTA_POWER,
	TASMOTA_DIMMER,
	TASMOTA_COLOR,
	TASMOTA_HSBCOLOR,
	TASMOTA_WHITE,
	TASMOTA_CHANNEL,
	TASMOTA_FADE,
	TASMOTA_SPEED,
	TASMOTA_SHUTTER_OPEN,
	TASMOTA_SHUTTER_CLOSE,
	TASMOTA_SHUTTER_STOP,
	TASMOTA_SHUTTER_POSITION,
	TASMOTA_STATE,
	TASMOTA_STATUS,
	TASMOTA_BACKLOG,
	TASMOTA_NODELAY,
};

struct tasmota_command {
	enum tasmota_verb verb;
	unsigned int index; /* 1 if the command has no number */
	struct slice argument; /* borrowed; without space around it */
};

/* name as in the topic. What is not known is TASMOTA_UNKNOWN. */
struct tasmota_command tasmota_command(struct slice name,
				       struct slice argument);
/* Take the next one off a backlog. False: there is none. */
bool tasmota_backlog_next(struct slice *rest, struct tasmota_command *out);

/* ON, OFF, TOGGLE, TRUE, FALSE, 1, 0, 2. */
bool tasmota_parse_power(struct slice argument, enum logic_verb *out);
/* A percentage, or "+", "-": ten more or less than now. */
bool tasmota_parse_percent(struct slice argument, unsigned int now,
			   unsigned int *out);
/* "hue,saturation,brightness": to 360, 100, 100. */
bool tasmota_parse_hsb(struct slice argument, unsigned int out[3]);

/* hue and saturation of a colour, and the colour of full brightness. */
void tasmota_to_hs(const uint8_t rgb[3], unsigned int *hue,
		   unsigned int *saturation);
void tasmota_from_hs(unsigned int hue, unsigned int saturation, uint8_t rgb[3]);
/* Make the largest 255. Returns what it was: how bright the colour is. */
uint8_t tasmota_full_color(uint8_t color[LIGHT_CHANNELS_MAX]);

#endif

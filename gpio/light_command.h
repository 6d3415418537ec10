/*
 * A command to a light that can be dimmed, as bytes: what topics_parse_command()
 * takes, and with {"state":"ON"} also "brightness" (1 to 255), "transition"
 * (seconds), "color" ({"r":..,"g":..,"b":..}, with "w" where it has white); and
 * its state, Home Assistant's JSON schema.
 */
#ifndef GPIO_LIGHT_COMMAND_H
#define GPIO_LIGHT_COMMAND_H

#include "gpio/light.h"
#include "gpio/topics.h"

/* Longest transition of a command: a sunrise of an hour. */
#define LIGHT_TRANSITION_MAX 3600u /* seconds */

/* channels: of the light. As topics_parse_command(). */
int light_command_parse(struct slice payload, unsigned int channels,
			struct topics_command *out, struct light_wish *wish,
			const char **reason);

/* Freed by the caller; NULL: out of memory. */
char *light_state_text(const struct light *light);

#endif

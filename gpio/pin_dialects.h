/*
 * What a board says of itself in words of other home automation, as the hub has
 * it in the board's configuration (pins.h), beside the pins:
 *
 *	"dialects":{"homeassistant":"homeassistant","homie":true,
 *	 "tasmota":true}
 *
 * The first is the prefix of Home Assistant's topics. What is not there is not
 * spoken.
 */
#ifndef GPIO_PIN_DIALECTS_H
#define GPIO_PIN_DIALECTS_H

#include <jansson.h>

#include "broker/base/dialects.h"

struct pin_errors;

struct pin_dialects {
	char homeassistant[DIALECT_PREFIX_MAX + 1]; /* ""; not spoken */
	bool homie;
	bool tasmota;
};

/* What the hub was told to have spoken. A prefix that is too long is none. */
void pin_dialects_set(struct pin_dialects *out, const struct dialects *from);

/* Read the member of document. What is wrong is added to errors. */
void pin_dialects_take(json_t *document, struct pin_dialects *out,
		       struct pin_errors *errors);
/* Put it into document, if there is any. Not 0: out of memory. */
int pin_dialects_put(const struct pin_dialects *dialects, json_t *document);

#endif

/*
 * What the node reports of the lines of its header, and whether a pin may be put
 * on one: not where another program is, and only after a second thought where
 * the board itself may use it.
 */
#ifndef WEB_PIN_LINE_H
#define WEB_PIN_LINE_H

#include <jansson.h>

#include "gpio/pins.h"

struct gpio_link;
struct request;

/* chip: a label, "" is the header's. NULL: it is not reported. Borrowed. */
const json_t *pin_line_find(const struct gpio_link *gpio, const char *chip,
			    uint32_t number);

/*
 * A line may be called by its name, or "label:offset". If object (a pin) has
 * one that is reported, it gets the chip and the number instead. False: out of
 * memory.
 */
bool pin_line_resolve(const struct gpio_link *gpio, json_t *object);

/* Does the header have the line at this pin, which the request may name? Adds
 * what is wrong. */
void pin_line_check(const struct gpio_link *gpio, json_t *request,
		    const struct pin *pin, struct pin_errors *errors);

/* settled: it was there before. False: it may not, and that is answered. */
bool pin_line_granted(struct request *request, const struct gpio_link *gpio,
		      const struct pin *pin, bool settled);

#endif

/*
 * What can be said of a pin, as one table: the name of each member, its type and
 * range, for which direction it is, and where struct pin has it. Reading, writing
 * and comparing pins follow it. pins.h says what the members mean.
 */
#ifndef GPIO_PIN_FIELDS_H
#define GPIO_PIN_FIELDS_H

#include <jansson.h>

#include "gpio/fields.h"
#include "gpio/pins.h"

/* As it is when nothing is said of it, and dir is this. */
void pin_defaults(enum line_direction direction, struct pin *out);

/* Is it the name of one? */
bool pin_fields_know(const char *field);

/*
 * Take what is there into *out, which has the defaults; what is wrong is
 * complained of and leaves *out as it was. A member that is for the other
 * direction may be there with its default. dir is read by pin_fields_direction().
 */
void pin_fields_take(const struct field_place *place, json_t *object,
		     struct pin *out);
enum line_direction pin_fields_direction(const struct field_place *place,
					 json_t *object);

/* all: also what is as by default. Not 0: out of memory. */
int pin_fields_put(const struct pin *pin, bool all, json_t *object);

/* The word for a kind. */
const char *pin_kind_text(enum pin_kind kind);

#endif

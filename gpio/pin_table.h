/* The table of pin_fields.h, and its words. */
#ifndef GPIO_PIN_TABLE_H
#define GPIO_PIN_TABLE_H

#include "gpio/fields.h"

/* Ends with a name of NULL. */
extern const struct field pin_table[];
extern const struct field_word pin_directions[];
extern const struct field_word pin_biases[];
extern const struct field_word pin_kinds[];
extern const struct field_word pin_safes[]; /* of lights too */

#endif

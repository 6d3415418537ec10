/*
 * The rules of an output in its configuration: the members named in pins.h, as
 * struct logic_rules.
 */
#ifndef GPIO_PIN_RULES_H
#define GPIO_PIN_RULES_H

#include "gpio/pin_fields.h"

/* Is it the name of a rule? */
bool pin_rules_know(const char *field);
void pin_rules_take(const struct field_place *place, json_t *object,
		    struct pin *out);
/* What rules must agree on with each other. */
void pin_rules_check(const struct field_place *place, json_t *object,
		     const struct pin *pin);
/* Number the interlock groups. One of a single output is a mistake. */
void pin_rules_group(struct pins *pins, struct pin_errors *errors);
/* Adds what is not the default. Not 0: out of memory. */
int pin_rules_to_json(const struct pin *pin, json_t *object);
bool pin_rules_same(const struct pin *a, const struct pin *b);

#endif

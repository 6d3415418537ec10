/*
 * What the members of a pin must agree on with each other; what pins must agree
 * on among them is pins_agree() of pins.h.
 */
#ifndef GPIO_PIN_AGREE_H
#define GPIO_PIN_AGREE_H

#include "gpio/pin_fields.h"

void pin_agree(const struct field_place *place, const struct pin *pin);

#endif

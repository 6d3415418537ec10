/* What the members of a device must agree on with each other; devices_agree() of
 * devices.h is there too, and the units. */
#ifndef GPIO_DEVICE_AGREE_H
#define GPIO_DEVICE_AGREE_H

#include "gpio/devices.h"
#include "gpio/fields.h"

void device_agree(const struct field_place *place, const struct device *device);

#endif

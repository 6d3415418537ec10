/* What can be said of a device, as one table; devices.h says what it means. */
#ifndef GPIO_DEVICE_TABLE_H
#define GPIO_DEVICE_TABLE_H

#include "gpio/devices.h"
#include "gpio/fields.h"

#define DEVICE_IS(kind) (1u << (kind))

struct device_field {
	struct field field; /* .way is not looked at */
	unsigned int kinds; /* DEVICE_IS() of those it is for */
};

/* Ends with a name of NULL. */
extern const struct device_field device_table[];
extern const struct field_word device_kinds[];

/* As it is when nothing is said of it. */
void device_defaults(enum device_kind kind, struct device *out);

#endif

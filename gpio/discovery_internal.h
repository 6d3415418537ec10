/* Between discovery.c and discovery_kinds.c. */
#ifndef GPIO_DISCOVERY_INTERNAL_H
#define GPIO_DISCOVERY_INTERNAL_H

#include "gpio/discovery.h"

struct discovery {
	const struct discovery_box *box;
	json_t *components;
	int bad; /* something could not be made */
};

/* Add what this pin is to Home Assistant. */
void discovery_put_pin(struct discovery *discovery, const struct pin *pin);

#endif

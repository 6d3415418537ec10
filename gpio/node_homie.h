/* A node as a Homie device: node_homie.c (when what is said, pins),
 * node_homie_devices.c. */
#ifndef GPIO_NODE_HOMIE_H
#define GPIO_NODE_HOMIE_H

#include "gpio/homie.h"
#include "gpio/node_internal.h"

/* A value, and what it is going to be; "": it is not known. */
void node_homie_put(struct node_dialect *homie, const char *name,
		    enum homie_property property, const char *text);
void node_homie_put_target(struct node_dialect *homie, const char *name,
			   enum homie_property property, const char *text);

/* Do it. NULL: done, or refused by its rules, which is said elsewhere; else why the
 * payload cannot be. */
const char *node_homie_set(struct node_device *device,
			   enum homie_property property, struct slice payload);

#endif

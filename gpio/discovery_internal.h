/* Between the parts of discovery: discovery.c (the document), discovery_component.c
 * (what all components have), discovery_kinds.c (pins), discovery_devices.c. */
#ifndef GPIO_DISCOVERY_INTERNAL_H
#define GPIO_DISCOVERY_INTERNAL_H

#include "gpio/discovery.h"

/* Bytes of what tells a thing from the others of its board: a chip and a line, or
 * where a sensor is. */
#define DISCOVERY_NAME_SIZE (DIALECT_ID_SIZE + 64u)

struct discovery {
	const struct discovery_box *box;
	json_t *components;
	int bad; /* something could not be made */
};

/* discovery_component.c: to may be NULL, after there was no memory. */

void discovery_put_text(struct discovery *discovery, json_t *to,
			const char *key, const char *text);
/* The topic that topics_pin() makes. */
void discovery_put_topic(struct discovery *discovery, json_t *to,
			 const char *key, const char *kind, const char *name,
			 const char *suffix);
/*
 * Add a component of this platform for the thing of this id; suffix tells it from
 * others of the thing and the platform. Borrowed; NULL: no memory, which is noted.
 */
json_t *discovery_add(struct discovery *discovery, const char *platform,
		      const char *id, const char *suffix);
/* The same with a name and an identity of its own. */
json_t *discovery_add_entity(struct discovery *discovery, const char *platform,
			     const char *id, const char *suffix,
			     const char *name);
/* The box must be there, and topic say "online", by template if there is one. */
void discovery_put_available(struct discovery *discovery, json_t *to,
			     const char *topic, const char *template);

/* Add what this is to Home Assistant. */
void discovery_put_pin(struct discovery *discovery, const struct pin *pin);
void discovery_put_device(struct discovery *discovery,
			  const struct device *device);

#endif

/*
 * What Home Assistant is told of a node, by its "device discovery":
 *
 *	<prefix>/device/hearth_<id>/config	retained, QoS 1
 *
 * One document names the box and a component for everything one can see or
 * switch there (discovery_kinds.c has which, by kind of pin, discovery_devices.c
 * those of sensors). id is that of
 * dialect_id() of the node's name. A pin's components are known by its line, a
 * sensor's by its source, not by its name: so they stay what they are, with their history and place on
 * somebody's dashboard, under any name and label.
 *
 * Pure: documents come out, nobody is told.
 */
#ifndef GPIO_DISCOVERY_H
#define GPIO_DISCOVERY_H

#include <jansson.h>

#include "gpio/pins.h"

/* Bytes of the two topics, with their NUL: prefix, id and what is around them. */
#define DISCOVERY_TOPIC_SIZE (DIALECT_PREFIX_MAX + DIALECT_ID_SIZE + 32u)

/* Bytes of a document that is looked into for components that have gone: 64
 * buttons with long names have 150,000. */
#define DISCOVERY_MAX ((size_t)512 * 1024)

/* After Home Assistant's start it is told again within so long: all boxes at once
 * would be more than it takes. */
#define DISCOVERY_JITTER_MS 5000u

struct discovery_box {
	const char *node;
	const char *model; /* NULL: not known */
};

/* "<prefix>/device/hearth_<id>/config" and "<prefix>/status". Return out. */
const char *discovery_topic(char out[DISCOVERY_TOPIC_SIZE], const char *prefix,
			    const char *node);
const char *discovery_birth(char out[DISCOVERY_TOPIC_SIZE], const char *prefix);

/* What the box has; borrowed. */
struct discovery_things {
	const struct pin *pin[PINS_MAX];
	size_t pins;
	const struct device *device[DEVICES_MAX];
	size_t devices;
};

/* Their components, an object by their names. NULL: out of memory. */
json_t *discovery_components(const struct discovery_box *box,
			     const struct discovery_things *things);

/*
 * Of what was there before, an object of name and platform, that what is not among
 * components any more, as the components that take them away: an object, empty if
 * there is nothing to take away. NULL: out of memory.
 */
json_t *discovery_gone(json_t *before, const json_t *components);
/* Name and platform of each. NULL: out of memory. */
json_t *discovery_names(json_t *components);

/* The whole document; components are borrowed. gone: also these; NULL: none. To
 * be freed by the caller; NULL: out of memory. */
char *discovery_document(const struct discovery_box *box, json_t *components,
			 json_t *gone);

/* Add the name and platform of what such a document has to names; what is no
 * such document adds nothing. Not 0: out of memory. */
int discovery_read(struct slice document, json_t *names);

#endif

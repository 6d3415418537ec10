/*
 * A node as a device of the Homie convention, version 5:
 *
 *	homie/5/<id>/$state                 init | ready | disconnected; lost is the will
 *	homie/5/<id>/$description           what there is, as JSON
 *	homie/5/<id>/<pin>/<property>       its value, retained
 *	homie/5/<id>/<pin>/state/set        of outputs: true | false
 *
 * id and pin are those of homie_id(). A pin has the properties
 *
 *	state     boolean: outputs, and inputs but for counters
 *	event     enum, not retained: buttons
 *	count     integer: counters; and
 *	value     float, in their unit, if they have one
 *
 * Values go at QoS 1: the client speaks no QoS 2, and a switch that is told twice is
 * switched once.
 *
 * Pure: topics and payloads come out, nobody is told.
 */
#ifndef GPIO_HOMIE_H
#define GPIO_HOMIE_H

#include "gpio/pins.h"

/* Bytes of any topic here, with its NUL. */
#define HOMIE_TOPIC_SIZE (2 * DIALECT_ID_SIZE + 64u)

/* Properties of one pin, at most. */
#define HOMIE_PROPERTIES_MAX 2u

enum homie_property {
	HOMIE_STATE,
	HOMIE_EVENT,
	HOMIE_COUNT,
	HOMIE_VALUE,
};

/* "homie/5/<id>/<leaf>". Returns out. */
const char *homie_topic(char out[HOMIE_TOPIC_SIZE], const char *node,
			const char *leaf);
/* "homie/5/<id>/<pin>/<property>" */
const char *homie_value_topic(char out[HOMIE_TOPIC_SIZE], const char *node,
			      const struct pin *pin,
			      enum homie_property property);
const char *homie_property_name(enum homie_property property);

/* Which this pin has, in order; returns how many. */
size_t homie_properties(const struct pin *pin,
			enum homie_property out[HOMIE_PROPERTIES_MAX]);

/* Its $description, to be freed by the caller; NULL: out of memory. version rises
 * whenever it changes. */
char *homie_description(const char *node, const struct pin *const *pins,
			size_t count, json_int_t version);

/* Of a topic below "homie/5/<id>/": the pin's and the property's part; set: it ends
 * in /set, which is left off. False: it is none of these. */
bool homie_parse(const char *node, struct slice topic, struct slice *pin,
		 struct slice *property, bool *set);

/* Is this part of a topic the pin's? */
bool homie_is(const struct pin *pin, struct slice id);

#endif

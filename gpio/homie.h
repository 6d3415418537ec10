/*
 * A node as a device of the Homie convention, version 5:
 *
 *	homie/5/<id>/$state                 init | ready | disconnected; lost is the will
 *	homie/5/<id>/$description           what there is, as JSON
 *	homie/5/<id>/<name>/<property>      its value, retained
 *	homie/5/<id>/<name>/<property>/set  of those that can be set
 *	homie/5/<id>/<name>/position/$target  where a cover is going
 *
 * id and name are those of dialect_homie_id(). A pin has the properties
 *
 *	state     boolean: outputs, which can be set, and inputs but for counters
 *	event     enum, not retained: buttons
 *	count     integer: counters; and
 *	value     float, in their unit, if they have one
 *
 * a device
 *
 *	value     float: sensors; of what is so or not instead
 *	state     boolean
 *	state, brightness, color, white   lights: boolean, percent, rgb, percent; can
 *	          be set
 *	position, state, action   covers: percent and can be set; open, opening ...;
 *	          open, close or stop, which is only set
 *
 * Values go at QoS 1: the client speaks no QoS 2, and a switch that is told twice is
 * switched once.
 *
 * Pure: topics and payloads come out, nobody is told.
 */
#ifndef GPIO_HOMIE_H
#define GPIO_HOMIE_H

#include "gpio/discovery.h"
#include "gpio/pins.h"

/* Bytes of any topic here, with its NUL. */
#define HOMIE_TOPIC_SIZE (2 * DIALECT_ID_SIZE + 64u)

/* Properties of one pin or device, at most. */
#define HOMIE_PROPERTIES_MAX 4u

enum homie_property {
	HOMIE_STATE,
	HOMIE_EVENT,
	HOMIE_COUNT,
	HOMIE_VALUE,
	HOMIE_BRIGHTNESS,
	HOMIE_COLOR,
	HOMIE_WHITE,
	HOMIE_POSITION,
	HOMIE_ACTION,
};

/* One of both; the other is NULL. */
struct homie_thing {
	const struct pin *pin;
	const struct device *device;
};

/* "homie/5/<id>/<leaf>". Returns out. */
const char *homie_topic(char out[HOMIE_TOPIC_SIZE], const char *node,
			const char *leaf);
/* "homie/5/<id>/<name>/<property>" */
const char *homie_value_topic(char out[HOMIE_TOPIC_SIZE], const char *node,
			      const char *name, enum homie_property property);
/* "homie/5/<id>/<name>/<property>/$target" */
const char *homie_target_topic(char out[HOMIE_TOPIC_SIZE], const char *node,
			       const char *name, enum homie_property property);

/* Its $description, to be freed by the caller; NULL: out of memory. version rises
 * whenever it changes. */
char *homie_description(const char *node, const struct discovery_things *things,
			json_int_t version);

/* Of a topic below "homie/5/<id>/": the thing's and the property's part; set: it ends
 * in /set, which is left off. False: it is none of these. */
bool homie_parse(const char *node, struct slice topic, struct slice *name,
		 struct slice *property, bool *set);

/* Is this part of a topic that of the name? */
bool homie_is(const char *name, struct slice id);

/* homie_properties.c */

const char *homie_property_name(enum homie_property property);
/* Which it has, in order; returns how many. */
size_t homie_properties(const struct homie_thing *thing,
			enum homie_property out[HOMIE_PROPERTIES_MAX]);
/* False: it has no property of this name. */
bool homie_property_named(const struct homie_thing *thing, struct slice name,
			  enum homie_property *out);
bool homie_is_retained(enum homie_property property);
bool homie_is_settable(const struct homie_thing *thing,
		       enum homie_property property);
/* What the description says of it; NULL: out of memory. */
json_t *homie_property(const struct homie_thing *thing,
		       enum homie_property property);

#endif

/*
 * A node as a device with Tasmota, for clients that know such devices:
 *
 *	cmnd/hearth_<id>/<command>       what it is told: tasmota_command.h
 *	cmnd/tasmotas/<command>          and all others
 *	stat/hearth_<id>/RESULT          what has changed, {"POWER1":"ON"}
 *	stat/hearth_<id>/POWER<n>        ON | OFF
 *	stat/hearth_<id>/STATUS<n>       asked for by STATUS
 *	tele/hearth_<id>/LWT             Online | Offline    retained; Offline is the will
 *	tele/hearth_<id>/STATE           every five minutes, and SENSOR
 *	tasmota/discovery/<mac>/config   what there is       retained, and sensors
 *
 * id is that of dialect_id(), mac that of dialect_tasmota_mac(). Relays always have
 * their number, as with SetOption26. Of lights that can be dimmed Tasmota knows one
 * with its colours, or several by Channel<n> (SetOption68), which is their number
 * as a relay.
 *
 * Pure: topics and payloads come out, nobody is told.
 */
#ifndef GPIO_TASMOTA_H
#define GPIO_TASMOTA_H

#include "gpio/tasmota_numbers.h"

/* Bytes of its name, and of any topic here, with their NUL. */
#define TASMOTA_DEVICE_SIZE (sizeof("hearth_") - 1 + DIALECT_ID_SIZE)
#define TASMOTA_TOPIC_SIZE (DIALECT_ID_SIZE + 64u)

/* Where all are told at once. */
#define TASMOTA_GROUP "cmnd/tasmotas/"

/* "hearth_<id>", by which it is known. Returns out. */
const char *tasmota_device(char out[TASMOTA_DEVICE_SIZE], const char *node);
/* "<prefix>/hearth_<id>/<leaf>", prefix "cmnd", "stat" or "tele". Returns out. */
const char *tasmota_topic(char out[TASMOTA_TOPIC_SIZE], const char *prefix,
			  const char *node, const char *leaf);
/* "tasmota/discovery/<mac>/<leaf>" */
const char *tasmota_discovery_topic(char out[TASMOTA_TOPIC_SIZE],
				    const char *node, const char *leaf);
/* The command's part of a topic; false: it is for somebody else. */
bool tasmota_is_command(const char *node, struct slice topic,
			struct slice *command);

/* Lights that can be dimmed, and the last of them. */
size_t tasmota_lights(const struct discovery_things *things,
		      const struct device **light);
/* 1, 3 or 4. */
unsigned int tasmota_channels(const struct device *light);
/* What a sensor's or meter's value is called, by its unit; source: see devices.h. */
const char *tasmota_quantity(const char *unit, const char *source);
/* The covers' order: the shutter of this number, from 1 on; NULL: there is none. */
const struct device *tasmota_shutter(const struct tasmota_numbers *numbers,
				     const struct discovery_things *things,
				     unsigned int number);

/* The document on .../config, to be freed by the caller; NULL: out of memory. */
char *tasmota_config(const char *node, const struct discovery_things *things,
		     const struct tasmota_numbers *numbers);
/* That on .../sensors. sensors: as in SENSOR, with all there are; taken; NULL: out of
 * memory. */
char *tasmota_sensors(json_t *sensors);

#endif

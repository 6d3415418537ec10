/*
 * The devices of a node: node_devices.c (which there are), node_sensors.c. On the
 * loop's thread.
 */
#ifndef GPIO_NODE_DEVICES_H
#define GPIO_NODE_DEVICES_H

#include "broker/base/loop.h"
#include "gpio/devices.h"
#include "gpio/sensor.h"

struct node;
struct pins;
struct reader;

/* A device in use. */
struct node_device {
	bool used;
	struct device device;
	struct node *node;
	struct loop_timer timer;
	uint32_t generation; /* of what is in this place */
	bool asked; /* a reading is under way */
	struct sensor sensor;
};

struct node_devices {
	struct node_device device[DEVICES_MAX];
	uint32_t generations;
	struct reader *reader; /* NULL: nothing to read yet */
};

/* Go from the devices in use to these; one that is the same goes on. */
void node_devices_apply(struct node *node, const struct pins *pins);
/* Everything as it stands, to a hub that may not know it. */
void node_devices_say(struct node *node);
/* No more readings. */
void node_devices_stop(struct node *node);
/* Into the report's errors and, as a list, what is there to be used. Not 0, or
 * NULL: out of memory. */
int node_devices_errors(const struct node *node, json_t *errors);
json_t *node_devices_sources(const struct node *node);

/* node_sensors.c */

void node_sensor_begin(struct node_device *device);
void node_sensor_say(const struct node_device *device);
/* Its topic is taken away. */
void node_sensor_end(struct node_device *device);

#endif

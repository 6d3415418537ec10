/*
 * The devices of a node: node_devices.c (which there are), node_sensors.c,
 * node_covers.c. On the loop's thread.
 */
#ifndef GPIO_NODE_DEVICES_H
#define GPIO_NODE_DEVICES_H

#include "broker/base/loop.h"
#include "broker/base/slice.h"
#include "gpio/cover.h"
#include "gpio/devices.h"
#include "gpio/sensor.h"

struct node;
struct client_message;
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
	struct cover cover;
	bool lost; /* a cover: one of its outputs has no line */
	uint32_t token; /* of its last order */
};

struct node_devices {
	struct node_device device[DEVICES_MAX];
	uint32_t generations;
	struct reader *reader; /* NULL: nothing to read yet */
	json_t *covers; /* where they stand: cover_memory.h; NULL: nothing */
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

/* node_covers.c */

void node_covers_recall(struct node *node);
/* An output was driven, had or lost. */
void node_covers_moved(struct node *node);
/* The order of this token was not carried out. */
void node_covers_failed(struct node *node, uint32_t token);
/* On .../cover/NAME/set. */
void node_cover_command(struct node *node, const struct client_message *message,
			struct slice name);
void node_cover_begin(struct node_device *device);
void node_cover_say(const struct node_device *device);
/* It stops, and its topics are taken away. */
void node_cover_end(struct node_device *device);

/* node_sensors.c */

void node_sensor_begin(struct node_device *device);
void node_sensor_say(const struct node_device *device);
/* Its topic is taken away. */
void node_sensor_end(struct node_device *device);

#endif

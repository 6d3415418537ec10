/*
 * The devices of a node: node_devices.c (which there are), node_sensors.c,
 * node_covers.c, node_lights.c. On the loop's thread.
 */
#ifndef GPIO_NODE_DEVICES_H
#define GPIO_NODE_DEVICES_H

#include "broker/base/loop.h"
#include "broker/base/slice.h"
#include "gpio/channel.h"
#include "gpio/cover.h"
#include "gpio/devices.h"
#include "gpio/light.h"
#include "gpio/logic.h"
#include "gpio/node_order.h"
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
	struct light light;
	struct light_wish wish; /* of the order that is under way */
	unsigned int colors; /* channels it is to have */
	unsigned int channels; /* that it has; 0: it could not be had */
	struct channel *channel[LIGHT_CHANNELS_MAX];
	int light_error; /* why it cannot be driven */
	bool live; /* was driven by this process before */
	struct node_order order;
};

struct node_devices {
	struct node_device device[DEVICES_MAX];
	uint32_t generations;
	struct reader *reader; /* NULL: nothing to read yet */
	struct logic *lights; /* by place; NULL: none */
	struct loop_timer logic_timer; /* of lights */
	json_t *covers; /* where they stand: cover_memory.h; NULL: nothing */
};

/* Go from the devices in use to these; one that is the same goes on. */
void node_devices_apply(struct node *node, const struct pins *pins);
/* Everything as it stands, to a hub that may not know it. */
void node_devices_say(struct node *node);
/* No more readings, steps or positions. */
void node_devices_stop(struct node *node);
/* After that: lights are let go as they are. */
void node_devices_free(struct node *node);
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
/* The same as an order of somebody (for the log), to stop or to go to a position; a
 * refusal is said on the cover's .../result. */
void node_cover_order(struct node_device *device, bool stop, double position,
		      const char *who);
void node_cover_begin(struct node_device *device);
void node_cover_say(const struct node_device *device);
/* It stops, and its topics are taken away. */
void node_cover_end(struct node_device *device);

/* node_lights.c */

/* NULL: there is none. */
struct node_device *node_light_named(struct node *node, struct slice name);
/* On .../light/NAME/set. */
void node_light_command(struct node_device *device,
			const struct client_message *message);
/* The same as an order of somebody (for the log). */
void node_light_order(struct node_device *device, enum logic_verb verb,
		      const struct light_wish *wish, const char *who);
/* As node_run() and logic_hub(). */
void node_lights_run(struct node *node);
void node_lights_hub(struct node *node, bool there, uint64_t when);
/* All of them, now. */
void node_lights_safe(struct node *node);
void node_light_begin(struct node_device *device);
void node_light_say(const struct node_device *device);
/* Its channels keep what they have; somebody goes on with them. */
void node_light_let_go(struct node_device *device);
/* It becomes safe, and its topic is taken away. */
void node_light_end(struct node_device *device);

/* node_sensors.c */

void node_sensor_begin(struct node_device *device);
void node_sensor_say(const struct node_device *device);
/* Its topic is taken away. */
void node_sensor_end(struct node_device *device);

#endif

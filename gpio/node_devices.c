#include "gpio/node_devices.h"

#include <stdlib.h>
#include <string.h>

#include "broker/base/json_text.h"
#include "gpio/node_internal.h"
#include "gpio/reader.h"
#include "gpio/sensor_read.h"
#include "gpio/sources.h"

static void begin(struct node_device *device)
{
	if (device->device.kind == DEVICE_COVER)
		node_cover_begin(device);
	else if (device->device.kind == DEVICE_LIGHT)
		node_light_begin(device);
	else
		node_sensor_begin(device);
}

static void say(const struct node_device *device)
{
	if (device->device.kind == DEVICE_COVER)
		node_cover_say(device);
	else if (device->device.kind == DEVICE_LIGHT)
		node_light_say(device);
	else
		node_sensor_say(device);
}

/* The same channels under other words: what they give goes on. */
static bool is_live(const struct node_device *device, const struct device *to)
{
	return device->used && to && device->device.kind == DEVICE_LIGHT &&
	       to->kind == DEVICE_LIGHT &&
	       strcmp(device->device.name, to->name) == 0 &&
	       strcmp(device->device.outputs, to->outputs) == 0;
}

static void end(struct node_device *device, bool live)
{
	if (device->device.kind == DEVICE_COVER)
		node_cover_end(device);
	else if (device->device.kind == DEVICE_LIGHT && live)
		node_light_let_go(device);
	else if (device->device.kind == DEVICE_LIGHT)
		node_light_end(device);
	else
		node_sensor_end(device);
	loop_timer_cancel(device->node->loop, &device->timer);
	device->used = false;
}

static bool goes_on(const struct node_device *device, const struct pins *pins)
{
	const struct device *to = devices_find(pins, device->device.name);

	return to && device_same(to, &device->device);
}

static bool is_there(const struct node *node, const char *name)
{
	for (size_t i = 0; i < DEVICES_MAX; i++)
		if (node->devices.device[i].used &&
		    slice_equal(slice_str(node->devices.device[i].device.name),
				slice_str(name)))
			return true;
	return false;
}

static void add(struct node *node, const struct device *to, bool live)
{
	struct node_device *device = node->devices.device;

	/* There are as many places as a configuration has devices, and those
	 * that left are gone. */
	while (device->used)
		device++;
	*device = (struct node_device){
		.used = true,
		.node = node,
		.device = *to,
		.live = live,
		.generation = ++node->devices.generations,
	};
	begin(device);
}

void node_devices_apply(struct node *node, const struct pins *pins)
{
	bool live[DEVICES_MAX] = { false };

	for (size_t i = 0; i < DEVICES_MAX; i++) {
		struct node_device *device = &node->devices.device[i];
		const struct device *to =
			devices_find(pins, device->device.name);
		bool stays = is_live(device, to);

		if (!device->used || goes_on(device, pins))
			continue;
		if (stays)
			live[to - pins->device] = true;
		end(device, stays);
	}
	for (size_t i = 0; i < pins->devices; i++)
		if (!is_there(node, pins->device[i].name))
			add(node, &pins->device[i], live[i]);
}

void node_devices_say(struct node *node)
{
	for (size_t i = 0; i < DEVICES_MAX; i++)
		if (node->devices.device[i].used)
			say(&node->devices.device[i]);
}

void node_devices_stop(struct node *node)
{
	for (size_t i = 0; i < DEVICES_MAX; i++)
		loop_timer_cancel(node->loop, &node->devices.device[i].timer);
	loop_timer_cancel(node->loop, &node->devices.logic_timer);
	reader_free(node->devices.reader);
	node->devices.reader = NULL;
}

void node_devices_free(struct node *node)
{
	for (size_t i = 0; i < DEVICES_MAX; i++)
		if (node->devices.device[i].used &&
		    node->devices.device[i].device.kind == DEVICE_LIGHT)
			node_light_let_go(&node->devices.device[i]);
	free(node->devices.lights);
	json_decref(node->devices.covers);
}

int node_devices_errors(const struct node *node, json_t *errors)
{
	int bad = 0;

	for (size_t i = 0; i < DEVICES_MAX; i++) {
		const struct node_device *device = &node->devices.device[i];

		int error = device->sensor.error ? device->sensor.error
						 : device->light_error;

		if (!device->used || !error)
			continue;
		bad |= json_array_append_new(
			errors, node_error_json(device->device.name,
						device->light_error ? "outputs"
								    : "source",
						sensor_error_text(error)));
	}
	return bad;
}

json_t *node_devices_sources(const struct node *node)
{
	return sources_list(node->sysfs);
}

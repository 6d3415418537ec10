/* Sensors: asked in time, and what they say. */
#include "broker/base/log.h"
#include "gpio/node_internal.h"
#include "gpio/reader.h"
#include "gpio/sensor_read.h"

static void say(const struct node_device *device, const char *value)
{
	node_say_value(device->node, "sensor", device->device.name, "", value);
}

void node_sensor_say(const struct node_device *device)
{
	char text[SENSOR_TEXT_SIZE];

	if (device->sensor.known)
		say(device, sensor_text(device->sensor.said, text));
	node_dialects_say_device(device->node, device);
}

/* Said once, until it is another reason or it can be read again. */
static void trouble(struct node_device *device, int error)
{
	int before = device->sensor.error;
	char topic[TOPICS_SIZE];

	if (sensor_fail(&device->sensor, error)) {
		say(device, "");
		node_dialects_say_device(device->node, device);
	}
	if (error == before)
		return;
	log_warn(device->device.name, "cannot be read: %s",
		 sensor_error_text(error));
	(void)topics_pin(topic, device->node->name, "sensor",
			 device->device.name, "");
	node_say_error(device->node, slice_str(topic), slice_str(""),
		       sensor_error_text(error));
	node_say_report(device->node);
}

static void on_reading(void *arg, const struct reading *reading)
{
	struct node *node = arg;
	struct node_device *device = &node->devices.device[reading->place];
	bool was_bad = device->sensor.error;

	/* It has left, or is another one now. */
	if (!device->used || device->generation != reading->generation)
		return;
	device->asked = false;
	if (reading->error) {
		trouble(device, reading->error);
		return;
	}
	if (sensor_take(&device->sensor, &device->device, reading->value))
		node_sensor_say(device);
	if (was_bad) {
		log_info(device->device.name, "can be read again");
		node_say_report(node);
	}
}

static int ask(struct node_device *device)
{
	struct node *node = device->node;
	int r = 0;

	if (!node->devices.reader)
		r = reader_new(node->loop, node->sysfs, on_reading, node,
			       &node->devices.reader);
	if (!r)
		r = reader_ask(node->devices.reader,
			       (unsigned int)(device - node->devices.device),
			       device->generation, &device->device);
	return r;
}

static void on_timer(struct loop_timer *timer)
{
	struct node_device *device =
		list_entry(timer, struct node_device, timer);
	int r = 0;

	loop_timer_set(device->node->loop, timer, device->device.interval_ms);
	/* Slower than its interval: when it is done. */
	if (device->asked)
		return;
	r = ask(device);
	if (r)
		trouble(device, r);
	else
		device->asked = true;
}

void node_sensor_begin(struct node_device *device)
{
	device->timer.fn = on_timer;
	loop_timer_set(device->node->loop, &device->timer, 0);
}

void node_sensor_end(struct node_device *device)
{
	char topic[TOPICS_SIZE];

	node_take_away(device->node,
		       topics_pin(topic, device->node->name, "sensor",
				  device->device.name, ""));
	node_dialects_say_device_left(device->node, &device->device);
}

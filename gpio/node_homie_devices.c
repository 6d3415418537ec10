/* Sensors, lights and covers as Homie has them. */
#include <stdio.h>
#include <string.h>

#include "gpio/node_homie.h"
#include "gpio/words.h"

/* Bytes of a value: "rgb,255,255,255". */
#define TEXT_SIZE SENSOR_TEXT_SIZE

static const char *flag(bool on)
{
	return on ? "true" : "false";
}

/* ---- what is said ------------------------------------------------------- */

static void say_sensor(struct node_dialect *homie,
		       const struct node_device *device)
{
	const bool known = device->sensor.known;
	const char *name = device->device.name;
	char text[TEXT_SIZE];

	if (device->device.kind == DEVICE_UNDER_VOLTAGE ||
	    device->device.kind == DEVICE_THROTTLED)
		node_homie_put(homie, name, HOMIE_STATE,
			       known ? flag(device->sensor.said > 0.5) : "");
	else
		node_homie_put(homie, name, HOMIE_VALUE,
			       known ? sensor_text(device->sensor.said, text)
				     : "");
}

static void put_percent(struct node_dialect *homie, const char *name,
			enum homie_property property, uint8_t value)
{
	char text[TEXT_SIZE];

	(void)snprintf(text, sizeof(text), "%u",
		       value ? light_percent(value) : 0);
	node_homie_put(homie, name, property, text);
}

static void say_light(struct node_dialect *homie,
		      const struct node_device *device)
{
	const struct light *light = &device->light;
	const char *name = device->device.name;
	char text[TEXT_SIZE];

	node_homie_put(homie, name, HOMIE_STATE,
		       device->channels ? flag(light->on) : "");
	if (!device->channels)
		return;
	put_percent(homie, name, HOMIE_BRIGHTNESS, light->brightness);
	if (light->channels < 3)
		return;
	(void)snprintf(text, sizeof(text), "rgb,%u,%u,%u", light->color[0],
		       light->color[1], light->color[2]);
	node_homie_put(homie, name, HOMIE_COLOR, text);
	if (light->channels == 4)
		put_percent(homie, name, HOMIE_WHITE, light->color[3]);
}

/* Where it is going comes first. */
static void say_cover(struct node_dialect *homie,
		      const struct node_device *device)
{
	const struct cover *cover = &device->cover;
	uint64_t now = loop_now(device->node->loop);
	int position = cover_position(cover, now);
	int target = cover->going ? (int)cover->goal : position;
	const char *name = device->device.name;
	char text[TEXT_SIZE] = "";

	if (target >= 0)
		(void)snprintf(text, sizeof(text), "%d", target);
	node_homie_put_target(homie, name, HOMIE_POSITION, text);
	text[0] = '\0';
	if (position >= 0)
		(void)snprintf(text, sizeof(text), "%d", position);
	node_homie_put(homie, name, HOMIE_POSITION, text);
	node_homie_put(homie, name, HOMIE_STATE, cover_text(cover, now));
}

void node_homie_say_device(struct node *node, const struct node_device *device)
{
	if (!node_dialect_there(node->homie))
		return;
	if (device->device.kind == DEVICE_COVER)
		say_cover(node->homie, device);
	else if (device->device.kind == DEVICE_LIGHT)
		say_light(node->homie, device);
	else
		say_sensor(node->homie, device);
}

/* ---- what is set -------------------------------------------------------- */

static const char *set_state(struct node_device *device, struct slice payload)
{
	const struct light_wish none = { 0 };
	bool on = slice_equal(payload, slice_str("true"));

	if (!on && !slice_equal(payload, slice_str("false")))
		return "must be true or false";
	node_light_order(device, on ? LOGIC_ON : LOGIC_OFF, &none, "Homie");
	return NULL;
}

static const char *set_brightness(struct node_device *device,
				  struct slice payload)
{
	struct light_wish wish = { 0 };
	unsigned int percent;

	if (!words_number(payload, 100, &percent))
		return "must be from 0 to 100";
	if (percent)
		wish.brightness = light_of_percent(percent);
	node_light_order(device, percent ? LOGIC_ON : LOGIC_OFF, &wish,
			 "Homie");
	return NULL;
}

/* What is not said stays. */
static void color_it(struct node_device *device, const uint8_t *rgb,
		     uint8_t white)
{
	struct light_wish wish = {
		.any_color = true,
		.color = { rgb[0], rgb[1], rgb[2], white },
	};

	node_light_order(device, LOGIC_ON, &wish, "Homie");
}

/* "rgb,255,128,0" */
static const char *set_color(struct node_device *device, struct slice payload)
{
	static const char prefix[] = "rgb,";
	uint8_t color[LIGHT_CHANNELS_MAX];

	if (payload.len < sizeof(prefix) ||
	    memcmp(payload.data, prefix, sizeof(prefix) - 1) != 0 ||
	    !words_color(slice_of(payload.data + sizeof(prefix) - 1,
				  payload.len - sizeof(prefix) + 1),
			 3, color))
		return "must be a colour, rgb,255,128,0";
	color_it(device, color, device->light.color[3]);
	return NULL;
}

static const char *set_white(struct node_device *device, struct slice payload)
{
	unsigned int percent;

	if (!words_number(payload, 100, &percent))
		return "must be from 0 to 100";
	color_it(device, device->light.color,
		 percent ? light_of_percent(percent) : 0);
	return NULL;
}

static const char *set_position(struct node_device *device,
				struct slice payload)
{
	unsigned int percent;

	if (!words_number(payload, 100, &percent))
		return "must be from 0 to 100";
	node_cover_order(device, false, percent, "Homie");
	return NULL;
}

static const char *act(struct node_device *device, struct slice payload)
{
	bool stop = slice_equal(payload, slice_str("stop"));
	bool open = slice_equal(payload, slice_str("open"));

	if (!stop && !open && !slice_equal(payload, slice_str("close")))
		return "must be open, close or stop";
	node_cover_order(device, stop, open ? 100 : 0, "Homie");
	return NULL;
}

const char *node_homie_set(struct node_device *device,
			   enum homie_property property, struct slice payload)
{
	switch (property) {
	case HOMIE_STATE:
		return set_state(device, payload);
	case HOMIE_BRIGHTNESS:
		return set_brightness(device, payload);
	case HOMIE_COLOR:
		return set_color(device, payload);
	case HOMIE_WHITE:
		return set_white(device, payload);
	case HOMIE_POSITION:
		return set_position(device, payload);
	case HOMIE_ACTION:
		return act(device, payload);
	case HOMIE_EVENT:
	case HOMIE_COUNT:
	case HOMIE_VALUE:
		break;
	}
	return "there is nothing to set";
}

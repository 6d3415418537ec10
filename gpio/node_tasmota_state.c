#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "broker/base/clock.h"
#include "gpio/node_tasmota.h"

/* NULL and given back, if something in it could not be made. */
static json_t *whole(json_t *object, int bad)
{
	if (!bad)
		return object;
	json_decref(object);
	return NULL;
}

static int put_text(json_t *to, const char *key, const char *text)
{
	return json_object_set_new(to, key, json_string(text));
}

static int put_int(json_t *to, const char *key, json_int_t value)
{
	return json_object_set_new(to, key, json_integer(value));
}

/* Under the key with its number. */
static int put_numbered(json_t *to, const char *key, unsigned int number,
			json_t *value)
{
	char numbered[32];

	(void)snprintf(numbered, sizeof(numbered), "%s%u", key, number);
	return json_object_set_new(to, numbered, value);
}

static int put_time(json_t *to)
{
	time_t now = (time_t)(clock_wall_ms() / 1000);
	struct tm tm;
	char text[32] = "";

	if (localtime_r(&now, &tm))
		(void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	return put_text(to, "Time", text);
}

static int put_uptime(const struct node_tasmota *t, json_t *to)
{
	uint64_t s = (loop_now(t->base.node->loop) - t->since) / 1000;
	char text[48];
	int bad;

	(void)snprintf(text, sizeof(text), "%lluT%02u:%02u:%02u",
		       (unsigned long long)(s / 86400),
		       (unsigned int)(s / 3600 % 24),
		       (unsigned int)(s / 60 % 60), (unsigned int)(s % 60));
	bad = put_text(to, "Uptime", text);
	bad |= put_int(to, "UptimeSec", (json_int_t)s);
	return bad;
}

static unsigned int relay(const struct node_tasmota *t, const char *name)
{
	return tasmota_number(&t->numbers, TASMOTA_RELAYS, name);
}

/* ---- lights and covers -------------------------------------------------- */

static bool is_only_light(const struct node_tasmota *t)
{
	const struct device *light;
	struct discovery_things things;

	node_things(t->base.node, &things);
	return tasmota_lights(&things, &light) == 1;
}

/* What each channel gives, 0 to 255, as if it were on. */
static void shown(const struct light *light, uint8_t out[LIGHT_CHANNELS_MAX])
{
	for (unsigned int i = 0; i < LIGHT_CHANNELS_MAX; i++)
		out[i] = (uint8_t)((light->color[i] * light->brightness +
				    LIGHT_FULL / 2) /
				   LIGHT_FULL);
}

static int put_color(const struct light *light, json_t *to)
{
	uint8_t is[LIGHT_CHANNELS_MAX];
	char text[2 * LIGHT_CHANNELS_MAX + 1] = "";
	char hsb[32];
	unsigned int hue, saturation;
	int bad;

	shown(light, is);
	for (unsigned int i = 0; i < light->channels; i++)
		(void)snprintf(text + (size_t)2 * i, 3, "%02X", is[i]);
	tasmota_to_hs(light->color, &hue, &saturation);
	(void)snprintf(hsb, sizeof(hsb), "%u,%u,%u", hue, saturation,
		       light_percent(light->brightness));
	bad = put_text(to, "Color", text);
	bad |= put_text(to, "HSBColor", hsb);
	if (light->channels == 4)
		bad |= put_int(to, "White",
			       is[3] ? (json_int_t)light_percent(is[3]) : 0);
	return bad;
}

static int put_light(const struct node_tasmota *t,
		     const struct node_device *device, json_t *to)
{
	const struct light *light = &device->light;
	unsigned int number = relay(t, device->device.name);
	json_int_t percent = light_percent(light->brightness);
	int bad = put_numbered(to, "POWER", number,
			       json_string(topics_state(light->on)));

	if (!is_only_light(t))
		return bad | put_numbered(to, "Channel", number,
					  json_integer(percent));
	bad |= put_int(to, "Dimmer", percent);
	if (light->channels >= 3)
		bad |= put_color(light, to);
	bad |= put_text(to, "Fade", t->fade ? "ON" : "OFF");
	bad |= put_int(to, "Speed", t->speed);
	return bad;
}

json_t *node_tasmota_light(const struct node_tasmota *t,
			   const struct node_device *device)
{
	json_t *object = json_object();
	int bad = put_light(t, device, object);

	return whole(object, bad);
}

/* 0: it is none of the shutters. */
static unsigned int shutter_number(const struct node_tasmota *t,
				   const struct node_device *device)
{
	struct discovery_things things;

	node_things(t->base.node, &things);
	for (unsigned int n = 1; n <= DEVICES_MAX; n++)
		if (tasmota_shutter(&t->numbers, &things, n) == &device->device)
			return n;
	return 0;
}

static int put_cover(const struct node_tasmota *t,
		     const struct node_device *device, json_t *to)
{
	const struct cover *cover = &device->cover;
	int position = cover_position(cover, loop_now(t->base.node->loop));
	int direction = cover->motion == COVER_UP     ? 1
			: cover->motion == COVER_DOWN ? -1
						      : 0;
	unsigned int number = shutter_number(t, device);
	json_t *object;
	int bad;

	if (!number)
		return 0;
	object = json_object();
	/* Not there: it is not known. */
	bad = position < 0 ? 0 : put_int(object, "Position", position);
	bad |= put_int(object, "Direction", direction);
	if (cover->going || position >= 0)
		bad |= put_int(object, "Target",
			       cover->going ? (json_int_t)cover->goal
					    : position);
	return bad | put_numbered(to, "Shutter", number, object);
}

json_t *node_tasmota_cover(const struct node_tasmota *t,
			   const struct node_device *device)
{
	json_t *object = json_object();
	int bad = put_cover(t, device, object);

	return whole(object, bad);
}

/* ---- STATE -------------------------------------------------------------- */

static int put_outputs(const struct node_tasmota *t, json_t *to)
{
	const struct node *node = t->base.node;
	int bad = 0;

	for (size_t i = 0; i < PINS_MAX; i++) {
		const struct node_pin *pin = &node->pins[i];

		if (pin->used && pin->request &&
		    pin->pin.direction == LINE_OUTPUT &&
		    relay(t, pin->pin.name))
			bad |= put_numbered(
				to, "POWER", relay(t, pin->pin.name),
				json_string(topics_state(node_pin_on(pin))));
	}
	for (size_t i = 0; i < DEVICES_MAX; i++) {
		const struct node_device *device = &node->devices.device[i];

		if (!device->used)
			continue;
		if (device->device.kind == DEVICE_LIGHT && device->channels)
			bad |= put_light(t, device, to);
		else if (device->device.kind == DEVICE_COVER)
			bad |= put_cover(t, device, to);
	}
	return bad;
}

json_t *node_tasmota_state(const struct node_tasmota *t)
{
	json_t *object = json_object();
	int bad = put_time(object);

	bad |= put_uptime(t, object);
	bad |= put_int(object, "MqttCount", t->base.connects);
	bad |= put_outputs(t, object);
	return whole(object, bad);
}

/* ---- SENSOR ------------------------------------------------------------- */

/* {"Temperature":21.5}; NULL: out of memory. */
static json_t *reading(const char *quantity, double value)
{
	json_t *object = json_object();
	/* As many digits as are said elsewhere. */
	int bad = json_object_set_new(
		object, quantity, json_real(floor(value * 1000 + 0.5) / 1000));

	return whole(object, bad);
}

static int put_counter(const struct node_tasmota *t, const struct node_pin *pin,
		       json_t *to)
{
	unsigned int number =
		tasmota_number(&t->numbers, TASMOTA_COUNTERS, pin->pin.name);
	json_t *counters = json_object_get(to, "COUNTER");
	double count = (double)pin->counter.count;
	int bad = 0;

	if (!counters) {
		bad |= json_object_set_new(to, "COUNTER", json_object());
		counters = json_object_get(to, "COUNTER");
	}
	if (number)
		bad |= put_numbered(
			counters, "C", number,
			json_integer((json_int_t)pin->counter.count));
	if (pin->pin.per_unit > 0)
		bad |= json_object_set_new(
			to, pin->pin.name,
			reading(tasmota_quantity(pin->pin.unit, ""),
				count / pin->pin.per_unit));
	return bad;
}

static int put_inputs(const struct node_tasmota *t, json_t *to, bool all)
{
	const struct node *node = t->base.node;
	int bad = 0;

	for (size_t i = 0; i < PINS_MAX; i++) {
		const struct node_pin *pin = &node->pins[i];

		if (!pin->used || pin->pin.direction == LINE_OUTPUT ||
		    (!pin->request && !all))
			continue;
		if (pin->pin.kind == PIN_COUNTER)
			bad |= put_counter(t, pin, to);
		else if (tasmota_kind(&pin->pin) == TASMOTA_SWITCHES)
			bad |= put_text(to, pin->pin.name,
					topics_state(node_pin_on(pin)));
	}
	return bad;
}

static bool is_sensor(const struct node_device *device)
{
	return device->used && device->device.kind != DEVICE_COVER &&
	       device->device.kind != DEVICE_LIGHT;
}

json_t *node_tasmota_sensors(const struct node_tasmota *t, bool all)
{
	const struct node *node = t->base.node;
	json_t *object = json_object();
	int bad = put_time(object);

	bad |= put_inputs(t, object, all);
	for (size_t i = 0; i < DEVICES_MAX; i++) {
		const struct node_device *device = &node->devices.device[i];
		const struct device *d = &device->device;

		if (is_sensor(device) && (device->sensor.known || all))
			bad |= json_object_set_new(
				object, d->name,
				reading(tasmota_quantity(device_unit(d),
							 d->source),
					device->sensor.value));
	}
	bad |= put_text(object, "TempUnit", "C");
	bad |= put_text(object, "PressureUnit", "hPa");
	return whole(object, bad);
}

/* ---- STATUS ------------------------------------------------------------- */

static json_t *about_device(const struct node_tasmota *t)
{
	const char *node = t->base.node->name;
	char name[TASMOTA_DEVICE_SIZE];
	json_t *object = json_object();
	int bad = put_text(object, "DeviceName", node);

	bad |= put_text(object, "Topic", tasmota_device(name, node));
	return whole(object, bad);
}

static json_t *about_process(const struct node_tasmota *t)
{
	json_t *object = json_object();
	int bad = put_text(object, "GroupTopic", "tasmotas");

	bad |= put_uptime(t, object);
	return whole(object, bad);
}

static json_t *about_network(const struct node_tasmota *t)
{
	char host[256] = "";
	char mac[DIALECT_MAC_SIZE];
	json_t *object = json_object();
	int bad;

	(void)gethostname(host, sizeof(host) - 1);
	bad = put_text(object, "Hostname", host);
	bad |= put_text(object, "Mac",
			dialect_tasmota_mac(mac, t->base.node->name));
	return whole(object, bad);
}

static json_t *about_mqtt(const struct node_tasmota *t)
{
	json_t *object = json_object();
	int bad = put_int(object, "MqttCount", t->base.connects);

	bad |= put_int(object, "KEEPALIVE", NODE_KEEP_ALIVE);
	return whole(object, bad);
}

static json_t *about_time(void)
{
	json_t *object = json_object();
	int bad = put_time(object);

	return whole(object, bad);
}

json_t *node_tasmota_status(const struct node_tasmota *t, unsigned int n,
			    bool *known)
{
	const char *key = NULL;
	json_t *object = NULL;

	if (n == 0) {
		key = "Status";
		object = about_device(t);
	} else if (n == 1) {
		key = "StatusPRM";
		object = about_process(t);
	} else if (n == 2) {
		key = "StatusFWR";
		object =
			json_pack("{ss}", "Version", HEARTH_VERSION "(hearth)");
	} else if (n == 5) {
		key = "StatusNET";
		object = about_network(t);
	} else if (n == 6) {
		key = "StatusMQT";
		object = about_mqtt(t);
	} else if (n == 7) {
		key = "StatusTIM";
		object = about_time();
	} else if (n == 8 || n == 10) {
		key = "StatusSNS";
		object = node_tasmota_sensors(t, false);
	} else if (n == 11) {
		key = "StatusSTS";
		object = node_tasmota_state(t);
	}
	*known = key;
	return object ? json_pack("{so}", key, object) : NULL;
}

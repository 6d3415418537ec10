/* What the board's sensors are to Home Assistant: known by where they are, as their
 * names may change. */
#include <stdio.h>
#include <string.h>

#include "gpio/discovery_internal.h"
#include "gpio/topics.h"

/* One that does not answer has no value: its topic is taken away. */
#define HAS_VALUE "{{ 'online' if value else 'offline' }}"

/* A class takes certain units only; without one any is fine. */
static const struct {
	const char *unit;
	const char *class;
	const char *source; /* what the source must have in it */
} classes[] = {
	{ "°C", "temperature", "" },  { "°F", "temperature", "" },
	{ "%", "humidity", "humid" }, { "hPa", "pressure", "" },
	{ "kPa", "pressure", "" },    { "lx", "illuminance", "" },
	{ "V", "voltage", "" },	      { "mV", "voltage", "" },
	{ "A", "current", "" },	      { "mA", "current", "" },
	{ "W", "power", "" },	      { "kW", "power", "" },
};

static const char *class_of(const struct device *device)
{
	const char *unit = device_unit(device);

	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
		if (strcmp(classes[i].unit, unit) == 0 &&
		    strstr(device->source, classes[i].source))
			return classes[i].class;
	return NULL;
}

/* Of what the board has once, its kind says which. */
static json_t *add_entity(struct discovery *d, const struct device *device,
			  const char *platform)
{
	char id[DIALECT_ID_SIZE];
	char topic[TOPICS_SIZE];
	json_t *one = discovery_add_entity(
		d, platform,
		dialect_id(id, device->source[0]
				       ? device->source
				       : device_kind_text(device->kind)),
		"", device->label[0] ? device->label : device->name);

	(void)topics_pin(topic, d->box->node, "sensor", device->name, "");
	discovery_put_text(d, one, "stat_t", topic);
	discovery_put_available(d, one, topic, HAS_VALUE);
	return one;
}

static void put_reading(struct discovery *d, const struct device *device)
{
	json_t *one = add_entity(d, device, "sensor");
	const char *unit = device_unit(device);

	if (class_of(device))
		discovery_put_text(d, one, "dev_cla", class_of(device));
	if (unit[0])
		discovery_put_text(d, one, "unit_of_meas", unit);
	discovery_put_text(d, one, "stat_cla", "measurement");
	if (device->kind == DEVICE_CPU_TEMPERATURE)
		discovery_put_text(d, one, "ent_cat", "diagnostic");
}

/* 1: it is so, and should not. */
static void put_problem(struct discovery *d, const struct device *device)
{
	json_t *one = add_entity(d, device, "binary_sensor");

	discovery_put_text(d, one, "dev_cla", "problem");
	discovery_put_text(d, one, "pl_on", "1");
	discovery_put_text(d, one, "pl_off", "0");
	discovery_put_text(d, one, "ent_cat", "diagnostic");
}

/* Its words are Home Assistant's own. It is known by its name: what drives it may
 * change. */
static void put_cover(struct discovery *d, const struct device *device)
{
	char id[DIALECT_ID_SIZE];
	char topic[TOPICS_SIZE];
	json_t *one = discovery_add_entity(
		d, "cover", dialect_id(id, device->name), "",
		device->label[0] ? device->label : device->name);

	(void)topics_pin(topic, d->box->node, "cover", device->name, "");
	discovery_put_text(d, one, "stat_t", topic);
	discovery_put_available(d, one, topic, HAS_VALUE);
	discovery_put_topic(d, one, "pos_t", "cover", device->name,
			    "/position");
	discovery_put_topic(d, one, "cmd_t", "cover", device->name, "/set");
	discovery_put_topic(d, one, "set_pos_t", "cover", device->name, "/set");
}

/* Known by its first channel: where it is, as an output is by its line. */
static void put_light(struct discovery *d, const struct device *device)
{
	struct channel_name names[CHANNEL_NAMES_MAX];
	unsigned int channels = channel_names_split(device->outputs, names);
	const char *mode = channels == 1   ? "brightness"
			   : channels == 3 ? "rgb"
					   : "rgbw";
	char channel[CHANNEL_NAME_MAX + 16];
	char id[DIALECT_ID_SIZE];
	char topic[TOPICS_SIZE];
	json_t *modes = json_array();
	json_t *one;

	(void)snprintf(channel, sizeof(channel), "%s_%u", names[0].device,
		       names[0].number);
	one = discovery_add_entity(d, "light", dialect_id(id, channel), "",
				   device->label[0] ? device->label
						    : device->name);
	(void)topics_pin(topic, d->box->node, "light", device->name, "");
	discovery_put_text(d, one, "schema", "json");
	discovery_put_text(d, one, "stat_t", topic);
	discovery_put_available(d, one, topic, HAS_VALUE);
	discovery_put_topic(d, one, "cmd_t", "light", device->name, "/set");
	d->bad |= json_array_append_new(modes, json_string(mode));
	d->bad |= json_object_set_new(one, "sup_clrm", modes);
	d->bad |= json_object_set_new(one, "brightness", json_true());
}

void discovery_put_device(struct discovery *discovery,
			  const struct device *device)
{
	switch (device->kind) {
	case DEVICE_DS18B20:
	case DEVICE_IIO:
	case DEVICE_CPU_TEMPERATURE:
		put_reading(discovery, device);
		return;
	case DEVICE_UNDER_VOLTAGE:
	case DEVICE_THROTTLED:
		put_problem(discovery, device);
		return;
	case DEVICE_LIGHT:
		put_light(discovery, device);
		return;
	case DEVICE_COVER:
		put_cover(discovery, device);
		return;
	}
}

#include <string.h>

#include "gpio/homie.h"

static const char *const names[] = {
	[HOMIE_STATE] = "state",	   [HOMIE_EVENT] = "event",
	[HOMIE_COUNT] = "count",	   [HOMIE_VALUE] = "value",
	[HOMIE_BRIGHTNESS] = "brightness", [HOMIE_COLOR] = "color",
	[HOMIE_WHITE] = "white",	   [HOMIE_POSITION] = "position",
	[HOMIE_ACTION] = "action",
};

const char *homie_property_name(enum homie_property property)
{
	return names[property];
}

bool homie_is_retained(enum homie_property property)
{
	return property != HOMIE_EVENT && property != HOMIE_ACTION;
}

/* ---- which -------------------------------------------------------------- */

static size_t of_pin(const struct pin *pin,
		     enum homie_property out[HOMIE_PROPERTIES_MAX])
{
	size_t n = 0;

	if (pin->direction == LINE_INPUT && pin->kind == PIN_COUNTER) {
		out[n++] = HOMIE_COUNT;
		if (pin->per_unit > 0)
			out[n++] = HOMIE_VALUE;
		return n;
	}
	out[n++] = HOMIE_STATE;
	if (pin->direction == LINE_INPUT && pin->kind == PIN_BUTTON)
		out[n++] = HOMIE_EVENT;
	return n;
}

static size_t of_light(const struct device *light,
		       enum homie_property out[HOMIE_PROPERTIES_MAX])
{
	struct channel_name channels[CHANNEL_NAMES_MAX];
	unsigned int count = channel_names_split(light->outputs, channels);
	size_t n = 0;

	out[n++] = HOMIE_STATE;
	out[n++] = HOMIE_BRIGHTNESS;
	if (count >= 3)
		out[n++] = HOMIE_COLOR;
	if (count >= 4)
		out[n++] = HOMIE_WHITE;
	return n;
}

static size_t of_device(const struct device *device,
			enum homie_property out[HOMIE_PROPERTIES_MAX])
{
	size_t n = 0;

	switch (device->kind) {
	case DEVICE_DS18B20:
	case DEVICE_IIO:
	case DEVICE_CPU_TEMPERATURE:
		out[n++] = HOMIE_VALUE;
		return n;
	case DEVICE_UNDER_VOLTAGE:
	case DEVICE_THROTTLED:
		out[n++] = HOMIE_STATE;
		return n;
	case DEVICE_COVER:
		out[n++] = HOMIE_POSITION;
		out[n++] = HOMIE_STATE;
		out[n++] = HOMIE_ACTION;
		return n;
	case DEVICE_LIGHT:
		return of_light(device, out);
	}
	return n;
}

size_t homie_properties(const struct homie_thing *thing,
			enum homie_property out[HOMIE_PROPERTIES_MAX])
{
	return thing->pin ? of_pin(thing->pin, out)
			  : of_device(thing->device, out);
}

bool homie_property_named(const struct homie_thing *thing, struct slice name,
			  enum homie_property *out)
{
	enum homie_property has[HOMIE_PROPERTIES_MAX];
	size_t count = homie_properties(thing, has);

	for (size_t i = 0; i < count; i++) {
		if (!slice_equal(name, slice_str(names[has[i]])))
			continue;
		*out = has[i];
		return true;
	}
	return false;
}

static bool is_cover(const struct homie_thing *thing)
{
	return thing->device && thing->device->kind == DEVICE_COVER;
}

bool homie_is_settable(const struct homie_thing *thing,
		       enum homie_property property)
{
	if (thing->pin)
		return thing->pin->direction == LINE_OUTPUT;
	if (is_cover(thing))
		return property != HOMIE_STATE;
	return thing->device->kind == DEVICE_LIGHT;
}

/* ---- in the description ------------------------------------------------- */

struct attributes {
	const char *datatype;
	const char *format; /* NULL: none */
	const char *unit; /* "": none */
};

static struct attributes of_state(const struct homie_thing *thing)
{
	struct attributes a = { .datatype = "boolean", .unit = "" };

	if (is_cover(thing)) {
		a.datatype = "enum";
		a.format = "open,closed,opening,closing,stopped";
	}
	return a;
}

static struct attributes attributes_of(const struct homie_thing *thing,
				       enum homie_property property)
{
	switch (property) {
	case HOMIE_STATE:
		return of_state(thing);
	case HOMIE_EVENT:
		return (struct attributes){
			"enum", "press,release,single,double,triple,long,hold",
			""
		};
	case HOMIE_COUNT:
		return (struct attributes){ "integer", NULL, "" };
	case HOMIE_VALUE:
		return (struct attributes){
			"float", NULL,
			thing->pin ? thing->pin->unit
				   : device_unit(thing->device)
		};
	case HOMIE_BRIGHTNESS:
	case HOMIE_WHITE:
	case HOMIE_POSITION:
		return (struct attributes){ "integer", "0:100", "%" };
	case HOMIE_COLOR:
		return (struct attributes){ "color", "rgb", "" };
	case HOMIE_ACTION:
		return (struct attributes){ "enum", "open,close,stop", "" };
	}
	return (struct attributes){ "string", NULL, "" };
}

json_t *homie_property(const struct homie_thing *thing,
		       enum homie_property property)
{
	const struct attributes a = attributes_of(thing, property);
	json_t *object = json_object();
	int bad = json_object_set_new(object, "datatype",
				      json_string(a.datatype));

	if (a.format)
		bad |= json_object_set_new(object, "format",
					   json_string(a.format));
	if (a.unit[0])
		bad |= json_object_set_new(object, "unit", json_string(a.unit));
	if (homie_is_settable(thing, property))
		bad |= json_object_set_new(object, "settable", json_true());
	if (!homie_is_retained(property))
		bad |= json_object_set_new(object, "retained", json_false());
	if (!bad)
		return object;
	json_decref(object);
	return NULL;
}

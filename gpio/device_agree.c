#include "gpio/device_agree.h"

#include <string.h>

#include "gpio/iio.h"
#include "gpio/pins.h"

static void complain(const struct field_place *place, const char *field,
		     const char *why)
{
	pin_errors_add(place->errors, place->pin, field, "%s", why);
}

/* Names in sysfs. A source is part of a path: it must not lead elsewhere. */
static bool is_name(const char *text, size_t len)
{
	if (len == 0 || text[0] == '.')
		return false;
	for (size_t i = 0; i < len; i++)
		if (text[i] <= ' ' || text[i] == '/' || text[i] == 0x7f)
			return false;
	return true;
}

static bool is_w1(const char *source)
{
	static const char digits[] = "0123456789abcdef";

	return strncmp(source, "28-", 3) == 0 && strlen(source) == 15 &&
	       strspn(source + 3, digits) == 12;
}

static bool is_iio(const char *source)
{
	const char *slash = strchr(source, '/');

	return slash && is_name(source, (size_t)(slash - source)) &&
	       strncmp(slash + 1, "in_", 3) == 0 &&
	       is_name(slash + 1, strlen(slash + 1));
}

static void sensor_agrees(const struct field_place *place,
			  const struct device *device)
{
	if (device->kind == DEVICE_DS18B20 && !is_w1(device->source))
		complain(place, "source",
			 "must be a number as 28-0316a2791cff");
	if (device->kind == DEVICE_IIO && !is_iio(device->source))
		complain(place, "source",
			 "must be a device and a channel as bme280/in_temp");
	if (device->interval_ms < DEVICE_INTERVAL_MIN_MS)
		complain(place, "interval", "must be at least 1 second");
	if (device->factor == 0)
		complain(place, "factor", "cannot be 0");
}

static void cover_agrees(const struct field_place *place,
			 const struct device *device)
{
	if (!device->up[0])
		complain(place, "up", "is missing: which output?");
	if (!device->down[0])
		complain(place, "down", "is missing: which output?");
	if (device->up_ms < DEVICE_TRAVEL_MIN_MS)
		complain(place, "up_time", "is missing: how many seconds?");
	if (device->down_ms < DEVICE_TRAVEL_MIN_MS)
		complain(place, "down_time", "is missing: how many seconds?");
}

static void light_agrees(const struct field_place *place,
			 const struct device *device)
{
	struct channel_name names[CHANNEL_NAMES_MAX];
	unsigned int count = channel_names_split(device->outputs, names);

	if (count != 1 && count != 3 && count != 4)
		complain(place, "outputs",
			 "must be 1, 3 or 4 channels as pwm:fe20c000.pwm:0");
	for (unsigned int i = 0; i < count; i++)
		for (unsigned int k = 0; k < i; k++)
			if (channel_name_same(&names[i], &names[k]))
				complain(place, "outputs",
					 "one is there twice");
	if (device->frequency < 1)
		complain(place, "frequency", "must be at least 1 Hz");
	if (device->gamma < 0.1)
		complain(place, "gamma", "must be at least 0.1");
	if (device->rules.max_on_ms && device->rules.safe == LOGIC_SAFE_ON)
		complain(place, "safe", "cannot be on with max_on");
}

void device_agree(const struct field_place *place, const struct device *device)
{
	if (device->kind == DEVICE_COVER)
		cover_agrees(place, device);
	else if (device->kind == DEVICE_LIGHT)
		light_agrees(place, device);
	else
		sensor_agrees(place, device);
}

const char *device_unit(const struct device *device)
{
	if (device->unit[0])
		return device->unit;
	switch (device->kind) {
	case DEVICE_DS18B20:
	case DEVICE_CPU_TEMPERATURE:
		return "°C";
	case DEVICE_IIO:
		return iio_unit(strchr(device->source, '/') + 1)->unit;
	case DEVICE_UNDER_VOLTAGE:
	case DEVICE_THROTTLED:
	case DEVICE_COVER:
	case DEVICE_LIGHT:
		break;
	}
	return "";
}

/* An output that drives a cover must stop when it is told to, and be off where
 * nobody tells it anything. */
static void output_agrees(const struct field_place *place, const char *field,
			  const struct pins *pins, const char *name,
			  uint64_t run_ms)
{
	const struct pin *pin = pins_find(pins, name);

	if (!pin || pin->direction != LINE_OUTPUT)
		pin_errors_add(place->errors, place->pin, field,
			       "there is no output named %s", name);
	else if (pin->rules.safe != LOGIC_SAFE_OFF)
		pin_errors_add(place->errors, place->pin, field,
			       "%s must be safe when off", name);
	else if (pin->rules.min_on_ms)
		pin_errors_add(place->errors, place->pin, field,
			       "%s cannot stop at once: it has min_on", name);
	else if (pin->rules.max_on_ms && pin->rules.max_on_ms < run_ms)
		pin_errors_add(place->errors, place->pin, field,
			       "max_on of %s is shorter than the way", name);
}

static bool drives(const struct device *device, const char *output)
{
	return device->kind == DEVICE_COVER &&
	       (strcmp(device->up, output) == 0 ||
		strcmp(device->down, output) == 0);
}

static void outputs_agree(const struct pins *pins, const struct device *device,
			  struct pin_errors *errors)
{
	const struct field_place place = { errors, device->name };
	const struct pin *up = pins_find(pins, device->up);
	const struct pin *down = pins_find(pins, device->down);

	output_agrees(&place, "up", pins, device->up,
		      device->up_ms + device->end_ms);
	output_agrees(&place, "down", pins, device->down,
		      device->down_ms + device->end_ms);
	if (up && down &&
	    (up == down || !up->interlock[0] ||
	     strcmp(up->interlock, down->interlock) != 0))
		pin_errors_add(errors, device->name, "down",
			       "%s and %s must be of one interlock group",
			       device->up, device->down);
	for (const struct device *other = pins->device; other != device;
	     other++)
		if (drives(other, device->up) || drives(other, device->down))
			pin_errors_add(errors, device->name, "up",
				       "%s is driven by the same outputs",
				       other->name);
}

static bool share(const struct device *a, const struct device *b)
{
	struct channel_name of_a[CHANNEL_NAMES_MAX];
	struct channel_name of_b[CHANNEL_NAMES_MAX];
	unsigned int n = channel_names_split(a->outputs, of_a);
	unsigned int m = channel_names_split(b->outputs, of_b);

	for (unsigned int i = 0; i < n; i++)
		for (unsigned int k = 0; k < m; k++)
			if (channel_name_same(&of_a[i], &of_b[k]))
				return true;
	return false;
}

static void channels_agree(const struct pins *pins, const struct device *device,
			   struct pin_errors *errors)
{
	for (const struct device *other = pins->device; other != device;
	     other++)
		if (share(device, other))
			pin_errors_add(errors, device->name, "outputs",
				       "one is also an output of %s",
				       other->name);
}

void devices_agree(const struct pins *pins, struct pin_errors *errors)
{
	for (size_t i = 0; i < pins->devices; i++) {
		const struct device *device = &pins->device[i];

		if (pins_find(pins, device->name) ||
		    devices_find(pins, device->name) != device)
			pin_errors_add(errors, device->name, "name",
				       "is there twice");
		if (device->kind == DEVICE_COVER)
			outputs_agree(pins, device, errors);
		channels_agree(pins, device, errors);
	}
}

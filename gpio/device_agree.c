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

void device_agree(const struct field_place *place, const struct device *device)
{
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
		break;
	}
	return "";
}

void devices_agree(const struct pins *pins, struct pin_errors *errors)
{
	for (size_t i = 0; i < pins->devices; i++) {
		const struct device *device = &pins->device[i];

		if (pins_find(pins, device->name) ||
		    devices_find(pins, device->name) != device)
			pin_errors_add(errors, device->name, "name",
				       "is there twice");
	}
}

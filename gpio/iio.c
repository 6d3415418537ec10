#include "gpio/iio.h"

#include <stddef.h>
#include <string.h>

static const struct iio_unit units[] = {
	{ "in_temp", 0.001, "°C" },
	{ "in_humidityrelative", 0.001, "%" },
	{ "in_pressure", 10, "hPa" },
	{ "in_voltage", 0.001, "V" },
	{ "in_current", 0.001, "A" },
	{ "in_power", 0.001, "W" },
	{ "in_illuminance", 1, "lx" },
	{ "in_concentration", 10000, "ppm" }, /* percent */
	{ "in_resistance", 1, "Ω" },
	{ "in_distance", 1, "m" },
	{ "", 1, "" },
};

const struct iio_unit *iio_unit(const char *channel)
{
	size_t i = 0;

	while (strncmp(channel, units[i].prefix, strlen(units[i].prefix)) != 0)
		i++;
	return &units[i];
}

#include "gpio/sensor.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* What is said: no 21.4 that is a 21.399999999999999. */
static double rounded(double value)
{
	return round(value * 1000) / 1000;
}

bool sensor_take(struct sensor *sensor, const struct device *device,
		 double reading)
{
	double value = rounded(reading * device->factor + device->offset);
	double changed = fabs(rounded(value - sensor->said));
	bool say = !sensor->known ||
		   (device->delta > 0 ? changed >= device->delta : changed > 0);

	sensor->known = true;
	sensor->value = value;
	sensor->failures = 0;
	sensor->error = 0;
	if (say)
		sensor->said = value;
	return say;
}

bool sensor_fail(struct sensor *sensor, int error)
{
	bool was = sensor->known;

	sensor->error = error;
	if (sensor->failures < SENSOR_FAILURES_MAX)
		sensor->failures++;
	if (sensor->failures == SENSOR_FAILURES_MAX)
		sensor->known = false;
	return was && !sensor->known;
}

const char *sensor_text(double value, char out[SENSOR_TEXT_SIZE])
{
	size_t len;

	/* No more than three decimals and no zeros at the end; without an
	 * exponent, which not everybody reads. */
	(void)snprintf(out, SENSOR_TEXT_SIZE, "%.3f", value);
	len = strlen(out);
	while (strchr(out, '.') && out[len - 1] == '0')
		out[--len] = '\0';
	if (out[len - 1] == '.')
		out[--len] = '\0';
	if (strcmp(out, "-0") == 0)
		(void)snprintf(out, SENSOR_TEXT_SIZE, "0");
	return out;
}

/*
 * Reads a sensor from sysfs. Pure of everything else; blocks as long as the sensor
 * needs, a DS18B20 most of a second: not for the loop's thread (reader.h).
 */
#ifndef GPIO_SENSOR_READ_H
#define GPIO_SENSOR_READ_H

#include "gpio/devices.h"

/* In the unit of iio.h, or degrees; factor and offset are not looked at. Returns
 * 0, or
 *	-ENODEV   it is not there
 *	-EBADMSG  what came does not have the right checksum
 *	-ENODATA  85 degrees is what it has before it has measured
 *	another negative errno: the kernel's */
int sensor_read(const char *sysfs, const struct device *device, double *out);

/* Such an error in words that live for ever. */
const char *sensor_error_text(int error);

#endif

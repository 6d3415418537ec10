/*
 * What is made of a sensor's readings: which are worth saying, and when it has
 * been silent for so long that its last value is no longer true. Pure.
 */
#ifndef GPIO_SENSOR_H
#define GPIO_SENSOR_H

#include "gpio/devices.h"

/* Readings in a row that may fail before the value is taken away: one wrong
 * checksum in a night is ordinary on a long 1-Wire bus. */
#define SENSOR_FAILURES_MAX 3u

/* Bytes of a value as text. */
#define SENSOR_TEXT_SIZE 32u

struct sensor {
	bool known; /* value is true, as far as is known */
	double value;
	double said;
	unsigned int failures; /* in a row */
	int error; /* the last one's; 0: it can be read */
};

/* A reading. True: to be said. */
bool sensor_take(struct sensor *sensor, const struct device *device,
		 double reading);
/* It could not be read. True: its value, which was known, is to be taken away. */
bool sensor_fail(struct sensor *sensor, int error);

/* To three decimals. Returns out. */
const char *sensor_text(double value, char out[SENSOR_TEXT_SIZE]);

#endif

/*
 * The thread that reads sensors, so that the loop never waits for one. It is
 * asked, and tells on the loop's thread what it has read, one after the other.
 * Everything here is the loop's thread's.
 */
#ifndef GPIO_READER_H
#define GPIO_READER_H

#include <stdint.h>

#include "gpio/devices.h"

/* Readings under way; each device has one, and one of its predecessor. */
#define READER_ASKED_MAX (2 * DEVICES_MAX)

struct loop;
struct reader;

struct reading {
	unsigned int place; /* the asker's */
	uint32_t generation;
	struct device device;
	int error; /* of sensor_read() */
	double value;
};

typedef void reader_fn(void *arg, const struct reading *reading);

/* sysfs is borrowed. Returns 0 or a negative errno. */
int reader_new(struct loop *loop, const char *sysfs, reader_fn *done, void *arg,
	       struct reader **out);
/* Waits for the reading that is under way; it is not told any more. NULL is
 * accepted. */
void reader_free(struct reader *reader);

/* Read this device, which is copied; done is called with place and generation.
 * Returns 0, -EAGAIN (READER_ASKED_MAX) or -ENOMEM. */
int reader_ask(struct reader *reader, unsigned int place, uint32_t generation,
	       const struct device *device);

#endif

/*
 * What the kernel's industrial I/O channels are measured in (its
 * Documentation/ABI/testing/sysfs-bus-iio), and in what people read them.
 */
#ifndef GPIO_IIO_H
#define GPIO_IIO_H

struct iio_unit {
	const char *prefix; /* of the channel's name */
	double factor; /* from the kernel's unit */
	const char *unit;
};

/* For a channel as "in_temp" or "in_voltage3". Never NULL: what is not known is
 * taken as it is. */
const struct iio_unit *iio_unit(const char *channel);

#endif

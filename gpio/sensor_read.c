#include "gpio/sensor_read.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gpio/iio.h"
#include "gpio/sysfs.h"

#define IIO_DEVICES "bus/iio/devices"

/* What a DS18B20 has after it got power, in millidegrees. */
#define W1_POWER_ON 85000
#define W1_BYTES 9

/* What a Raspberry Pi's firmware tells. */
#define THROTTLED_UNDER_VOLTAGE 0x1ul
#define THROTTLED_SLOW 0xeul /* capped, throttled, at the soft limit */

/* ---- 1-Wire ------------------------------------------------------------- */

/* Dallas' polynomial, least bit first. */
static unsigned int w1_crc(const unsigned char *bytes, size_t len)
{
	unsigned int crc = 0;

	for (size_t i = 0; i < len; i++) {
		crc ^= bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? (crc >> 1) ^ 0x8cu : crc >> 1;
	}
	return crc;
}

/* "72 01 4b 46 7f ff 0e 10 57 : crc=57 YES". A bus that hangs at ground reads
 * zeros only, whose checksum is right. */
static bool w1_sound(const char *text)
{
	unsigned char bytes[W1_BYTES];
	unsigned char any = 0;
	char *end;

	for (size_t i = 0; i < W1_BYTES; i++) {
		unsigned long byte = strtoul(text, &end, 16);

		if (end == text || byte > 0xff)
			return false;
		bytes[i] = (unsigned char)byte;
		any |= bytes[i];
		text = end;
	}
	return any && w1_crc(bytes, W1_BYTES - 1) == bytes[W1_BYTES - 1];
}

static int read_w1(const char *sysfs, const char *source, double *out)
{
	char text[SYSFS_TEXT_SIZE];
	const char *at;
	char *end;
	long value;
	int r = sysfs_read(sysfs, text, "bus/w1/devices/%s/w1_slave", source);

	if (r)
		return r == -ENOENT ? -ENODEV : r;
	at = strstr(text, "t=");
	if (!strstr(text, "YES") || !at || !w1_sound(text))
		return -EBADMSG;
	value = strtol(at + 2, &end, 10);
	if (end == at + 2)
		return -EBADMSG;
	if (value == W1_POWER_ON)
		return -ENODATA;
	*out = (double)value / 1000;
	return 0;
}

/* ---- industrial I/O ----------------------------------------------------- */

struct iio_search {
	const char *sysfs;
	const char *name;
	char found[64];
};

static bool is_device(const char *entry, void *arg)
{
	struct iio_search *search = arg;
	char name[SYSFS_TEXT_SIZE];
	bool is;

	is = (sysfs_read(search->sysfs, name, IIO_DEVICES "/%s/name", entry) ==
		      0 &&
	      strcmp(name, search->name) == 0) ||
	     sysfs_leads(search->sysfs, search->name, IIO_DEVICES "/%s", entry);
	if (is)
		(void)snprintf(search->found, sizeof(search->found), "%s",
			       entry);
	return is;
}

/* Its own, or that of all channels of its kind: in_voltage3 has in_voltage_scale.
 * plain if there is none. */
static double iio_shared(const struct iio_search *at, const char *channel,
			 const char *what, double plain)
{
	size_t len = strlen(channel);
	double value;

	if (sysfs_number(at->sysfs, &value, IIO_DEVICES "/%s/%s_%s", at->found,
			 channel, what) == 0)
		return value;
	while (len > 0 && channel[len - 1] >= '0' && channel[len - 1] <= '9')
		len--;
	if (sysfs_number(at->sysfs, &value, IIO_DEVICES "/%s/%.*s_%s",
			 at->found, (int)len, channel, what) == 0)
		return value;
	return plain;
}

static int read_iio(const char *sysfs, const char *source, double *out)
{
	const char *channel = strchr(source, '/') + 1;
	char name[DEVICE_SOURCE_MAX + 1];
	struct iio_search search = { .sysfs = sysfs, .name = name };
	double value;
	int r;

	(void)snprintf(name, sizeof(name), "%.*s", (int)(channel - 1 - source),
		       source);
	if (!sysfs_each(sysfs, IIO_DEVICES, "iio:device", is_device, &search))
		return -ENODEV;
	r = sysfs_number(sysfs, &value, IIO_DEVICES "/%s/%s_input",
			 search.found, channel);
	if (r == -ENOENT) {
		r = sysfs_number(sysfs, &value, IIO_DEVICES "/%s/%s_raw",
				 search.found, channel);
		value = (value + iio_shared(&search, channel, "offset", 0)) *
			iio_shared(&search, channel, "scale", 1);
	}
	if (r)
		return r == -ENOENT ? -ENODEV : r;
	*out = value * iio_unit(channel)->factor;
	return 0;
}

/* ---- the board ---------------------------------------------------------- */

static bool is_cpu(const char *entry, void *arg)
{
	struct iio_search *search = arg;
	char type[SYSFS_TEXT_SIZE];

	if (sysfs_read(search->sysfs, type, "class/thermal/%s/type", entry) ||
	    (!strstr(type, "cpu") && !strstr(type, "x86_pkg")))
		return false;
	(void)snprintf(search->found, sizeof(search->found), "%s", entry);
	return true;
}

static int read_cpu(const char *sysfs, double *out)
{
	struct iio_search search = { .sysfs = sysfs, .found = "thermal_zone0" };
	double value;
	int r;

	(void)sysfs_each(sysfs, "class/thermal", "thermal_zone", is_cpu,
			 &search);
	r = sysfs_number(sysfs, &value, "class/thermal/%s/temp", search.found);
	if (r)
		return r == -ENOENT ? -ENODEV : r;
	*out = value / 1000;
	return 0;
}

static bool is_volt(const char *entry, void *arg)
{
	struct iio_search *search = arg;
	char name[SYSFS_TEXT_SIZE];

	if (sysfs_read(search->sysfs, name, "class/hwmon/%s/name", entry) ||
	    strcmp(name, "rpi_volt") != 0)
		return false;
	(void)snprintf(search->found, sizeof(search->found), "%s", entry);
	return true;
}

/* The kernel of a Raspberry Pi tells it all; others only under-voltage. */
static int read_throttled(const char *sysfs, unsigned long bits, double *out)
{
	struct iio_search search = { .sysfs = sysfs };
	char text[SYSFS_TEXT_SIZE];
	unsigned long value;
	char *end;
	int r = sysfs_read(sysfs, text,
			   "devices/platform/soc/soc:firmware/get_throttled");

	if (!r) {
		value = strtoul(text, &end, 16);
		if (end == text)
			return -EINVAL;
		*out = (value & bits) != 0;
		return 0;
	}
	if (r != -ENOENT)
		return r;
	if (bits != THROTTLED_UNDER_VOLTAGE ||
	    !sysfs_each(sysfs, "class/hwmon", "hwmon", is_volt, &search))
		return -ENODEV;
	return sysfs_number(sysfs, out, "class/hwmon/%s/in0_lcrit_alarm",
			    search.found);
}

int sensor_read(const char *sysfs, const struct device *device, double *out)
{
	switch (device->kind) {
	case DEVICE_DS18B20:
		return read_w1(sysfs, device->source, out);
	case DEVICE_IIO:
		return read_iio(sysfs, device->source, out);
	case DEVICE_CPU_TEMPERATURE:
		return read_cpu(sysfs, out);
	case DEVICE_UNDER_VOLTAGE:
		return read_throttled(sysfs, THROTTLED_UNDER_VOLTAGE, out);
	case DEVICE_THROTTLED:
		return read_throttled(sysfs, THROTTLED_SLOW, out);
	case DEVICE_COVER:
	case DEVICE_LIGHT:
		break;
	}
	return -ENODEV;
}

const char *sensor_error_text(int error)
{
	switch (error) {
	case -ENODEV:
		return "it is not there";
	case -EBADMSG:
		return "its checksum is wrong";
	case -ENODATA:
		return "it has not measured yet (85 °C)";
	default:
		return strerrordesc_np(-error);
	}
}

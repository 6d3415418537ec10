#include "gpio/sysfs_sim.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gpio/sysfs.h"

#define W1 "bus/w1/devices/28-00000a51b0a7/"
#define IIO "bus/iio/devices/iio:device0/"
#define ZONE "class/thermal/thermal_zone0/"
#define TREE "firmware/devicetree/base/"
#define PWM "devices/platform/sim.pwm/pwm/pwmchip0"
#define CHANNEL(n)                                     \
	{ PWM "/pwm" n "/period", "0\n" },             \
		{ PWM "/pwm" n "/duty_cycle", "0\n" }, \
		{ PWM "/pwm" n "/enable", "0\n" },     \
	{                                              \
		PWM "/pwm" n "/polarity", "normal\n"   \
	}

static const struct {
	const char *path;
	const char *text;
} files[] = {
	{ W1 "w1_slave", "72 01 4b 46 7f ff 0e 10 57 : crc=57 YES\n"
			 "72 01 4b 46 7f ff 0e 10 57 t=23125\n" },
	{ IIO "name", "bme280\n" },
	{ IIO "in_temp_input", "21430\n" },
	{ IIO "in_humidityrelative_input", "46200\n" },
	{ IIO "in_pressure_input", "101.325\n" },
	{ ZONE "type", "cpu-thermal\n" },
	{ ZONE "temp", "48312\n" },
	{ "devices/platform/soc/soc:firmware/get_throttled", "0\n" },
	{ PWM "/npwm", "4\n" },
	{ PWM "/export", "" },
	CHANNEL("0"),
	CHANNEL("1"),
	CHANNEL("2"),
	CHANNEL("3"),
	{ TREE "aliases/i2c_arm", "/soc/i2c@7e804000" },
	{ TREE "aliases/spi0", "/soc/spi@7e204000" },
	{ TREE "aliases/serial0", "/soc/serial@7e215040" },
	{ TREE "aliases/i2s", "/soc/i2s@7e203000" },
	{ TREE "soc/i2c@7e804000/status", "okay" },
	{ TREE "soc/spi@7e204000/status", "disabled" },
	{ TREE "soc/serial@7e215040/status", "disabled" },
	{ TREE "soc/i2s@7e203000/status", "disabled" },
	{ "class/leds/ACT/max_brightness", "255\n" },
	{ "class/leds/ACT/brightness", "0\n" },
	{ "class/leds/ACT/trigger", "mmc0\n" },
};

/* The directories above path; where is how much of it is root's. */
static int make_parents(char *path, size_t where)
{
	for (char *c = path + where; (c = strchr(c, '/')); c++) {
		int r;

		*c = '\0';
		r = mkdir(path, 0700) && errno != EEXIST ? -errno : 0;
		*c = '/';
		if (r)
			return r;
	}
	return 0;
}

static int make_file(const char *root, const char *name, const char *text)
{
	char path[SYSFS_PATH_SIZE];
	size_t len = strlen(text);
	int fd, r;

	if (snprintf(path, sizeof(path), "%s/%s", root, name) >=
	    (int)sizeof(path))
		return -ENAMETOOLONG;
	r = make_parents(path, strlen(root));
	if (r)
		return r;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return errno == EEXIST ? 0 : -errno;
	if (write(fd, text, len) != (ssize_t)len)
		r = -EIO;
	(void)close(fd);
	return r;
}

/* A class shows where its device is by a link. */
static int make_link(const char *root)
{
	char path[SYSFS_PATH_SIZE];
	int r;

	(void)snprintf(path, sizeof(path), "%s/class/pwm/pwmchip0", root);
	r = make_parents(path, strlen(root));
	if (!r && symlink("../../" PWM, path) && errno != EEXIST)
		r = -errno;
	return r;
}

int sysfs_sim_make(const char *root)
{
	int r = 0;

	for (size_t i = 0; !r && i < sizeof(files) / sizeof(files[0]); i++)
		r = make_file(root, files[i].path, files[i].text);
	return r ? r : make_link(root);
}

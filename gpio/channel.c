#include "gpio/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gpio/sysfs.h"

#define NS_PER_S 1e9

struct channel {
	int fd; /* what is written to: duty_cycle, brightness */
	double full; /* what is written for 1 */
	bool inverted; /* here, as the driver cannot */
};

/* ---- LEDs --------------------------------------------------------------- */

static int open_led(const char *sysfs, const struct channel_name *name,
		    struct channel *channel)
{
	double full;
	int r = sysfs_number(sysfs, &full, "class/leds/%s/max_brightness",
			     name->device);

	/* The kernel leaves it alone then. */
	if (!r)
		r = sysfs_write(sysfs, "none", "class/leds/%s/trigger",
				name->device);
	if (!r && full < 1)
		r = -EINVAL;
	if (r)
		return r == -ENOENT ? -ENODEV : r;
	channel->full = full;
	channel->fd =
		sysfs_open(sysfs, "class/leds/%s/brightness", name->device);
	return channel->fd < 0 ? channel->fd : 0;
}

/* ---- PWM ---------------------------------------------------------------- */

struct search {
	const char *sysfs;
	const struct channel_name *name;
	char chip[32];
};

static bool is_chip(const char *entry, void *arg)
{
	struct search *search = arg;

	if (!sysfs_leads(search->sysfs, search->name->device, "class/pwm/%s",
			 entry))
		return false;
	(void)snprintf(search->chip, sizeof(search->chip), "%s", entry);
	return true;
}

/* Its directory is there once it is exported. */
static int export(const char *sysfs, const char *chip, unsigned int number)
{
	char path[64];
	char text[16];

	(void)snprintf(path, sizeof(path), "class/pwm/%s/pwm%u/period", chip,
		       number);
	if (sysfs_there(sysfs, path))
		return 0;
	(void)snprintf(text, sizeof(text), "%u", number);
	return sysfs_write(sysfs, text, "class/pwm/%s/export", chip);
}

/* Polarity changes only at rest; not all drivers can. */
static int set_polarity(const char *sysfs, const char *chip,
			unsigned int number, struct channel *channel,
			bool inverted)
{
	const char *wanted = inverted ? "inversed" : "normal";
	char now[SYSFS_TEXT_SIZE];
	int r;

	if (sysfs_read(sysfs, now, "class/pwm/%s/pwm%u/polarity", chip,
		       number) == 0 &&
	    strcmp(now, wanted) == 0)
		return 0;
	r = sysfs_write(sysfs, "0", "class/pwm/%s/pwm%u/enable", chip, number);
	if (r)
		return r;
	if (sysfs_write(sysfs, wanted, "class/pwm/%s/pwm%u/polarity", chip,
			number))
		channel->inverted = inverted;
	return 0;
}

static int set_period(const char *sysfs, const char *chip, unsigned int number,
		      double period)
{
	char text[32];
	double now = 0;
	int r;

	(void)sysfs_number(sysfs, &now, "class/pwm/%s/pwm%u/period", chip,
			   number);
	if (now == period)
		return 0;
	/* A duty longer than the period is refused. */
	r = now > 0 ? sysfs_write(sysfs, "0", "class/pwm/%s/pwm%u/duty_cycle",
				  chip, number)
		    : 0;
	(void)snprintf(text, sizeof(text), "%.0f", period);
	if (!r)
		r = sysfs_write(sysfs, text, "class/pwm/%s/pwm%u/period", chip,
				number);
	return r;
}

static int open_pwm(const char *sysfs, const struct channel_name *name,
		    const struct channel_options *options,
		    struct channel *channel)
{
	struct search search = { .sysfs = sysfs, .name = name };
	const char *chip = search.chip;
	unsigned int n = name->number;
	int r;

	if (!sysfs_each(sysfs, "class/pwm", "pwmchip", is_chip, &search))
		return -ENODEV;
	channel->full = round(NS_PER_S / options->frequency);
	r = export(sysfs, chip, n);
	if (!r)
		r = set_polarity(sysfs, chip, n, channel, options->inverted);
	if (!r)
		r = set_period(sysfs, chip, n, channel->full);
	if (r)
		return r;
	channel->fd =
		sysfs_open(sysfs, "class/pwm/%s/pwm%u/duty_cycle", chip, n);
	if (channel->fd < 0)
		return channel->fd;
	r = sysfs_write(sysfs, "1", "class/pwm/%s/pwm%u/enable", chip, n);
	if (r)
		(void)close(channel->fd);
	return r;
}

/* ---- both --------------------------------------------------------------- */

int channel_open(const char *sysfs, const struct channel_name *name,
		 const struct channel_options *options, struct channel **out)
{
	struct channel *channel = calloc(1, sizeof(*channel));
	int r;

	if (!channel)
		return -ENOMEM;
	if (name->led)
		channel->inverted = options->inverted;
	r = name->led ? open_led(sysfs, name, channel)
		      : open_pwm(sysfs, name, options, channel);
	if (r)
		free(channel);
	else
		*out = channel;
	return r;
}

void channel_close(struct channel *channel)
{
	if (!channel)
		return;
	(void)close(channel->fd);
	free(channel);
}

int channel_get(const struct channel *channel, double *duty)
{
	char text[32] = "";
	ssize_t n = pread(channel->fd, text, sizeof(text) - 1, 0);
	double value;
	char *end;

	if (n < 0)
		return -errno;
	value = strtod(text, &end);
	if (end == text)
		return -EINVAL;
	value = fmin(fmax(value / channel->full, 0), 1);
	*duty = channel->inverted ? 1 - value : value;
	return 0;
}

int channel_set(struct channel *channel, double duty)
{
	double value = channel->inverted ? 1 - duty : duty;
	char text[32];
	int len = snprintf(text, sizeof(text), "%.0f\n",
			   round(value * channel->full));

	return pwrite(channel->fd, text, (size_t)len, 0) == len ? 0 : -errno;
}

#include "gpio/safe.h"

#include <errno.h>
#include <string.h>

#include "broker/base/log.h"
#include "gpio/channel.h"
#include "gpio/state.h"

static int drive(struct lines *lines, const struct pin *pin)
{
	struct line_config config = {
		.offset = pin->line,
		.direction = LINE_OUTPUT,
		.active_low = pin->active_low,
		.initial = pin->rules.safe == LOGIC_SAFE_ON,
	};
	struct lines *chip = lines_chip(lines, pin->chip);
	struct line_request *request;
	int r;

	if (pin->direction != LINE_OUTPUT || pin->rules.safe == LOGIC_SAFE_HOLD)
		return 0;

	r = chip ? lines_request(chip, "hearth:safe", &config, 1, &request)
		 : -ENODEV;
	if (r)
		log_error(pin->name, "line %u%s%s is not safe: %s", pin->line,
			  pin->chip[0] ? " of " : "", pin->chip,
			  strerrordesc_np(-r));
	else
		lines_release(request);
	return r;
}

static int dim(const char *sysfs, const struct device *device)
{
	const struct channel_options options = {
		.frequency = device->frequency,
		.inverted = device->inverted,
	};
	double duty = device->rules.safe == LOGIC_SAFE_ON ? 1 : 0;
	struct channel_name names[CHANNEL_NAMES_MAX];
	unsigned int count = channel_names_split(device->outputs, names);
	int failed = 0;

	if (device->kind != DEVICE_LIGHT ||
	    device->rules.safe == LOGIC_SAFE_HOLD)
		return 0;
	for (unsigned int i = 0; i < count; i++) {
		struct channel *channel = NULL;
		int r = channel_open(sysfs, &names[i], &options, &channel);

		if (!r)
			r = channel_set(channel, duty);
		channel_close(channel);
		if (r)
			log_error(device->name, "%s is not safe: %s",
				  names[i].device, strerrordesc_np(-r));
		failed = r ? r : failed;
	}
	return failed;
}

int safe_drive(struct lines *lines, const char *state_directory,
	       const char *sysfs)
{
	static struct pins pins; /* Large, and nobody else is here. */
	struct pin_errors errors = { 0 };
	int r = state_load(state_directory, &pins, &errors);
	int failed = 0;

	if (r == -ENOENT)
		return 0;
	if (r) {
		log_error(state_directory, STATE_FILE ": %s",
			  errors.count ? errors.error[0].message
				       : strerrordesc_np(-r));
		return r;
	}

	for (size_t i = 0; i < pins.count; i++) {
		const struct pin *pin = &pins.pin[i];

		r = drive(lines, pin);
		if (r)
			failed = r;
	}
	for (size_t i = 0; i < pins.devices; i++) {
		r = dim(sysfs, &pins.device[i]);
		if (r)
			failed = r;
	}
	return failed;
}

#include "gpio/safe.h"

#include <errno.h>
#include <string.h>

#include "broker/base/log.h"
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

int safe_drive(struct lines *lines, const char *state_directory)
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
	return failed;
}

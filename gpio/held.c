#include "gpio/held.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/base/log.h"

#define START "line "
#define HIGH " high "
#define LOW " low "

struct taking {
	struct lines *lines;
	const struct pins *pins;
};

bool held_wanted(const struct pin *pin)
{
	return pin->direction == LINE_OUTPUT &&
	       pin->rules.safe == LOGIC_SAFE_HOLD;
}

bool held_name(const struct held *held, char out[FDSTORE_NAME_MAX + 1])
{
	(void)snprintf(out, FDSTORE_NAME_MAX + 1, START "%u%s%s", held->line,
		       held->active_low ? LOW : HIGH, held->label);
	return held->label[0] && fdstore_name_valid(out);
}

bool held_parse(const char *name, struct held *out)
{
	const size_t start = strlen(START);
	unsigned long line;
	const char *label;
	char *end;

	if (strncmp(name, START, start) != 0 || name[start] < '0' ||
	    name[start] > '9')
		return false;
	line = strtoul(name + start, &end, 10);
	out->active_low = strncmp(end, LOW, strlen(LOW)) == 0;
	if (!out->active_low && strncmp(end, HIGH, strlen(HIGH)) != 0)
		return false;
	label = end + strlen(out->active_low ? LOW : HIGH);
	if (line > PIN_LINE_MAX || !label[0] ||
	    strlen(label) >= sizeof(out->label))
		return false;
	out->line = (unsigned int)line;
	memcpy(out->label, label, strlen(label) + 1);
	return true;
}

/* Whose it is, or NULL. */
static const struct pin *pin_of(const struct taking *taking,
				const struct held *held,
				const struct lines *chip)
{
	for (size_t i = 0; taking->pins && i < taking->pins->count; i++) {
		const struct pin *pin = &taking->pins->pin[i];

		if (held_wanted(pin) && pin->line == held->line &&
		    pin->active_low == held->active_low &&
		    lines_chip(taking->lines, pin->chip) == chip)
			return pin;
	}
	return NULL;
}

static void take(void *arg, const char *name, int fd)
{
	const struct taking *taking = arg;
	const struct pin *pin = NULL;
	struct lines *chip = NULL;
	struct held held;

	if (held_parse(name, &held))
		chip = lines_chip(taking->lines, held.label);
	if (chip)
		pin = pin_of(taking, &held, chip);
	if (pin && lines_adopt(chip, held.line, held.active_low, fd) == 0) {
		log_info(pin->name, "was held meanwhile");
		return;
	}
	(void)close(fd);
	(void)fdstore_drop(name);
}

void held_take(struct lines *lines, const struct pins *pins)
{
	struct taking taking = { .lines = lines, .pins = pins };

	fdstore_take(take, &taking);
}

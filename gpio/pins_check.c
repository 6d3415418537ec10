/* What pins.h asks of the board: the node's alone, for it knows the board. */
#include <errno.h>
#include <string.h>

#include "gpio/boards.h"
#include "gpio/pins.h"

static void check_header_pin(const struct pin *pin, const struct lines *lines,
			     struct pin_errors *errors)
{
	struct boards_line known;

	if (!boards_line(boards_of(lines), pin->line, &known))
		pin_errors_add(errors, pin->name, "pin",
			       "line %u of %s is at no known header pin",
			       pin->line, lines->label);
	else if (known.pin != pin->header_pin)
		pin_errors_add(errors, pin->name, "pin",
			       "line %u is at header pin %u, not %u", pin->line,
			       known.pin, pin->header_pin);
}

/* The same line under two names of its chip. */
static void check_alone(const struct pins *pins, size_t i, struct lines *lines,
			const struct lines *chip, struct pin_errors *errors)
{
	const struct pin *pin = &pins->pin[i];

	for (size_t k = 0; k < i; k++) {
		const struct pin *other = &pins->pin[k];

		if (other->line == pin->line &&
		    strcmp(other->chip, pin->chip) != 0 &&
		    lines_chip(lines, other->chip) == chip)
			pin_errors_add(errors, pin->name, "line",
				       "line %u is also used by %s", pin->line,
				       other->name);
	}
}

static int check(const struct pins *pins, struct lines *lines, bool kept,
		 struct pin_errors *errors)
{
	size_t before = errors->count;

	for (size_t i = 0; i < pins->count; i++) {
		const struct pin *pin = &pins->pin[i];
		const struct lines *chip = lines_chip(lines, pin->chip);

		if (!chip && kept)
			continue;
		if (!chip)
			pin_errors_add(errors, pin->name, "chip",
				       "there is no one chip %s here",
				       pin->chip);
		else if (pin->line >= chip->count)
			pin_errors_add(errors, pin->name, "line",
				       "%s has lines 0 to %u", chip->label,
				       chip->count - 1);
		else if (pin->header_pin)
			check_header_pin(pin, chip, errors);
		if (chip)
			check_alone(pins, i, lines, chip, errors);
	}
	return errors->count > before ? -EINVAL : 0;
}

int pins_check(const struct pins *pins, struct lines *lines,
	       struct pin_errors *errors)
{
	return check(pins, lines, false, errors);
}

int pins_check_kept(const struct pins *pins, struct lines *lines,
		    struct pin_errors *errors)
{
	return check(pins, lines, true, errors);
}

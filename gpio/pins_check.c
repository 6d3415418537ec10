/* pins_check() of pins.h: the node's alone, for it knows the board. */
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

int pins_check(const struct pins *pins, const struct lines *lines,
	       struct pin_errors *errors)
{
	size_t before = errors->count;

	for (size_t i = 0; i < pins->count; i++) {
		const struct pin *pin = &pins->pin[i];

		if (pin->chip[0] && strcmp(pin->chip, lines->label) != 0)
			pin_errors_add(errors, pin->name, "chip",
				       "the chip here is %s", lines->label);
		else if (pin->line >= lines->count)
			pin_errors_add(errors, pin->name, "line",
				       "%s has lines 0 to %u", lines->label,
				       lines->count - 1);
		else if (pin->header_pin)
			check_header_pin(pin, lines, errors);
	}
	return errors->count > before ? -EINVAL : 0;
}

#include "gpio/pin_agree.h"

#include <errno.h>
#include <string.h>

static void complain(const struct field_place *place, const char *field,
		     const char *why)
{
	pin_errors_add(place->errors, place->pin, field, "%s", why);
}

/* ---- one pin ------------------------------------------------------------ */

static bool kind_fits(const struct pin *pin)
{
	switch (pin->kind) {
	case PIN_RELAY:
	case PIN_LIGHT:
		return pin->direction == LINE_OUTPUT;
	case PIN_BUTTON:
	case PIN_CONTACT:
	case PIN_MOTION:
	case PIN_COUNTER:
		return pin->direction == LINE_INPUT;
	case PIN_SWITCH:
		return true;
	}
	return false;
}

static void output_agrees(const struct field_place *place,
			  const struct pin *pin)
{
	const struct logic_rules *rules = &pin->rules;

	if (rules->max_on_ms && rules->max_on_ms <= rules->min_on_ms)
		complain(place, "max_on", "must be longer than min_on");
	if (rules->max_on_ms && rules->safe == LOGIC_SAFE_ON)
		complain(place, "safe", "cannot be on with max_on");
	if (pin->interlock[0] && rules->safe == LOGIC_SAFE_ON)
		complain(place, "safe", "cannot be on in an interlock group");
	if (pin->interlock[0] && rules->boot == LOGIC_BOOT_ON)
		complain(place, "boot", "cannot be on in an interlock group");
	if (rules->dead_ms && !pin->interlock[0])
		complain(place, "dead_ms", "is for interlock groups");
}

static void input_agrees(const struct field_place *place, const struct pin *pin)
{
	bool counts = pin->kind == PIN_COUNTER;

	if (pin->mode != PIN_DETACHED && !pin->target[0])
		complain(place, "target", "is missing: which output?");
	if (pin->mode != PIN_DETACHED && counts)
		complain(place, "mode", "a counter switches nothing");
	if ((pin->unit[0] || pin->per_unit > 0) && !counts)
		complain(place, pin->unit[0] ? "unit" : "per_unit",
			 "is for counters");
	if (counts && pin->unit[0] && !(pin->per_unit > 0))
		complain(place, "per_unit", "is missing: how many pulses?");
	if (counts && pin->interval_ms < 1000)
		complain(place, "interval", "must be at least 1 second");
	if (pin->clicks.hold_ms && !pin->clicks.long_ms)
		complain(place, "hold_ms", "begins with long_ms, which is 0");
	if (pin->clicks.hold_ms && pin->clicks.hold_ms < CLICKS_HOLD_MIN_MS)
		complain(place, "hold_ms", "must be 0 or at least 50");
}

void pin_agree(const struct field_place *place, const struct pin *pin)
{
	bool in = pin->direction == LINE_INPUT;

	if (!kind_fits(pin))
		pin_errors_add(place->errors, place->pin, "kind",
			       "%s is no kind of %s", pin_kind_text(pin->kind),
			       in ? "input" : "output");
	else if (in)
		input_agrees(place, pin);
	else
		output_agrees(place, pin);
}

/* ---- all of them -------------------------------------------------------- */

static void check_distinct(const struct pins *pins, struct pin_errors *errors)
{
	for (size_t i = 0; i < pins->count; i++) {
		const struct pin *pin = &pins->pin[i];

		for (size_t k = 0; k < i; k++) {
			const struct pin *other = &pins->pin[k];

			if (strcmp(pin->name, other->name) == 0)
				pin_errors_add(errors, pin->name, "name",
					       "is there twice");
			if (pin->line == other->line &&
			    strcmp(pin->chip, other->chip) == 0)
				pin_errors_add(errors, pin->name, "line",
					       "line %u is also used by %s",
					       pin->line, other->name);
		}
	}
}

static unsigned int members(const struct pins *pins, const char *interlock)
{
	unsigned int n = 0;

	for (size_t i = 0; i < pins->count; i++)
		n += strcmp(pins->pin[i].interlock, interlock) == 0;
	return n;
}

static void number_groups(struct pins *pins, struct pin_errors *errors)
{
	uint8_t groups = 0;

	for (size_t i = 0; i < pins->count; i++) {
		struct pin *pin = &pins->pin[i];

		if (!pin->interlock[0])
			continue;
		if (members(pins, pin->interlock) < 2)
			pin_errors_add(errors, pin->name, "interlock",
				       "no other output is in %s",
				       pin->interlock);
		pin->rules.group = 0;
		for (size_t k = 0; k < i && !pin->rules.group; k++)
			if (strcmp(pins->pin[k].interlock, pin->interlock) == 0)
				pin->rules.group = pins->pin[k].rules.group;
		if (!pin->rules.group)
			pin->rules.group = ++groups;
	}
}

static void check_targets(const struct pins *pins, struct pin_errors *errors)
{
	for (size_t i = 0; i < pins->count; i++) {
		const struct pin *pin = &pins->pin[i];
		const struct pin *target;

		if (pin->mode == PIN_DETACHED)
			continue;
		target = pins_find(pins, pin->target);
		if (!target || target->direction != LINE_OUTPUT)
			pin_errors_add(errors, pin->name, "target",
				       "there is no output named %s",
				       pin->target);
	}
}

int pins_agree(struct pins *pins, struct pin_errors *errors)
{
	size_t before = errors->count;

	check_distinct(pins, errors);
	number_groups(pins, errors);
	check_targets(pins, errors);
	devices_agree(pins, errors);
	return errors->count > before ? -EINVAL : 0;
}

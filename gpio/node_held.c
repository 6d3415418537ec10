/* The lines of a node that stay held when it ends: see held.h. */
#include <string.h>

#include "broker/base/log.h"
#include "gpio/held.h"
#include "gpio/node_internal.h"

static bool name_of(const struct node_pin *pin, char out[FDSTORE_NAME_MAX + 1])
{
	const struct lines *chip = lines_chip(pin->node->lines, pin->pin.chip);
	struct held held = {
		.line = pin->pin.line,
		.active_low = pin->pin.active_low,
	};

	if (!chip)
		return false;
	memcpy(held.label, chip->label, sizeof(held.label));
	return held_name(&held, out);
}

void node_held_update(struct node_pin *pin)
{
	const bool wanted = pin->request && held_wanted(&pin->pin);
	char name[FDSTORE_NAME_MAX + 1];
	int r;

	if (wanted == pin->held || !name_of(pin, name))
		return;
	r = wanted ? fdstore_keep(name, pin->request->fd) : fdstore_drop(name);
	if (r)
		log_warn(pin->pin.name, "is not held when we end: %s",
			 strerrordesc_np(-r));
	pin->held = wanted;
}

void node_held_drop(struct node_pin *pin)
{
	char name[FDSTORE_NAME_MAX + 1];

	/* Then it is just what they are for. */
	if (pin->node->stopping)
		return;
	if (pin->held && name_of(pin, name))
		(void)fdstore_drop(name);
	pin->held = false;
}

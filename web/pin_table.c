#include "web/pin_table.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/base/json_text.h"
#include "broker/base/log.h"
#include "db/pins.h"
#include "web/context.h"
#include "web/device_table.h"

_Static_assert(DB_PINS_MAX == PINS_MAX, "as many as the node takes");
_Static_assert(DB_PIN_NAME_MAX == PIN_NAME_MAX, "the same names");

static bool read_pin(const struct db_pin *stored, struct pin *out)
{
	json_t *document =
		json_loads(stored->document, JSON_REJECT_DUPLICATES, NULL);
	struct pin_errors errors = { 0 };
	int r = pin_parse(document, stored->name, out, &errors);

	json_decref(document);
	if (r)
		log_error(stored->name, "this pin is left out: %s %s",
			  errors.error[0].field, errors.error[0].message);
	return !r;
}

int pin_table_load(struct web_context *web, const char *node, struct pins **out)
{
	struct pins *pins;
	struct db_pin *stored;
	size_t count;
	int r;

	r = db_pins_list(web->config, node, &stored, &count);
	if (r)
		return r;
	pins = calloc(1, sizeof(*pins));
	if (!pins) {
		free(stored);
		return -ENOMEM;
	}

	pins->revision = -1;
	for (size_t i = 0; i < count; i++)
		pins->count += read_pin(&stored[i], &pins->pin[pins->count]);
	free(stored);
	r = device_table_load(web, node, pins);
	if (r) {
		free(pins);
		return r;
	}
	*out = pins;
	return 0;
}

static bool is_lone(const struct pins *pins, const struct pin *pin)
{
	size_t members = 0;

	for (size_t i = 0; i < pins->count; i++)
		members += strcmp(pins->pin[i].interlock, pin->interlock) == 0;
	return members < 2;
}

void pin_table_drop_lone(struct pins *pins)
{
	for (size_t i = 0; i < pins->count; i++) {
		struct pin *pin = &pins->pin[i];

		if (!pin->interlock[0] || !is_lone(pins, pin))
			continue;
		memset(pin->interlock, 0, sizeof(pin->interlock));
		pin->rules.dead_ms = 0;
	}
}

/* pins->count if there is none. */
static size_t find(const struct pins *pins, const char *name)
{
	const struct pin *pin = pins_find(pins, name);

	return pin ? (size_t)(pin - pins->pin) : pins->count;
}

bool pin_table_put(struct pins *pins, const struct pin *pin)
{
	size_t i = find(pins, pin->name);

	if (i == PINS_MAX)
		return false;
	pins->pin[i] = *pin;
	if (i == pins->count)
		pins->count++;
	return true;
}

bool pin_table_remove(struct pins *pins, const char *name)
{
	size_t i = find(pins, name);

	if (i == pins->count)
		return false;
	pins->count--;
	memmove(&pins->pin[i], &pins->pin[i + 1],
		(pins->count - i) * sizeof(pins->pin[0]));
	return true;
}

int pin_table_store(struct web_context *web, const char *node,
		    const struct pin *pin, char holder[PIN_NAME_MAX + 1])
{
	json_t *document = pin_to_json(pin, false);
	char *text = json_text(document, JSON_COMPACT);
	struct db_pin row = { .line = pin->line };
	int r = -ENOMEM;

	json_decref(document);
	if (text && strlen(text) < sizeof(row.document) &&
	    strlen(node) < sizeof(row.node)) {
		memcpy(row.node, node, strlen(node) + 1);
		memcpy(row.name, pin->name, sizeof(pin->name));
		memcpy(row.chip, pin->chip, sizeof(pin->chip));
		memcpy(row.document, text, strlen(text) + 1);
		r = db_pins_put(web->config, &row, holder);
	}
	free(text);
	return r;
}

#include "gpio/pins.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "gpio/board.h"
#include "gpio/pin_fields.h"
#include "gpio/pin_rules.h"

static const struct field_word directions[] = {
	{ "in", LINE_INPUT },
	{ "out", LINE_OUTPUT },
	{ NULL, 0 },
};

static const struct field_word biases[] = {
	{ "none", LINE_BIAS_NONE },
	{ "up", LINE_BIAS_UP },
	{ "down", LINE_BIAS_DOWN },
	{ "as_is", LINE_BIAS_AS_IS },
	{ NULL, 0 },
};

static const struct field_word kinds[] = {
	{ "relay", PIN_RELAY },
	{ "light", PIN_LIGHT },
	{ "switch", PIN_SWITCH },
	{ "button", PIN_BUTTON },
	{ "contact", PIN_CONTACT },
	{ "motion", PIN_MOTION },
	{ NULL, 0 },
};

void pin_errors_add(struct pin_errors *errors, const char *pin,
		    const char *field, const char *format, ...)
{
	struct pin_error *error;
	va_list args;

	if (errors->count == PIN_ERRORS_MAX)
		return;

	error = &errors->error[errors->count++];
	(void)snprintf(error->pin, sizeof(error->pin), "%s", pin);
	(void)snprintf(error->field, sizeof(error->field), "%s", field);
	va_start(args, format);
	(void)vsnprintf(error->message, sizeof(error->message), format, args);
	va_end(args);
}

static bool name_valid(const char *name)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "abcdefghijklmnopqrstuvwxyz"
				      "0123456789-_";
	size_t len = strlen(name);

	return len >= 1 && len <= PIN_NAME_MAX && strspn(name, allowed) == len;
}

static void take_name(const struct field_place *place, json_t *value,
		      struct pin *out)
{
	if (json_is_string(value) && name_valid(json_string_value(value)) &&
	    strlen(json_string_value(value)) == json_string_length(value))
		(void)snprintf(out->name, sizeof(out->name), "%s",
			       json_string_value(value));
	else
		pin_errors_add(place->errors, place->pin, "name",
			       "must be 1 to %u letters, digits, - or _",
			       PIN_NAME_MAX);
}

static void check_fields_known(const struct field_place *place, json_t *object)
{
	static const char *const known[] = {
		"name",	      "dir",	     "chip", "line",  "pin",  "bias",
		"active_low", "debounce_ms", "kind", "label", "room",
	};
	const char *field;
	json_t *value;

	json_object_foreach(object, field, value)
	{
		size_t i = 0;

		(void)value;
		while (i < sizeof(known) / sizeof(known[0]) &&
		       strcmp(known[i], field) != 0)
			i++;
		if (i == sizeof(known) / sizeof(known[0]) &&
		    !pin_rules_know(field))
			pin_errors_add(place->errors, place->pin, field,
				       "is not a field of a pin");
	}
}

static void check_fields_there(const struct field_place *place, json_t *object)
{
	static const char *const needed[] = { "name", "dir", "line" };

	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if (!json_object_get(object, needed[i]) ||
		    json_is_null(json_object_get(object, needed[i])))
			pin_errors_add(place->errors, place->pin, needed[i],
				       "is missing");
}

static bool kind_fits(const struct pin *pin)
{
	switch (pin->kind) {
	case PIN_RELAY:
	case PIN_LIGHT:
		return pin->direction == LINE_OUTPUT;
	case PIN_BUTTON:
	case PIN_CONTACT:
	case PIN_MOTION:
		return pin->direction == LINE_INPUT;
	case PIN_SWITCH:
		return true;
	}
	return false;
}

/* What fields must agree on with each other. */
static void check_pin(const struct field_place *place, const struct pin *pin)
{
	bool in = pin->direction == LINE_INPUT;

	if (!kind_fits(pin))
		pin_errors_add(place->errors, place->pin, "kind",
			       "%s is no kind of %s",
			       field_word_text(kinds, (int)pin->kind),
			       in ? "input" : "output");
	if (!in && pin->debounce_ms > 0)
		pin_errors_add(place->errors, place->pin, "debounce_ms",
			       "an output cannot be debounced");
}

static void take_fields(const struct field_place *place, json_t *object,
			struct pin *out)
{
	int direction = LINE_INPUT;
	int bias;
	int kind;

	field_word(place, "dir", json_object_get(object, "dir"), directions,
		   &direction);
	out->direction = (enum line_direction)direction;
	bias = LINE_BIAS_UP;
	kind = direction == LINE_INPUT ? PIN_SWITCH : PIN_RELAY;

	field_text(place, "chip", json_object_get(object, "chip"), out->chip,
		   sizeof(out->chip));
	field_number(place, "line", json_object_get(object, "line"), 65535,
		     &out->line);
	field_number(place, "pin", json_object_get(object, "pin"), 40,
		     &out->header_pin);
	field_word(place, "bias", json_object_get(object, "bias"), biases,
		   &bias);
	field_bool(place, "active_low", json_object_get(object, "active_low"),
		   &out->active_low);
	field_number(place, "debounce_ms",
		     json_object_get(object, "debounce_ms"),
		     PIN_DEBOUNCE_MAX_MS, &out->debounce_ms);
	field_word(place, "kind", json_object_get(object, "kind"), kinds,
		   &kind);
	field_text(place, "label", json_object_get(object, "label"), NULL,
		   PIN_TEXT_MAX + 1);
	field_text(place, "room", json_object_get(object, "room"), NULL,
		   PIN_TEXT_MAX + 1);
	/* A driven line needs no pull, and some chips would refuse it. */
	out->bias = direction == LINE_INPUT ? (enum line_bias)bias
					    : LINE_BIAS_AS_IS;
	out->kind = (enum pin_kind)kind;
	pin_rules_take(place, object, out);
}

static void take_pin(size_t index, json_t *object, struct pin *out,
		     struct pin_errors *errors)
{
	char number[24];
	struct field_place place = { .errors = errors, .pin = number };
	size_t before = errors->count;

	(void)snprintf(number, sizeof(number), "#%zu", index + 1);
	*out = (struct pin){ 0 };
	if (!json_is_object(object)) {
		pin_errors_add(errors, number, "", "must be an object");
		return;
	}

	if (json_object_get(object, "name"))
		take_name(&place, json_object_get(object, "name"), out);
	if (out->name[0])
		place.pin = out->name;
	check_fields_there(&place, object);
	check_fields_known(&place, object);
	take_fields(&place, object, out);
	if (errors->count == before)
		check_pin(&place, out);
	if (errors->count == before)
		pin_rules_check(&place, object, out);
}

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

static void take_document(json_t *document, struct pins *out,
			  struct pin_errors *errors)
{
	json_t *list = json_object_get(document, "pins");
	json_t *revision = json_object_get(document, "revision");

	if (json_is_integer(revision))
		out->revision = json_integer_value(revision);
	if (!json_is_array(list)) {
		pin_errors_add(errors, "", "pins", "must be a list");
		return;
	}
	if (json_array_size(list) > PINS_MAX) {
		pin_errors_add(errors, "", "pins", "more than %u", PINS_MAX);
		return;
	}

	out->count = json_array_size(list);
	for (size_t i = 0; i < out->count; i++)
		take_pin(i, json_array_get(list, i), &out->pin[i], errors);
	if (errors->count == 0)
		check_distinct(out, errors);
	if (errors->count == 0)
		pin_rules_group(out, errors);
}

int pins_parse(struct slice json, struct pins *out, struct pin_errors *errors)
{
	size_t before = errors->count;
	json_error_t why;
	json_t *document;

	out->revision = -1;
	out->count = 0;
	if (json.len > PINS_JSON_MAX) {
		pin_errors_add(errors, "", "", "more than %zu bytes",
			       PINS_JSON_MAX);
		return -EINVAL;
	}

	document = json_loadb((const char *)json.data, json.len,
			      JSON_REJECT_DUPLICATES, &why);
	if (!document) {
		pin_errors_add(errors, "", "", "line %d: %s", why.line,
			       why.text);
		return -EINVAL;
	}
	take_document(document, out, errors);
	json_decref(document);

	return errors->count > before ? -EINVAL : 0;
}

static void check_header_pin(const struct pin *pin, const struct lines *lines,
			     struct pin_errors *errors)
{
	const struct board_line *known =
		board_has_header(lines->label) ? board_line(pin->line) : NULL;

	if (!known)
		pin_errors_add(errors, pin->name, "pin",
			       "line %u of %s is at no known header pin",
			       pin->line, lines->label);
	else if (known->pin != pin->header_pin)
		pin_errors_add(errors, pin->name, "pin",
			       "line %u is at header pin %u, not %u", pin->line,
			       known->pin, pin->header_pin);
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

/* json_pack() hides what it could not allocate; this does not: a value that
 * could not be made is refused by json_object_set_new(). */
static json_t *pin_to_json(const struct pin *pin)
{
	json_t *object = json_object();
	int bad = 0;

	bad |= json_object_set_new(object, "name", json_string(pin->name));
	bad |= json_object_set_new(
		object, "dir",
		json_string(field_word_text(directions, (int)pin->direction)));
	if (pin->chip[0])
		bad |= json_object_set_new(object, "chip",
					   json_string(pin->chip));
	bad |= json_object_set_new(object, "line", json_integer(pin->line));
	bad |= json_object_set_new(
		object, "bias",
		json_string(field_word_text(biases, (int)pin->bias)));
	bad |= json_object_set_new(object, "active_low",
				   json_boolean(pin->active_low));
	bad |= json_object_set_new(object, "debounce_ms",
				   json_integer(pin->debounce_ms));
	bad |= json_object_set_new(
		object, "kind",
		json_string(field_word_text(kinds, (int)pin->kind)));
	if (pin->direction == LINE_OUTPUT)
		bad |= pin_rules_to_json(pin, object);
	if (bad) {
		json_decref(object);
		return NULL;
	}
	return object;
}

json_t *pins_to_json(const struct pins *pins)
{
	json_t *document = json_object();
	json_t *list = json_array();
	int bad = 0;

	for (size_t i = 0; i < pins->count; i++)
		bad |= json_array_append_new(list, pin_to_json(&pins->pin[i]));
	if (pins->revision >= 0)
		bad |= json_object_set_new(document, "revision",
					   json_integer(pins->revision));
	bad |= json_object_set_new(document, "pins", list);
	if (bad) {
		json_decref(document);
		return NULL;
	}
	return document;
}

bool pin_same_line(const struct pin *a, const struct pin *b)
{
	return a->direction == b->direction && a->line == b->line &&
	       strcmp(a->chip, b->chip) == 0 && a->bias == b->bias &&
	       a->active_low == b->active_low &&
	       a->debounce_ms == b->debounce_ms;
}

bool pin_same(const struct pin *a, const struct pin *b)
{
	return pin_same_line(a, b) && strcmp(a->name, b->name) == 0 &&
	       a->kind == b->kind && pin_rules_same(a, b);
}

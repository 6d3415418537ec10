#include "gpio/pins.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "gpio/pin_agree.h"
#include "gpio/pin_fields.h"

/* What did not fit may have been cut inside of a character: an error is told as
 * JSON, which has to be UTF-8. */
static void end_at_character(char *text)
{
	size_t len = strlen(text);
	size_t start = len;
	unsigned char first;

	while (start > 0 && ((unsigned char)text[start - 1] & 0xc0) == 0x80)
		start--;
	if (start == 0)
		return;
	first = (unsigned char)text[start - 1];
	if (len - start <
	    (size_t)(first >= 0xc0) + (first >= 0xe0) + (first >= 0xf0))
		text[start - 1] = '\0';
}

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
	/* It loses sight of va_start(): NOLINTNEXTLINE(*-valist.Uninitialized) */
	(void)vsnprintf(error->message, sizeof(error->message), format, args);
	va_end(args);
	end_at_character(error->pin);
	end_at_character(error->field);
	end_at_character(error->message);
}

static bool name_valid(const char *name)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "abcdefghijklmnopqrstuvwxyz"
				      "0123456789-_";
	size_t len = strlen(name);

	return len >= 1 && len <= PIN_NAME_MAX && strspn(name, allowed) == len;
}

bool pin_take_name(struct field_place *place, json_t *object,
		   char out[PIN_NAME_MAX + 1])
{
	json_t *value = json_object_get(object, "name");
	const char *name = json_string_value(value);

	memset(out, 0, PIN_NAME_MAX + 1);
	if (!json_is_object(object)) {
		pin_errors_add(place->errors, place->pin, "",
			       "must be an object");
		return false;
	}
	if (!value || json_is_null(value))
		return true;
	if (name && name_valid(name) &&
	    strlen(name) == json_string_length(value)) {
		(void)snprintf(out, PIN_NAME_MAX + 1, "%s", name);
		place->pin = out;
	} else {
		pin_errors_add(place->errors, place->pin, "name",
			       "must be 1 to %u letters, digits, - or _",
			       PIN_NAME_MAX);
	}
	return true;
}

static void check_fields_known(const struct field_place *place, json_t *object)
{
	const char *field;
	json_t *value;

	json_object_foreach(object, field, value)
	{
		(void)value;
		if (!pin_fields_know(field))
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

int pin_parse(json_t *object, const char *fallback, struct pin *out,
	      struct pin_errors *errors)
{
	struct field_place place = { .errors = errors, .pin = fallback };
	size_t before = errors->count;
	char name[PIN_NAME_MAX + 1];

	*out = (struct pin){ 0 };
	if (!pin_take_name(&place, object, name))
		return -EINVAL;
	pin_defaults(pin_fields_direction(&place, object), out);
	memcpy(out->name, name, sizeof(name));
	check_fields_there(&place, object);
	check_fields_known(&place, object);
	pin_fields_take(&place, object, out);
	if (errors->count == before)
		pin_agree(&place, out);
	return errors->count > before ? -EINVAL : 0;
}

static void take_document(json_t *document, struct pins *out,
			  struct pin_errors *errors)
{
	json_t *list = json_object_get(document, "pins");
	json_t *revision = json_object_get(document, "revision");
	char number[24];

	if (json_is_integer(revision))
		out->revision = json_integer_value(revision);
	pin_dialects_take(document, &out->dialects, errors);
	if (!json_is_array(list)) {
		pin_errors_add(errors, "", "pins", "must be a list");
		return;
	}
	if (json_array_size(list) > PINS_MAX) {
		pin_errors_add(errors, "", "pins", "more than %u", PINS_MAX);
		return;
	}

	out->count = json_array_size(list);
	for (size_t i = 0; i < out->count; i++) {
		(void)snprintf(number, sizeof(number), "#%zu", i + 1);
		(void)pin_parse(json_array_get(list, i), number, &out->pin[i],
				errors);
	}
	devices_take(document, out, errors);
	if (errors->count == 0)
		(void)pins_agree(out, errors);
}

int pins_parse(struct slice json, struct pins *out, struct pin_errors *errors)
{
	size_t before = errors->count;
	json_error_t why;
	json_t *document;

	out->revision = -1;
	out->count = 0;
	out->devices = 0;
	if (json.len > PINS_JSON_MAX) {
		pin_errors_add(errors, "", "", "more than %zu bytes",
			       PINS_JSON_MAX);
		return -EINVAL;
	}

	/* A NUL in a text is that text's mistake. */
	document = json_loadb((const char *)json.data, json.len,
			      JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &why);
	if (!document) {
		pin_errors_add(errors, "", "", "line %d: %s", why.line,
			       why.text);
		return -EINVAL;
	}
	take_document(document, out, errors);
	json_decref(document);

	return errors->count > before ? -EINVAL : 0;
}

/* json_pack() hides what it could not allocate; this does not: a value that
 * could not be made is refused by json_object_set_new(). */
json_t *pin_to_json(const struct pin *pin, bool all)
{
	json_t *object = json_object();

	if (pin_fields_put(pin, all, object)) {
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
		bad |= json_array_append_new(list,
					     pin_to_json(&pins->pin[i], false));
	if (pins->revision >= 0)
		bad |= json_object_set_new(document, "revision",
					   json_integer(pins->revision));
	bad |= pin_dialects_put(&pins->dialects, document);
	bad |= json_object_set_new(document, "pins", list);
	bad |= devices_put(pins, document);
	if (bad) {
		json_decref(document);
		return NULL;
	}
	return document;
}

const struct pin *pins_find(const struct pins *pins, const char *name)
{
	for (size_t i = 0; i < pins->count; i++)
		if (strcmp(pins->pin[i].name, name) == 0)
			return &pins->pin[i];
	return NULL;
}

bool pin_same_line(const struct pin *a, const struct pin *b)
{
	return a->direction == b->direction && a->line == b->line &&
	       strcmp(a->chip, b->chip) == 0 && a->bias == b->bias &&
	       a->active_low == b->active_low &&
	       a->debounce_ms == b->debounce_ms;
}

#include "gpio/devices.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "gpio/device_agree.h"
#include "gpio/device_table.h"
#include "gpio/pins.h"

_Static_assert(DEVICE_NAME_MAX == PIN_NAME_MAX, "names share their topics");
_Static_assert(DEVICE_TEXT_MAX == PIN_TEXT_MAX, "tiles of one width");

/* ---- one device --------------------------------------------------------- */

static const struct device_field *field_named(const char *name)
{
	for (const struct device_field *f = device_table; f->field.name; f++)
		if (strcmp(f->field.name, name) == 0)
			return f;
	return NULL;
}

static void check_fields_known(const struct field_place *place, json_t *object)
{
	const char *field;
	json_t *value;

	json_object_foreach(object, field, value)
	{
		(void)value;
		if (!field_named(field) && strcmp(field, "name") != 0 &&
		    strcmp(field, "kind") != 0)
			pin_errors_add(place->errors, place->pin, field,
				       "is not a field of a device");
	}
}

/* A member that is for other kinds may be there with its default. */
static void take_fields(const struct field_place *place, json_t *object,
			struct device *out)
{
	const struct device plain = *out;

	for (const struct device_field *f = device_table; f->field.name; f++) {
		json_t *value = json_object_get(object, f->field.name);

		if (!value ||
		    (json_is_null(value) && f->field.type != FIELD_WORD))
			continue;
		field_take(place, &f->field, value, out);
		if (!(f->kinds & DEVICE_IS(out->kind)) &&
		    !field_same(&f->field, out, &plain))
			pin_errors_add(place->errors, place->pin, f->field.name,
				       "is not for %s",
				       device_kind_text(out->kind));
	}
}

int device_parse(json_t *object, const char *fallback, struct device *out,
		 struct pin_errors *errors)
{
	struct field_place place = { .errors = errors, .pin = fallback };
	size_t before = errors->count;
	json_t *kind = json_object_get(object, "kind");
	char name[PIN_NAME_MAX + 1];
	int word = DEVICE_DS18B20;

	*out = (struct device){ 0 };
	if (!pin_take_name(&place, object, name))
		return -EINVAL;
	if (!name[0] && errors->count == before)
		pin_errors_add(errors, fallback, "name", "is missing");
	if (!kind || !field_find_word(device_kinds, kind, &word))
		field_complain_of_word(&place, "kind", device_kinds);
	device_defaults((enum device_kind)word, out);
	memcpy(out->name, name, sizeof(name));
	check_fields_known(&place, object);
	take_fields(&place, object, out);
	if (errors->count == before)
		device_agree(&place, out);
	return errors->count > before ? -EINVAL : 0;
}

json_t *device_to_json(const struct device *device, bool all)
{
	json_t *object = json_object();
	struct device plain;
	int bad = 0;

	device_defaults(device->kind, &plain);
	bad |= json_object_set_new(object, "name", json_string(device->name));
	bad |= json_object_set_new(object, "kind",
				   json_string(device_kind_text(device->kind)));
	for (const struct device_field *f = device_table; f->field.name; f++)
		if (f->kinds & DEVICE_IS(device->kind) &&
		    (all || !field_same(&f->field, device, &plain)))
			bad |= json_object_set_new(
				object, f->field.name,
				field_json(&f->field, device));
	if (bad) {
		json_decref(object);
		return NULL;
	}
	return object;
}

const char *device_kind_text(enum device_kind kind)
{
	return field_word_text(device_kinds, (int)kind);
}

bool device_same(const struct device *a, const struct device *b)
{
	for (const struct device_field *f = device_table; f->field.name; f++)
		if (!field_same(&f->field, a, b))
			return false;
	return a->kind == b->kind && strcmp(a->name, b->name) == 0;
}

/* ---- all of them -------------------------------------------------------- */

void devices_take(json_t *document, struct pins *out, struct pin_errors *errors)
{
	json_t *list = json_object_get(document, "devices");
	char number[32];

	out->devices = 0;
	if (!list)
		return;
	if (!json_is_array(list)) {
		pin_errors_add(errors, "", "devices", "must be a list");
		return;
	}
	if (json_array_size(list) > DEVICES_MAX) {
		pin_errors_add(errors, "", "devices", "more than %u",
			       DEVICES_MAX);
		return;
	}

	out->devices = json_array_size(list);
	for (size_t i = 0; i < out->devices; i++) {
		(void)snprintf(number, sizeof(number), "device #%zu", i + 1);
		(void)device_parse(json_array_get(list, i), number,
				   &out->device[i], errors);
	}
}

int devices_put(const struct pins *pins, json_t *document)
{
	json_t *list;
	int bad = 0;

	if (pins->devices == 0)
		return 0;
	list = json_array();
	for (size_t i = 0; i < pins->devices; i++)
		bad |= json_array_append_new(
			list, device_to_json(&pins->device[i], false));
	return bad | json_object_set_new(document, "devices", list);
}

const struct device *devices_find(const struct pins *pins, const char *name)
{
	for (size_t i = 0; i < pins->devices; i++)
		if (strcmp(pins->device[i].name, name) == 0)
			return &pins->device[i];
	return NULL;
}

#include "gpio/pin_fields.h"

#include <string.h>

#include "gpio/pin_table.h"

static void *at(struct pin *pin, const struct field *field)
{
	return (char *)pin + field->offset;
}

static const void *at_const(const struct pin *pin, const struct field *field)
{
	return (const char *)pin + field->offset;
}

static bool is_for(const struct field *field, enum line_direction direction)
{
	return field->way == FIELD_BOTH ||
	       (field->way == FIELD_IN) == (direction == LINE_INPUT);
}

void pin_fields_take(const struct field_place *place, json_t *object,
		     struct pin *out)
{
	const struct pin before = *out;

	for (const struct field *f = pin_table; f->name; f++) {
		json_t *value = json_object_get(object, f->name);

		/* A word has no empty one. */
		if (!value || (json_is_null(value) && f->type != FIELD_WORD))
			continue;
		field_take(place, f, value, out);
		if (is_for(f, out->direction) || field_same(f, out, &before))
			continue;
		/* A driven line needs no pull, and some chips would refuse
		 * it: not looked at. */
		if (f->words != pin_biases)
			pin_errors_add(
				place->errors, place->pin, f->name, "is for %s",
				f->way == FIELD_IN ? "inputs" : "outputs");
		memcpy(at(out, f), at_const(&before, f), field_size(f));
	}
}

enum line_direction pin_fields_direction(const struct field_place *place,
					 json_t *object)
{
	json_t *value = json_object_get(object, "dir");
	int direction = LINE_INPUT;

	if (value && !json_is_null(value) &&
	    !field_find_word(pin_directions, value, &direction))
		field_complain_of_word(place, "dir", pin_directions);
	return (enum line_direction)direction;
}

bool pin_fields_know(const char *name)
{
	for (const struct field *f = pin_table; f->name; f++)
		if (strcmp(f->name, name) == 0)
			return true;
	return strcmp(name, "name") == 0 || strcmp(name, "dir") == 0;
}

/* ---- writing ------------------------------------------------------------ */

int pin_fields_put(const struct pin *pin, bool all, json_t *object)
{
	struct pin plain;
	int bad = 0;

	pin_defaults(pin->direction, &plain);
	bad |= json_object_set_new(object, "name", json_string(pin->name));
	bad |= json_object_set_new(
		object, "dir",
		json_string(
			field_word_text(pin_directions, (int)pin->direction)));
	for (const struct field *f = pin_table; f->name; f++)
		if (all || f->needed || !field_same(f, pin, &plain))
			bad |= json_object_set_new(object, f->name,
						   field_json(f, pin));
	return bad;
}

const char *pin_kind_text(enum pin_kind kind)
{
	return field_word_text(pin_kinds, (int)kind);
}

bool pin_same(const struct pin *a, const struct pin *b)
{
	for (const struct field *f = pin_table; f->name; f++)
		if (!field_same(f, a, b))
			return false;
	return a->direction == b->direction && strcmp(a->name, b->name) == 0;
}

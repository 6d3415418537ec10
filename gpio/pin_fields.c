#include "gpio/pin_fields.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "gpio/pin_table.h"

#define NO_NUMBER (-1.0)

static void *at(struct pin *pin, const struct field *field)
{
	return (char *)pin + field->offset;
}

static const void *at_const(const struct pin *pin, const struct field *field)
{
	return (const char *)pin + field->offset;
}

static size_t size_of(const struct field *field)
{
	switch (field->type) {
	case FIELD_WORD:
		return sizeof(int);
	case FIELD_BOOL:
		return sizeof(bool);
	case FIELD_NUMBER:
		return sizeof(uint32_t);
	case FIELD_SECONDS:
		return sizeof(uint64_t);
	case FIELD_REAL:
		return sizeof(double);
	case FIELD_TEXT:
		return field->max + 1;
	}
	return 0;
}

/* Texts are zeroed behind their end. */
static bool same(const struct field *field, const struct pin *a,
		 const struct pin *b)
{
	return memcmp(at_const(a, field), at_const(b, field), size_of(field)) ==
	       0;
}

/* ---- reading ------------------------------------------------------------ */

static void complain_of_word(const struct field_place *place, const char *field,
			     const struct field_word *words)
{
	char list[100] = "";
	size_t len = 0;

	for (const struct field_word *w = words; w->text; w++)
		len += (size_t)snprintf(list + len, sizeof(list) - len, "%s%s",
					w == words ? "" : ", ", w->text);
	pin_errors_add(place->errors, place->pin, field, "must be one of %s",
		       list);
}

static bool find_word(const struct field_word *words, json_t *value, int *out)
{
	const char *text = json_string_value(value);

	for (const struct field_word *w = words; text && w->text; w++) {
		if (strcmp(w->text, text) == 0) {
			*out = w->value;
			return true;
		}
	}
	return false;
}

/* The number, or NO_NUMBER where it is none from 0 to max. */
static double number_of(json_t *value, double max)
{
	double number = json_number_value(value);

	return json_is_number(value) && number >= 0 && number <= max
		       ? number
		       : NO_NUMBER;
}

/* What people read: no control characters, no NUL inside. */
static bool text_valid(json_t *value, size_t max)
{
	const char *text = json_string_value(value);
	size_t len = json_string_length(value);

	if (!text || len > max)
		return false;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			return false;
	return true;
}

static void take_word(const struct field_place *place,
		      const struct field *field, json_t *value, void *out)
{
	int word;

	if (find_word(field->words, value, &word))
		memcpy(out, &word, sizeof(word));
	else
		complain_of_word(place, field->name, field->words);
}

static void take_bool(const struct field_place *place,
		      const struct field *field, json_t *value, void *out)
{
	bool yes = json_is_true(value);

	if (json_is_boolean(value))
		memcpy(out, &yes, sizeof(yes));
	else
		pin_errors_add(place->errors, place->pin, field->name,
			       "must be true or false");
}

static void take_number(const struct field_place *place,
			const struct field *field, json_t *value, void *out)
{
	double number = number_of(value, (double)field->max);
	uint32_t whole = number >= 0 ? (uint32_t)number : 0;

	if (json_is_integer(value) && number >= 0)
		memcpy(out, &whole, sizeof(whole));
	else
		pin_errors_add(place->errors, place->pin, field->name,
			       "must be a whole number from 0 to %zu",
			       field->max);
}

static void take_seconds(const struct field_place *place,
			 const struct field *field, json_t *value, void *out)
{
	double seconds = number_of(value, (double)field->max);
	uint64_t ms = seconds >= 0 ? (uint64_t)llround(seconds * 1000) : 0;

	if (seconds >= 0)
		memcpy(out, &ms, sizeof(ms));
	else
		pin_errors_add(place->errors, place->pin, field->name,
			       "must be a number of seconds, at most %zu",
			       field->max);
}

static void take_real(const struct field_place *place,
		      const struct field *field, json_t *value, void *out)
{
	double number = number_of(value, (double)field->max);

	if (number >= 0)
		memcpy(out, &number, sizeof(number));
	else
		pin_errors_add(place->errors, place->pin, field->name,
			       "must be a number from 0 to %zu", field->max);
}

static void take_text(const struct field_place *place,
		      const struct field *field, json_t *value, void *out)
{
	if (!text_valid(value, field->max)) {
		pin_errors_add(place->errors, place->pin, field->name,
			       "must be a text of at most %zu bytes",
			       field->max);
		return;
	}
	memset(out, 0, field->max + 1);
	memcpy(out, json_string_value(value), json_string_length(value));
}

static void take(const struct field_place *place, const struct field *field,
		 json_t *value, struct pin *out)
{
	switch (field->type) {
	case FIELD_WORD:
		take_word(place, field, value, at(out, field));
		return;
	case FIELD_BOOL:
		take_bool(place, field, value, at(out, field));
		return;
	case FIELD_NUMBER:
		take_number(place, field, value, at(out, field));
		return;
	case FIELD_SECONDS:
		take_seconds(place, field, value, at(out, field));
		return;
	case FIELD_REAL:
		take_real(place, field, value, at(out, field));
		return;
	case FIELD_TEXT:
		take_text(place, field, value, at(out, field));
		return;
	}
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
		take(place, f, value, out);
		if (is_for(f, out->direction) || same(f, out, &before))
			continue;
		/* A driven line needs no pull, and some chips would refuse
		 * it: not looked at. */
		if (f->words != pin_biases)
			pin_errors_add(
				place->errors, place->pin, f->name, "is for %s",
				f->way == FIELD_IN ? "inputs" : "outputs");
		memcpy(at(out, f), at_const(&before, f), size_of(f));
	}
}

enum line_direction pin_fields_direction(const struct field_place *place,
					 json_t *object)
{
	json_t *value = json_object_get(object, "dir");
	int direction = LINE_INPUT;

	if (value && !json_is_null(value) &&
	    !find_word(pin_directions, value, &direction))
		complain_of_word(place, "dir", pin_directions);
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

static const char *word_text(const struct field_word *words, int value)
{
	while (words->text && words->value != value)
		words++;
	return words->text;
}

/* A whole number without its fraction. */
static json_t *number_json(double number)
{
	return number == floor(number) ? json_integer((json_int_t)number)
				       : json_real(number);
}

static json_t *value_json(const struct field *field, const void *from)
{
	uint64_t ms;
	uint32_t number;
	double real;
	int word;
	bool yes;

	switch (field->type) {
	case FIELD_WORD:
		memcpy(&word, from, sizeof(word));
		return json_string(word_text(field->words, word));
	case FIELD_BOOL:
		memcpy(&yes, from, sizeof(yes));
		return json_boolean(yes);
	case FIELD_NUMBER:
		memcpy(&number, from, sizeof(number));
		return json_integer(number);
	case FIELD_SECONDS:
		memcpy(&ms, from, sizeof(ms));
		return number_json((double)ms / 1000);
	case FIELD_REAL:
		memcpy(&real, from, sizeof(real));
		return number_json(real);
	case FIELD_TEXT:
		return json_string(from);
	}
	return NULL;
}

int pin_fields_put(const struct pin *pin, bool all, json_t *object)
{
	struct pin plain;
	int bad = 0;

	pin_defaults(pin->direction, &plain);
	bad |= json_object_set_new(object, "name", json_string(pin->name));
	bad |= json_object_set_new(
		object, "dir",
		json_string(word_text(pin_directions, (int)pin->direction)));
	for (const struct field *f = pin_table; f->name; f++)
		if (all || f->needed || !same(f, pin, &plain))
			bad |= json_object_set_new(
				object, f->name,
				value_json(f, at_const(pin, f)));
	return bad;
}

const char *pin_kind_text(enum pin_kind kind)
{
	return word_text(pin_kinds, (int)kind);
}

bool pin_same(const struct pin *a, const struct pin *b)
{
	for (const struct field *f = pin_table; f->name; f++)
		if (!same(f, a, b))
			return false;
	return a->direction == b->direction && strcmp(a->name, b->name) == 0;
}

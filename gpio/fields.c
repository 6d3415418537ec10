#include "gpio/fields.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "gpio/pins.h"

#define NO_NUMBER (-1.0)

size_t field_size(const struct field *field)
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
	case FIELD_SIGNED:
		return sizeof(double);
	case FIELD_TEXT:
		return field->max + 1;
	}
	return 0;
}

bool field_same(const struct field *field, const void *a, const void *b)
{
	return memcmp((const char *)a + field->offset,
		      (const char *)b + field->offset, field_size(field)) == 0;
}

/* ---- reading ------------------------------------------------------------ */

void field_complain_of_word(const struct field_place *place, const char *field,
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

bool field_find_word(const struct field_word *words, json_t *value, int *out)
{
	const char *text = json_string_value(value);

	for (const struct field_word *w = words; text && w->text; w++) {
		if (strcmp(w->text, text) == 0 &&
		    strlen(text) == json_string_length(value)) {
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

	if (field_find_word(field->words, value, &word))
		memcpy(out, &word, sizeof(word));
	else
		field_complain_of_word(place, field->name, field->words);
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

static void take_signed(const struct field_place *place,
			const struct field *field, json_t *value, void *out)
{
	double number = json_number_value(value);

	if (json_is_number(value) && fabs(number) <= (double)field->max)
		memcpy(out, &number, sizeof(number));
	else
		pin_errors_add(place->errors, place->pin, field->name,
			       "must be a number from -%zu to %zu", field->max,
			       field->max);
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

void field_take(const struct field_place *place, const struct field *field,
		json_t *value, void *out)
{
	void *to = (char *)out + field->offset;

	switch (field->type) {
	case FIELD_WORD:
		take_word(place, field, value, to);
		return;
	case FIELD_BOOL:
		take_bool(place, field, value, to);
		return;
	case FIELD_NUMBER:
		take_number(place, field, value, to);
		return;
	case FIELD_SECONDS:
		take_seconds(place, field, value, to);
		return;
	case FIELD_REAL:
		take_real(place, field, value, to);
		return;
	case FIELD_SIGNED:
		take_signed(place, field, value, to);
		return;
	case FIELD_TEXT:
		take_text(place, field, value, to);
		return;
	}
}

/* ---- writing ------------------------------------------------------------ */

const char *field_word_text(const struct field_word *words, int value)
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

json_t *field_json(const struct field *field, const void *object)
{
	const void *from = (const char *)object + field->offset;
	uint64_t ms;
	uint32_t number;
	double real;
	int word;
	bool yes;

	switch (field->type) {
	case FIELD_WORD:
		memcpy(&word, from, sizeof(word));
		return json_string(field_word_text(field->words, word));
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
	case FIELD_SIGNED:
		memcpy(&real, from, sizeof(real));
		return number_json(real);
	case FIELD_TEXT:
		return json_string(from);
	}
	return NULL;
}

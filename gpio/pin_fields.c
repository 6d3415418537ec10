#include "gpio/pin_fields.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const char *field_word_text(const struct field_word *words, int value)
{
	while (words->value != value)
		words++;
	return words->text;
}

static void complain_of_word(const struct field_place *place, const char *field,
			     const struct field_word *words)
{
	char list[80] = "";
	size_t len = 0;

	for (const struct field_word *w = words; w->text; w++)
		len += (size_t)snprintf(list + len, sizeof(list) - len, "%s%s",
					w == words ? "" : ", ", w->text);
	pin_errors_add(place->errors, place->pin, field, "must be one of %s",
		       list);
}

void field_word(const struct field_place *place, const char *field,
		json_t *value, const struct field_word *words, int *out)
{
	if (!value)
		return;

	if (json_is_string(value)) {
		for (const struct field_word *w = words; w->text; w++) {
			if (strcmp(w->text, json_string_value(value)) == 0) {
				*out = w->value;
				return;
			}
		}
	}
	complain_of_word(place, field, words);
}

void field_bool(const struct field_place *place, const char *field,
		json_t *value, bool *out)
{
	if (!value)
		return;
	if (json_is_boolean(value))
		*out = json_boolean_value(value);
	else
		pin_errors_add(place->errors, place->pin, field,
			       "must be true or false");
}

void field_number(const struct field_place *place, const char *field,
		  json_t *value, unsigned int max, unsigned int *out)
{
	if (!value || json_is_null(value))
		return;
	if (json_is_integer(value) && json_integer_value(value) >= 0 &&
	    json_integer_value(value) <= (json_int_t)max)
		*out = (unsigned int)json_integer_value(value);
	else
		pin_errors_add(place->errors, place->pin, field,
			       "must be a whole number from 0 to %u", max);
}

void field_seconds(const struct field_place *place, const char *field,
		   json_t *value, uint64_t *out_ms)
{
	double seconds = json_number_value(value);

	if (!value || json_is_null(value))
		return;
	if (json_is_number(value) && seconds >= 0 &&
	    seconds * 1000 <= (double)LOGIC_TIME_MAX_MS)
		*out_ms = (uint64_t)llround(seconds * 1000);
	else
		pin_errors_add(place->errors, place->pin, field,
			       "must be a number of seconds, at most 7 days");
}

void field_text(const struct field_place *place, const char *field,
		json_t *value, char *out, size_t size)
{
	if (!value || json_is_null(value))
		return;
	if (!json_is_string(value) || json_string_length(value) >= size ||
	    strlen(json_string_value(value)) != json_string_length(value)) {
		pin_errors_add(place->errors, place->pin, field,
			       "must be a text of at most %zu bytes", size - 1);
		return;
	}
	if (out)
		(void)snprintf(out, size, "%s", json_string_value(value));
}

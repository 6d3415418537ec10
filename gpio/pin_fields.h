/*
 * Members of a JSON object that say how a pin is to be: each is taken if it is
 * there and good, and complained of with pin and field if it is not. A missing
 * one leaves *out as it was.
 */
#ifndef GPIO_PIN_FIELDS_H
#define GPIO_PIN_FIELDS_H

#include <jansson.h>

#include "gpio/pins.h"

/* Where we are. */
struct field_place {
	struct pin_errors *errors;
	const char *pin;
};

/* Ends with a text of NULL. */
struct field_word {
	const char *text;
	int value;
};

const char *field_word_text(const struct field_word *words, int value);
void field_word(const struct field_place *place, const char *field,
		json_t *value, const struct field_word *words, int *out);
void field_bool(const struct field_place *place, const char *field,
		json_t *value, bool *out);
void field_number(const struct field_place *place, const char *field,
		  json_t *value, unsigned int max, unsigned int *out);
/* Seconds, also with a fraction; null is 0. */
void field_seconds(const struct field_place *place, const char *field,
		   json_t *value, uint64_t *out_ms);
/* size is that of out with its NUL; out may be NULL to judge only. */
void field_text(const struct field_place *place, const char *field,
		json_t *value, char *out, size_t size);

#endif

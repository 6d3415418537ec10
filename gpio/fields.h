/*
 * Tables of what can be said of a thing (a pin, a device): the name of each
 * member, its type and range, and where the struct has it. What one member by
 * itself is read, written and compared by.
 */
#ifndef GPIO_FIELDS_H
#define GPIO_FIELDS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct pin_errors;

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

enum field_type {
	FIELD_WORD, /* an enum */
	FIELD_BOOL,
	FIELD_NUMBER, /* uint32_t */
	FIELD_SECONDS, /* uint64_t, milliseconds; also with a fraction */
	FIELD_REAL, /* double, from 0 */
	FIELD_SIGNED, /* double, from -max */
	FIELD_TEXT, /* char[max + 1] */
};

enum field_way {
	FIELD_BOTH,
	FIELD_IN,
	FIELD_OUT,
};

struct field {
	const char *name;
	enum field_type type;
	enum field_way way;
	bool needed;
	size_t offset; /* in the struct */
	size_t max; /* of numbers, seconds, bytes */
	const struct field_word *words;
};

/* Take value into the member of *out; what is wrong is complained of and leaves
 * it as it was. */
void field_take(const struct field_place *place, const struct field *field,
		json_t *value, void *out);
/* The member of object; NULL: out of memory. */
json_t *field_json(const struct field *field, const void *object);
/* Texts are zeroed behind their end. */
bool field_same(const struct field *field, const void *a, const void *b);
/* Bytes of the member. */
size_t field_size(const struct field *field);

bool field_find_word(const struct field_word *words, json_t *value, int *out);
const char *field_word_text(const struct field_word *words, int value);
void field_complain_of_word(const struct field_place *place, const char *field,
			    const struct field_word *words);

#endif

/* The table of pin_fields.h, and its words. */
#ifndef GPIO_PIN_TABLE_H
#define GPIO_PIN_TABLE_H

#include <stdbool.h>
#include <stddef.h>

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
	size_t offset; /* in struct pin */
	size_t max; /* of numbers, seconds, bytes */
	const struct field_word *words;
};

/* Ends with a name of NULL. */
extern const struct field pin_table[];
extern const struct field_word pin_directions[];
extern const struct field_word pin_biases[];
extern const struct field_word pin_kinds[];

#endif

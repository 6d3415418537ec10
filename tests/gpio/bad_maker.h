/* What bad_pins.c and bad_fields.c make mistakes with. */
#ifndef TESTS_GPIO_BAD_MAKER_H
#define TESTS_GPIO_BAD_MAKER_H

#include <jansson.h>

#include "tests/gpio/bad_pins.h"

struct maker {
	uint64_t dice;
	json_t *document;
	json_t *list;
	size_t count; /* of pins */
	size_t at; /* of the one that is made wrong */
	json_t *victim;
	struct bad_config *out;
};

/* 0..n-1 */
size_t roll(struct maker *m, size_t n);
/* Of the one that is made wrong. */
void put(struct maker *m, const char *field, json_t *value);
void turn(struct maker *m, const char *dir);
/* What has to be named: this field of it. */
void expect(struct maker *m, const char *field);
/* Its name is the mistake: then it is called by its place. */
void expect_place(struct maker *m, const char *field);

/* Mistakes in one field. */
void bad_any_field(struct maker *m);
void bad_unknown_field(struct maker *m);
void bad_wrong_direction(struct maker *m);
void bad_name(struct maker *m);
void bad_direction(struct maker *m);
void bad_missing(struct maker *m);

#endif

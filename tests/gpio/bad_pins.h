/*
 * Bad configurations of pins and bad commands, made from the field table and a
 * seed: each has one mistake, and it is known which. What is good in one is good
 * by itself, so that only the mistake can be the reason to refuse it.
 */
#ifndef TESTS_GPIO_BAD_PINS_H
#define TESTS_GPIO_BAD_PINS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes: a little more than may be. */
#define BAD_SIZE ((size_t)80 * 1024)

struct bad_config {
	char bytes[BAD_SIZE];
	size_t len;
	/* What an error has to name; "": the whole. */
	char pin[64];
	char field[64];
	const char *mistake; /* its name */
	/* The pin by itself is wrong: REST can be asked for just that. NULL: it
	 * takes several, or the board. To be freed. */
	char *alone;
};

/* The same seed makes the same. */
void bad_config_make(uint64_t seed, struct bad_config *out);
void bad_config_free(struct bad_config *config);

/* Kinds of mistakes in a configuration; seeds in a row make one of each. */
size_t bad_config_kinds(void);

struct bad_command {
	char bytes[4096];
	size_t len;
	const char *mistake;
};

/* None of these switches anything, whatever the output. */
void bad_command_make(uint64_t seed, struct bad_command *out);

#endif

/*
 * The lines of an INI file, one call for each: a section, a pair, or what is
 * wrong with the line. It goes on after a wrong one, so that a person sees all
 * mistakes at once. It does not know which sections and keys there are.
 *
 *	# comment, also with ';', on a line of its own
 *	[type name]
 *	key = value
 *
 * White space around everything is left out; values are not quoted and do not
 * go on in the next line.
 *
 * inih was tried: it names only the first malformed line, cuts lines at 200
 * bytes, keeps silent about a section without keys, and takes an indented line
 * as more of the value before. A file that opens ports must not be guessed at.
 */
#ifndef BROKER_CONFIG_INI_H
#define BROKER_CONFIG_INI_H

#include <stddef.h>

/* Every string is valid during the call only. */
struct ini_handler {
	/* name is "" for [type]. */
	void (*section)(void *arg, unsigned int line, const char *type,
			const char *name);
	/* Also before the first section. */
	void (*pair)(void *arg, unsigned int line, const char *key,
		     const char *value);
	void (*malformed)(void *arg, unsigned int line, const char *expected);
};

/* text[len] must be writable: text is cut to pieces in place. */
void ini_parse(char *text, size_t len, const struct ini_handler *handler,
	       void *arg);

#endif

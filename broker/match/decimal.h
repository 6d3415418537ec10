/*
 * Numbers as they are written in JSON, compared as they are written: in decimal,
 * of any length. No binary fraction rounds them, so 9007199254740993 is not
 * 9007199254740992, and 21.50 is 21.5.
 */
#ifndef BROKER_MATCH_DECIMAL_H
#define BROKER_MATCH_DECIMAL_H

#include "broker/base/slice.h"

/* 0.digits times ten to the power of scale. */
struct decimal {
	struct slice digits; /* from the first that is not 0, '.' among them;
			      * borrowed; empty for zero */
	int64_t scale;
	bool negative; /* never of zero */
};

/* Is the whole text one number of JSON (RFC 8259, section 6)? Exponents beyond
 * ten to the fifteenth power are taken for that. */
bool decimal_parse(struct slice text, struct decimal *out);

/* Below, equal to or above zero, as a is to b. */
int decimal_compare(const struct decimal *a, const struct decimal *b);

#endif

/*
 * What a message must be like: the predicate of $match/<predicate>/<filter>, as
 * it is written and taken apart.
 *
 *	temp.value>25,battery<20|$user.kind=alarm
 *
 *	predicate   all of these, or all of those: "," binds tighter than "|"
 *	comparison  operand operator value
 *	operator    = != < <= > >=, and ~ for "contains"
 *	operand     a field of a JSON payload, by names and indices: temp.0.value
 *	            $value         the whole payload
 *	            $type          json number text bool binary
 *	            $content-type  of the publication (5.0)
 *	            $user.NAME     any of its user properties of that name (5.0)
 *	            $qos           0 1 2, as published
 *	            $retain        true false, as published
 *
 * Everything may be percent-encoded, and what means something here or in a topic
 * filter must be: , | % = < > ~ ! / + # and a "." or a "$" that is none. A space
 * at either end of an operand or value counts only if it is encoded.
 *
 * Knows neither messages nor topics; predicate_eval.h does.
 */
#ifndef BROKER_MATCH_PREDICATE_H
#define BROKER_MATCH_PREDICATE_H

#include "broker/base/hash.h"
#include "broker/match/decimal.h"

enum predicate_operand {
	PREDICATE_FIELD,
	PREDICATE_VALUE,
	PREDICATE_TYPE,
	PREDICATE_CONTENT_TYPE,
	PREDICATE_USER,
	PREDICATE_QOS,
	PREDICATE_RETAIN,
};

enum predicate_relation {
	PREDICATE_EQUAL,
	PREDICATE_NOT_EQUAL,
	PREDICATE_LESS,
	PREDICATE_AT_MOST,
	PREDICATE_MORE,
	PREDICATE_AT_LEAST,
	PREDICATE_CONTAINS,
};

struct predicate_term {
	uint8_t operand; /* enum predicate_operand */
	uint8_t relation; /* enum predicate_relation */
	bool last; /* of those that must all hold */
	bool is_number; /* value is one: number */
	uint16_t steps;
	const struct slice *path; /* of a field */
	struct slice name; /* of a user property */
	struct slice value;
	struct decimal number;
};

struct predicate {
	/* The matcher's own. */
	struct hash_node by_text;
	size_t refs;
	uint64_t stamp; /* of the message that verdict is about */
	bool verdict;

	struct slice text; /* as it is written: what names it */
	size_t count;
	struct predicate_term terms[];
};

struct predicate_error {
	const char *why; /* a few words; never NULL after -EINVAL */
	size_t at; /* byte of the predicate, from 1 */
};

/* Returns 0, -EINVAL with *error, or -ENOMEM. text is copied. */
int predicate_parse(struct slice text, struct predicate **out,
		    struct predicate_error *error);
/* NULL does nothing. */
void predicate_free(struct predicate *predicate);

#endif

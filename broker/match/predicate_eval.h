/*
 * Does a message fit a predicate? What cannot be asked never holds, whatever the
 * operator, != included: a field that is not there, a payload that is not JSON or
 * above the limits (limits.h), an object or array, a message without that
 * property.
 *
 * Two numbers are compared as numbers, exactly; a payload or property counts as
 * one if it is written as one, a JSON string does not. Everything else has only
 * = != ~, byte by byte, as text: of a JSON string its characters, of the others
 * what is written (true, null, 1.0).
 */
#ifndef BROKER_MATCH_PREDICATE_EVAL_H
#define BROKER_MATCH_PREDICATE_EVAL_H

#include "broker/match/predicate.h"

struct document;

enum subject_type {
	SUBJECT_UNREAD,
	SUBJECT_JSON, /* an object, array, string or null */
	SUBJECT_NUMBER,
	SUBJECT_BOOL,
	SUBJECT_TEXT, /* other UTF-8, also an empty payload */
	SUBJECT_BINARY,
	SUBJECT_UNKNOWN, /* above the limits */
};

/* The message, and what has been found out about it. */
struct subject {
	struct slice payload;
	struct slice properties; /* encoded, without their length */
	uint8_t qos;
	bool retain;
	uint8_t type; /* enum subject_type */
	struct document *document; /* holds the payload once type is known */
	uint64_t *parsed; /* counts payloads read */
	uint64_t work; /* bytes that may still be looked at, about */
	bool cut_short; /* there were not enough of them */
};

/* Never holds when the work has run out before it shows. */
bool predicate_eval(const struct predicate *predicate, struct subject *subject);

#endif

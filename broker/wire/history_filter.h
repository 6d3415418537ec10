/*
 * What stands in front of a subscription that begins with what was stored:
 *
 *	$history/last/<n>/<filter>        the last n messages
 *	$history/since/<seconds>/<filter> what came in the last so many seconds
 *	$history/since/<time>/<filter>    what came since 2026-11-21T15:30:00Z
 *
 * The time is one of RFC 3339. Its offset may be percent-encoded (%2B01:00),
 * because many clients take a "+" for a wildcard. Behind it may stand $match/...,
 * but no second $history/... and no $share/...: of a group nobody knows who of it
 * would get what was stored.
 */
#ifndef WIRE_HISTORY_FILTER_H
#define WIRE_HISTORY_FILTER_H

#include "broker/base/slice.h"

/* Ten years: more than any card keeps. */
#define HISTORY_SECONDS_MAX 315360000u

enum history_start {
	HISTORY_LAST, /* count */
	HISTORY_AGO, /* seconds */
	HISTORY_TIME, /* time */
};

struct history_filter {
	enum history_start start;
	uint32_t count;
	uint32_t seconds;
	int64_t time; /* ms since 1970 UTC */
};

struct history_error {
	size_t at; /* byte of the text, from 1 */
	const char *why;
};

/* Is $history/ anywhere where it could be meant, also behind $share/ and $match/,
 * where it may not be? */
bool history_filter_meant(struct slice text);

/*
 * Take apart such a text. last_most: the largest n. Returns 0, or -EINVAL and the
 * error. Whether the filter behind it is valid is topic_split()'s and
 * topic_filter_valid()'s to say.
 */
int history_filter_parse(struct slice text, uint32_t last_most,
			 struct history_filter *out,
			 struct history_error *error);

#endif

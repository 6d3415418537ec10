/*
 * The predicates that anybody has subscribed with, each once however many use it,
 * and what is known about the message being routed: a predicate is evaluated at
 * most once for each message, the payload read at most once, and only when a
 * predicate asks for it.
 *
 * Broker thread only.
 */
#ifndef BROKER_MATCH_MATCHER_H
#define BROKER_MATCH_MATCHER_H

#include "broker/match/predicate.h"

struct matcher;
struct publish;

/* NULL when out of memory. Nothing may be left in it when it is freed. */
struct matcher *matcher_new(void);
void matcher_free(struct matcher *matcher);

/* Would matcher_obtain() refuse this text as malformed? Returns 0, -EINVAL with
 * *error, or -ENOMEM. */
int matcher_check(const struct matcher *matcher, struct slice text,
		  struct predicate_error *error);
/* One reference to the predicate of this text, made if need be. Returns 0,
 * -EINVAL, -EDQUOT at LIMIT_PREDICATES, -ENOMEM. */
int matcher_obtain(struct matcher *matcher, struct slice text,
		   struct predicate **out);
/* Borrowed, or NULL. */
struct predicate *matcher_find(const struct matcher *matcher,
			       struct slice text);
/* NULL does nothing. */
void matcher_release(struct matcher *matcher, struct predicate *predicate);

/* Does the message fit? predicate is one of the matcher's. When more has been
 * looked at for it than LIMIT_MATCH_WORK allows, what has not been compared does
 * not fit; the log tells, once a minute. */
bool matcher_holds(struct matcher *matcher, struct predicate *predicate,
		   struct publish *p);

struct matcher_counts {
	size_t predicates;
	uint64_t evaluated;
	uint64_t parsed; /* payloads */
	uint64_t cut_short; /* messages that were not compared with all */
};

struct matcher_counts matcher_counts(const struct matcher *matcher);

#endif

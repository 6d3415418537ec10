/*
 * Of the answer for one topic, the sessions that have a predicate among their
 * subscriptions to it, or overlapping ones of which not all are No Local: who of
 * them gets a message, and how, shows only with the message. They stand apart from the others, which so cost what they always did.
 *
 * Broker thread only.
 */
#ifndef BROKER_ROUTING_TOPIC_CONDITIONAL_H
#define BROKER_ROUTING_TOPIC_CONDITIONAL_H

#include "broker/routing/topic_cache.h"
#include "broker/wire/properties.h"

/* One encoded Subscription Identifier: the property's number and a varint. */
#define TOPIC_IDENTIFIER_SIZE 5
#define TOPIC_IDENTIFIERS_SIZE \
	(PROPERTIES_SUBSCRIPTION_IDS_MAX * TOPIC_IDENTIFIER_SIZE)

struct matcher;
struct publish;
struct subscription;

/* One subscription of a session to the topic. */
struct topic_option {
	struct predicate *predicate; /* borrowed; NULL: every message */
	uint32_t identifier;
	uint32_t next; /* of the same session; UINT32_MAX: the last */
	uint8_t options;
};

struct topic_conditional {
	struct session *session; /* may read the topic */
	uint32_t first; /* option */
	bool predicate; /* some option has one */
	bool no_local; /* some option does not take the session's own */
	bool local; /* some option does */
};

/* Does it show only with the message which options count? */
static inline bool topic_conditional_depends(const struct topic_conditional *c)
{
	return c->predicate || (c->no_local && c->local);
}

struct topic_conditionals {
	struct topic_conditional *sessions;
	uint32_t count;
	uint32_t cap;
	struct topic_option *options;
	uint32_t option_count;
	uint32_t option_cap;
};

/* Add a session without options. *all is made with the first one. Returns 0 or
 * -ENOMEM. */
int topic_conditionals_add(struct topic_conditionals **all,
			   struct session *session);
/* Add an option to the session at this place. Returns 0 or -ENOMEM. */
int topic_conditionals_option(struct topic_conditionals *all, uint32_t at,
			      const struct subscription *subscription);
void topic_conditionals_free(struct topic_conditionals *all);

/* What the session at this place gets of p; false: nothing. Its identifiers are
 * in buffer. */
bool topic_conditionals_resolve(const struct topic_conditionals *all,
				uint32_t at, struct matcher *matcher,
				struct publish *p,
				uint8_t buffer[TOPIC_IDENTIFIERS_SIZE],
				struct topic_target *out);

/* Overlapping subscriptions are merged [MQTT-3.3.5-1]: add one with these options
 * to a target that began with no_local true. */
void topic_target_merge(struct topic_target *target, uint8_t options);
/* Write an identifier behind len bytes of others; more than there is place for
 * are left out, 0 is none. Returns the new length. */
uint16_t topic_identifier_put(uint8_t *identifiers, uint16_t len,
			      uint32_t identifier);

#endif

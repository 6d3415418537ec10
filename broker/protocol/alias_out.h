/*
 * Topic aliases that the broker gives towards one client (3.3.2.3.4): a client
 * that allows some is sent a number instead of a topic that it has been sent
 * before.
 *
 * Each topic has one place, by its hash; a place is an alias. The first topic
 * takes it. Later it goes to one that is sent twice without another one for the
 * same place in between, so topics sent once do not push out busy ones.
 *
 * A mapping holds for a network connection and in the order of its bytes: learn
 * only what has been appended to its output.
 *
 * Broker thread only.
 */
#ifndef BROKER_PROTOCOL_ALIAS_OUT_H
#define BROKER_PROTOCOL_ALIAS_OUT_H

#include "broker/base/slice.h"

/* A shorter topic is no longer than the property. */
#define ALIAS_OUT_TOPIC_MIN 6

struct alias_out;

struct alias_choice {
	uint16_t alias; /* 0: none, send the topic alone */
	bool known; /* the client knows what it stands for: send it alone */
};

/* max: how many the client allows, 1..LIMIT_TOPIC_ALIASES_SENT. Returns NULL when
 * out of memory. */
struct alias_out *alias_out_new(uint16_t max);
/* NULL does nothing. */
void alias_out_free(struct alias_out *table);

/* How to send a PUBLISH of this topic, which counts as sent once more. */
struct alias_choice alias_out_choose(struct alias_out *table,
				     struct slice topic);
/* A PUBLISH with both alias and topic has been appended. Without memory it is not
 * used, which is what the client need not know. */
void alias_out_learn(struct alias_out *table, uint16_t alias,
		     struct slice topic);

#endif

/*
 * The last retained message of each topic (MQTT 5.0, section 3.3.1.3). Bounded
 * by number and bytes. Expired ones are not given out, and swept.
 *
 * Broker thread only. Knows no store.
 */
#ifndef BROKER_ROUTING_RETAINED_H
#define BROKER_ROUTING_RETAINED_H

#include "broker/message.h"

struct retained;

struct retained *retained_new(void);
void retained_free(struct retained *retained);

/* Other limits than LIMIT_RETAINED and LIMIT_RETAINED_BYTES; what is there stays. */
void retained_limit(struct retained *retained, size_t messages, size_t bytes);
/* Replace the topic's message; a reference is taken. Returns 0, -ENOMEM, or
 * -EDQUOT at a limit: the old one stays. */
int retained_set(struct retained *retained, struct message *message);
/* Returns 0 or -ENOENT. */
int retained_remove(struct retained *retained, struct slice topic);
/* Expired or not. */
bool retained_holds(const struct retained *retained, struct slice topic);
/* Borrowed, or NULL. now: clock_ms(), for expiry. */
struct message *retained_get(const struct retained *retained,
			     struct slice topic, uint64_t now);

/* Call fn for each that matches filter, the topic first that was so
 * longest; a negative return ends the
 * walk and is returned. fn must not change the set. */
typedef int retained_fn(struct message *message, void *arg);
int retained_match(const struct retained *retained, struct slice filter,
		   uint64_t now, retained_fn *fn, void *arg);

/* Drop one expired message and return it with its reference, or NULL when there
 * is none: the caller tells the store. */
struct message *retained_sweep(struct retained *retained, uint64_t now);

size_t retained_count(const struct retained *retained);
size_t retained_bytes(const struct retained *retained);

#endif

/*
 * From one publish to everybody who gets it: access rules, retained message,
 * history, every matching session.
 *
 * Broker thread only.
 */
#ifndef BROKER_ROUTING_ROUTER_H
#define BROKER_ROUTING_ROUTER_H

#include "broker/access.h"
#include "broker/routing/publish.h"

struct connection;
struct session;
struct topic_entry;
struct subscription;

/* The cached answers for a topic; NULL when out of memory. Valid until the next
 * call of the router. */
struct topic_entry *router_topic(struct broker *broker, struct slice topic);

/* The same for a client that publishes: most publish to one topic again and again.
 * If topic is, by address, what router_known_topic() gave, it is not looked up. */
struct topic_entry *router_topic_of(struct connection *c, struct slice topic);
/* The topic it published to last, or empty. Valid as long. */
struct slice router_known_topic(struct connection *c);

/* May the session publish to the topic? Remembered for each session. */
struct access_verdict router_may_write(struct session *session,
				       const struct topic_entry *entry);

/*
 * Route p, whose topic is entry's. p->ticket and p->matched are set. Returns 0;
 * -EDQUOT when a retained message was refused by a limit; -ENOMEM when some
 * receiver or the store could not be served: then it must not be acknowledged.
 */
int router_publish(struct broker *broker, struct publish *p,
		   const struct topic_entry *entry);

/* The same for what the broker itself publishes for a session: a will. Rules
 * are asked; a refusal is logged. */
void router_publish_will(struct session *session);
/* The same for one whose client has not come back since the hub died. Its time is
 * set; the reference stays the caller's. */
void router_publish_legacy(struct broker *broker, struct message *will);

/* Send the session the retained messages that a new subscription asks for; filter
 * is as it was subscribed to. */
int router_send_retained(struct session *session, struct slice filter,
			 uint8_t options, uint32_t identifier);

#endif

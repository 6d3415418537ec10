/*
 * How much a turn of the loop may look for new subscriptions among what is
 * retained: one with wildcards is compared with all of it. What is more than
 * LIMIT_REPLAY_WORK, of one SUBSCRIBE or of all that came in the turn, goes on in
 * the next one, when others have been served. A filter is subscribed to and its
 * retained messages are sent in the same turn, so what is live never comes before
 * them.
 *
 * Broker thread only.
 */
#ifndef BROKER_PROTOCOL_PORTION_H
#define BROKER_PROTOCOL_PORTION_H

#include "broker/wire/subscribe.h"

struct broker;
struct connection;

/* May one more filter be taken in this turn? If so it is counted. matched: it has a
 * predicate beside it. */
bool portion_more(struct broker *broker, const struct mqtt_subscription *entry,
		  bool matched);
/* The packet at hand is read again in the next turn, and nothing behind it before
 * that. */
void portion_wait(struct connection *connection);
/* At the end of a turn: those that wait go on. */
void portion_resume(struct broker *broker);

#endif

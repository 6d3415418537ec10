/*
 * Retained values that are replaced again at once. The first update of a topic is
 * written at once; those that come within broker_options.max_delay of the one
 * before wait until that time is over, and then only the last of each topic is
 * written. Every publisher gets its PUBACK when the commit is there that has its
 * value or a later one (struct gated, message).
 *
 * Only for publishes at QoS 1 that are answered through a gate: at QoS 2 the
 * identifier must not be on disk before the value.
 *
 * Broker thread only.
 */
#ifndef BROKER_ROUTING_RETAIN_HOLD_H
#define BROKER_ROUTING_RETAIN_HOLD_H

#include <stdbool.h>

struct broker;
struct message;
struct publish;

void retain_hold_init(struct broker *broker);
/* What still waits is not written. */
void retain_hold_free(struct broker *broker);

/* May the publish, which has its message and has not replaced the value before it
 * yet, wait? */
bool retain_hold_may(const struct broker *broker, const struct publish *p);
/* The topic's value is now this one, not written yet. Returns 0 or -ENOMEM: it is
 * to be written at once. */
int retain_hold_add(struct broker *broker, struct message *message);
/* Write what waits now. What there is no memory for is tried again a little
 * later. */
void retain_hold_write(struct broker *broker);

#endif

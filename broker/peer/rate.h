/*
 * How many messages and bytes a second one client may send: a bucket that holds
 * one second's worth. Who is over it is not read until there is room again, so
 * that TCP holds it back and nothing is lost; said in the log once a minute.
 *
 * Broker thread only. Nothing is looked at while no rate is set (broker->rated).
 */
#ifndef BROKER_PEER_RATE_H
#define BROKER_PEER_RATE_H

#include <stdbool.h>
#include <stddef.h>

struct broker;
struct connection;
struct rate;

/* After the options have changed. */
void rate_configure(struct broker *broker);

/* Must it wait? Then it has been paused, and will be resumed. */
bool rate_holds(struct connection *c);
/* A packet of so many bytes has been taken from it. */
void rate_take(struct connection *c, size_t bytes, bool message);

/* NULL does nothing. */
void rate_free(struct rate *rate);

#endif

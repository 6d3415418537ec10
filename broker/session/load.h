/*
 * Take over what the store kept: sessions, subscriptions, queues, retained
 * messages. Before the broker thread runs.
 */
#ifndef BROKER_SESSION_LOAD_H
#define BROKER_SESSION_LOAD_H

struct broker;

/* Returns 0 or a negative errno. */
int load_store(struct broker *broker);

#endif

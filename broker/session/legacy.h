/*
 * Wills that were in the store when the hub started: it died, or was stopped while
 * one was delayed, and their clients were connected to it no longer. Each is
 * published when its client has not come back within LIMIT_WILL_GRACE seconds and
 * its delay: most clients are back sooner, and nobody need be told that they were
 * away because the hub was.
 *
 * Broker thread only.
 */
#ifndef BROKER_SESSION_LEGACY_H
#define BROKER_SESSION_LEGACY_H

struct broker;
struct session;
struct store_will;

/* Returns 0 or -ENOMEM. */
int legacy_init(struct broker *broker);
void legacy_free(struct broker *broker);

/* As loaded; its message's reference is taken. Returns 0 or -ENOMEM. */
int legacy_add(struct broker *broker, const struct store_will *will);
/* The session's client is here: what was to be said of it is void. Before its new
 * will is saved. */
void legacy_cancel(struct broker *broker, const struct session *session);

#endif

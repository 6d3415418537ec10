/*
 * A session's will in the store, so that it is published even when the hub itself
 * dies, and the client with it or while the hub is away. Nobody waits for it to be
 * on disk: a client that comes and goes within seconds is never written.
 *
 * Broker thread only.
 */
#ifndef BROKER_SESSION_WILL_ROW_H
#define BROKER_SESSION_WILL_ROW_H

struct session;

/* The session has got its will, another, or none. Without memory for the row the
 * will is as good as it was without one: for as long as the hub lives. */
void will_row_save(struct session *session);
/* It was published, or is not wanted any more. */
void will_row_remove(struct session *session);

#endif

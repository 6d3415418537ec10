/*
 * What waits for one session, against its limits (limits.h: queue_messages,
 * queue_bytes, queue_bytes_total). Whoever brings a message asks for room first;
 * what may go to make some, in this order:
 *
 * 1. the oldest messages at QoS 0;
 * 2. with full_queue = drop-oldest, for a client that is away, the oldest at
 *    QoS 1 and 2 of which nothing was sent yet;
 * 3. then those at QoS 1 that were sent and not acknowledged: it may well have
 *    them. What it began at QoS 2 stays, or the next message of that identifier
 *    would be taken for a repetition.
 *
 * Retained messages on their way to a new subscription are neither counted nor
 * dropped: they have a limit of their own.
 *
 * A session whose queue is more than half full is crowded; only these are looked
 * at closely, see admission.h.
 *
 * Broker thread only.
 */
#ifndef BROKER_SESSION_BACKLOG_H
#define BROKER_SESSION_BACKLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct broker;
struct session;

/* Would a message of this size fit, if backlog_make_room() dropped what it may?
 * Into an empty queue fits any. */
bool backlog_takes(const struct session *session, size_t size, uint8_t qos);

/* Drop what has to go. Returns if there is room now. */
bool backlog_make_room(struct session *session, size_t size, uint8_t qos);

/* A message of QoS 1 or 2 found no room. what becomes of it goes to the log, once
 * until the queue is half empty. */
void backlog_tell(struct session *session, const char *what);

/* Count a message that found no room; a publish that failed by that. */
void backlog_lost(struct session *session);
void backlog_refused(struct session *session);
/* How many were lost since this was asked last; both counters begin anew. */
uint32_t backlog_take_dropped(struct session *session);

/* The queue has grown; a slot of it has gone or moved into the window. */
void backlog_grew(struct session *session);
void backlog_shrank(struct session *session);
/* Something is played back to the session: what comes meanwhile waits behind it,
 * and the queue may be longer until that has gone. */
void backlog_extend(struct session *session);
/* Nothing is any more. */
void backlog_contract(struct session *session);
/* What is before the queue moves: it does not stand still. */
void backlog_moved(struct session *session);
/* The session's client or the session itself is gone: whoever waited for it has
 * to ask again. */
void backlog_left(struct session *session);

/* The limits have changed. */
void backlog_configure(struct broker *broker);

/* Milliseconds since a crowded session's queue moved. */
uint64_t backlog_stuck_for(const struct session *session);

#endif

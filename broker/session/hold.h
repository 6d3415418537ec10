/*
 * Rows that wait before they are written: of QoS 1 messages for a durable session
 * whose client is connected and may well acknowledge them first. Then nothing is
 * written at all; the publisher gets its PUBACK when each such client has
 * acknowledged, or its row is on disk. After broker_options.max_delay, or when the
 * client goes, the row is written, in order with the others.
 *
 * Only for publishes that are answered through a gate, which is what waits
 * (struct gated, message). Broker thread only.
 */
#ifndef BROKER_SESSION_HOLD_H
#define BROKER_SESSION_HOLD_H

#include <stdbool.h>
#include <stdint.h>

struct broker;
struct message;
struct outgoing;
struct session;

void hold_init(struct broker *broker);

/* The newest slot of the outbox is not written yet. Returns 0 or -ENOMEM: then it
 * is to be written at once. */
int hold_add(struct session *session);
/* Slot is acknowledged or given up: not to be written any more. */
void hold_release(struct session *session, struct outgoing *slot);
/* Write what waits now. Without memory it is tried again a little later. */
void hold_write(struct session *session);
void hold_write_all(struct broker *broker);
/* The session ends: nothing of it is to be written. */
void hold_forget(struct session *session);

/* Rows of all sessions that wait. */
uint64_t hold_count(struct broker *broker);

/* Each client that a message waited for has it, or its row is on disk. */
bool hold_over(const struct message *message, uint64_t committed);

#endif

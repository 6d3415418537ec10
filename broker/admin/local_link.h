/*
 * The broker thread's half of local clients (local_client.h).
 */
#ifndef BROKER_ADMIN_LOCAL_LINK_H
#define BROKER_ADMIN_LOCAL_LINK_H

#include "broker/routing/publish.h"

struct broker;

/* Put the message into the client's mailbox. Returns 0 or -ENOMEM. */
int local_link_deliver(struct session *session, struct publish *p, bool retain);

/* Batches up to broker->committed are on disk: answer publishes that waited. */
void local_link_committed(struct broker *broker);

#endif

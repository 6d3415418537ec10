/*
 * The house has another hub: hearth.conf, server_reference. Clients are told so,
 * and where it is, when they connect and when the file is read anew; those on
 * this machine (listeners with a user) and the dashboard go on.
 *
 * Broker thread only.
 */
#ifndef BROKER_PEER_MOVED_H
#define BROKER_PEER_MOVED_H

#include "broker/peer/connection.h"

/* Is this client one of those? Then with what reason: MQTT_SERVER_MOVED or
 * MQTT_USE_ANOTHER_SERVER. The reference goes with it (reply.h). */
bool moved(const struct connection *c, enum mqtt_reason *reason);

/* Disconnect them all. */
void moved_sweep(struct broker *broker);

#endif

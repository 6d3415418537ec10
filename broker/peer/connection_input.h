/*
 * What a connection reads: from its transport into the broker's buffer, the packets
 * to protocol.h, a torn tail kept for the next time. Pausing and going on are
 * connection.h's; here is what only connection.c needs.
 *
 * Broker thread only.
 */
#ifndef BROKER_PEER_CONNECTION_INPUT_H
#define BROKER_PEER_CONNECTION_INPUT_H

#include "broker/peer/connection.h"

/* Of its socket, for the loop. May free the connection when it lingers. */
void connection_on_event(struct loop_source *source, uint32_t events);
/* State, output or pause have changed: tell the loop what to wait for. */
void connection_update_events(struct connection *c);
/* Nothing more is read: the tail goes, and its place among those of unknown peers. */
void connection_drop_input(struct connection *c);

#endif

/*
 * What packets mean: one function for each packet type, and the connection's
 * state machine. Bytes come in by protocol_input(); everything that goes out goes
 * through connection.h.
 *
 * Broker thread only.
 */
#ifndef BROKER_PROTOCOL_PROTOCOL_H
#define BROKER_PROTOCOL_PROTOCOL_H

#include "broker/peer/connection.h"
#include "broker/wire/connect.h"

struct authenticator_request;

/* Handle the whole packets at the front. Returns the number of bytes used; what
 * is left is a torn packet, or waits because the connection is paused. The
 * connection may be closing afterwards. */
size_t protocol_input(struct connection *c, const uint8_t *data, size_t len);

/* The packet types, by file. body has passed framing. */
void protocol_connect(struct connection *c, struct slice body);
void protocol_auth_result(struct connection *c, bool right);
/* The hasher's answer has been used: it is freed, or goes on to who keeps the SCRAM
 * keys in it. */
void protocol_auth_done(struct broker *broker,
			struct authenticator_request *request);
/* CONNACK has been committed (or needs no commit). */
void protocol_accepted(struct connection *c);
void protocol_publish(struct connection *c, const struct frame *frame);
void protocol_ack(struct connection *c, const struct frame *frame);
void protocol_subscribe(struct connection *c, const struct frame *frame);
void protocol_unsubscribe(struct connection *c, const struct frame *frame);
void protocol_disconnect(struct connection *c, const struct frame *frame);
void protocol_auth(struct connection *c, const struct frame *frame);
/* Any packet while EXCHANGING. */
void protocol_exchange(struct connection *c, const struct frame *frame);

/* Is the broker set to take this QoS, and retained messages, from it? Returns
 * MQTT_SUCCESS, MQTT_QOS_NOT_SUPPORTED or MQTT_RETAIN_NOT_SUPPORTED. */
enum mqtt_reason protocol_may_send(const struct connection *c, uint8_t qos,
				   bool retain);

void alias_table_free(struct alias_table *table);

#endif

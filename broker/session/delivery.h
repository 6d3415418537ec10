/*
 * From a routed message to one session: straight to its socket, or into its
 * outbox and, for a durable session, the store; and on from the outbox to the
 * socket as the window, the socket and the disk allow.
 *
 * Broker thread only.
 */
#ifndef BROKER_SESSION_DELIVERY_H
#define BROKER_SESSION_DELIVERY_H

#include "broker/routing/publish.h"
#include "broker/wire/publish.h"

struct session;

struct delivery {
	struct slice identifiers; /* encoded Subscription Identifiers */
	uint32_t share; /* id of the share_group it goes through; 0 none */
	uint8_t qos; /* granted and published, the lower */
	bool retain; /* the RETAIN flag to send */
	bool replay; /* a retained message for a new subscription: waits for room
		      * in the output whatever its QoS */
};

/* Returns 0 or -ENOMEM: then the publish must not be acknowledged. */
int delivery_send(struct session *session, struct publish *p,
		  const struct delivery *delivery);

/* Send what can be sent from the outbox. */
void delivery_pump(struct session *session);

/* The client's acknowledgements. Return MQTT_SUCCESS, or
 * MQTT_PACKET_IDENTIFIER_NOT_FOUND, or MQTT_PROTOCOL_ERROR for the wrong kind. */
enum mqtt_reason delivery_puback(struct session *session, uint16_t packet_id);
enum mqtt_reason delivery_pubrec(struct session *session,
				 const struct mqtt_ack *ack);
enum mqtt_reason delivery_pubcomp(struct session *session, uint16_t packet_id);

/* Slot i of the outbox goes to disk, the payload with the first. Returns 0 or
 * -ENOMEM; broker_ticket() is the caller's. */
int delivery_store(struct session *session, uint32_t i);

/* Slot i of the outbox is over: its rows go, too. */
void delivery_finish(struct session *session, uint32_t i);

#endif

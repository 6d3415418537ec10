/*
 * Answers that may say why, in the Reason String of 5.0: CONNACK, DISCONNECT,
 * SUBACK and UNSUBACK, PUBACK and PUBREC; and AUTH.
 *
 * why is a sentence for whoever looks after the client, in UTF-8; it is cut at
 * LIMIT_REASON_STRING bytes. It may always be given: it is left out before 5.0,
 * for a client that asked for none (Request Problem Information 0; although
 * CONNACK and DISCONNECT could still carry it [MQTT-3.1.2-29]), and where the
 * packet would grow larger than the client takes. NULL or "" says nothing.
 *
 * Broker thread only.
 */
#ifndef BROKER_PROTOCOL_REPLY_H
#define BROKER_PROTOCOL_REPLY_H

#include "broker/peer/connection.h"
#include "broker/wire/properties.h"

/* Put why among the properties, if it may be. why must outlive them. */
void reply_say(const struct connection *c, struct mqtt_properties *p,
	       const char *why);
/* What has been written is more than the client takes: the word goes, then the
 * reference, and the caller writes once more [MQTT-3.2.2-19, 3.4.2-2, 3.9.2-1,
 * 3.14.2-3 ...]. */
bool reply_too_large(const struct connection *c, struct writer *w,
		     struct mqtt_properties *p);

/* Refuse a CONNECT; the caller closes. Before 5.0 there is no code for malformed
 * packets: such a connection just ends (3.1.1, 4.8). */
void reply_connack(struct connection *c, enum mqtt_reason reason,
		   const char *why);

/* To 5.0 clients, for reasons from 0x80 on. */
void reply_disconnect(struct connection *c, enum mqtt_reason reason,
		      const char *why);

/* connection_ack() with a word: for refusals. Returns what it returns. */
int reply_ack(struct connection *c, enum mqtt_packet_type type,
	      uint16_t packet_id, enum mqtt_reason reason, const char *why,
	      uint64_t ticket);

/* AUTH of a method: 0x18, or 0x00 at the end of a re-authentication. It refuses
 * nothing, so it never says why. Empty data is left out. Returns 0 or -ENOMEM. */
int reply_auth(struct connection *c, enum mqtt_reason reason,
	       const char *method, struct slice data);

/* SUBACK or UNSUBACK when ticket has been committed; reasons are one byte for
 * each entry of the request, why is for the first that was refused. Returns 0,
 * -ENOMEM, -ENOBUFS. */
int reply_suback(struct connection *c, enum mqtt_packet_type type,
		 uint16_t packet_id, struct slice reasons, const char *why,
		 uint64_t ticket);

#endif

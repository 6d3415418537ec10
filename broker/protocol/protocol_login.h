/*
 * What the files that answer a CONNECT share: who is it (protocol_connect.c), by
 * a password (protocol_login.c) or by a proof (protocol_auth.c), and then the
 * session and CONNACK (protocol_accept.c). Nobody else includes this.
 *
 * Broker thread only.
 */
#ifndef BROKER_PROTOCOL_PROTOCOL_LOGIN_H
#define BROKER_PROTOCOL_PROTOCOL_LOGIN_H

#include "broker/peer/connection.h"
#include "broker/wire/connect.h"

/* Refuse with CONNACK, then close. */
void protocol_refuse(struct connection *c, enum mqtt_reason reason,
		     const char *why);

/* Hand the password to the hasher; body, the CONNECT, is kept until it answers
 * to protocol_auth_result(). */
void protocol_ask_hasher(struct connection *c,
			 const struct mqtt_connect *packet, struct slice body);

/* The CONNECT names an Authentication Method: answer by AUTH, or refuse. */
void protocol_begin_exchange(struct connection *c,
			     const struct mqtt_connect *packet,
			     struct slice body);

/* Whoever it is has shown to be user. */
void protocol_let_in(struct connection *c, const struct mqtt_connect *packet,
		     const char *user);

/* Find or make the session, say CONNACK. */
void protocol_open_session(struct connection *c,
			   const struct mqtt_connect *packet, const char *user,
			   const char *client_id);

#endif

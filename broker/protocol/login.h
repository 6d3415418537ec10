/*
 * What a connection needs until it is known who it is: a copy of its CONNECT, and
 * a number by which the hasher's answer finds it.
 *
 * Broker thread only.
 */
#ifndef BROKER_PROTOCOL_LOGIN_H
#define BROKER_PROTOCOL_LOGIN_H

#include "broker/base/buffer.h"
#include "broker/base/hash.h"

struct connection;

struct login {
	struct hash_node by_serial; /* while AUTHENTICATING */
	struct connection *connection;
	uint64_t serial; /* no other login had it */
	struct buffer connect; /* CONNECT's body */
};

/* Keep a copy of the CONNECT. Returns 0 or -ENOMEM. */
int login_begin(struct connection *c, struct slice connect);
/* Harmless when there is none. */
void login_end(struct connection *c);

#endif

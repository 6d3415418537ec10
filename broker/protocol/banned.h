/*
 * Where bans take hold: when a peer is accepted, when it says who it is, and when
 * a ban is made while it is connected.
 *
 * Broker thread only.
 */
#ifndef BROKER_PROTOCOL_BANNED_H
#define BROKER_PROTOCOL_BANNED_H

#include "broker/base/slice.h"

struct broker;
struct connection;

#define BANNED_SIZE 256 /* "banned: " and the reason */

/* Whether a peer's address is banned; said in the log now and then. */
bool banned_address(struct broker *broker, const char *address);

/* Whether address, client identifier or user of who wants to connect is; why is
 * for the log. */
bool banned(struct connection *c, struct slice client_id, struct slice user,
	    char why[BANNED_SIZE]);

/* The table has changed: disconnect whom it means. */
void banned_sweep(struct broker *broker);

#endif

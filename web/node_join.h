/*
 * The text by which a satellite joins: what gpio/join.h reads. With it goes the
 * certificate that the hub is known by: the last of the chain that it shows, if
 * that has signed itself or is the only one. One that the world trusts is renewed
 * under other authorities; then the satellite is told to believe whom its system
 * does.
 */
#ifndef WEB_NODE_JOIN_H
#define WEB_NODE_JOIN_H

#include <stdbool.h>
#include <stdint.h>

/* Bytes of an address: a name of the DNS, and what stands around it. */
#define NODE_JOIN_HUB_MAX 300

/* Certificates in the file of a listener. */
#define NODE_JOIN_CHAIN_MAX 10

struct node_join {
	const char *hub; /* node_join_hub_valid() */
	const char *node;
	const char *user;
	const char *password;
	const char *certificate; /* PEM file, chain included */
};

/* "mqtts://" and a host, with a port or without: nothing that would be another line
 * of the file. */
bool node_join_hub_valid(const char *hub);

/* The address at which whoever sent this Host ("hearth.local:8443") finds the hub's
 * MQTT over TLS. False: it does not fit, or says nothing to anybody else
 * (localhost). */
bool node_join_hub(const char *host, uint16_t port,
		   char out[NODE_JOIN_HUB_MAX + 1]);

/* To be wiped and freed by the caller. NULL with errno set: ENOMEM; EINVAL: the
 * certificate cannot be read. */
char *node_join_text(const struct node_join *join);

#endif

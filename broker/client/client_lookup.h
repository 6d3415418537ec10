/*
 * A server's name looked up by a thread of its own: the resolver may wait for
 * seconds, and the loop must not. There is no way to interrupt it, so a lookup
 * that nobody wants any more ends by itself.
 */
#ifndef BROKER_CLIENT_CLIENT_LOOKUP_H
#define BROKER_CLIENT_CLIENT_LOOKUP_H

#include "broker/client/client_address.h"

/* Addresses of a name that are tried; a house's hub has one of each family. */
#define CLIENT_LOOKUP_MAX 8u

struct client_lookup;

/* Begin to look address->host up. Returns 0, -ENOMEM, or what a descriptor or a
 * thread could not be had for. */
int client_lookup_start(const struct client_address *address,
			struct client_lookup **out);
/* Does not wait. NULL is accepted. */
void client_lookup_free(struct client_lookup *lookup);

/* Readable as soon as the lookup is done. */
int client_lookup_fd(const struct client_lookup *lookup);

/*
 * Put one of the addresses found, the turn-th and around again, into *address.
 * Returns 0; -EAGAIN: not done yet; -EHOSTUNREACH: there is none of this name,
 * or nobody who knows.
 */
int client_lookup_take(const struct client_lookup *lookup, unsigned int turn,
		       struct client_address *address);

#endif

/* Where a client connects to, from text. A name is only taken down here:
 * client_lookup.h finds its addresses. */
#ifndef BROKER_CLIENT_CLIENT_ADDRESS_H
#define BROKER_CLIENT_CLIENT_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

/* A name in the DNS (RFC 1035), with its NUL; more than any IPv6 address with
 * its zone. */
#define CLIENT_HOST_SIZE 254
#define CLIENT_PORT_SIZE 6

struct client_address {
	struct sockaddr_storage storage;
	socklen_t len; /* 0: a name that has to be looked up */
	bool tls;
	char host[CLIENT_HOST_SIZE]; /* without brackets; "": a unix socket */
	char port[CLIENT_PORT_SIZE];
};

/* As client_options.address says. Returns 0 or -EINVAL. */
int client_address_parse(const char *text, struct client_address *out);

#endif

/* Where a client connects to, from text. No names are looked up. */
#ifndef BROKER_CLIENT_CLIENT_ADDRESS_H
#define BROKER_CLIENT_CLIENT_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

struct client_address {
	struct sockaddr_storage storage;
	socklen_t len;
};

/* As client_options.address says. Returns 0 or -EINVAL. */
int client_address_parse(const char *text, struct client_address *out);

#endif

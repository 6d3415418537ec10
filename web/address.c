#include "web/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

/* Returns false for an IPv6 address that is no mapped IPv4 one. */
static bool as_ipv4(const struct sockaddr *address, struct in_addr *out,
		    in_port_t *port)
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	if (address->sa_family == AF_INET) {
		memcpy(&in, address, sizeof(in));
		*out = in.sin_addr;
		*port = in.sin_port;
		return true;
	}
	memcpy(&in6, address, sizeof(in6));
	*port = in6.sin6_port;
	if (!IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr))
		return false;
	memcpy(out, &in6.sin6_addr.s6_addr[12], sizeof(*out));
	return true;
}

static struct in6_addr as_ipv6(const struct sockaddr *address)
{
	struct sockaddr_in6 in6;

	memcpy(&in6, address, sizeof(in6));
	return in6.sin6_addr;
}

static bool known_family(const struct sockaddr *address)
{
	return address->sa_family == AF_INET || address->sa_family == AF_INET6;
}

void address_text(const struct sockaddr *address, char out[ADDRESS_TEXT_SIZE])
{
	char host[INET6_ADDRSTRLEN];
	struct in6_addr in6;
	struct in_addr in;
	in_port_t port;

	if (!known_family(address)) {
		snprintf(out, ADDRESS_TEXT_SIZE, "unknown");
	} else if (as_ipv4(address, &in, &port)) {
		inet_ntop(AF_INET, &in, host, sizeof(host));
		snprintf(out, ADDRESS_TEXT_SIZE, "%s:%u", host, ntohs(port));
	} else {
		in6 = as_ipv6(address);
		inet_ntop(AF_INET6, &in6, host, sizeof(host));
		snprintf(out, ADDRESS_TEXT_SIZE, "[%s]:%u", host, ntohs(port));
	}
}

void address_key(const struct sockaddr *address, char out[ADDRESS_KEY_SIZE])
{
	char host[INET6_ADDRSTRLEN];
	struct in6_addr in6;
	struct in_addr in;
	in_port_t port;

	if (!known_family(address)) {
		snprintf(out, ADDRESS_KEY_SIZE, "unknown");
	} else if (as_ipv4(address, &in, &port)) {
		inet_ntop(AF_INET, &in, host, sizeof(host));
		snprintf(out, ADDRESS_KEY_SIZE, "%s", host);
	} else {
		in6 = as_ipv6(address);
		memset(&in6.s6_addr[8], 0, 8);
		inet_ntop(AF_INET6, &in6, host, sizeof(host));
		snprintf(out, ADDRESS_KEY_SIZE, "%s/64", host);
	}
}

bool address_is_loopback(const struct sockaddr *address)
{
	struct in6_addr in6;
	struct in_addr in;
	in_port_t port;

	if (!known_family(address))
		return false;
	if (as_ipv4(address, &in, &port))
		return (ntohl(in.s_addr) >> 24) == 127;
	in6 = as_ipv6(address);
	return IN6_IS_ADDR_LOOPBACK(&in6);
}

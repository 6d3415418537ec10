/*
 * The header by which a proxy says for whom it has opened a connection: PROXY
 * protocol, versions 1 and 2 (HAProxy, nginx, Traefik ...). Strict: whatever could
 * be read in two ways is refused. Pure functions over bytes.
 */
#ifndef WIRE_PROXY_H
#define WIRE_PROXY_H

#include <stddef.h>
#include <stdint.h>

/* Bytes of a header of version 1 (section 2.1), and of version 2: addresses,
 * names, and what TLS says of a client's certificate. */
#define PROXY_V1_MAX 107
#define PROXY_HEADER_MAX 2048

enum proxy_family {
	PROXY_UNKNOWN, /* the proxy's own connection (a health check), or one
			* whose address it does not know */
	PROXY_IPV4,
	PROXY_IPV6,
};

struct proxy_header {
	enum proxy_family family;
	uint8_t address[16]; /* of the client; network order, 4 or 16 bytes */
	uint16_t port;
};

/*
 * What data begins with. Returns the header's length; 0 when it is not whole yet;
 * -EPROTO when it is none: a foreign beginning, a version or command there is not,
 * datagrams, an address or port not as the specification writes it, a checksum
 * that is wrong, fields that do not fill their length, more than
 * PROXY_HEADER_MAX.
 */
int proxy_parse(const uint8_t *data, size_t len, struct proxy_header *out);

#endif

/*
 * Networks and the addresses in them: "192.0.2.7", "192.0.2.0/24",
 * "2001:db8::/32". IPv4 is kept as IPv6 sees it (::ffff:0:0/96), so an IPv4
 * address seen through an IPv6 socket is that address. Any thread.
 */
#ifndef BASE_CIDR_H
#define BASE_CIDR_H

#include <stdbool.h>
#include <stdint.h>

struct cidr {
	uint8_t bytes[16]; /* 0 behind the prefix */
	uint8_t bits; /* of the prefix, 0..128 */
};

#define CIDR_TEXT_SIZE 52 /* IPv6 in full, "/128" and the NUL */

/* An address or a network; bits behind the prefix do not count. -EINVAL. */
int cidr_parse(const char *text, struct cidr *out);
/* One spelling for each network: what was parsed alike reads alike. */
void cidr_text(const struct cidr *cidr, char out[CIDR_TEXT_SIZE]);
/* The address of a peer as the log writes it, "192.0.2.7:49152" or
 * "[2001:db8::1]:49152". False for one without: "unix", "local". */
bool cidr_peer(const char *peer, struct cidr *out);

/* An IPv6 address becomes its network of so many bits; IPv4 stays as it is. */
void cidr_limit(struct cidr *cidr, uint8_t bits);

bool cidr_contains(const struct cidr *network, const struct cidr *address);
bool cidr_loopback(const struct cidr *address);

#endif

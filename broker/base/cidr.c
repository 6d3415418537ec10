#include "broker/base/cidr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define V4_BITS 96 /* of the prefix that IPv4 lives under */

static const uint8_t v4_prefix[12] = { [10] = 0xff, [11] = 0xff };

static bool is_v4(const struct cidr *cidr)
{
	return cidr->bits >= V4_BITS &&
	       memcmp(cidr->bytes, v4_prefix, sizeof(v4_prefix)) == 0;
}

static bool parse_address(const char *text, struct cidr *out)
{
	*out = (struct cidr){ .bits = 128 };
	if (inet_pton(AF_INET6, text, out->bytes) == 1)
		return true;
	memcpy(out->bytes, v4_prefix, sizeof(v4_prefix));
	return inet_pton(AF_INET, text, out->bytes + sizeof(v4_prefix)) == 1;
}

static void clear_behind(struct cidr *cidr)
{
	for (unsigned int i = cidr->bits; i < 128; i++)
		cidr->bytes[i / 8] &= (uint8_t)(0xff7fu >> (i % 8));
}

/* "24" and nothing else. */
static int prefix(const char *text, unsigned int max, unsigned int *out)
{
	size_t digits = strspn(text, "0123456789");

	if (digits < 1 || digits > 3 || text[digits])
		return -EINVAL;
	*out = (unsigned int)strtoul(text, NULL, 10);
	return *out <= max ? 0 : -EINVAL;
}

int cidr_parse(const char *text, struct cidr *out)
{
	size_t len = strcspn(text, "/");
	char address[INET6_ADDRSTRLEN];
	unsigned int bits;
	bool v4;

	if (len >= sizeof(address))
		return -EINVAL;
	memcpy(address, text, len);
	address[len] = '\0';
	if (!parse_address(address, out))
		return -EINVAL;
	if (!text[len])
		return 0;
	v4 = !strchr(address, ':');
	if (prefix(text + len + 1, v4 ? 32 : 128, &bits) < 0)
		return -EINVAL;
	out->bits = (uint8_t)(v4 ? bits + V4_BITS : bits);
	clear_behind(out);
	return 0;
}

void cidr_text(const struct cidr *cidr, char out[CIDR_TEXT_SIZE])
{
	const bool v4 = is_v4(cidr);
	char text[INET6_ADDRSTRLEN] = "?";

	if (v4)
		inet_ntop(AF_INET, cidr->bytes + sizeof(v4_prefix), text,
			  sizeof(text));
	else
		inet_ntop(AF_INET6, cidr->bytes, text, sizeof(text));
	if (cidr->bits == 128)
		snprintf(out, CIDR_TEXT_SIZE, "%s", text);
	else
		snprintf(out, CIDR_TEXT_SIZE, "%s/%d", text,
			 v4 ? cidr->bits - V4_BITS : cidr->bits);
}

bool cidr_peer(const char *peer, struct cidr *out)
{
	const char *begin = peer + (*peer == '[');
	const char *end = *peer == '[' ? strchr(peer, ']') : strrchr(peer, ':');
	char address[INET6_ADDRSTRLEN];
	size_t len;

	if (!end)
		return false;
	len = (size_t)(end - begin);
	if (len >= sizeof(address))
		return false;
	memcpy(address, begin, len);
	address[len] = '\0';
	/* A link-local address names its interface. */
	address[strcspn(address, "%")] = '\0';
	return parse_address(address, out);
}

void cidr_limit(struct cidr *cidr, uint8_t bits)
{
	if (is_v4(cidr) || cidr->bits <= bits)
		return;
	cidr->bits = bits;
	clear_behind(cidr);
}

bool cidr_contains(const struct cidr *network, const struct cidr *address)
{
	const unsigned int whole = network->bits / 8;
	const unsigned int rest = network->bits % 8;

	if (address->bits < network->bits ||
	    memcmp(network->bytes, address->bytes, whole) != 0)
		return false;
	return rest == 0 ||
	       (network->bytes[whole] ^ address->bytes[whole]) >> (8 - rest) ==
		       0;
}

bool cidr_loopback(const struct cidr *address)
{
	static const struct cidr v6 = { .bytes = { [15] = 1 }, .bits = 128 };

	if (is_v4(address))
		return address->bytes[12] == 127;
	return cidr_contains(&v6, address);
}

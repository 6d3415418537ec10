#include "broker/wire/proxy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "broker/base/slice.h"

#define V2_FIXED 16
#define V2_IPV4 12 /* two addresses, two ports */
#define V2_IPV6 36
#define V2_UNIX 216

#define TLV_CRC32C 0x03

static const uint8_t v2_signature[12] = { '\r', '\n', '\r', '\n', 0,   '\r',
					  '\n', 'Q',  'U',  'I',  'T', '\n' };

static uint16_t number(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

/* ---- version 1 ---------------------------------------------------------- */

static bool take_word(struct slice *rest, struct slice *word)
{
	const uint8_t *space = memchr(rest->data, ' ', rest->len);

	*word = *rest;
	if (space)
		word->len = (size_t)(space - rest->data);
	*rest = slice_of(rest->data + word->len + (space ? 1 : 0),
			 rest->len - word->len - (space ? 1 : 0));
	return word->len > 0;
}

static bool take_address(struct slice *rest, int family, uint8_t out[16])
{
	char text[INET6_ADDRSTRLEN];
	struct slice word;

	if (!take_word(rest, &word) || word.len >= sizeof(text) ||
	    memchr(word.data, '\0', word.len))
		return false;
	memcpy(text, word.data, word.len);
	text[word.len] = '\0';
	return inet_pton(family, text, out) == 1;
}

/* Decimal, without leading zeros. */
static bool take_port(struct slice *rest, uint16_t *out)
{
	uint32_t port = 0;
	struct slice word;

	if (!take_word(rest, &word) || word.len > 5 ||
	    (word.data[0] == '0' && word.len > 1))
		return false;
	for (size_t i = 0; i < word.len; i++) {
		if (word.data[i] < '0' || word.data[i] > '9')
			return false;
		port = port * 10 + (uint32_t)(word.data[i] - '0');
	}
	*out = (uint16_t)port;
	return port <= UINT16_MAX;
}

/* "TCP4 192.0.2.7 192.0.2.1 49152 1883", or "UNKNOWN" and anything. */
static int parse_line(struct slice line, struct proxy_header *out)
{
	uint8_t there[16];
	uint16_t there_port;
	struct slice word;
	int family;
	bool ends_open;

	take_word(&line, &word);
	if (slice_equal(word, slice_str("UNKNOWN")))
		return 0;
	if (slice_equal(word, slice_str("TCP4")))
		out->family = PROXY_IPV4;
	else if (slice_equal(word, slice_str("TCP6")))
		out->family = PROXY_IPV6;
	else
		return -EPROTO;
	family = out->family == PROXY_IPV4 ? AF_INET : AF_INET6;
	ends_open = line.len > 0 && line.data[line.len - 1] == ' ';
	if (ends_open || !take_address(&line, family, out->address) ||
	    !take_address(&line, family, there) ||
	    !take_port(&line, &out->port) || !take_port(&line, &there_port) ||
	    line.len > 0)
		return -EPROTO;
	return 0;
}

static int parse_v1(const uint8_t *data, size_t len, struct proxy_header *out)
{
	const size_t most = len < PROXY_V1_MAX ? len : PROXY_V1_MAX;
	const uint8_t *end = memmem(data, most, "\r\n", 2);
	int r;

	if (!end)
		return len < PROXY_V1_MAX ? 0 : -EPROTO;
	r = parse_line(slice_of(data + 6, (size_t)(end - data) - 6), out);
	return r < 0 ? r : (int)(end - data) + 2;
}

/* ---- version 2 ---------------------------------------------------------- */

/* Castagnoli's, bit by bit: headers are few and short. The four bytes at skip
 * count as zero. */
static uint32_t crc32c(const uint8_t *data, size_t len, size_t skip)
{
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < len; i++) {
		crc ^= i >= skip && i < skip + 4 ? 0 : data[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
	}
	return ~crc;
}

/* Fields behind the addresses: none is used, but they must be whole, and if one
 * is a checksum it must be right. */
static int check_fields(const uint8_t *data, size_t at, size_t end)
{
	while (at < end) {
		size_t size;

		if (end - at < 3)
			return -EPROTO;
		size = number(data + at + 1);
		if (size > end - at - 3)
			return -EPROTO;
		if (data[at] == TLV_CRC32C) {
			const uint8_t *sum = data + at + 3;

			if (size != 4 || crc32c(data, end, at + 3) !=
						 ((uint32_t)number(sum) << 16 |
						  number(sum + 2)))
				return -EPROTO;
		}
		at += 3 + size;
	}
	return 0;
}

/* Bytes of the addresses, or -EPROTO. */
static int take_addresses(const uint8_t *data, size_t len,
			  struct proxy_header *out)
{
	const uint8_t *at = data + V2_FIXED;

	switch (data[13]) {
	case 0x00: /* unspecified */
		return 0;
	case 0x11: /* TCP over IPv4 */
		if (len < V2_IPV4)
			return -EPROTO;
		out->family = PROXY_IPV4;
		memcpy(out->address, at, 4);
		out->port = number(at + 8);
		return V2_IPV4;
	case 0x21: /* TCP over IPv6 */
		if (len < V2_IPV6)
			return -EPROTO;
		out->family = PROXY_IPV6;
		memcpy(out->address, at, 16);
		out->port = number(at + 32);
		return V2_IPV6;
	case 0x31: /* a unix stream: nothing that could be shown */
		return len < V2_UNIX ? -EPROTO : V2_UNIX;
	default:
		return -EPROTO;
	}
}

static int parse_v2(const uint8_t *data, size_t len, struct proxy_header *out)
{
	const bool local = len > 12 && data[12] == 0x20;
	size_t size;
	int r;

	if (len > 12 && data[12] != 0x21 && !local)
		return -EPROTO;
	if (len < V2_FIXED)
		return 0;
	size = number(data + 14);
	if (size > PROXY_HEADER_MAX - V2_FIXED)
		return -EPROTO;
	if (len < V2_FIXED + size)
		return 0;
	/* What stands in a LOCAL one is to be passed over (section 2.2). */
	if (local)
		return (int)(V2_FIXED + size);
	r = take_addresses(data, size, out);
	if (r >= 0 &&
	    check_fields(data, V2_FIXED + (size_t)r, V2_FIXED + size) < 0)
		r = -EPROTO;
	return r < 0 ? r : (int)(V2_FIXED + size);
}

int proxy_parse(const uint8_t *data, size_t len, struct proxy_header *out)
{
	static const uint8_t v1_signature[6] = { 'P', 'R', 'O', 'X', 'Y', ' ' };
	struct proxy_header header = { .family = PROXY_UNKNOWN };
	const size_t six = len < 6 ? len : 6, twelve = len < 12 ? len : 12;
	int r = -EPROTO;

	if (len == 0)
		return 0;
	if (memcmp(data, v1_signature, six) == 0)
		r = len < 6 ? 0 : parse_v1(data, len, &header);
	else if (memcmp(data, v2_signature, twelve) == 0)
		r = len < 12 ? 0 : parse_v2(data, len, &header);
	if (r > 0)
		*out = header;
	return r;
}

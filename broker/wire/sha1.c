#include "broker/wire/sha1.h"

#include <assert.h>

#define BLOCK 64

static uint32_t rotate(uint32_t word, unsigned int bits)
{
	return word << bits | word >> (32 - bits);
}

static uint32_t load_big_endian(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 |
	       (uint32_t)at[2] << 8 | (uint32_t)at[3];
}

static void store_big_endian(uint8_t *at, uint32_t word)
{
	at[0] = (uint8_t)(word >> 24);
	at[1] = (uint8_t)(word >> 16);
	at[2] = (uint8_t)(word >> 8);
	at[3] = (uint8_t)word;
}

/* f(t) + K(t) of RFC 3174, section 5. */
static uint32_t mix(unsigned int t, uint32_t b, uint32_t c, uint32_t d)
{
	if (t < 20)
		return ((b & c) | (~b & d)) + 0x5a827999;
	if (t < 40)
		return (b ^ c ^ d) + 0x6ed9eba1;
	if (t < 60)
		return ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
	return (b ^ c ^ d) + 0xca62c1d6;
}

static void take_block(uint32_t h[5], const uint8_t *block)
{
	uint32_t a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];
	uint32_t w[80];
	unsigned int t;

	for (t = 0; t < 16; t++, block += 4)
		w[t] = load_big_endian(block);
	for (; t < 80; t++)
		w[t] = rotate(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1);

	for (t = 0; t < 80; t++) {
		uint32_t sum = rotate(a, 5) + mix(t, b, c, d) + e + w[t];

		e = d;
		d = c;
		c = rotate(b, 30);
		b = a;
		a = sum;
	}

	h[0] += a;
	h[1] += b;
	h[2] += c;
	h[3] += d;
	h[4] += e;
}

void sha1(struct slice text, uint8_t out[SHA1_SIZE])
{
	uint32_t h[5] = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476,
			  0xc3d2e1f0 };
	/* What is left, the bit 1, zeros, the length in bits: 1 or 2 blocks. */
	uint8_t tail[2 * BLOCK] = { 0 };
	size_t whole = text.len / BLOCK * BLOCK;
	size_t left = text.len - whole;
	size_t tail_len = left + 9 <= BLOCK ? BLOCK : 2 * BLOCK;
	size_t i;

	assert(text.len <= SHA1_TEXT_MAX);

	for (i = 0; i < whole; i += BLOCK)
		take_block(h, text.data + i);
	if (left > 0)
		memcpy(tail, text.data + whole, left);
	tail[left] = 0x80;
	store_big_endian(tail + tail_len - 4, (uint32_t)(text.len * 8));
	for (i = 0; i < tail_len; i += BLOCK)
		take_block(h, tail + i);

	for (i = 0; i < 5; i++)
		store_big_endian(out + 4 * i, h[i]);
}

#include "broker/wire/utf8.h"

#define ONES UINT64_C(0x0101010101010101)
#define TOPS UINT64_C(0x8080808080808080)

/* Are all eight bytes 0x01 to 0x7f? Taking 1 off each byte sets a top bit where
 * there was a 0; where the top bit was set already, it is not plain either. */
static bool plain_ascii(const uint8_t *at)
{
	uint64_t word;

	memcpy(&word, at, sizeof(word));
	return ((word | (word - ONES)) & TOPS) == 0;
}

static bool continues(uint8_t byte)
{
	return (byte & 0xc0) == 0x80;
}

/* Length of the character of two bytes and more at the front, 0 if it is not
 * well-formed: table 3-7 of the Unicode Standard, which leaves out overlong
 * forms, surrogates and all above U+10FFFF. */
static size_t long_character(const uint8_t *at, size_t left)
{
	uint8_t lead = at[0];
	uint8_t low = 0x80, high = 0xbf; /* bounds of the second byte */

	if (lead < 0xc2 || lead > 0xf4)
		return 0;
	if (lead < 0xe0)
		return left >= 2 && continues(at[1]) ? 2 : 0;

	if (lead == 0xe0)
		low = 0xa0; /* less fits two bytes */
	else if (lead == 0xed)
		high = 0x9f; /* more is U+D800 to U+DFFF */
	else if (lead == 0xf0)
		low = 0x90; /* less fits three bytes */
	else if (lead == 0xf4)
		high = 0x8f; /* more is above U+10FFFF */

	if (left < 3 || at[1] < low || at[1] > high || !continues(at[2]))
		return 0;
	if (lead < 0xf0)
		return 3;
	return left >= 4 && continues(at[3]) ? 4 : 0;
}

bool utf8_valid(struct slice text)
{
	const uint8_t *at = text.data;
	size_t left = text.len;

	while (left > 0) {
		size_t len = 1;

		if (left >= 8 && plain_ascii(at)) {
			at += 8;
			left -= 8;
			continue;
		}
		if (*at == 0)
			return false;
		if (*at >= 0x80)
			len = long_character(at, left);
		if (len == 0)
			return false;
		at += len;
		left -= len;
	}

	return true;
}

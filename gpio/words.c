#include "gpio/words.h"

#include <string.h>
#include <strings.h>

static bool is_space(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct slice words_trim(struct slice text)
{
	while (text.len > 0 && is_space(text.data[0])) {
		text.data++;
		text.len--;
	}
	while (text.len > 0 && is_space(text.data[text.len - 1]))
		text.len--;
	return text;
}

bool words_are(struct slice text, const char *word)
{
	return text.len == strlen(word) &&
	       (text.len == 0 ||
		strncasecmp((const char *)text.data, word, text.len) == 0);
}

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

bool words_number(struct slice argument, unsigned int max, unsigned int *out)
{
	unsigned int value = 0;

	if (argument.len < 1 || argument.len > 6)
		return false;
	for (size_t i = 0; i < argument.len; i++) {
		if (!is_digit(argument.data[i]))
			return false;
		value = value * 10 + (unsigned int)(argument.data[i] - '0');
	}
	*out = value;
	return value <= max;
}

unsigned int words_list(struct slice text, unsigned int max, unsigned int *out,
			unsigned int most)
{
	unsigned int count = 0;

	for (;;) {
		const uint8_t *end =
			text.len ? memchr(text.data, ',', text.len) : NULL;
		size_t len = end ? (size_t)(end - text.data) : text.len;

		if (count == most ||
		    !words_number(words_trim(slice_of(text.data, len)), max,
				  &out[count]))
			return 0;
		count++;
		if (!end)
			return count;
		text = slice_of(text.data + len + 1, text.len - len - 1);
	}
}

static int hex_digit(uint8_t c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static unsigned int parse_hex(struct slice text, unsigned int *out,
			      unsigned int most)
{
	if (text.len > 0 && text.data[0] == '#')
		text = slice_of(text.data + 1, text.len - 1);
	if (text.len % 2 || text.len > 2 * (size_t)most)
		return 0;
	for (size_t i = 0; i < text.len; i += 2) {
		int high = hex_digit(text.data[i]);
		int low = hex_digit(text.data[i + 1]);

		if (high < 0 || low < 0)
			return 0;
		out[i / 2] = (unsigned int)(high * 16 + low);
	}
	return (unsigned int)text.len / 2;
}

bool words_color(struct slice argument, unsigned int channels,
		 uint8_t out[LIGHT_CHANNELS_MAX])
{
	unsigned int value[LIGHT_CHANNELS_MAX] = { 0 };
	bool is_list = argument.len && memchr(argument.data, ',', argument.len);
	unsigned int count;

	if (channels < 3)
		return false;
	count = is_list ? words_list(argument, LIGHT_FULL, value, channels)
			: parse_hex(argument, value, channels);
	for (unsigned int i = 0; i < LIGHT_CHANNELS_MAX; i++)
		out[i] = (uint8_t)value[i];
	return count >= 3;
}

#include "broker/base/dialects.h"

#include <stddef.h>

static bool is_plain(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '-';
}

const char *dialect_id(char out[DIALECT_ID_SIZE], const char *text)
{
	static const char hex[] = "0123456789abcdef";
	size_t at = 0;

	/* Three bytes and the NUL. */
	for (; *text && at + 4 <= DIALECT_ID_SIZE; text++) {
		unsigned char c = (unsigned char)*text;

		if (is_plain(c)) {
			out[at++] = *text;
			continue;
		}
		out[at++] = '_';
		out[at++] = hex[c >> 4];
		out[at++] = hex[c & 15];
	}
	out[at] = '\0';
	return out;
}

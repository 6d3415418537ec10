#include "broker/base/dialects.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

static bool is_lower(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
}

static bool is_plain(unsigned char c)
{
	return is_lower(c) || (c >= 'A' && c <= 'Z');
}

static const char *spell(char out[DIALECT_ID_SIZE], const char *text,
			 bool (*plain)(unsigned char c), char escape)
{
	static const char hex[] = "0123456789abcdef";
	size_t at = 0;

	/* Three bytes and the NUL. */
	for (; *text && at + 4 <= DIALECT_ID_SIZE; text++) {
		unsigned char c = (unsigned char)*text;

		if (plain(c)) {
			out[at++] = *text;
			continue;
		}
		out[at++] = escape;
		out[at++] = hex[c >> 4];
		out[at++] = hex[c & 15];
	}
	out[at] = '\0';
	return out;
}

const char *dialect_id(char out[DIALECT_ID_SIZE], const char *text)
{
	return spell(out, text, is_plain, '_');
}

const char *dialect_homie_id(char out[DIALECT_ID_SIZE], const char *text)
{
	return spell(out, text, is_lower, '-');
}

const char *dialect_tasmota_mac(char out[DIALECT_MAC_SIZE], const char *node)
{
	/* FNV-1a: the same after every start, other than hash.h. */
	uint64_t hash = 14695981039346656037u;

	for (; *node; node++)
		hash = (hash ^ (unsigned char)*node) * 1099511628211u;
	hash = (hash >> 40) ^ (hash & 0xffffffffffu);
	/* 02: given out by nobody. */
	(void)snprintf(out, DIALECT_MAC_SIZE, "02%010llX",
		       (unsigned long long)hash);
	return out;
}

#include "broker/base/json_text.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Most answers; larger ones double it. */
#define FIRST_SIZE ((size_t)1024)

/* As many digits of any decimal number survive in a double, and no more than 17
 * are needed to tell two doubles apart. */
#define SURE_DIGITS 15
#define ALL_DIGITS 17

struct text {
	char *bytes;
	size_t len; /* without the NUL, for which there is room */
	size_t size;
	/* jansson does not look at each error of its callback. */
	bool failed;
};

static int grow(struct text *text, size_t more)
{
	size_t size = text->size ? text->size : FIRST_SIZE;
	char *bytes;

	if (more >= SIZE_MAX / 2 - text->len)
		return -1;
	while (size - text->len <= more)
		size *= 2;
	if (size == text->size)
		return 0;
	bytes = realloc(text->bytes, size);
	if (!bytes)
		return -1;
	text->bytes = bytes;
	text->size = size;
	return 0;
}

static int append(const char *bytes, size_t len, void *arg)
{
	struct text *text = arg;

	if (text->failed || grow(text, len)) {
		text->failed = true;
		return -1;
	}
	memcpy(text->bytes + text->len, bytes, len);
	text->len += len;
	return 0;
}

void json_text_real(char out[JSON_TEXT_REAL_SIZE], double number)
{
	for (int digits = SURE_DIGITS; digits <= ALL_DIGITS; digits++) {
		(void)snprintf(out, JSON_TEXT_REAL_SIZE, "%.*g", digits,
			       number);
		if (strtod(out, NULL) == number)
			return;
	}
}

/* Behind a string that begins at from. */
static const char *past_string(const char *from)
{
	for (from++; *from != '"'; from++)
		from += *from == '\\';
	return from + 1;
}

/* A real number of len bytes, as short as it can be written; it stays a real one.
 * out may overlap it. Returns how many bytes it has now, at most len. */
static size_t shorten(char *out, const char *number, size_t len)
{
	char shorter[JSON_TEXT_REAL_SIZE + 2];

	if (len > SURE_DIGITS && memchr(number, '.', len)) {
		json_text_real(shorter, strtod(number, NULL));
		if (!strpbrk(shorter, ".e"))
			memcpy(shorter + strlen(shorter), ".0", sizeof(".0"));
		if (strlen(shorter) < len) {
			number = shorter;
			len = strlen(shorter);
		}
	}
	memmove(out, number, len);
	return len;
}

/* In place: nothing becomes longer. */
static void shorten_all(char *text)
{
	const char *at = text;
	char *out = text;

	while (*at) {
		const char *from = at;

		if (*at == '"') {
			at = past_string(at);
			memmove(out, from, (size_t)(at - from));
			out += at - from;
		} else if (*at == '-' || (*at >= '0' && *at <= '9')) {
			at += strspn(at, "+-.eE0123456789");
			out += shorten(out, from, (size_t)(at - from));
		} else {
			*out++ = *at++;
		}
	}
	*out = '\0';
}

char *json_text(const json_t *value, size_t flags)
{
	struct text text = { 0 };

	if (!value)
		return NULL;
	if (json_dump_callback(value, append, &text, flags) || text.failed ||
	    grow(&text, 0)) {
		free(text.bytes);
		return NULL;
	}
	text.bytes[text.len] = '\0';
	shorten_all(text.bytes);
	return text.bytes;
}

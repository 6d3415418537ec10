#include "broker/config/ini.h"

#include <string.h>

static const char white[] = " \t\r\f\v";

/* Cut white space off both ends; returns where the text now begins. */
static char *trim(char *text)
{
	size_t len;

	text += strspn(text, white);
	len = strlen(text);
	while (len > 0 && strchr(white, text[len - 1]))
		len--;
	text[len] = '\0';

	return text;
}

static void parse_section(char *text, unsigned int line,
			  const struct ini_handler *handler, void *arg)
{
	size_t len = strlen(text);
	size_t type_len;
	char *name;

	if (text[len - 1] != ']' || strcspn(text, "]") != len - 1) {
		handler->malformed(arg, line, "expected ']' at the end");
		return;
	}
	text[len - 1] = '\0';
	text = trim(text + 1);
	type_len = strcspn(text, white);
	name = text + type_len;
	if (*name) {
		*name = '\0';
		name = trim(name + 1);
	}
	if (type_len == 0) {
		handler->malformed(arg, line, "expected a name in [ ]");
		return;
	}
	handler->section(arg, line, text, name);
}

static void parse_line(char *text, unsigned int line,
		       const struct ini_handler *handler, void *arg)
{
	char *equals;

	text = trim(text);
	if (*text == '\0' || *text == '#' || *text == ';')
		return;
	if (*text == '[') {
		parse_section(text, line, handler, arg);
		return;
	}
	equals = strchr(text, '=');
	if (!equals || equals == text) {
		handler->malformed(arg, line,
				   "expected 'key = value' or '[section]'");
		return;
	}
	*equals = '\0';
	handler->pair(arg, line, trim(text), trim(equals + 1));
}

void ini_parse(char *text, size_t len, const struct ini_handler *handler,
	       void *arg)
{
	static const char byte_order_mark[] = "\xef\xbb\xbf";
	char *end = text + len;
	unsigned int line = 1;

	*end = '\0';
	if (len >= 3 && memcmp(text, byte_order_mark, 3) == 0)
		text += 3;

	for (; text < end; line++) {
		char *next = memchr(text, '\n', (size_t)(end - text));

		if (!next)
			next = end;
		*next = '\0';
		if (strlen(text) != (size_t)(next - text))
			handler->malformed(arg, line, "holds a NUL byte");
		else
			parse_line(text, line, handler, arg);
		text = next + 1;
	}
}

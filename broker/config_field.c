#include "broker/config_field.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/config.h"
#include "broker/limits.h"

static int refuse(char expected[FIELD_EXPECTED_SIZE], const char *text)
{
	snprintf(expected, FIELD_EXPECTED_SIZE, "%s", text);
	return -EINVAL;
}

static int set_string(struct config *config, void *to, const char *value)
{
	const char *kept = config_keep(config, value);

	if (!kept)
		return -ENOMEM;
	memcpy(to, &kept, sizeof(kept));
	return 0;
}

static bool valid_path(const char *value)
{
	return value[0] == '/' && strlen(value) <= CONFIG_PATH_MAX;
}

static bool valid_address(const char *value)
{
	struct in6_addr address;

	return inet_pton(AF_INET, value, &address) == 1 ||
	       inet_pton(AF_INET6, value, &address) == 1;
}

/* It becomes a topic level, and part of names that clients show. */
static bool valid_name(const char *value)
{
	size_t len = strlen(value);

	return len > 0 && len <= CONFIG_NAME_MAX &&
	       strspn(value, "abcdefghijklmnopqrstuvwxyz"
			     "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == len;
}

/* MQTT 5.0, 4.11: "server.example:1883 [2001:db8::1]:8883". */
static bool valid_reference(const char *value)
{
	size_t len = strlen(value);

	return len > 0 && len <= LIMIT_SERVER_REFERENCE &&
	       strspn(value,
		      "abcdefghijklmnopqrstuvwxyz"
		      "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[] ") == len;
}

/* Clients build their topics upon it. */
static bool valid_topic(const char *value)
{
	size_t len = strlen(value);

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)value[i];

		if (c <= ' ' || c > '~' || c == '+' || c == '#')
			return false;
	}
	return len > 0 && len <= LIMIT_RESPONSE_INFORMATION && value[0] != '$';
}

static int set_number(const struct config_field *field, void *to,
		      const char *value, char expected[FIELD_EXPECTED_SIZE])
{
	size_t digits = strspn(value, "0123456789");
	uint64_t number = 0;

	/* Ten digits hold every uint32_t, and never overflow 64 bits. */
	if (digits > 0 && digits <= 10 && !value[digits])
		number = strtoull(value, NULL, 10);
	if (digits == 0 || digits > 10 || value[digits] ||
	    number < field->min || number > field->max) {
		snprintf(expected, FIELD_EXPECTED_SIZE,
			 "expected a number from %u to %u", field->min,
			 field->max);
		return -EINVAL;
	}
	if (field->size == sizeof(uint16_t))
		*(uint16_t *)to = (uint16_t)number;
	else
		*(uint32_t *)to = (uint32_t)number;

	return 0;
}

static int set_choice(const struct config_field *field, void *to,
		      const char *value, char expected[FIELD_EXPECTED_SIZE])
{
	size_t len;

	for (unsigned int i = 0; field->choices[i]; i++) {
		if (strcmp(field->choices[i], value) == 0) {
			*(unsigned int *)to = i;
			return 0;
		}
	}
	len = (size_t)snprintf(expected, FIELD_EXPECTED_SIZE,
			       "expected one of");
	for (unsigned int i = 0; field->choices[i]; i++)
		len += (size_t)snprintf(expected + len,
					FIELD_EXPECTED_SIZE - len, " %s",
					field->choices[i]);

	return -EINVAL;
}

static int set_yesno(bool *to, const char *value,
		     char expected[FIELD_EXPECTED_SIZE])
{
	bool yes = strcmp(value, "yes") == 0;

	if (!yes && strcmp(value, "no") != 0)
		return refuse(expected, "expected yes or no");
	*to = yes;
	return 0;
}

static bool valid_host(const char *host)
{
	size_t len = strlen(host);

	return len > 0 && len <= 253 &&
	       strspn(host, "abcdefghijklmnopqrstuvwxyz"
			    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-") == len;
}

/* "one, two": the names stay in one kept copy, cut at the commas. */
static int add_hosts(struct config *config, struct config_hosts *hosts,
		     const char *value, char expected[FIELD_EXPECTED_SIZE])
{
	char *rest = config_keep(config, value);
	size_t count = hosts->count;
	char *host;

	if (!rest)
		return -ENOMEM;
	while ((host = strsep(&rest, ","))) {
		size_t len;

		host += strspn(host, " \t");
		len = strcspn(host, " \t");
		if (host[len + strspn(host + len, " \t")] == '\0')
			host[len] = '\0';
		if (!valid_host(host))
			return refuse(expected,
				      "expected host names with ',' between");
		if (count == CONFIG_HOSTS_MAX) {
			snprintf(expected, FIELD_EXPECTED_SIZE,
				 "expected at most %d host names",
				 CONFIG_HOSTS_MAX);
			return -EINVAL;
		}
		hosts->names[count++] = host;
	}
	hosts->count = count;

	return 0;
}

int config_field_set(const struct config_field *field, struct config *config,
		     void *base, const char *value,
		     char expected[FIELD_EXPECTED_SIZE])
{
	void *to = (char *)base + field->offset;

	switch (field->type) {
	case FIELD_PATH:
		if (!valid_path(value))
			return refuse(expected,
				      "expected a path that begins with '/'");
		return set_string(config, to, value);
	case FIELD_PROGRAM:
		if (!valid_path(value) && strcmp(value, "auto") != 0 &&
		    strcmp(value, "none") != 0)
			return refuse(expected, "expected auto, none, or a path"
						" that begins with '/'");
		return set_string(config, to, value);
	case FIELD_ADDRESS:
		if (!valid_address(value))
			return refuse(expected, "expected a numeric address as"
						" 127.0.0.1, 0.0.0.0 or ::");
		return set_string(config, to, value);
	case FIELD_NAME:
		if (!valid_name(value))
			return refuse(expected, "expected 1 to 64 of a-z A-Z"
						" 0-9 . _ -");
		return set_string(config, to, value);
	case FIELD_REFERENCE:
		if (!valid_reference(value))
			return refuse(expected, "expected host names or "
						"addresses, each perhaps with"
						" ':' and a port, with ' '"
						" between");
		return set_string(config, to, value);
	case FIELD_TOPIC:
		if (!valid_topic(value))
			return refuse(expected, "expected a topic without '+'"
						" and '#'");
		return set_string(config, to, value);
	case FIELD_HOSTS:
		return add_hosts(config, to, value, expected);
	case FIELD_NUMBER:
		return set_number(field, to, value, expected);
	case FIELD_YESNO:
		return set_yesno(to, value, expected);
	case FIELD_CHOICE:
		return set_choice(field, to, value, expected);
	}

	return refuse(expected, "expected nothing");
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool same_hosts(const struct config_hosts *a,
		       const struct config_hosts *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (strcmp(a->names[i], b->names[i]) != 0)
			return false;
	return true;
}

bool config_field_same(const struct config_field *field, const void *one,
		       const void *other)
{
	const void *a = (const char *)one + field->offset;
	const void *b = (const char *)other + field->offset;
	const char *text_a, *text_b;

	switch (field->type) {
	case FIELD_PATH:
	case FIELD_PROGRAM:
	case FIELD_ADDRESS:
	case FIELD_NAME:
	case FIELD_REFERENCE:
	case FIELD_TOPIC:
		memcpy(&text_a, a, sizeof(text_a));
		memcpy(&text_b, b, sizeof(text_b));
		return same_text(text_a, text_b);
	case FIELD_HOSTS:
		return same_hosts(a, b);
	case FIELD_NUMBER:
	case FIELD_YESNO:
	case FIELD_CHOICE:
		return memcmp(a, b, field->size) == 0;
	}

	return false;
}

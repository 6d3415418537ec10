#include "broker/config/config_field.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/base/cidr.h"
#include "broker/config/config.h"
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

/* IPv6 also with an interface, as link-local ones need it: "fe80::1%eth0". */
static bool valid_address(const char *value)
{
	char text[INET6_ADDRSTRLEN];
	size_t len = strcspn(value, "%");
	struct in6_addr address;

	if (inet_pton(AF_INET, value, &address) == 1)
		return true;
	if (len >= sizeof(text) ||
	    (value[len] &&
	     (!value[len + 1] || strlen(value + len + 1) >= IF_NAMESIZE)))
		return false;
	memcpy(text, value, len);
	text[len] = '\0';
	return inet_pton(AF_INET6, text, &address) == 1;
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

/* "cabin/": whole levels, of what needs no quoting anywhere. */
static bool valid_mount(const char *value)
{
	size_t len = strlen(value);

	if (len == 0 || len > LIMIT_MOUNT_POINT || value[0] == '$' ||
	    value[len - 1] != '/' || strpbrk(value, "+#"))
		return false;
	for (size_t i = 0; i < len; i++)
		if (value[i] <= ' ' || value[i] > '~')
			return false;
	return true;
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

/* "https://ui.example:8443", as browsers say it, or "any". */
static bool valid_origin(const char *origin)
{
	static const char *const schemes[] = { "https://", "http://" };

	if (strcmp(origin, "any") == 0)
		return true;
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		size_t len = strlen(schemes[i]);

		if (strncmp(origin, schemes[i], len) == 0)
			return origin[len] && !strpbrk(origin + len, "/ \t?#");
	}
	return false;
}

static bool valid_network(const char *network)
{
	struct cidr cidr;

	return cidr_parse(network, &cidr) == 0;
}

/* "/a/b.crt /a/b.key" */
static bool valid_pair(const char *pair)
{
	const char *second = strchr(pair, ' ');

	return pair[0] == '/' && second && second[1] == '/' &&
	       !strchr(second + 1, ' ');
}

static bool valid_user(const char *user)
{
	size_t len = strlen(user);

	return len > 0 && len <= LIMIT_USER_NAME;
}

struct list_kind {
	bool (*valid)(const char *item);
	const char *what;
};

static const struct list_kind *list_kind(enum field_type type)
{
	static const struct list_kind hosts = { valid_host, "host names" };
	static const struct list_kind origins = {
		valid_origin, "origins as https://ui.example"
	};
	static const struct list_kind networks = { valid_network,
						   "networks as 192.0.2.0/24" };
	static const struct list_kind pairs = { valid_pair,
						"'/CERTIFICATE /KEY' pairs" };

	static const struct list_kind users = { valid_user, "user names" };

	return type == FIELD_HOSTS	? &hosts
	       : type == FIELD_ORIGINS	? &origins
	       : type == FIELD_NETWORKS ? &networks
	       : type == FIELD_USERS	? &users
					: &pairs;
}

/* "one, two": the items stay in one kept copy, cut at the commas. */
static int add_names(const struct config_field *field, struct config *config,
		     struct name_list *list, const char *value,
		     char expected[FIELD_EXPECTED_SIZE])
{
	const struct list_kind *kind = list_kind(field->type);
	char *rest = config_keep(config, value);
	size_t count = list->count;
	char *item;

	if (!rest)
		return -ENOMEM;
	while ((item = strsep(&rest, ","))) {
		size_t len;

		item += strspn(item, " \t");
		len = strcspn(item, " \t");
		if (item[len + strspn(item + len, " \t")] == '\0')
			item[len] = '\0';
		if (!kind->valid(item)) {
			snprintf(expected, FIELD_EXPECTED_SIZE,
				 "expected %s with ',' between", kind->what);
			return -EINVAL;
		}
		if (count == NAME_LIST_MAX) {
			snprintf(expected, FIELD_EXPECTED_SIZE,
				 "expected at most %d %s", NAME_LIST_MAX,
				 kind->what);
			return -EINVAL;
		}
		list->names[count++] = item;
	}
	list->count = count;

	return 0;
}

/* Read and write for somebody; nothing else than files have. */
static int set_mode(uint32_t *to, const char *value,
		    char expected[FIELD_EXPECTED_SIZE])
{
	size_t digits = strspn(value, "01234567");

	if (digits < 3 || digits > 4 || value[digits] ||
	    strtoul(value, NULL, 8) > 0777 || strtoul(value, NULL, 8) == 0)
		return refuse(expected, "expected a mode as 0660");
	*to = (uint32_t)strtoul(value, NULL, 8);
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
	case FIELD_MOUNT:
		if (!valid_mount(value))
			return refuse(expected, "expected the beginning of"
						" topics as cabin/");
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
	case FIELD_ORIGINS:
	case FIELD_NETWORKS:
	case FIELD_PAIRS:
	case FIELD_USERS:
		return add_names(field, config, to, value, expected);
	case FIELD_MODE:
		return set_mode(to, value, expected);
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

static bool same_names(const struct name_list *a, const struct name_list *b)
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
	case FIELD_MOUNT:
	case FIELD_NAME:
	case FIELD_REFERENCE:
	case FIELD_TOPIC:
		memcpy(&text_a, a, sizeof(text_a));
		memcpy(&text_b, b, sizeof(text_b));
		return same_text(text_a, text_b);
	case FIELD_HOSTS:
	case FIELD_ORIGINS:
	case FIELD_NETWORKS:
	case FIELD_PAIRS:
	case FIELD_USERS:
		return same_names(a, b);
	case FIELD_MODE:
	case FIELD_NUMBER:
	case FIELD_YESNO:
	case FIELD_CHOICE:
		return memcmp(a, b, field->size) == 0;
	}

	return false;
}

#include "broker/client/client_address.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

/* The port of MQTT without TLS, as registered. */
#define DEFAULT_PORT "1883"

/* Longest host or port: an IPv6 address with a zone. */
#define PART_MAX 64

static int parse_unix(const char *path, struct client_address *out)
{
	struct sockaddr_un *un = (struct sockaddr_un *)(void *)&out->storage;

	if (!path[0] || strlen(path) >= sizeof(un->sun_path))
		return -EINVAL;
	un->sun_family = AF_UNIX;
	(void)snprintf(un->sun_path, sizeof(un->sun_path), "%s", path);
	out->len = sizeof(*un);
	return 0;
}

static bool copy_part(char out[PART_MAX], const char *from, size_t len)
{
	if (len == 0 || len >= PART_MAX)
		return false;
	memcpy(out, from, len);
	out[len] = '\0';
	return true;
}

/* "host", "host:port", "[host]", "[host]:port" */
static bool split(const char *text, char host[PART_MAX], char port[PART_MAX])
{
	const char *end = text[0] == '[' ? strchr(text, ']') : NULL;
	const char *colon;

	if (text[0] == '[' && !end)
		return false;
	if (end) {
		if (!copy_part(host, text + 1, (size_t)(end - text - 1)))
			return false;
		end++;
	} else {
		colon = strchr(text, ':');
		end = colon ? colon : text + strlen(text);
		if (!copy_part(host, text, (size_t)(end - text)))
			return false;
	}

	if (!*end)
		return copy_part(port, DEFAULT_PORT, strlen(DEFAULT_PORT));
	return *end == ':' && copy_part(port, end + 1, strlen(end + 1));
}

/* getaddrinfo() takes 70000 for 4464. */
static bool port_valid(const char *port)
{
	char *end;
	unsigned long value = strtoul(port, &end, 10);

	return port[0] >= '0' && port[0] <= '9' && !*end && value >= 1 &&
	       value <= 65535;
}

static int parse_tcp(const char *text, struct client_address *out)
{
	struct addrinfo hints = {
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
		.ai_socktype = SOCK_STREAM,
	};
	struct addrinfo *found;
	char host[PART_MAX];
	char port[PART_MAX];

	if (!split(text, host, port) || !port_valid(port))
		return -EINVAL;
	if (getaddrinfo(host, port, &hints, &found))
		return -EINVAL;

	memcpy(&out->storage, found->ai_addr, found->ai_addrlen);
	out->len = found->ai_addrlen;
	freeaddrinfo(found);
	return 0;
}

int client_address_parse(const char *text, struct client_address *out)
{
	*out = (struct client_address){ 0 };
	if (strncmp(text, "unix:", 5) == 0)
		return parse_unix(text + 5, out);
	if (strncmp(text, "mqtt://", 7) == 0)
		text += 7;
	return parse_tcp(text, out);
}

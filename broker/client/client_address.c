#include "broker/client/client_address.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

/* The ports of MQTT without TLS and with it, as registered. */
#define PORT_PLAIN "1883"
#define PORT_TLS "8883"

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

static bool copy_part(char *out, size_t size, const char *from, size_t len)
{
	if (len == 0 || len >= size)
		return false;
	memcpy(out, from, len);
	out[len] = '\0';
	return true;
}

/* "host", "host:port", "[host]", "[host]:port" */
static bool split(const char *text, struct client_address *out)
{
	const char *end = text[0] == '[' ? strchr(text, ']') : NULL;
	const char *port = out->tls ? PORT_TLS : PORT_PLAIN;

	if (text[0] == '[' && !end)
		return false;
	if (end) {
		if (!copy_part(out->host, sizeof(out->host), text + 1,
			       (size_t)(end - text - 1)))
			return false;
		end++;
	} else {
		end = text + strcspn(text, ":");
		if (!copy_part(out->host, sizeof(out->host), text,
			       (size_t)(end - text)))
			return false;
	}

	if (*end)
		port = end + 1;
	return (!*end || *end == ':') &&
	       copy_part(out->port, sizeof(out->port), port, strlen(port));
}

/* getaddrinfo() takes 70000 for 4464. */
static bool port_valid(const char *port)
{
	char *end;
	unsigned long value = strtoul(port, &end, 10);

	return port[0] >= '0' && port[0] <= '9' && !*end && value >= 1 &&
	       value <= 65535;
}

static bool name_valid(const char *name)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz"
				  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._");
	const char *last = strrchr(name, '.');

	/* 300.1.1.1 is no name: the last part of one is never a number. */
	last = last ? last + 1 : name;
	return !name[len] && name[0] != '.' && name[0] != '-' &&
	       !strstr(name, "..") && strspn(last, "0123456789") < strlen(last);
}

static int parse_tcp(const char *text, bool names, struct client_address *out)
{
	struct addrinfo hints = {
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
		.ai_socktype = SOCK_STREAM,
	};
	struct addrinfo *found;

	if (!split(text, out) || !port_valid(out->port))
		return -EINVAL;
	if (getaddrinfo(out->host, out->port, &hints, &found))
		return names && text[0] != '[' && name_valid(out->host)
			       ? 0
			       : -EINVAL;

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
	if (strncmp(text, "mqtts://", 8) == 0) {
		out->tls = true;
		return parse_tcp(text + 8, true, out);
	}
	if (strncmp(text, "mqtt://", 7) == 0)
		return parse_tcp(text + 7, true, out);
	return parse_tcp(text, false, out);
}

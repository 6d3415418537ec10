/*
 * What a satellite was given to join its hub: one file, written by the hub and
 * pasted by a person. "#" begins a comment.
 *
 *	hub = mqtts://hearth.local:8883
 *	node = garage
 *	user = gpio/garage
 *	password = gk3...
 *	-----BEGIN CERTIFICATE-----
 *	...
 *
 * The certificates, in PEM, are those whom the hub is known by; instead of them
 * there may be "ca = FILE", or "ca = system": those that the system trusts.
 * "server-name = NAME" is the name in the hub's certificate, where it is another
 * than in the address. Whatever is missing, there twice, or not understood makes
 * the whole file worthless: a satellite speaks to its own hub or to nobody.
 */
#ifndef GPIO_JOIN_H
#define GPIO_JOIN_H

#include <stdbool.h>
#include <stddef.h>

#include "broker/base/slice.h"

/* Bytes of the file: certificates, and some lines. */
#define JOIN_FILE_MAX ((size_t)48 * 1024)

/* Bytes of a value: a path. */
#define JOIN_VALUE_MAX 1023u

/* Bytes of what is wrong, in words. */
#define JOIN_WHY_SIZE 160

struct join {
	char *hub;
	char *node;
	char *user;
	char *password;
	char *server_name; /* NULL: the host in hub */
	char *ca; /* a file, or "system"; NULL: pem */
	char *pem; /* NULL: ca */
};

/* Returns 0; -EINVAL and why; or -ENOMEM. On error there is nothing to free. */
int join_parse(struct slice text, struct join *out, char why[JOIN_WHY_SIZE]);

/*
 * The file at path, which nobody but its owner may read or write: it must be
 * ours or root's. ca, if it is a file, is read, too, and is in pem then. As
 * join_parse(), and -EPERM, -EFBIG or whatever open() said, with why.
 */
int join_read(const char *path, struct join *out, char why[JOIN_WHY_SIZE]);

/* Leaves no password behind in memory. */
void join_free(struct join *join);

#endif

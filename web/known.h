/*
 * Passwords found right since start, so that a program that sends one with every
 * request does not wait for the hasher each time. Kept as HMACs under a key of
 * this start, over the stored hash and the password: with another hash stored,
 * nothing remembered fits. The web thread's alone.
 */
#ifndef WEB_KNOWN_H
#define WEB_KNOWN_H

#include <stdbool.h>
#include <stdint.h>

struct known;

/* Stands for a stored hash and a password. */
struct known_tag {
	uint8_t bytes[32];
};

/* Returns NULL with errno set. */
struct known *known_new(void);
void known_free(struct known *known);

/* False when out of memory. */
bool known_tag(const struct known *known, const char *hash,
	       const char *password, struct known_tag *out);
bool known_has(const struct known *known, const struct known_tag *tag);
/* With WEB_KNOWN_PASSWORDS of them the oldest is forgotten. */
void known_add(struct known *known, const struct known_tag *tag);

#endif

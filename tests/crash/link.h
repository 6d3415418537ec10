/*
 * A client's end of a connection to a broker, and how one is made.
 */
#ifndef TESTS_CRASH_LINK_H
#define TESTS_CRASH_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/wire/framing.h"

/* Where a broker is: in this process (house.h), or one of its own. */
struct place {
	const char *name; /* for traces */
	void *arg;
	/* A socket that is connected to it, or on the way; does not block. */
	int (*connect)(void *arg);
	/* Bytes may have been sent to it: time to look at them. */
	void (*turn)(void *arg);
};

struct link {
	int fd; /* -1: none */
	size_t len;
	uint8_t in[64 * 1024];
};

void link_init(struct link *link);
/* A new one; the old one is closed. */
void link_open(struct link *link, const struct place *place);
void link_close(struct link *link);
/* Its socket (-1: none) is the caller's from now on, and the link has none. */
int link_take(struct link *link);
/* The broker runs, too. */
void link_send(struct link *link, const struct place *place,
	       const uint8_t *bytes, size_t len);
/* The next packet the broker has sent; its body is valid until link_drop(). */
bool link_next(struct link *link, struct frame *frame);
void link_drop(struct link *link, const struct frame *frame);
/* The broker has closed it. */
bool link_ended(struct link *link);

#endif

/*
 * An HTTP server on loopback that gives the answers it was told, in turn, and
 * keeps what it was asked. One thread, one connection at a time.
 */
#ifndef TESTS_CTL_FAKE_HUB_H
#define TESTS_CTL_FAKE_HUB_H

#include <stddef.h>

struct fake_hub;

#define FAKE_HUB_MAX 8 /* answers, and so requests */

struct fake_answer {
	int status;
	const char *body; /* NULL: none */
	/* NULL: application/json with its length; else this type, and the
	 * connection is closed after the body, which is sent byte by byte. */
	const char *type;
};

/* answers end with status 0 and are borrowed. Never returns NULL. */
struct fake_hub *fake_hub_new(const struct fake_answer *answers);
/* Ends the thread. */
void fake_hub_free(struct fake_hub *hub);

/* "http://127.0.0.1:<port>" */
const char *fake_hub_url(const struct fake_hub *hub);

/* Requests so far. */
size_t fake_hub_count(struct fake_hub *hub);
/* The nth whole request, head and body, or "". Valid until fake_hub_free(). */
const char *fake_hub_request(struct fake_hub *hub, size_t n);

#endif

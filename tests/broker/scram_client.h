/*
 * The client's side of SCRAM-SHA-256, written from RFC 5802 and apart from what
 * it tests. Texts are terminated by NUL.
 */
#ifndef TESTS_SCRAM_CLIENT_H
#define TESTS_SCRAM_CLIENT_H

#include <stdbool.h>

#include "broker/base/slice.h"

struct scram_client {
	char bare[256]; /* client-first-message-bare */
	char message[1024]; /* to be sent next */
	char expected[64]; /* server-final, after scram_client_prove() */
};

/* "n,," and name (escaped already) and nonce. */
void scram_client_first(struct scram_client *client, const char *name,
			const char *nonce);
/* Answer server-first. False if that is malformed. */
bool scram_client_prove(struct scram_client *client, const char *password,
			struct slice challenge);

#endif

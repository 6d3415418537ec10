/*
 * A broker that listens, and peers that dial it over real sockets: the broker runs
 * only while a peer waits for it. Every wait ends with the test's failure after a
 * generous time.
 */
#ifndef TESTS_DIALLER_H
#define TESTS_DIALLER_H

#include "broker/core.h"

struct dialler {
	struct broker *broker;
	int fd;
	char in[64 * 1024]; /* what came, with a NUL behind it */
	size_t len;
};

/* A broker with this one listener; options are borrowed. Its log is silent. */
struct broker *dialler_broker(const struct listener_options *listener);

/* Connected to 127.0.0.1, to the port of the first listener. */
void dialler_dial(struct dialler *d, struct broker *broker);
void dialler_hang_up(struct dialler *d);

void dialler_send(struct dialler *d, const void *bytes, size_t len);
/* The broker runs until all that was sent has been read. */
void dialler_drip(struct dialler *d, const void *bytes, size_t len);

/* Wait until this many bytes are here. */
void dialler_wait(struct dialler *d, size_t len);
/* Wait until a text has come. */
void dialler_expect(struct dialler *d, const char *text);
/* Wait until the stream has ended; what came before is in in. */
void dialler_ended(struct dialler *d);

/* Wait until there are so many. */
void dialler_arrivals(struct broker *broker, size_t count);
void dialler_connections(struct broker *broker, size_t count);

/* A CONNECT of client "dev" for 3.1.1: its length. */
size_t dialler_connect(uint8_t out[128]);

#endif

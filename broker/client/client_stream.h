/*
 * The way to the server and the bytes on it: a name looked up, a socket
 * connected, a TLS handshake made, each without waiting; then reading and
 * writing. It knows no MQTT, no loop and no clock: whoever uses it watches the
 * descriptor and gives up in time.
 */
#ifndef BROKER_CLIENT_CLIENT_STREAM_H
#define BROKER_CLIENT_CLIENT_STREAM_H

#include <stdint.h>
#include <sys/types.h>

#include "broker/client/client_address.h"

struct client_lookup;
struct client_tls;
struct ssl_st;

/* Bytes of an explanation, with a host's name in it. */
#define CLIENT_WHY_SIZE (CLIENT_HOST_SIZE + 64)

enum client_stream_state {
	STREAM_CLOSED,
	STREAM_LOOKING_UP,
	STREAM_CONNECTING,
	STREAM_SHAKING_HANDS,
	STREAM_OPEN,
};

struct client_stream {
	enum client_stream_state state;
	struct client_address address;
	const struct client_tls *tls; /* borrowed; NULL: plain */
	struct client_lookup
		*lookup; /* under way, maybe since an earlier try */
	unsigned int turn; /* which of a name's addresses is next */
	struct ssl_st *ssl;
	int fd; /* to be watched; -1: none */
	uint32_t events; /* for what, until it is open */
	char why[CLIENT_WHY_SIZE]; /* of the name or TLS, in words; or "" */
};

/* tls may be NULL if the address wants none. Returns 0 or -EINVAL. */
int client_stream_init(struct client_stream *stream, const char *address,
		       const struct client_tls *tls);
/* Closes it. */
void client_stream_free(struct client_stream *stream);

/* Begin, or go on. Returns 0 when it is open; -EAGAIN: again when fd, which may
 * be another now, is ready; or why it cannot be had, and why[] may say more. */
int client_stream_step(struct client_stream *stream);
/* A name that is still being looked up is not forgotten: the next try waits for
 * the same answer. */
void client_stream_close(struct client_stream *stream);

/* Bytes, 0 at the end, or a negative errno, -EAGAIN too. */
ssize_t client_stream_read(struct client_stream *stream, uint8_t *data,
			   size_t size);
ssize_t client_stream_write(struct client_stream *stream, const uint8_t *data,
			    size_t len);
/* More can be read, of which the descriptor says nothing. */
bool client_stream_pending(const struct client_stream *stream);

#endif

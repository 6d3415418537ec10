/*
 * The bytes of one peer: a socket, perhaps TLS over it, perhaps WebSocket frames
 * over that. Reading gives MQTT bytes, writing takes them; framing, pings and
 * closing handshakes stay in here.
 *
 * Broker thread only; never blocks.
 */
#ifndef BROKER_PEER_TRANSPORT_H
#define BROKER_PEER_TRANSPORT_H

#include <sys/types.h>

#include "broker/peer/output.h"

struct ssl_st;
struct websocket_stream;

struct transport {
	int fd; /* -1: closed, or a test's sink that takes everything */
	struct ssl_st *ssl; /* NULL: plain */
	struct websocket_stream *websocket; /* NULL: bare MQTT */
};

/* fd is taken, non-blocking. ssl, if not NULL, is taken: its handshake is done.
 * Returns 0 or -ENOMEM (websocket): nothing is taken then. */
int transport_open(struct transport *t, int fd, struct ssl_st *ssl,
		   bool websocket);
void transport_close(struct transport *t, struct output_pool *pool);
/* No more will be written: the peer sees the end, and can still be read. */
void transport_shutdown(struct transport *t);

/*
 * Read once what is there, at most size bytes of MQTT. raw is what the socket
 * gave before (left over from a handshake), or empty. Returns the number of
 * bytes (0: nothing for MQTT in it, but the peer lives), -EAGAIN, -EPIPE when the
 * peer has ended the stream, -EPROTO for a breach of WebSocket, or another
 * negative errno. *more is set when there may be more without the socket becoming
 * readable again (TLS).
 */
ssize_t transport_read(struct transport *t, struct output_pool *pool,
		       struct slice raw, uint8_t *data, size_t size,
		       bool *more);

/* Something of the transport's own waits to be written: an answer to a ping. */
bool transport_pending(const struct transport *t);

/* Write what the socket takes of out, consuming it. Returns 0 when all is
 * written, -EAGAIN when some is left, or another negative errno. */
int transport_write(struct transport *t, struct output_pool *pool,
		    struct output *out, uint64_t *written);

#endif

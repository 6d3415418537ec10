/*
 * Bytes to and from the broker: on the socket, or on it through TLS or in WebSocket
 * frames. Certificates are not checked: what is measured is what the broker's side
 * costs.
 */
#ifndef BENCH_CHANNEL_H
#define BENCH_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct ssl_st;
struct websocket;

enum channel_kind { CHANNEL_PLAIN, CHANNEL_TLS, CHANNEL_WEBSOCKET };

struct channel {
	int fd; /* -1: closed */
	struct ssl_st *ssl;
	struct websocket *websocket;
};

/* The handshake on a connected socket, which is taken. Ends the program when it
 * fails. */
void channel_open(struct channel *c, int fd, enum channel_kind kind);
void channel_close(struct channel *c);

/* As send() and recv() that never wait. */
ssize_t channel_send(struct channel *c, const uint8_t *data, size_t len);
ssize_t channel_receive(struct channel *c, uint8_t *data, size_t size);
/* Some of what was sent is still here: send again, maybe nothing. */
bool channel_pending(const struct channel *c);
/* The socket will not say that there is more: TLS has it already. */
bool channel_holds_more(const struct channel *c);

#endif

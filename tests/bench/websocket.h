/*
 * MQTT in WebSocket frames, the client's side: one binary frame for all that is
 * sent at a time, with a mask of zeros, which costs the broker what any mask does.
 */
#ifndef BENCH_WEBSOCKET_H
#define BENCH_WEBSOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct websocket;

/* The handshake on a connected socket. Ends the program when it is refused. */
struct websocket *websocket_open(int fd);
void websocket_free(struct websocket *ws);

/* All of data, or nothing with EAGAIN while the last is not sent; what the socket
 * does not take stays pending: send again, maybe nothing. */
ssize_t websocket_send(struct websocket *ws, int fd, const uint8_t *data,
		       size_t len);
bool websocket_pending(const struct websocket *ws);
/* Take the frames off, in place. Returns how many bytes are left. */
size_t websocket_unframe(struct websocket *ws, uint8_t *data, size_t len);

#endif

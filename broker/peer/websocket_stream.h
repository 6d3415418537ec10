/*
 * MQTT bytes in WebSocket frames (RFC 6455; MQTT 5.0, section 6), server side:
 * binary messages only, cut and merged as the peer likes. wslay reads the frames.
 * What goes out is one frame for each Control Packet: the specification asks
 * clients to expect several in one, but Paho C 1.3.12 stops after the first until
 * more bytes come.
 *
 * Knows no socket. Broker thread only.
 */
#ifndef BROKER_PEER_WEBSOCKET_STREAM_H
#define BROKER_PEER_WEBSOCKET_STREAM_H

#include <sys/types.h>

#include "broker/peer/output.h"

struct websocket_stream;

struct websocket_stream *websocket_stream_new(void);
void websocket_stream_free(struct websocket_stream *ws,
			   struct output_pool *pool);

/*
 * Frames in, MQTT bytes out: data has room for raw.len bytes. Pongs and the
 * answer to a close are put into websocket_stream_framed(). Returns the number of
 * MQTT bytes; -EPIPE when the peer has closed and none are left; -EPROTO for a
 * breach [MQTT-6.0.0-1 and RFC 6455]; -ENOMEM.
 */
ssize_t websocket_stream_decode(struct websocket_stream *ws,
				struct output_pool *pool, struct slice raw,
				uint8_t *data);

/* The peer has said that it closes: nothing more will be decoded. */
bool websocket_stream_closed(const struct websocket_stream *ws);

/* Frames that wait to be written. */
struct output *websocket_stream_framed(struct websocket_stream *ws);
/* All of out, which holds whole packets, as binary frames behind them; out is
 * empty then. Returns 0, or -ENOMEM: the stream can only be given up. */
int websocket_stream_frame(struct websocket_stream *ws,
			   struct output_pool *pool, struct output *out);

#endif

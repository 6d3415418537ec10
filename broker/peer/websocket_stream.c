#include "broker/peer/websocket_stream.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <wslay/wslay.h>

#include "broker/wire/framing.h"

#define CONTROL_MAX 125 /* RFC 6455, 5.5 */

/* Answers to pings that the peer does not read: more is an attack. */
#define FRAMED_CONTROL_MAX (64 * 1024)

struct websocket_stream {
	wslay_frame_context_ptr frames;
	struct slice raw; /* not yet given to wslay */
	struct output framed;
	uint64_t left; /* payload of the current frame still to come */
	uint8_t control[CONTROL_MAX];
	uint8_t control_len;
	bool in_frame;
	bool in_message; /* a fragmented message is under way */
	bool closed;
};

static ssize_t on_recv(uint8_t *buf, size_t len, int flags, void *arg)
{
	struct websocket_stream *ws = arg;

	(void)flags;
	if (len > ws->raw.len)
		len = ws->raw.len;
	if (len == 0)
		return -1;
	memcpy(buf, ws->raw.data, len);
	ws->raw = slice_of(ws->raw.data + len, ws->raw.len - len);
	return (ssize_t)len;
}

struct websocket_stream *websocket_stream_new(void)
{
	const struct wslay_frame_callbacks callbacks = {
		.recv_callback = on_recv,
	};
	struct websocket_stream *ws = calloc(1, sizeof(*ws));

	if (!ws)
		return NULL;
	if (wslay_frame_context_init(&ws->frames, &callbacks, ws) != 0) {
		free(ws);
		return NULL;
	}
	return ws;
}

void websocket_stream_free(struct websocket_stream *ws,
			   struct output_pool *pool)
{
	if (!ws)
		return;
	output_clear(pool, &ws->framed);
	wslay_frame_context_free(ws->frames);
	free(ws);
}

bool websocket_stream_closed(const struct websocket_stream *ws)
{
	return ws->closed;
}

struct output *websocket_stream_framed(struct websocket_stream *ws)
{
	return &ws->framed;
}

static size_t put_header(uint8_t out[10], uint8_t opcode, size_t len)
{
	out[0] = (uint8_t)(0x80 | opcode);
	if (len < 126) {
		out[1] = (uint8_t)len;
		return 2;
	}
	if (len <= UINT16_MAX) {
		out[1] = 126;
		out[2] = (uint8_t)(len >> 8);
		out[3] = (uint8_t)len;
		return 4;
	}
	out[1] = 127;
	for (size_t i = 0; i < 8; i++)
		out[2 + i] = (uint8_t)((uint64_t)len >> (56 - 8 * i));
	return 10;
}

/* Bytes of the packet that out begins with; it is whole, as we made it. */
static size_t first_packet(const struct output *out)
{
	uint8_t head[MQTT_FIXED_HEADER_MAX];
	size_t n = output_peek(out, head, sizeof(head));
	size_t len = 0;
	size_t i = 0;

	do {
		i++;
		assert(i < n);
		len |= (size_t)(head[i] & 0x7f) << (7 * (i - 1));
	} while (head[i] & 0x80);
	len += i + 1;
	assert(len <= out->len);
	return len;
}

int websocket_stream_frame(struct websocket_stream *ws,
			   struct output_pool *pool, struct output *out)
{
	while (out->len > 0) {
		const size_t len = first_packet(out);
		uint8_t header[10];
		size_t n = put_header(header, WSLAY_BINARY_FRAME, len);

		if (output_append(pool, &ws->framed, header, n) < 0 ||
		    output_move(pool, &ws->framed, out, len) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int answer(struct websocket_stream *ws, struct output_pool *pool,
		  uint8_t opcode)
{
	uint8_t frame[10 + CONTROL_MAX];
	size_t n = put_header(frame, opcode, ws->control_len);

	if (ws->framed.len > FRAMED_CONTROL_MAX)
		return -EPROTO;
	memcpy(frame + n, ws->control, ws->control_len);
	return output_append(pool, &ws->framed, frame, n + ws->control_len);
}

static int begin_frame(struct websocket_stream *ws,
		       const struct wslay_frame_iocb *io)
{
	if (io->rsv || !io->mask)
		return -EPROTO;
	switch (io->opcode) {
	case WSLAY_BINARY_FRAME:
		if (ws->in_message)
			return -EPROTO;
		ws->in_message = true;
		break;
	case WSLAY_CONTINUATION_FRAME:
		if (!ws->in_message)
			return -EPROTO;
		break;
	case WSLAY_PING:
	case WSLAY_PONG:
	case WSLAY_CONNECTION_CLOSE:
		if (io->payload_length > CONTROL_MAX || !io->fin)
			return -EPROTO;
		ws->control_len = 0;
		break;
	default: /* text, or an opcode nobody has defined */
		return -EPROTO;
	}
	ws->left = io->payload_length;
	ws->in_frame = true;
	return 0;
}

static int end_frame(struct websocket_stream *ws, struct output_pool *pool,
		     const struct wslay_frame_iocb *io)
{
	ws->in_frame = false;
	switch (io->opcode) {
	case WSLAY_PING:
		return answer(ws, pool, WSLAY_PONG);
	case WSLAY_PONG:
		return 0;
	case WSLAY_CONNECTION_CLOSE:
		ws->closed = true;
		return answer(ws, pool, WSLAY_CONNECTION_CLOSE);
	default:
		if (io->fin)
			ws->in_message = false;
		return 0;
	}
}

ssize_t websocket_stream_decode(struct websocket_stream *ws,
				struct output_pool *pool, struct slice raw,
				uint8_t *data)
{
	struct wslay_frame_iocb io;
	size_t len = 0;
	ssize_t n;
	int r;

	ws->raw = raw;
	while (!ws->closed) {
		n = wslay_frame_recv(ws->frames, &io);
		if (n == WSLAY_ERR_WANT_READ)
			return (ssize_t)len;
		if (n < 0)
			return -EPROTO;
		if (!ws->in_frame) {
			r = begin_frame(ws, &io);
			if (r < 0)
				return r;
		}
		if (io.opcode & 8) {
			memcpy(ws->control + ws->control_len, io.data,
			       io.data_length);
			ws->control_len =
				(uint8_t)(ws->control_len + io.data_length);
		} else if (io.data_length) {
			memcpy(data + len, io.data, io.data_length);
			len += io.data_length;
		}
		ws->left -= io.data_length;
		if (ws->left > 0)
			continue;
		r = end_frame(ws, pool, &io);
		if (r < 0)
			return r;
	}
	return len > 0 ? (ssize_t)len : -EPIPE;
}

#include "tests/bench/websocket.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/bench/peer.h"

#define HEADER_MAX 14
#define BINARY 0x82
#define CONTROL 0x08
#define CLOSE 0x08

struct websocket {
	uint8_t *out; /* frames that wait */
	size_t out_len, out_at, out_size;
	uint8_t header[HEADER_MAX];
	size_t header_len;
	uint64_t left; /* of the payload of the frame that is being read */
	uint8_t opcode;
};

static const char request[] = "GET /mqtt HTTP/1.1\r\n"
			      "Host: 127.0.0.1\r\n"
			      "Upgrade: websocket\r\n"
			      "Connection: Upgrade\r\n"
			      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
			      "Sec-WebSocket-Version: 13\r\n"
			      "Sec-WebSocket-Protocol: mqtt\r\n\r\n";

struct websocket *websocket_open(int fd)
{
	struct websocket *ws = calloc(1, sizeof(*ws));
	char answer[2048];
	size_t len = 0;

	if (!ws)
		die("out of memory");
	if (send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL) !=
	    (ssize_t)sizeof(request) - 1)
		die("WebSocket: handshake not sent");
	/* Byte by byte: what comes behind it is not ours. */
	while (len < 4 || memcmp(answer + len - 4, "\r\n\r\n", 4) != 0) {
		if (len == sizeof(answer) - 1 ||
		    recv(fd, answer + len, 1, 0) != 1)
			die("WebSocket: no answer to the handshake");
		len++;
	}
	answer[len] = '\0';
	if (!strstr(answer, " 101 "))
		die("WebSocket: refused: %s", answer);
	return ws;
}

void websocket_free(struct websocket *ws)
{
	if (!ws)
		return;
	free(ws->out);
	free(ws);
}

bool websocket_pending(const struct websocket *ws)
{
	return ws && ws->out_at < ws->out_len;
}

static size_t put_header(uint8_t out[HEADER_MAX], size_t len)
{
	size_t n = 2;

	out[0] = BINARY;
	if (len < 126) {
		out[1] = (uint8_t)(0x80 | len);
	} else {
		size_t bytes = len <= UINT16_MAX ? 2 : 8;

		out[1] = bytes == 2 ? 0x80 | 126 : 0x80 | 127;
		for (size_t i = bytes; i-- > 0;)
			out[n++] = (uint8_t)((uint64_t)len >> 8 * i);
	}
	memset(out + n, 0, 4);
	return n + 4;
}

static void frame(struct websocket *ws, const uint8_t *data, size_t len)
{
	if (ws->out_size < len + HEADER_MAX) {
		ws->out_size = len + HEADER_MAX;
		ws->out = realloc(ws->out, ws->out_size);
		if (!ws->out)
			die("out of memory");
	}
	ws->out_len = put_header(ws->out, len);
	memcpy(ws->out + ws->out_len, data, len);
	ws->out_len += len;
	ws->out_at = 0;
}

ssize_t websocket_send(struct websocket *ws, int fd, const uint8_t *data,
		       size_t len)
{
	bool taken = !websocket_pending(ws);

	if (taken && len > 0)
		frame(ws, data, len);
	while (websocket_pending(ws)) {
		ssize_t n =
			send(fd, ws->out + ws->out_at, ws->out_len - ws->out_at,
			     MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno != EAGAIN)
			return -1;
		if (n < 0)
			break;
		ws->out_at += (size_t)n;
	}
	if (taken)
		return (ssize_t)len;
	errno = EAGAIN;
	return -1;
}

/* The header's bytes come one by one. */
static void header_byte(struct websocket *ws, uint8_t byte)
{
	size_t need = 2, len;

	ws->header[ws->header_len++] = byte;
	if (ws->header_len < 2)
		return;
	len = ws->header[1];
	if (len > 127)
		die("WebSocket: a frame with a mask from the broker");
	need += len == 126 ? 2 : len == 127 ? 8 : 0;
	if (ws->header_len < need)
		return;
	ws->opcode = ws->header[0] & 0x0f;
	if (ws->opcode == CLOSE)
		die("WebSocket: closed by the broker");
	ws->left = need == 2 ? len : 0;
	for (size_t i = 2; i < need; i++)
		ws->left = ws->left << 8 | ws->header[i];
	ws->header_len = 0;
}

size_t websocket_unframe(struct websocket *ws, uint8_t *data, size_t len)
{
	size_t at = 0, out = 0;

	while (at < len) {
		size_t n = len - at;

		if (ws->left == 0) {
			header_byte(ws, data[at++]);
			continue;
		}
		if (n > ws->left)
			n = (size_t)ws->left;
		if (!(ws->opcode & CONTROL)) {
			memmove(data + out, data + at, n);
			out += n;
		}
		at += n;
		ws->left -= n;
	}
	return out;
}

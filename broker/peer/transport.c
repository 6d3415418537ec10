#include "broker/peer/transport.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "broker/peer/websocket_stream.h"

/* One read of a WebSocket, before its frames are taken off. */
#define RAW_SIZE (64 * 1024)

/* Bytes given to TLS at a time: one record. */
#define TLS_RECORD 16384

int transport_open(struct transport *t, int fd, struct ssl_st *ssl,
		   bool websocket)
{
	*t = (struct transport){ .fd = fd, .ssl = ssl };
	/* A write that could not be finished is offered again with more bytes
	 * behind it, from wherever they lie then. */
	if (ssl)
		SSL_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE |
					  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	if (!websocket)
		return 0;
	t->websocket = websocket_stream_new();
	if (!t->websocket) {
		*t = (struct transport){ .fd = -1 };
		return -ENOMEM;
	}
	return 0;
}

void transport_close(struct transport *t, struct output_pool *pool)
{
	websocket_stream_free(t->websocket, pool);
	t->websocket = NULL;
	SSL_free(t->ssl);
	t->ssl = NULL;
	if (t->fd >= 0)
		close(t->fd);
	t->fd = -1;
}

void transport_shutdown(struct transport *t)
{
	if (t->ssl)
		SSL_shutdown(t->ssl);
	if (t->fd >= 0)
		shutdown(t->fd, SHUT_WR);
}

bool transport_pending(const struct transport *t)
{
	return t->websocket && websocket_stream_framed(t->websocket)->len > 0;
}

/* SSL_get_error() takes whatever lies in the thread's queue for its own: each
 * operation begins with an empty one. */
static void tls_begin(void)
{
	ERR_clear_error();
	errno = 0;
}

static int tls_error(struct ssl_st *ssl, int r)
{
	switch (SSL_get_error(ssl, r)) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		return -EAGAIN;
	case SSL_ERROR_ZERO_RETURN:
		return -EPIPE;
	case SSL_ERROR_SYSCALL:
		return errno ? -errno : -EPIPE;
	default:
		return -EPROTO;
	}
}

static ssize_t tls_read(struct transport *t, uint8_t *data, size_t size,
			bool *more)
{
	size_t len = 0, n;
	int r;

	/* The socket's readiness says nothing of what TLS still holds. */
	while (len < size) {
		tls_begin();
		r = SSL_read_ex(t->ssl, data + len, size - len, &n);
		if (r <= 0) {
			r = tls_error(t->ssl, r);
			/* The end, seen behind data, is asked for again. */
			*more = r != -EAGAIN;
			return len > 0 ? (ssize_t)len : r;
		}
		len += n;
	}
	*more = true;
	return (ssize_t)len;
}

static ssize_t raw_read(struct transport *t, uint8_t *data, size_t size,
			bool *more)
{
	ssize_t n;

	if (t->ssl)
		return tls_read(t, data, size, more);
	n = recv(t->fd, data, size, 0);
	if (n > 0)
		return n;
	return n == 0 ? -EPIPE : -errno;
}

ssize_t transport_read(struct transport *t, struct output_pool *pool,
		       struct slice raw, uint8_t *data, size_t size, bool *more)
{
	uint8_t *frames;
	ssize_t n;

	*more = false;
	if (t->websocket && websocket_stream_closed(t->websocket))
		return -EPIPE;
	if (!t->websocket && raw.len == 0)
		return raw_read(t, data, size, more);
	if (raw.len == 0) {
		/* Frames are no shorter than what is in them: taken off the far
		 * half, they never reach it. */
		frames = data + size / 2;
		n = raw_read(t, frames,
			     size / 2 < RAW_SIZE ? size / 2 : RAW_SIZE, more);
		if (n < 0)
			return n;
		raw = slice_of(frames, (size_t)n);
	}
	if (raw.len > size)
		return -EMSGSIZE;
	if (t->websocket) {
		n = websocket_stream_decode(t->websocket, pool, raw, data);
		/* The peer now waits for us to end it. */
		*more |= websocket_stream_closed(t->websocket);
		return n;
	}
	memcpy(data, raw.data, raw.len);
	return (ssize_t)raw.len;
}

static int tls_write(struct transport *t, struct output_pool *pool,
		     struct output *out, uint64_t *written)
{
	struct iovec iov[OUTPUT_IOVECS];
	size_t n;
	int r;

	/* The same bytes are offered again after a short write: what stands at
	 * the front has not moved (SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER). */
	while (out->len > 0) {
		output_iovecs(out, iov);
		n = iov[0].iov_len < TLS_RECORD ? iov[0].iov_len : TLS_RECORD;
		tls_begin();
		r = SSL_write_ex(t->ssl, iov[0].iov_base, n, &n);
		if (r <= 0)
			return tls_error(t->ssl, r);
		*written += n;
		output_consume(pool, out, n);
	}
	return 0;
}

/* One piece is the usual, and send() the shorter way for it. */
static ssize_t send_pieces(int fd, const struct msghdr *message)
{
	const struct iovec *piece = message->msg_iov;

	if (message->msg_iovlen == 1)
		return send(fd, piece->iov_base, piece->iov_len, MSG_NOSIGNAL);
	return sendmsg(fd, message, MSG_NOSIGNAL);
}

static int plain_write(struct transport *t, struct output_pool *pool,
		       struct output *out, uint64_t *written)
{
	struct iovec iov[OUTPUT_IOVECS];
	struct msghdr message = { .msg_iov = iov };
	size_t offered;
	ssize_t n;

	while (out->len > 0) {
		message.msg_iovlen = (size_t)output_iovecs(out, iov);
		offered = 0;
		for (size_t i = 0; i < message.msg_iovlen; i++)
			offered += iov[i].iov_len;
		n = send_pieces(t->fd, &message);
		if (n < 0)
			return -errno;
		*written += (size_t)n;
		output_consume(pool, out, (size_t)n);
		/* A short write: the socket is full, no need to ask again. */
		if ((size_t)n < offered)
			return -EAGAIN;
	}
	return 0;
}

static int raw_write(struct transport *t, struct output_pool *pool,
		     struct output *out, uint64_t *written)
{
	if (t->fd < 0) {
		*written += out->len;
		output_clear(pool, out);
		return 0;
	}
	if (t->ssl)
		return tls_write(t, pool, out, written);
	return plain_write(t, pool, out, written);
}

int transport_write(struct transport *t, struct output_pool *pool,
		    struct output *out, uint64_t *written)
{
	struct output *framed;
	int r;

	if (!t->websocket)
		return raw_write(t, pool, out, written);

	/* What is framed already goes first; until it has gone, what comes
	 * gathers unframed, where its length is seen and limited. */
	framed = websocket_stream_framed(t->websocket);
	for (;;) {
		r = raw_write(t, pool, framed, written);
		if (r < 0 || out->len == 0)
			return r;
		r = websocket_stream_frame(t->websocket, pool, out);
		if (r < 0)
			return r;
	}
}

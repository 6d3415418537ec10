#include "tests/bench/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/bench/peer.h"
#include "tests/bench/websocket.h"

static SSL_CTX *context(void)
{
	static SSL_CTX *made;

	if (made)
		return made;
	made = SSL_CTX_new(TLS_client_method());
	if (!made)
		die("TLS: no memory");
	SSL_CTX_set_mode(made, SSL_MODE_ENABLE_PARTIAL_WRITE |
				       SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	return made;
}

static SSL *handshake(int fd)
{
	SSL *ssl = SSL_new(context());
	int flags = fcntl(fd, F_GETFL);

	if (!ssl || SSL_set_fd(ssl, fd) != 1)
		die("TLS: no memory");
	if (SSL_connect(ssl) != 1)
		die("TLS: %s", ERR_reason_error_string(ERR_peek_last_error()));
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		die("fcntl failed");
	return ssl;
}

void channel_open(struct channel *c, int fd, enum channel_kind kind)
{
	*c = (struct channel){ .fd = fd };
	if (kind == CHANNEL_TLS)
		c->ssl = handshake(fd);
	if (kind == CHANNEL_WEBSOCKET)
		c->websocket = websocket_open(fd);
}

void channel_close(struct channel *c)
{
	SSL_free(c->ssl);
	websocket_free(c->websocket);
	close(c->fd);
	*c = (struct channel){ .fd = -1 };
}

/* -1 with errno, as the system calls have it; 0 at the end of the stream. */
static ssize_t failed(SSL *ssl, int r)
{
	switch (SSL_get_error(ssl, r)) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		errno = EAGAIN;
		return -1;
	case SSL_ERROR_ZERO_RETURN:
		return 0;
	default:
		errno = EPROTO;
		return -1;
	}
}

ssize_t channel_send(struct channel *c, const uint8_t *data, size_t len)
{
	size_t n;
	int r;

	if (c->websocket)
		return websocket_send(c->websocket, c->fd, data, len);
	if (!c->ssl)
		return send(c->fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	ERR_clear_error();
	r = SSL_write_ex(c->ssl, data, len, &n);
	return r > 0 ? (ssize_t)n : failed(c->ssl, r);
}

static ssize_t tls_receive(SSL *ssl, uint8_t *data, size_t size)
{
	size_t len = 0, n;

	while (len < size) {
		int r;

		ERR_clear_error();
		r = SSL_read_ex(ssl, data + len, size - len, &n);
		if (r <= 0)
			return len > 0 ? (ssize_t)len : failed(ssl, r);
		len += n;
	}
	return (ssize_t)len;
}

ssize_t channel_receive(struct channel *c, uint8_t *data, size_t size)
{
	ssize_t n;

	if (c->ssl)
		return tls_receive(c->ssl, data, size);
	n = recv(c->fd, data, size, MSG_DONTWAIT);
	if (n <= 0 || !c->websocket)
		return n;
	n = (ssize_t)websocket_unframe(c->websocket, data, (size_t)n);
	if (n > 0)
		return n;
	errno = EAGAIN;
	return -1;
}

bool channel_pending(const struct channel *c)
{
	return websocket_pending(c->websocket);
}

bool channel_holds_more(const struct channel *c)
{
	return c->ssl && SSL_pending(c->ssl) > 0;
}

#include "tests/bench/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include "tests/bench/peer.h"

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

struct ssl_st *channel_tls(int fd)
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

void channel_tls_free(struct ssl_st *ssl)
{
	SSL_free(ssl);
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

ssize_t channel_send(int fd, struct ssl_st *ssl, const uint8_t *data,
		     size_t len)
{
	size_t n;
	int r;

	if (!ssl)
		return send(fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	ERR_clear_error();
	r = SSL_write_ex(ssl, data, len, &n);
	return r > 0 ? (ssize_t)n : failed(ssl, r);
}

ssize_t channel_receive(int fd, struct ssl_st *ssl, uint8_t *data, size_t size)
{
	size_t len = 0, n;

	if (!ssl)
		return recv(fd, data, size, MSG_DONTWAIT);
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

bool channel_holds_more(struct ssl_st *ssl)
{
	return ssl && SSL_pending(ssl) > 0;
}

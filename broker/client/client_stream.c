#include "broker/client/client_stream.h"

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "broker/client/client_lookup.h"
#include "broker/client/client_tls.h"

int client_stream_init(struct client_stream *stream, const char *address,
		       const struct client_tls *tls)
{
	*stream = (struct client_stream){ .fd = -1, .tls = tls };
	if (client_address_parse(address, &stream->address))
		return -EINVAL;
	/* Never without knowing whom to believe. */
	return stream->address.tls && !tls ? -EINVAL : 0;
}

void client_stream_close(struct client_stream *stream)
{
	SSL_free(stream->ssl);
	stream->ssl = NULL;
	if (stream->fd >= 0 && stream->state != STREAM_LOOKING_UP)
		(void)close(stream->fd);
	stream->fd = -1;
	stream->state = STREAM_CLOSED;
}

void client_stream_free(struct client_stream *stream)
{
	client_stream_close(stream);
	client_lookup_free(stream->lookup);
	stream->lookup = NULL;
}

/* ---- TLS ---------------------------------------------------------------- */

/* OpenSSL takes whatever lies in the thread's queue for its own. */
static void tls_begin(void)
{
	ERR_clear_error();
	errno = 0;
}

static void explain(struct client_stream *stream)
{
	const long verdict = SSL_get_verify_result(stream->ssl);
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());

	if (verdict != X509_V_OK)
		(void)snprintf(stream->why, sizeof(stream->why),
			       "its certificate is not to be believed: %s",
			       X509_verify_cert_error_string(verdict));
	else
		(void)snprintf(stream->why, sizeof(stream->why), "TLS: %s",
			       reason ? reason : "broken");
}

/* Returns 0 at a proper end, or a negative errno. */
static int tls_failed(struct client_stream *stream, int r)
{
	const int error = errno;

	switch (SSL_get_error(stream->ssl, r)) {
	case SSL_ERROR_WANT_READ:
		stream->events = EPOLLIN;
		return -EAGAIN;
	case SSL_ERROR_WANT_WRITE:
		stream->events = EPOLLOUT;
		return -EAGAIN;
	case SSL_ERROR_ZERO_RETURN:
		return 0;
	case SSL_ERROR_SYSCALL:
		return error ? -error : -ECONNRESET;
	default:
		explain(stream);
		return -EPROTO;
	}
}

static int shake_hands(struct client_stream *stream)
{
	int r;

	tls_begin();
	r = SSL_do_handshake(stream->ssl);
	if (r != 1) {
		r = tls_failed(stream, r);
		return r ? r : -ECONNRESET;
	}
	stream->state = STREAM_OPEN;
	return 0;
}

static int begin_tls(struct client_stream *stream)
{
	stream->ssl =
		client_tls_begin(stream->tls, stream->fd, stream->address.host);
	if (!stream->ssl)
		return -ENOMEM;
	stream->state = STREAM_SHAKING_HANDS;
	return shake_hands(stream);
}

/* ---- the socket --------------------------------------------------------- */

static int open_socket(struct client_stream *stream)
{
	const struct client_address *address = &stream->address;
	int one = 1;
	int fd = socket(address->storage.ss_family,
			SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	/* Small packets must not wait for each other. It is only slower if
	 * this fails, and it does for a unix socket. */
	if (address->storage.ss_family != AF_UNIX)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one,
				 sizeof(one));
	if (connect(fd, (const struct sockaddr *)&address->storage,
		    address->len) &&
	    errno != EINPROGRESS) {
		int r = -errno;

		(void)close(fd);
		return r;
	}
	stream->fd = fd;
	stream->state = STREAM_CONNECTING;
	stream->events = EPOLLOUT;
	return -EAGAIN;
}

static int look_up(struct client_stream *stream)
{
	int r = 0;

	if (!stream->lookup)
		r = client_lookup_start(&stream->address, &stream->lookup);
	if (r)
		return r;
	stream->fd = client_lookup_fd(stream->lookup);
	stream->state = STREAM_LOOKING_UP;
	stream->events = EPOLLIN;
	return -EAGAIN;
}

static int take_lookup(struct client_stream *stream)
{
	int r = client_lookup_take(stream->lookup, stream->turn,
				   &stream->address);

	if (r == -EAGAIN)
		return r;
	stream->turn++;
	stream->fd = -1;
	stream->state = STREAM_CLOSED;
	client_lookup_free(stream->lookup);
	stream->lookup = NULL;
	if (r) {
		(void)snprintf(stream->why, sizeof(stream->why),
			       "no address of %s is found",
			       stream->address.host);
		return r;
	}
	r = open_socket(stream);
	/* Found anew for each try: it may have moved. */
	stream->address.len = 0;
	return r;
}

static int connected(struct client_stream *stream)
{
	socklen_t len = sizeof(int);
	int error = 0;

	if (getsockopt(stream->fd, SOL_SOCKET, SO_ERROR, &error, &len))
		error = errno;
	if (error)
		return -error;
	if (stream->address.tls)
		return begin_tls(stream);
	stream->state = STREAM_OPEN;
	return 0;
}

int client_stream_step(struct client_stream *stream)
{
	switch (stream->state) {
	case STREAM_CLOSED:
		stream->why[0] = '\0';
		return stream->address.len ? open_socket(stream)
					   : look_up(stream);
	case STREAM_LOOKING_UP:
		return take_lookup(stream);
	case STREAM_CONNECTING:
		return connected(stream);
	case STREAM_SHAKING_HANDS:
		return shake_hands(stream);
	case STREAM_OPEN:
		return 0;
	}
	return -EINVAL;
}

/* ---- bytes -------------------------------------------------------------- */

ssize_t client_stream_read(struct client_stream *stream, uint8_t *data,
			   size_t size)
{
	size_t got = 0;
	ssize_t n;
	int r;

	if (stream->ssl) {
		tls_begin();
		r = SSL_read_ex(stream->ssl, data, size, &got);
		return r == 1 ? (ssize_t)got : tls_failed(stream, r);
	}
	do
		n = recv(stream->fd, data, size, 0);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

ssize_t client_stream_write(struct client_stream *stream, const uint8_t *data,
			    size_t len)
{
	size_t sent = 0;
	ssize_t n;
	int r;

	if (stream->ssl) {
		tls_begin();
		r = SSL_write_ex(stream->ssl, data, len, &sent);
		if (r == 1)
			return (ssize_t)sent;
		r = tls_failed(stream, r);
		return r ? r : -EPIPE;
	}
	do
		n = send(stream->fd, data, len, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

bool client_stream_pending(const struct client_stream *stream)
{
	/* Not SSL_has_pending(): the beginning of a record, whose rest the
	 * descriptor will announce, would keep us turning until it comes. */
	return stream->ssl && SSL_pending(stream->ssl) > 0;
}

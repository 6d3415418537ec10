#include "web/front.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "broker/base/log.h"
#include "broker/base/tls.h"
#include "web/address.h"
#include "web/context.h"
#include "web/limits.h"
#include "web/peers.h"
#include "web/pump.h"
#include "web/visitor.h"
#include "web/web.h"

#define BACKLOG 128

/* Connections accepted in one go, so that others get their turn. */
#define ACCEPT_BATCH 16

/* When descriptors or memory ran out: how long nobody is let in. */
#define PAUSE_MS 500

struct listener {
	struct loop_source source;
	struct front *front;
	bool tls;
	uint16_t port;
};

struct front {
	struct web_context *web;
	struct peers *peers;
	struct tls *tls;
	struct list visitors;
	struct list pumps;
	struct loop_timer pause;
	size_t count;
	struct listener listeners[WEB_LISTENERS_MAX];
};

union any_address {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_storage storage;
};

/* In as many words as fit one packet, for those who get no place. */
static void turn_away(int fd, bool tls, int reason)
{
	static const char busy[] =
		"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n"
		"Retry-After: 5\r\nContent-Length: 0\r\n\r\n";
	static const char many[] =
		"HTTP/1.1 429 Too Many Requests\r\nConnection: close\r\n"
		"Retry-After: 5\r\nContent-Length: 0\r\n\r\n";
	const char *text = reason == -EUSERS ? many : busy;
	ssize_t n = 0;

	if (!tls)
		n = send(fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT);
	/* Whether it arrives is the peer's business. */
	(void)n;
	close(fd);
}

static void welcome(struct listener *listener, int fd,
		    const union any_address *address, socklen_t len)
{
	struct front *front = listener->front;
	const int on = 1;
	struct visit visit = {
		.web = front->web,
		.peers = front->peers,
		.list = &front->visitors,
		.pumps = &front->pumps,
		.fd = fd,
		.address = &address->sa,
		.address_len = len,
	};

	visit.place = peers_enter(front->peers, &address->sa);
	if (visit.place < 0) {
		turn_away(fd, listener->tls, visit.place);
		return;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (listener->tls) {
		visit.ssl = tls_accept(front->tls, fd);
		if (!visit.ssl) {
			peers_leave(front->peers, visit.place);
			close(fd);
			return;
		}
	}
	visitor_new(&visit);
}

static void on_pause_over(struct loop_timer *timer)
{
	struct front *front = list_entry(timer, struct front, pause);

	for (size_t i = 0; i < front->count; i++)
		loop_modify(front->web->loop, &front->listeners[i].source,
			    EPOLLIN);
}

static void pause_all(struct front *front, int error)
{
	log_warn("web", "no connections are accepted for %d ms: %s", PAUSE_MS,
		 strerrordesc_np(error));
	for (size_t i = 0; i < front->count; i++)
		loop_modify(front->web->loop, &front->listeners[i].source, 0);
	front->pause.fn = on_pause_over;
	loop_timer_set(front->web->loop, &front->pause, PAUSE_MS);
}

static void on_connection(struct loop_source *source, uint32_t events)
{
	struct listener *listener = list_entry(source, struct listener, source);
	union any_address address;
	socklen_t len;
	int fd;

	(void)events;
	for (int i = 0; i < ACCEPT_BATCH; i++) {
		len = sizeof(address);
		fd = accept4(source->fd, &address.sa, &len,
			     SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0) {
			welcome(listener, fd, &address, len);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
		    errno == ENOBUFS)
			pause_all(listener->front, errno);
		/* Nobody waits; or this one has gone again, others may wait:
		 * the next turn shows. */
		return;
	}
}

static int parse_address(const struct web_listener *options,
			 union any_address *out, socklen_t *len)
{
	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, options->address, &out->in.sin_addr) == 1) {
		out->in.sin_family = AF_INET;
		out->in.sin_port = htons(options->port);
		*len = sizeof(out->in);
		return 0;
	}
	if (inet_pton(AF_INET6, options->address, &out->in6.sin6_addr) == 1) {
		out->in6.sin6_family = AF_INET6;
		out->in6.sin6_port = htons(options->port);
		*len = sizeof(out->in6);
		return 0;
	}
	return -EINVAL;
}

/* Returns the socket or a negative errno. */
static int open_socket(const struct web_listener *options, uint16_t *port)
{
	const int on = 1, off = 0;
	union any_address address;
	socklen_t len;
	int fd, r;

	r = parse_address(options, &address, &len);
	if (r)
		return r;
	fd = socket(address.sa.sa_family,
		    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (address.sa.sa_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
	    bind(fd, &address.sa, len) || listen(fd, BACKLOG) ||
	    getsockname(fd, &address.sa, &len)) {
		r = -errno;
		close(fd);
		return r;
	}
	*port = ntohs(address.sa.sa_family == AF_INET ? address.in.sin_port
						      : address.in6.sin6_port);
	return fd;
}

static int open_listener(struct front *front,
			 const struct web_listener *options)
{
	struct listener *listener = &front->listeners[front->count];
	int fd, r;

	listener->front = front;
	listener->tls = options->tls;
	fd = options->tls && !front->tls
		     ? -EINVAL
		     : open_socket(options, &listener->port);
	if (fd < 0) {
		r = fd;
		goto err_log;
	}
	r = loop_add(front->web->loop, &listener->source, fd, EPOLLIN,
		     on_connection);
	if (r) {
		close(fd);
		goto err_log;
	}
	front->count++;
	log_info("web", "listening on %s port %u%s", options->address,
		 listener->port, options->tls ? " with TLS" : "");
	return 0;

err_log:
	log_error("web", "cannot listen on %s port %u: %s", options->address,
		  options->port, strerrordesc_np(-r));
	return r;
}

struct front *front_new(struct web_context *web, struct peers *peers,
			struct tls *tls, const struct web_listener *listeners,
			size_t count)
{
	struct front *front;
	int r;

	if (count == 0 || count > WEB_LISTENERS_MAX) {
		errno = EINVAL;
		return NULL;
	}
	front = calloc(1, sizeof(*front));
	if (!front)
		return NULL;
	front->web = web;
	front->peers = peers;
	front->tls = tls;
	list_init(&front->visitors);
	list_init(&front->pumps);
	for (size_t i = 0; i < count; i++) {
		r = open_listener(front, &listeners[i]);
		if (r) {
			front_free(front);
			errno = -r;
			return NULL;
		}
	}
	return front;
}

void front_set_tls(struct front *front, struct tls *tls)
{
	front->tls = tls;
}

uint16_t front_port(const struct front *front, size_t index)
{
	return index < front->count ? front->listeners[index].port : 0;
}

void front_free(struct front *front)
{
	if (!front)
		return;
	loop_timer_cancel(front->web->loop, &front->pause);
	for (size_t i = 0; i < front->count; i++) {
		int fd = front->listeners[i].source.fd;

		loop_remove(front->web->loop, &front->listeners[i].source);
		close(fd);
	}
	visitors_free(&front->visitors);
	pumps_free(&front->pumps);
	free(front);
}

#include "broker/peer/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "broker/base/cidr.h"
#include "broker/base/log.h"
#include "broker/base/tls.h"
#include "broker/core.h"
#include "broker/guard.h"
#include "broker/peer/arrival.h"
#include "broker/peer/connection.h"
#include "broker/peer/listen_socket.h"
#include "broker/protocol/banned.h"

/* Peers accepted in one turn: a storm must not starve those already in. */
#define ACCEPTS_A_TURN 64

/* Without a descriptor in reserve the loop would spin on a peer that cannot be
 * accepted: nobody is, for so long. */
#define PAUSE_MS 500

struct listener {
	struct loop_source source;
	struct loop_timer pause; /* none is accepted until it fires */
	struct broker *broker;
	const struct listener_options *options;
	struct tls *tls; /* NULL: plain */
	unsigned int connections;
	int reserve; /* a descriptor kept for telling a peer off at EMFILE */
	uint64_t turned_away_logged;
};

static int open_reserve(void)
{
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static bool full(struct listener *l)
{
	const unsigned int own = l->options->max_connections;
	struct broker *broker = l->broker;

	return broker->connection_count + broker->arrival_count >=
		       broker->options.max_connections ||
	       (own && l->connections >= own);
}

static void log_turned_away(struct listener *l, const char *why)
{
	uint64_t now = loop_now(l->broker->loop);

	if (l->turned_away_logged && now < l->turned_away_logged + 10000)
		return;
	l->turned_away_logged = now;
	log_warn("listener", "%s: a peer was turned away: %s", l->options->name,
		 why);
}

static void on_pause_over(struct loop_timer *timer)
{
	struct listener *l = list_entry(timer, struct listener, pause);

	if (l->reserve < 0)
		l->reserve = open_reserve();
	loop_modify(l->broker->loop, &l->source, EPOLLIN);
}

static void pause_accepting(struct listener *l, const char *why)
{
	loop_modify(l->broker->loop, &l->source, 0);
	loop_timer_set(l->broker->loop, &l->pause, PAUSE_MS);
	log_turned_away(l, why);
}

/* No descriptor is free: give up the reserve, so that the peer can be accepted
 * and told by a close, instead of making the loop spin on it. */
static void turn_away(struct listener *l)
{
	int fd;

	if (l->reserve < 0) {
		pause_accepting(l, "out of file descriptors");
		return;
	}
	close(l->reserve);
	fd = accept4(l->source.fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd >= 0)
		close(fd);
	l->reserve = open_reserve();
	log_turned_away(l, "out of file descriptors");
}

bool listener_websocket(const struct listener_options *o)
{
	return o->type == LISTENER_WS || o->type == LISTENER_WSS;
}

int listener_transport(struct listener *l, struct transport *out, int fd)
{
	struct ssl_st *ssl = NULL;
	int r;

	if (l->tls) {
		ssl = tls_accept(l->tls, fd);
		if (!ssl)
			return -ENOMEM;
	}
	r = transport_open(out, fd, ssl, false);
	if (r < 0)
		SSL_free(ssl);
	return r;
}

bool listener_admits(struct listener *l, const char *address)
{
	return !banned_address(l->broker, address) &&
	       guard_admits(l->broker->guard, address);
}

int listener_begin(struct listener *l, int fd, const char *address,
		   uint64_t waited)
{
	struct connection_options options = {
		.listener = l,
		.fd = fd,
		.websocket = false,
		.address = address,
		.waited = waited,
	};

	if (l->tls) {
		options.ssl = tls_accept(l->tls, fd);
		if (!options.ssl)
			return -ENOMEM;
	}
	if (!connection_new(l->broker, &options)) {
		SSL_free(options.ssl);
		return -ENOMEM;
	}
	return 0;
}

/* Only from these may it be said whom a connection is for. */
static bool trusted(struct listener *l, const char *address)
{
	const struct name_list *from = &l->options->proxy_from;
	struct cidr network, peer;

	if (from->count == 0)
		return true;
	for (size_t i = 0; cidr_peer(address, &peer) && i < from->count; i++)
		if (cidr_parse(from->names[i], &network) == 0 &&
		    cidr_contains(&network, &peer))
			return true;
	log_turned_away(l, "not from proxy_from");
	return false;
}

/* A proxy is not judged for those who come by it. */
static int begin(struct listener *l, int fd, const char *address)
{
	if (l->options->proxy_protocol ? !trusted(l, address)
				       : !listener_admits(l, address))
		return -EACCES;
	if (l->options->proxy_protocol || listener_websocket(l->options))
		return arrival_new(l->broker, l, fd, address);
	return listener_begin(l, fd, address, 0);
}

static void welcome(struct listener *l, int fd,
		    const struct sockaddr_storage *peer)
{
	char address[LISTEN_ADDRESS_SIZE];
	const int one = 1;
	int r;

	if (full(l)) {
		log_turned_away(l, "too many connections");
		close(fd);
		return;
	}
	listen_socket_peer(peer, address);
	if (l->options->type != LISTENER_UNIX)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	r = begin(l, fd, address);
	if (r == 0) {
		l->connections++;
		return;
	}
	/* Why somebody may not come in has been said. */
	if (r != -EACCES)
		log_error("listener", "%s: %s turned away: %s",
			  l->options->name, address, strerrordesc_np(-r));
	close(fd);
}

static void on_accept(struct loop_source *source, uint32_t events)
{
	struct listener *l = list_entry(source, struct listener, source);
	struct sockaddr_storage peer;
	socklen_t len;
	int fd;

	(void)events;
	for (int i = 0; i < ACCEPTS_A_TURN; i++) {
		len = sizeof(peer);
		memset(&peer, 0, sizeof(peer));
		fd = accept4(source->fd, (struct sockaddr *)&peer, &len,
			     SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0) {
			welcome(l, fd, &peer);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE)
			turn_away(l);
		else if (errno == ENOMEM || errno == ENOBUFS)
			pause_accepting(l, strerrordesc_np(errno));
		else if (errno == EINTR || errno == ECONNABORTED)
			continue;
		return;
	}
}

int listener_make_tls(const struct listener_options *o, struct tls **out)
{
	const struct tls_options options = {
		.certificate = o->tls_cert,
		.key = o->tls_key,
		.sni = o->tls_sni.names,
		.sni_count = o->tls_sni.count,
		.only_1_3 = o->tls_min == 1,
		.client_ca = o->tls_client_ca,
		.client_crl = o->tls_client_crl,
		.protocol = listener_websocket(o) ? "http/1.1" : "mqtt",
	};

	*out = NULL;
	if (!o->tls_cert)
		return 0;
	*out = tls_new(&options, "listener");
	return *out ? 0 : -errno;
}

void listener_take(struct listener *l, const struct listener_options *options,
		   struct tls *tls)
{
	/* Sessions hold what they need of the old one. */
	tls_free(l->tls);
	l->tls = tls;
	l->options = options;
}

int listener_open(struct broker *broker, const struct listener_options *options,
		  struct listener **out)
{
	struct listener *l = calloc(1, sizeof(*l));
	int fd, r;

	if (!l)
		return -ENOMEM;
	l->broker = broker;
	l->options = options;
	l->pause.fn = on_pause_over;
	l->reserve = open_reserve();
	r = listener_make_tls(options, &l->tls);
	if (r < 0)
		goto err_reserve;
	fd = listen_socket_open(options);
	if (fd < 0) {
		r = fd;
		goto err_reserve;
	}
	r = loop_add(broker->loop, &l->source, fd, EPOLLIN, on_accept);
	if (r < 0)
		goto err_socket;
	*out = l;
	return 0;

err_socket:
	listen_socket_close(fd, options);
err_reserve:
	tls_free(l->tls);
	if (l->reserve >= 0)
		close(l->reserve);
	free(l);
	return r;
}

void listener_stop(struct listener *l)
{
	int fd = l->source.fd;

	if (fd < 0)
		return;
	loop_timer_cancel(l->broker->loop, &l->pause);
	loop_remove(l->broker->loop, &l->source);
	listen_socket_close(fd, l->options);
	if (l->reserve >= 0)
		close(l->reserve);
	l->reserve = -1;
}

void listener_close(struct listener *l)
{
	if (!l)
		return;
	listener_stop(l);
	tls_free(l->tls);
	free(l);
}

const struct listener_options *listener_options(const struct listener *l)
{
	return l->options;
}

uint16_t listener_port(const struct listener *l)
{
	struct sockaddr_storage address = { 0 };
	socklen_t len = sizeof(address);

	if (getsockname(l->source.fd, (struct sockaddr *)&address, &len) < 0)
		return 0;
	if (address.ss_family == AF_INET6)
		return ntohs(
			((struct sockaddr_in6 *)(void *)&address)->sin6_port);
	if (address.ss_family == AF_INET)
		return ntohs(
			((struct sockaddr_in *)(void *)&address)->sin_port);
	return 0;
}

void listener_released(struct listener *l)
{
	l->connections--;
}

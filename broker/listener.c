#include "broker/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "broker/banned.h"
#include "broker/base/log.h"
#include "broker/base/tls.h"
#include "broker/connection.h"
#include "broker/core.h"
#include "broker/guard.h"

/* Peers accepted in one turn: a storm must not starve those already in. */
#define ACCEPTS_A_TURN 64

#define BACKLOG 1024

struct listener {
	struct loop_source source;
	struct broker *broker;
	const struct listener_options *options;
	struct tls *tls; /* NULL: plain */
	unsigned int connections;
	int reserve; /* a descriptor kept for telling a peer off at EMFILE */
	uint64_t full_logged;
};

static int open_reserve(void)
{
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* "192.0.2.7:49152", "[2001:db8::1]:49152" or "unix". */
static void describe(const struct sockaddr_storage *peer, char out[64])
{
	const struct sockaddr_in *v4 = (const void *)peer;
	const struct sockaddr_in6 *v6 = (const void *)peer;
	char text[INET6_ADDRSTRLEN] = "?";

	if (peer->ss_family == AF_INET) {
		inet_ntop(AF_INET, &v4->sin_addr, text, sizeof(text));
		snprintf(out, 64, "%s:%u", text, ntohs(v4->sin_port));
	} else if (peer->ss_family == AF_INET6) {
		inet_ntop(AF_INET6, &v6->sin6_addr, text, sizeof(text));
		snprintf(out, 64, "[%s]:%u", text, ntohs(v6->sin6_port));
	} else {
		snprintf(out, 64, "unix");
	}
}

static bool full(struct listener *l)
{
	const unsigned int own = l->options->max_connections;
	struct broker *broker = l->broker;

	return broker->connection_count >= broker->options.max_connections ||
	       (own && l->connections >= own);
}

static void log_full(struct listener *l, const char *why)
{
	uint64_t now = loop_now(l->broker->loop);

	if (l->full_logged && now < l->full_logged + 10000)
		return;
	l->full_logged = now;
	log_warn("listener", "%s: a peer was turned away: %s", l->options->name,
		 why);
}

/* No descriptor is free: give up the reserve, so that the peer can be accepted
 * and told by a close, instead of making the loop spin on it. */
static void turn_away(struct listener *l)
{
	int fd;

	close(l->reserve);
	fd = accept4(l->source.fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd >= 0)
		close(fd);
	l->reserve = open_reserve();
	log_full(l, "out of file descriptors");
}

static void welcome(struct listener *l, int fd,
		    const struct sockaddr_storage *peer)
{
	struct connection_options options = {
		.listener = l,
		.fd = fd,
		.websocket = false,
	};
	char address[64];
	int one = 1;

	if (full(l)) {
		log_full(l, "too many connections");
		close(fd);
		return;
	}
	describe(peer, address);
	if (banned_address(l->broker, address) ||
	    !guard_admits(l->broker->guard, address)) {
		close(fd);
		return;
	}
	options.address = address;
	if (l->options->type != LISTENER_UNIX)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (l->tls) {
		options.ssl = tls_accept(l->tls, fd);
		if (!options.ssl) {
			close(fd);
			return;
		}
	}
	if (!connection_new(l->broker, &options)) {
		SSL_free(options.ssl);
		log_error("listener", "%s: %s turned away: out of memory",
			  l->options->name, address);
		close(fd);
		return;
	}
	l->connections++;
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
		else if (errno == EINTR || errno == ECONNABORTED)
			continue;
		return;
	}
}

static int bind_unix(int fd, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct stat st;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path) + 1);
	/* A socket left by a process that was killed; nothing else is removed. */
	if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode))
		unlink(path);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	return chmod(path, 0660) < 0 ? -errno : 0;
}

static int bind_tcp(int fd, const struct listener_options *o, int family)
{
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6,
				   .sin6_port = htons(o->port) };
	struct sockaddr_in v4 = { .sin_family = AF_INET,
				  .sin_port = htons(o->port) };
	int one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (family == AF_INET6) {
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
		if (inet_pton(AF_INET6, o->address, &v6.sin6_addr) != 1)
			return -EINVAL;
		return bind(fd, (struct sockaddr *)&v6, sizeof(v6)) < 0 ? -errno
									: 0;
	}
	if (inet_pton(AF_INET, o->address, &v4.sin_addr) != 1)
		return -EINVAL;
	return bind(fd, (struct sockaddr *)&v4, sizeof(v4)) < 0 ? -errno : 0;
}

static int open_socket(const struct listener_options *o)
{
	int family = o->type == LISTENER_UNIX  ? AF_UNIX
		     : strchr(o->address, ':') ? AF_INET6
					       : AF_INET;
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int r;

	if (fd < 0)
		return -errno;
	r = family == AF_UNIX ? bind_unix(fd, o->path)
			      : bind_tcp(fd, o, family);
	if (r == 0 && listen(fd, BACKLOG) < 0)
		r = -errno;
	if (r < 0) {
		close(fd);
		return r;
	}
	return fd;
}

int listener_make_tls(const struct listener_options *o, struct tls **out)
{
	const struct tls_options options = {
		.certificate = o->tls_cert,
		.key = o->tls_key,
		.client_ca = o->tls_client_ca,
		.client_crl = o->tls_client_crl,
		.protocol = "mqtt",
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
	l->reserve = open_reserve();
	r = listener_make_tls(options, &l->tls);
	if (r < 0)
		goto err_reserve;
	fd = open_socket(options);
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
	close(fd);
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
	loop_remove(l->broker->loop, &l->source);
	close(fd);
	if (l->options->type == LISTENER_UNIX)
		unlink(l->options->path);
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

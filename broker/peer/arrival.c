#include "broker/peer/arrival.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <strings.h>

#include "broker/base/log.h"
#include "broker/core.h"
#include "broker/limits.h"
#include "broker/peer/connection.h"
#include "broker/peer/listen_socket.h"
#include "broker/peer/listener.h"
#include "broker/peer/websocket_stream.h"
#include "broker/wire/proxy.h"
#include "broker/wire/same_site.h"
#include "broker/wire/websocket.h"

enum arrival_state {
	ARRIVAL_PROXY, /* a PROXY header is awaited, before TLS */
	ARRIVAL_REQUEST, /* an HTTP request */
};

struct arrival {
	struct loop_source source;
	struct loop_timer timer; /* until it must have become a connection */
	struct list link;
	struct broker *broker;
	struct listener *listener;
	struct transport transport;
	struct buffer head; /* what is awaited, and what came behind */
	uint64_t since;
	enum arrival_state state;
	char address[LISTEN_ADDRESS_SIZE]; /* the proxy's, until it has told */
};

static void on_event(struct loop_source *source, uint32_t events);
static void on_timer(struct loop_timer *timer);

static void arrival_free(struct arrival *a)
{
	struct broker *broker = a->broker;

	loop_timer_cancel(broker->loop, &a->timer);
	loop_remove(broker->loop, &a->source);
	list_remove(&a->link);
	broker->arrival_count--;
	if (a->listener)
		listener_released(a->listener);
	buffer_free(&a->head);
	transport_close(&a->transport, broker->pool);
	free(a);
}

void arrivals_free(struct broker *broker)
{
	struct list *at, *after;

	list_for_each (at, after, &broker->arrivals)
		arrival_free(list_entry(at, struct arrival, link));
}

int arrival_new(struct broker *broker, struct listener *listener, int fd,
		const char *address)
{
	struct arrival *a = calloc(1, sizeof(*a));
	int r = -ENOMEM;

	if (!a)
		return r;
	a->broker = broker;
	a->listener = listener;
	memcpy(a->address, address, strnlen(address, sizeof(a->address) - 1));
	buffer_init(&a->head, WEBSOCKET_HEAD_MAX);
	a->state = listener_options(listener)->proxy_protocol ? ARRIVAL_PROXY
							      : ARRIVAL_REQUEST;
	r = a->state == ARRIVAL_PROXY
		    ? transport_open(&a->transport, fd, NULL, false)
		    : listener_transport(listener, &a->transport, fd);
	if (r < 0)
		goto err_free;
	r = loop_add(broker->loop, &a->source, fd, EPOLLIN, on_event);
	if (r < 0)
		goto err_transport;
	a->since = loop_now(broker->loop);
	a->timer.fn = on_timer;
	loop_timer_set(broker->loop, &a->timer, LIMIT_CONNECT_TIME);
	list_append(&broker->arrivals, &a->link);
	broker->arrival_count++;
	return 0;

err_transport:
	a->transport.fd = -1;
	transport_close(&a->transport, broker->pool);
err_free:
	free(a);
	return r;
}

static void give_up(struct arrival *a, const char *why)
{
	log_info("client", "(%s): closed: %s", a->address, why);
	arrival_free(a);
}

static void on_timer(struct loop_timer *timer)
{
	struct arrival *a = list_entry(timer, struct arrival, timer);

	give_up(a, a->state == ARRIVAL_PROXY ? "no PROXY header in time"
					     : "no WebSocket in time");
}

/* The loop may be late with our timer. */
static uint64_t waited(const struct arrival *a)
{
	const uint64_t ms = loop_now(a->broker->loop) - a->since;

	return ms < LIMIT_CONNECT_TIME ? ms : LIMIT_CONNECT_TIME;
}

/* Bytes and place are the connection's now. */
static void depart(struct arrival *a)
{
	a->transport.fd = -1;
	a->transport.ssl = NULL;
	a->listener = NULL;
	arrival_free(a);
}

/* ---- PROXY protocol ----------------------------------------------------- */

/* Whom it is for, as the log, lists and bans shall know it. False: not let in. */
static bool take_client(struct arrival *a, const struct proxy_header *header)
{
	struct sockaddr_storage peer = { 0 };
	struct sockaddr_in *v4 = (void *)&peer;
	struct sockaddr_in6 *v6 = (void *)&peer;
	char proxy[LISTEN_ADDRESS_SIZE];

	if (header->family == PROXY_UNKNOWN)
		return true;
	if (header->family == PROXY_IPV4) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(header->port);
		memcpy(&v4->sin_addr, header->address, sizeof(v4->sin_addr));
	} else {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons(header->port);
		memcpy(&v6->sin6_addr, header->address, sizeof(v6->sin6_addr));
	}
	memcpy(proxy, a->address, sizeof(proxy));
	listen_socket_peer(&peer, a->address);
	log_debug("listener", "%s: by the proxy %s", a->address, proxy);
	return listener_admits(a->listener, a->address);
}

static void after_proxy(struct arrival *a)
{
	struct broker *broker = a->broker;
	struct transport next;

	if (listener_websocket(listener_options(a->listener))) {
		if (listener_transport(a->listener, &next, a->transport.fd) <
		    0) {
			give_up(a, "out of memory");
			return;
		}
		a->transport = next;
		buffer_consume(&a->head, a->head.len);
		a->state = ARRIVAL_REQUEST;
		return;
	}
	loop_remove(broker->loop, &a->source);
	if (listener_begin(a->listener, a->transport.fd, a->address,
			   waited(a)) < 0)
		give_up(a, "out of memory");
	else
		depart(a);
}

/* What follows the header is not ours to take, it may be TLS: look first. */
static void on_proxy(struct arrival *a)
{
	struct broker *broker = a->broker;
	const size_t before = a->head.len;
	struct proxy_header header;
	ssize_t n;
	int r;

	n = recv(a->transport.fd, broker->read_buffer,
		 PROXY_HEADER_MAX - before, MSG_PEEK);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		give_up(a, n < 0 ? strerrordesc_np(errno)
				 : "closed by the client");
		return;
	}
	if (buffer_append(&a->head, broker->read_buffer, (size_t)n) < 0) {
		give_up(a, "out of memory");
		return;
	}
	r = proxy_parse(a->head.data, a->head.len, &header);
	if (r < 0) {
		broker->count.connects_refused++;
		give_up(a, "no PROXY header");
		return;
	}
	if (r > 0)
		n = (ssize_t)((size_t)r - before);
	if (recv(a->transport.fd, broker->read_buffer, (size_t)n, 0) != n) {
		give_up(a, "closed by the client");
		return;
	}
	broker->count.bytes_received += (size_t)n;
	if (r == 0)
		return;
	if (take_client(a, &header))
		after_proxy(a);
	else
		arrival_free(a);
}

/* ---- WebSocket ---------------------------------------------------------- */

/* Best effort: whether it arrives is the peer's business. */
static void refuse(struct arrival *a, int status, const char *why)
{
	uint8_t answer[WEBSOCKET_ANSWER_MAX];
	size_t len = websocket_refuse(status, answer);
	struct output_pool *pool = a->broker->pool;
	struct output out = { 0 };

	a->broker->count.connects_refused++;
	if (output_append(pool, &out, answer, len) == 0)
		transport_write(&a->transport, pool, &out,
				&a->broker->count.bytes_sent);
	output_clear(pool, &out);
	transport_shutdown(&a->transport);
	give_up(a, why);
}

/* A page on the listener's list, or on this machine. Programs say none. */
static bool origin_allowed(const struct arrival *a,
			   const struct websocket_request *request)
{
	const struct listener_options *l = listener_options(a->listener);
	const struct broker_options *o = &a->broker->options;
	const struct same_site site = {
		.node = o->node ? o->node : "",
		.hosts = o->hosts,
		.host_count = o->host_count,
	};

	if (request->origin.len == 0)
		return true;
	for (size_t i = 0; i < l->origins.count; i++) {
		const char *name = l->origins.names[i];

		if (strcmp(name, "any") == 0 ||
		    (request->origin.len == strlen(name) &&
		     strncasecmp((const char *)request->origin.data, name,
				 request->origin.len) == 0))
			return true;
	}
	return same_site_page(&site, request->origin, request->host);
}

/* From here on it is a connection. The answer goes out before its first frame. */
static void become_connection(struct arrival *a,
			      const struct websocket_request *request,
			      size_t head_len)
{
	struct broker *broker = a->broker;
	const struct connection_options options = {
		.listener = a->listener,
		.fd = a->transport.fd,
		.ssl = a->transport.ssl,
		.websocket = true,
		.address = a->address,
		.waited = waited(a),
	};
	uint8_t answer[WEBSOCKET_ANSWER_MAX];
	size_t len = websocket_accept(request, answer);
	struct connection *c;

	loop_remove(broker->loop, &a->source);
	c = connection_new(broker, &options);
	if (!c) {
		give_up(a, "out of memory");
		return;
	}
	if (output_append(broker->pool,
			  websocket_stream_framed(c->transport.websocket),
			  answer, len) < 0) {
		connection_close(c, MQTT_SUCCESS, "out of memory");
	} else {
		connection_mark_dirty(c);
		connection_feed(c, slice_of(a->head.data + head_len,
					    a->head.len - head_len));
	}
	depart(a);
}

/* Look at what has come. True: the arrival is gone. */
static bool judge(struct arrival *a)
{
	size_t len = websocket_head_end(a->head.data, a->head.len);
	struct websocket_request request;
	int status;

	if (len == 0 && a->head.len < WEBSOCKET_HEAD_MAX)
		return false;
	if (len == 0 ||
	    websocket_parse(slice_of(a->head.data, len), &request) < 0) {
		refuse(a, 400, "no WebSocket request");
		return true;
	}
	status = websocket_refusal(&request);
	if (status)
		refuse(a, status, "no WebSocket request for MQTT");
	else if (!origin_allowed(a, &request))
		refuse(a, 403, "from a page of a foreign site");
	else
		become_connection(a, &request, len);
	return true;
}

static void on_request(struct arrival *a)
{
	struct broker *broker = a->broker;
	bool more = true;
	ssize_t n;

	while (more) {
		n = transport_read(&a->transport, broker->pool,
				   slice_of(NULL, 0), broker->read_buffer,
				   WEBSOCKET_HEAD_MAX - a->head.len, &more);
		if (n == -EAGAIN || n == -EINTR)
			return;
		if (n < 0) {
			give_up(a, n == -EPIPE	  ? "closed by the client"
				   : n == -EPROTO ? "malformed transport"
						  : strerrordesc_np((int)-n));
			return;
		}
		broker->count.bytes_received += (size_t)n;
		if (buffer_append(&a->head, broker->read_buffer, (size_t)n) <
		    0) {
			give_up(a, "out of memory");
			return;
		}
		if (judge(a))
			return;
	}
}

static void on_event(struct loop_source *source, uint32_t events)
{
	struct arrival *a = list_entry(source, struct arrival, source);

	(void)events;
	switch (a->state) {
	case ARRIVAL_PROXY:
		on_proxy(a);
		return;
	case ARRIVAL_REQUEST:
		on_request(a);
		return;
	}
}

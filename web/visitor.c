#include "web/visitor.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/access.h"
#include "broker/admin.h"
#include "broker/base/buffer.h"
#include "broker/base/clock.h"
#include "broker/base/log.h"
#include "broker/wire/websocket.h"
#include "web/address.h"
#include "web/context.h"
#include "web/head.h"
#include "web/limits.h"
#include "web/login.h"
#include "web/peers.h"
#include "web/pump.h"
#include "web/server.h"
#include "web/session.h"

/* What a peer sent is read before it is refused: unread bytes would make the
 * kernel reset the connection and the refusal be lost. No more than this. */
#define DRAIN_MAX (256 * 1024)

/* The first byte of a TLS record that begins a handshake. */
#define TLS_HANDSHAKE 0x16

struct visitor {
	struct list link;
	struct web_context *web;
	struct peers *peers;
	struct list *pumps;
	struct loop_source source;
	struct loop_timer deadline;
	int place;
	SSL *ssl; /* NULL: plain, only peeked at */
	bool shaken; /* TLS is set up */
	bool spoken; /* something came */
	struct buffer head; /* TLS: what was read */
	socklen_t address_len;
	struct sockaddr_storage address;
};

/* ---- going -------------------------------------------------------------- */

/* All but fd, ssl and place, which went to somebody. */
static void forget(struct visitor *visitor)
{
	loop_timer_cancel(visitor->web->loop, &visitor->deadline);
	loop_remove(visitor->web->loop, &visitor->source);
	list_remove(&visitor->link);
	buffer_free(&visitor->head);
	free(visitor);
}

static void visitor_free(struct visitor *visitor)
{
	int fd = visitor->source.fd;

	if (visitor->ssl) {
		ERR_clear_error();
		if (visitor->shaken)
			SSL_shutdown(visitor->ssl);
		SSL_free(visitor->ssl);
	}
	peers_leave(visitor->peers, visitor->place);
	forget(visitor);
	close(fd);
}

void visitors_free(struct list *list)
{
	struct list *at, *after;

	list_for_each (at, after, list)
		visitor_free(list_entry(at, struct visitor, link));
}

static bool send_all(struct visitor *visitor, const void *data, size_t len)
{
	if (visitor->ssl && visitor->shaken) {
		ERR_clear_error();
		return SSL_write(visitor->ssl, data, (int)len) == (int)len;
	}
	return send(visitor->source.fd, data, len, MSG_NOSIGNAL) ==
	       (ssize_t)len;
}

static void drain(int fd)
{
	size_t left = DRAIN_MAX;
	uint8_t bytes[4096];

	while (left) {
		ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);

		if (n <= 0)
			return;
		left -= (size_t)n < left ? (size_t)n : left;
	}
}

static const char *status_text(int status)
{
	switch (status) {
	case 403:
		return "Forbidden";
	case 408:
		return "Request Timeout";
	case 421:
		return "Misdirected Request";
	case 426:
		return "Upgrade Required";
	case 431:
		return "Request Header Fields Too Large";
	case 501:
		return "Not Implemented";
	case 503:
		return "Service Unavailable";
	case 505:
		return "HTTP Version Not Supported";
	default:
		return "Bad Request";
	}
}

/* Answer and close. detail needs no escaping in JSON. */
static void refuse(struct visitor *visitor, int status, const char *slug,
		   const char *detail)
{
	char body[256], answer[640];
	int len;

	len = snprintf(body, sizeof(body),
		       "{\"type\":\"/problems/%s\",\"title\":\"%s\","
		       "\"status\":%d,\"detail\":\"%s\"}",
		       slug, status_text(status), status, detail);
	len = snprintf(answer, sizeof(answer),
		       "HTTP/1.1 %d %s\r\n"
		       "Content-Type: application/problem+json\r\n"
		       "Content-Length: %d\r\n"
		       "Connection: close\r\n%s"
		       "X-Content-Type-Options: nosniff\r\n\r\n%s",
		       status, status_text(status), len,
		       status == 426 ? "Upgrade: websocket\r\n"
				       "Sec-WebSocket-Version: 13\r\n"
				     : "",
		       body);
	if (!visitor->ssl || !visitor->shaken)
		drain(visitor->source.fd);
	send_all(visitor, answer, (size_t)len);
	shutdown(visitor->source.fd, SHUT_WR);
	visitor_free(visitor);
}

static void on_deadline(struct loop_timer *timer)
{
	struct visitor *visitor = list_entry(timer, struct visitor, deadline);

	/* Browsers open connections they may never use: no word to these. */
	if (visitor->spoken && (!visitor->ssl || visitor->shaken))
		refuse(visitor, 408, "timeout",
		       "The request did not arrive in time.");
	else
		visitor_free(visitor);
}

/* ---- going on ----------------------------------------------------------- */

static void pass_plain(struct visitor *visitor)
{
	struct sockaddr_storage address = visitor->address;
	struct web_context *web = visitor->web;
	socklen_t len = visitor->address_len;
	int place = visitor->place;
	int fd = visitor->source.fd;

	forget(visitor);
	server_add(web->server, fd, (struct sockaddr *)&address, len, place,
		   false);
}

static void pass_tls(struct visitor *visitor)
{
	struct sockaddr_storage address = visitor->address;
	struct web_context *web = visitor->web;
	socklen_t len = visitor->address_len;
	struct pump_start start = {
		.loop = web->loop,
		.list = visitor->pumps,
		.peers = visitor->peers,
		.fd = visitor->source.fd,
		.place = visitor->place,
		.ssl = visitor->ssl,
		.first = slice_of(visitor->head.data, visitor->head.len),
	};
	int fd;

	loop_remove(web->loop, &visitor->source);
	fd = pump_new(&start);
	if (fd < 0) {
		visitor->source.fd = start.fd;
		visitor_free(visitor);
		return;
	}
	forget(visitor);
	server_add(web->server, fd, (struct sockaddr *)&address, len, -1, true);
}

/* The session whose cookie came along, or NULL. Only a browser's
 * word counts that says it is our own page: programs have passwords. */
static const struct session *session_of(struct visitor *visitor,
					const struct websocket_request *request)
{
	const struct access_user *user;
	struct session *session;
	struct slice id;

	if (request->origin.len == 0 ||
	    !cookie_find(request->cookie,
			 login_cookie_name(visitor->ssl != NULL), &id))
		return NULL;
	session = sessions_find(visitor->web->sessions, id, clock_ms());
	if (!session)
		return NULL;
	user = access_find_user(visitor->web->access, slice_str(session->user));
	return user && user->enabled ? session : NULL;
}

/* 0, or the status it was refused with. */
static int judge_websocket(struct visitor *visitor,
			   const struct websocket_request *request)
{
	struct web_context *web = visitor->web;
	int status;

	if (!same_site_host(&web->site, request->host)) {
		refuse(visitor, 421, "unknown-host",
		       "This hub is not called so.");
		return 421;
	}
	if (request->origin.len &&
	    !same_site_origin(request->origin, request->host,
			      visitor->ssl != NULL)) {
		refuse(visitor, 403, "cross-site",
		       "The request comes from a page of another site.");
		return 403;
	}
	if (!web->claimed) {
		refuse(visitor, 403, "unclaimed",
		       "This hub has no owner yet: claim it first.");
		return 403;
	}
	status = websocket_refusal(request);
	if (status)
		refuse(visitor, status, "not-websocket",
		       "Here one speaks MQTT over WebSocket version 13.");
	return status;
}

/* Everything up to the end of the head is ours to take. */
static bool take_head(struct visitor *visitor, size_t head_len)
{
	uint8_t bytes[WEB_HEAD_MAX];

	if (visitor->ssl) {
		buffer_consume(&visitor->head, head_len);
		return true;
	}
	return recv(visitor->source.fd, bytes, head_len, 0) ==
	       (ssize_t)head_len;
}

static void hand_over(struct visitor *visitor,
		      const struct websocket_request *request, size_t head_len)
{
	struct web_context *web = visitor->web;
	const struct session *session = session_of(visitor, request);
	char address[ADDRESS_TEXT_SIZE];
	struct admin_websocket socket = {
		.fd = visitor->source.fd,
		.ssl = visitor->ssl,
		.address = address,
		.user = session ? session->user : NULL,
		.tag = session ? session->tag : 0,
	};
	uint8_t answer[256];
	size_t len;
	int r;

	/* Before the head goes, which the request points into. */
	len = websocket_accept(request, answer);
	address_text((struct sockaddr *)&visitor->address, address);
	if (!take_head(visitor, head_len) || !send_all(visitor, answer, len)) {
		visitor_free(visitor);
		return;
	}
	socket.left_over = slice_of(visitor->head.data, visitor->head.len);
	loop_remove(web->loop, &visitor->source);
	r = admin_adopt_websocket(web->admin, &socket);
	if (r) {
		log_warn("web", "%s: the broker takes no more: %s", address,
			 strerrordesc_np(-r));
		visitor->source.fd = socket.fd;
		visitor_free(visitor);
		return;
	}
	peers_leave(visitor->peers, visitor->place);
	forget(visitor);
}

/* Look at what has come. True: the visitor is gone. */
static bool judge(struct visitor *visitor, const uint8_t *data, size_t len)
{
	size_t head_len = websocket_head_end(data, len);
	struct websocket_request request;
	struct slice head;
	const char *why;
	int status;

	if (head_len == 0 && len < WEB_HEAD_MAX)
		return false;
	if (head_len == 0) {
		refuse(visitor, 431, "head-too-large",
		       "The request head is longer than 8 KiB.");
		return true;
	}
	head = slice_of(data, head_len);
	status = head_check(head, &why);
	if (status) {
		refuse(visitor, status, "malformed-request", why);
	} else if (websocket_parse(head, &request) == 0 && request.upgrade &&
		   slice_equal(request.path, slice_str("/mqtt"))) {
		if (judge_websocket(visitor, &request) == 0)
			hand_over(visitor, &request, head_len);
	} else if (visitor->ssl) {
		pass_tls(visitor);
	} else {
		pass_plain(visitor);
	}
	return true;
}

/* ---- listening ---------------------------------------------------------- */

static void on_plain(struct loop_source *source, uint32_t events)
{
	struct visitor *visitor = list_entry(source, struct visitor, source);
	uint8_t bytes[WEB_HEAD_MAX];
	ssize_t n;

	n = recv(source->fd, bytes, sizeof(bytes), MSG_PEEK);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0) {
		visitor->spoken = true;
		if (judge(visitor, bytes, (size_t)n))
			return;
	}
	if (n <= 0 || events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		visitor_free(visitor);
}

/* Somebody speaks HTTP to a TLS port: tell them in their own words. */
static bool is_plain(struct visitor *visitor)
{
	uint8_t first;

	return recv(visitor->source.fd, &first, 1, MSG_PEEK) == 1 &&
	       first != TLS_HANDSHAKE;
}

/* 1: done; 0: wait; negative: gone. */
static int tls_step(struct visitor *visitor, int result)
{
	uint32_t events = EPOLLIN;

	if (result > 0)
		return 1;
	switch (SSL_get_error(visitor->ssl, result)) {
	case SSL_ERROR_WANT_WRITE:
		events = EPOLLOUT;
		break;
	case SSL_ERROR_WANT_READ:
		break;
	default:
		visitor_free(visitor);
		return -ECONNRESET;
	}
	if (loop_modify(visitor->web->loop, &visitor->source, events) == 0)
		return 0;
	visitor_free(visitor);
	return -ENOMEM;
}

static int shake(struct visitor *visitor)
{
	int r;

	if (!visitor->spoken && is_plain(visitor)) {
		refuse(visitor, 400, "tls-only",
		       "This port speaks HTTPS only.");
		return -EPROTO;
	}
	visitor->spoken = true;
	ERR_clear_error();
	r = tls_step(visitor, SSL_accept(visitor->ssl));
	if (r == 1) {
		visitor->shaken = true;
		visitor->spoken = false;
		loop_timer_set(visitor->web->loop, &visitor->deadline,
			       WEB_HEAD_MS);
	}
	return r;
}

static void on_tls(struct loop_source *source, uint32_t events)
{
	struct visitor *visitor = list_entry(source, struct visitor, source);
	struct buffer *head = &visitor->head;
	int n;

	(void)events;
	if (!visitor->shaken && shake(visitor) <= 0)
		return;
	/* A whole head is judged, so there is always room here. */
	do {
		ERR_clear_error();
		n = SSL_read(visitor->ssl, head->data + head->len,
			     (int)(WEB_HEAD_MAX - head->len));
		if (tls_step(visitor, n) <= 0)
			return;
		visitor->spoken = true;
		head->len += (size_t)n;
	} while (!judge(visitor, head->data, head->len));
}

int visitor_new(const struct visit *visit)
{
	struct visitor *visitor = calloc(1, sizeof(*visitor));
	uint64_t patience = WEB_HEAD_MS;
	int r = -ENOMEM;

	if (!visitor)
		goto err_close;
	visitor->web = visit->web;
	visitor->peers = visit->peers;
	visitor->pumps = visit->pumps;
	visitor->place = visit->place;
	visitor->ssl = visit->ssl;
	visitor->address_len = visit->address_len;
	memcpy(&visitor->address, visit->address, visit->address_len);
	buffer_init(&visitor->head, WEB_HEAD_MAX);
	if (visit->ssl && buffer_reserve(&visitor->head, WEB_HEAD_MAX))
		goto err_free;
	/* Edge-triggered where bytes are only peeked at: half a head would
	 * else wake us for ever. */
	r = loop_add(visit->web->loop, &visitor->source, visit->fd,
		     visit->ssl ? EPOLLIN : EPOLLIN | EPOLLRDHUP | EPOLLET,
		     visit->ssl ? on_tls : on_plain);
	if (r)
		goto err_free;
	if (visit->ssl)
		patience = WEB_HANDSHAKE_MS;
	visitor->deadline.fn = on_deadline;
	loop_timer_set(visit->web->loop, &visitor->deadline, patience);
	list_append(visit->list, &visitor->link);
	return 0;

err_free:
	buffer_free(&visitor->head);
	free(visitor);
err_close:
	if (visit->ssl)
		SSL_free(visit->ssl);
	peers_leave(visit->peers, visit->place);
	close(visit->fd);
	return r;
}

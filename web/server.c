#include "web/server.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/base/log.h"
#include "web/assets.h"
#include "web/check.h"
#include "web/login.h"
#include "web/peers.h"
#include "web/reply.h"
#include "web/router.h"
#include "web/upload.h"

/* libmicrohttpd takes the connections that places remain for; ours are the
 * limits, its own only must not come first. */
#define DAEMON_CONNECTIONS (WEB_CONNECTIONS + 16)

/* One connection of libmicrohttpd's. Handed over when `connection` is NULL: it
 * will tell of it while it runs. */
struct peer {
	struct list link;
	struct server *server;
	struct MHD_Connection *connection;
	int fd;
	int place;
	bool secure;
	struct loop_timer deadline;
};

struct server {
	struct web_context *web;
	struct peers *peers;
	struct MHD_Daemon *daemon;
	struct loop_source source;
	struct list connections;
	struct list requests;
	bool resumed; /* since libmicrohttpd was last run */
};

__attribute__((format(printf, 2, 0))) static void
on_log(void *arg, const char *format, va_list args)
{
	char text[256];

	(void)arg;
	vsnprintf(text, sizeof(text), format, args);
	text[strcspn(text, "\n")] = '\0';
	log_debug("http", "%s", text);
}

/* ---- connections -------------------------------------------------------- */

static void on_deadline(struct loop_timer *timer)
{
	struct peer *peer = list_entry(timer, struct peer, deadline);

	/* libmicrohttpd sees the end and closes. */
	shutdown(peer->fd, SHUT_RDWR);
}

static void peer_deadline(struct peer *peer, uint64_t ms)
{
	loop_timer_set(peer->server->web->loop, &peer->deadline, ms);
}

static void peer_free(struct peer *peer)
{
	loop_timer_cancel(peer->server->web->loop, &peer->deadline);
	peers_leave(peer->server->peers, peer->place);
	list_remove(&peer->link);
	free(peer);
}

/* The one handed over on this descriptor. */
static struct peer *find_handed(struct server *server, int fd)
{
	struct list *at, *after;

	list_for_each (at, after, &server->connections) {
		struct peer *peer = list_entry(at, struct peer, link);

		if (!peer->connection && peer->fd == fd)
			return peer;
	}
	return NULL;
}

static void on_connection(void *arg, struct MHD_Connection *connection,
			  void **context,
			  enum MHD_ConnectionNotificationCode code)
{
	const union MHD_ConnectionInfo *info;
	struct server *server = arg;
	struct peer *peer;

	if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
		if (*context)
			peer_free(*context);
		*context = NULL;
		return;
	}
	info = MHD_get_connection_info(connection,
				       MHD_CONNECTION_INFO_CONNECTION_FD);
	peer = find_handed(server, info->connect_fd);
	assert(peer);
	peer->connection = connection;
	*context = peer;
}

static struct peer *peer_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info;

	info = MHD_get_connection_info(connection,
				       MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	return info->socket_context;
}

int server_add(struct server *server, int fd, const struct sockaddr *address,
	       socklen_t len, int place, bool secure)
{
	struct peer *peer = find_handed(server, fd);

	/* It closed that one without a word. */
	if (peer)
		peer_free(peer);
	peer = calloc(1, sizeof(*peer));
	if (!peer) {
		peers_leave(server->peers, place);
		close(fd);
		return -ENOMEM;
	}
	peer->server = server;
	peer->fd = fd;
	peer->place = place;
	peer->secure = secure;
	peer->deadline.fn = on_deadline;
	list_append(&server->connections, &peer->link);
	peer_deadline(peer, WEB_REQUEST_MS);
	if (MHD_add_connection(server->daemon, fd, address, len) == MHD_YES)
		return 0;
	/* If it has told of it before, it has also told of the end. */
	peer = find_handed(server, fd);
	if (peer)
		peer_free(peer);
	return -ENOMEM;
}

/* ---- requests ----------------------------------------------------------- */

static void guard(struct request *request)
{
	enum route_guard guard = request->route->guard;

	if (guard != ROUTE_PUBLIC && !request->user[0]) {
		login_refuse(request, "Log in first.");
	} else if (guard == ROUTE_ADMIN && !request->admin) {
		reply_problem(request, 403, "not-admin",
			      "Only administrators may do this.");
	} else {
		request->route->fn(request);
	}
}

static void serve(struct request *request)
{
	const struct route *route = request->route;

	if (request->body_too_large)
		reply_problem(request, 413, "too-large",
			      "A body may have %d bytes.", WEB_BODY_MAX);
	else if (!route)
		assets_reply(request);
	else if (route->guard == ROUTE_PUBLIC)
		route->fn(request);
	else if (!request->web->claimed)
		reply_problem(request, 403, "unclaimed",
			      "This hub has no owner yet: claim it first.");
	else
		login_identify(request, guard);
}

/* What a long body or answer takes besides; it may not be slower than that. */
static uint64_t transfer_ms(const struct request *request)
{
	return request->bytes / UPLOAD_BYTES_PER_MS;
}

void server_progress(struct MHD_Connection *connection)
{
	peer_deadline(peer_of(connection), WEB_ANSWER_MS);
}

static enum MHD_Result queue(struct request *request)
{
	struct peer *peer = peer_of(request->connection);
	enum MHD_Result result;

	if (!request->response)
		return MHD_NO;
	if (request->streaming)
		loop_timer_cancel(request->web->loop, &peer->deadline);
	else
		peer_deadline(peer, WEB_ANSWER_MS + transfer_ms(request));
	result = MHD_queue_response(request->connection, request->status,
				    request->response);
	MHD_destroy_response(request->response);
	request->response = NULL;
	return result;
}

static void begin(struct server *server, struct request *request,
		  struct MHD_Connection *connection, const char *method)
{
	struct peer *peer = peer_of(connection);

	request->begun = true;
	request->connection = connection;
	request->secure = peer->secure;
	list_append(&server->requests, &request->link);
	check_head(request, method);
	peer_deadline(peer, WEB_REQUEST_MS + transfer_ms(request));
}

/* A job answers later; it has deadlines of its own. */
static enum MHD_Result wait_for_job(struct request *request)
{
	struct peer *peer = peer_of(request->connection);

	assert(request->job);
	loop_timer_cancel(request->web->loop, &peer->deadline);
	request->suspended = true;
	MHD_suspend_connection(request->connection);
	return MHD_YES;
}

/* Called with the head, with each part of the body, and at the end; again after
 * it was suspended. */
/* NOLINTNEXTLINE(readability-function-size): libmicrohttpd's parameters. */
static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection,
				  const char *url, const char *method,
				  const char *version, const char *data,
				  size_t *size, void **context)
{
	struct request *request = *context;

	(void)url;
	(void)version;
	if (!request)
		return MHD_NO;
	if (!request->begun) {
		begin(arg, request, connection, method);
		return request->response || request->failed ? queue(request)
							    : MHD_YES;
	}
	if (*size) {
		if (request->upload)
			upload_data(request, data, *size);
		else if (buffer_append(&request->body, data, *size))
			request->body_too_large = true;
		*size = 0;
		return MHD_YES;
	}
	if (!request->response && !request->failed)
		serve(request);
	if (request->response || request->failed)
		return queue(request);
	return wait_for_job(request);
}

static void *on_target(void *arg, const char *uri,
		       struct MHD_Connection *connection)
{
	struct server *server = arg;

	(void)connection;
	return request_new(server->web, uri);
}

static void on_completed(void *arg, struct MHD_Connection *connection,
			 void **context, enum MHD_RequestTerminationCode code)
{
	struct peer *peer = peer_of(connection);

	(void)arg;
	(void)code;
	request_free(*context);
	*context = NULL;
	if (peer)
		peer_deadline(peer, WEB_REQUEST_MS);
}

/* Targets are cut up and decoded by request.c, from what was sent. */
static size_t leave_escaped(void *arg, struct MHD_Connection *connection,
			    char *text)
{
	(void)arg;
	(void)connection;
	return strlen(text);
}

/* ---- the daemon --------------------------------------------------------- */

static void on_ready(struct loop_source *source, uint32_t events)
{
	/* server_run() follows in every turn. */
	(void)source;
	(void)events;
}

static struct MHD_Daemon *start_daemon(struct server *server)
{
	return MHD_start_daemon(
		MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ERROR_LOG |
			MHD_ALLOW_SUSPEND_RESUME,
		0, NULL, NULL, on_request, server, MHD_OPTION_EXTERNAL_LOGGER,
		on_log, NULL, MHD_OPTION_STRICT_FOR_CLIENT, 1,
		MHD_OPTION_URI_LOG_CALLBACK, on_target, server,
		MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped, NULL,
		MHD_OPTION_NOTIFY_COMPLETED, on_completed, server,
		MHD_OPTION_NOTIFY_CONNECTION, on_connection, server,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned int)DAEMON_CONNECTIONS,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)WEB_CONNECTION_MEMORY, MHD_OPTION_CONNECTION_TIMEOUT,
		(unsigned int)(WEB_REQUEST_MS / 1000), MHD_OPTION_END);
}

struct server *server_new(struct web_context *web, struct peers *peers)
{
	struct server *server = calloc(1, sizeof(*server));
	const union MHD_DaemonInfo *info;
	int r;

	if (!server)
		return NULL;
	server->web = web;
	server->peers = peers;
	list_init(&server->connections);
	list_init(&server->requests);
	server->daemon = start_daemon(server);
	if (!server->daemon) {
		log_error("web", "libmicrohttpd does not start: %s",
			  strerrordesc_np(errno));
		goto err_free;
	}
	info = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	r = loop_add(web->loop, &server->source, info->epoll_fd, EPOLLIN,
		     on_ready);
	if (r) {
		errno = -r;
		goto err_daemon;
	}
	return server;

err_daemon:
	MHD_stop_daemon(server->daemon);
err_free:
	free(server);
	return NULL;
}

int server_wait_ms(struct server *server)
{
	MHD_UNSIGNED_LONG_LONG ms;

	/* It does not count those itself that are resumed while it runs. */
	if (server->resumed)
		return 0;
	if (MHD_get_timeout(server->daemon, &ms) != MHD_YES)
		return -1;
	return ms > 60000 ? 60000 : (int)ms;
}

void server_run(struct server *server)
{
	server->resumed = false;
	MHD_run(server->daemon);
}

void server_resume(struct server *server, struct MHD_Connection *connection)
{
	server->resumed = true;
	MHD_resume_connection(connection);
}

/* A suspended connection must be resumed before the daemon is stopped. */
static void end_waiting(struct server *server)
{
	struct list *at, *after;

	list_for_each (at, after, &server->requests) {
		struct request *request = list_entry(at, struct request, link);

		if (request->job)
			request->cancel(request);
		if (request->suspended)
			reply_error(request, -ESHUTDOWN, "");
	}
	MHD_run(server->daemon);
}

void server_free(struct server *server)
{
	struct list *at, *after;

	if (!server)
		return;
	end_waiting(server);
	loop_remove(server->web->loop, &server->source);
	MHD_stop_daemon(server->daemon);
	list_for_each (at, after, &server->connections)
		peer_free(list_entry(at, struct peer, link));
	free(server);
}

/*
 * One HTTP request from its first line to its answer. Fields are read by the
 * handlers; only server, login and reply write them. The web thread's alone.
 *
 * A handler either answers (reply.h) before it returns, or has started a job
 * that will: then it sets job and cancel, and the connection is suspended until
 * some reply_...() is called.
 */
#ifndef WEB_REQUEST_H
#define WEB_REQUEST_H

#include <jansson.h>
#include <microhttpd.h>

#include "broker/base/buffer.h"
#include "broker/base/list.h"
#include "db/users.h"
#include "web/context.h"
#include "web/known.h"
#include "web/limits.h"
#include "web/session.h"

enum method {
	METHOD_GET, /* and HEAD */
	METHOD_POST,
	METHOD_PUT,
	METHOD_DELETE,
	METHODS
};

struct gpio_link;
struct request;
struct route;
struct upload;

typedef void request_fn(struct request *request);

struct request {
	struct list link;
	struct web_context *web;
	struct MHD_Connection *connection;
	const struct route *route;
	enum method method;
	bool begun;
	bool secure; /* came by TLS */

	char *target; /* as sent, cut up and percent-decoded in place */
	char *path; /* undecoded, of assets */
	size_t segment_count;
	const char *segments[WEB_PATH_SEGMENTS];
	size_t query_count;
	struct {
		const char *name;
		const char *value;
	} query[WEB_QUERY_PARAMETERS];

	struct gpio_link *gpio; /* the board asked about: nodes_of() */
	struct upload *upload; /* takes the body instead; NULL: none */
	uint64_t bytes; /* of a long body or answer, to be waited for longer */
	struct buffer body;
	bool body_too_large;
	json_t *json; /* the body, once form_begin() was called */

	/* Who asks; user is "" until login_identify() has found out. */
	char user[DB_USER_NAME_MAX + 1];
	bool admin;
	bool by_cookie;
	/* While a password is checked: whose, and what then (login.c). */
	char attempt[DB_USER_NAME_MAX + 1];
	struct known_tag tag;
	void (*checked)(struct request *request, bool right);
	request_fn *next;

	unsigned int status;
	struct MHD_Response *response;
	bool failed; /* no answer could be made: close */
	bool streaming; /* the answer has no end: no deadline */
	bool suspended;

	void *memory; /* the handler's, for while it waits; freed at the end */
	void *job; /* of who will answer later */
	request_fn *cancel; /* the job must forget this request */
};

/* uri is the target as sent: path?query. A malformed one (bad escape, NUL, too
 * many parts) makes a request whose segment_count is 0. Returns NULL when out of
 * memory. */
struct request *request_new(struct web_context *web, const char *uri);
/* Cancels its job. */
void request_free(struct request *request);

/* A query parameter, or NULL. */
const char *request_query(const struct request *request, const char *name);
/* A header's value, empty if it was not sent. */
struct slice request_header(const struct request *request, const char *name);
/* The peer: its key for counting, and its address with port. */
const struct sockaddr *request_peer(const struct request *request);
/* The session that came with it, NULL if there is none. */
struct session *request_session(const struct request *request);

/* A query parameter as a number; *out is left alone if it was not given. False
 * when it is none or not in min..max: then the request has been answered. */
bool request_number(struct request *request, const char *name, int64_t min,
		    int64_t max, int64_t *out);

#endif

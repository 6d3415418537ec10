/*
 * A whole hub in the test's process: data directory, broker, hasher and web, the
 * latter on a port of 127.0.0.1 that the kernel chooses; and a plain HTTP client
 * that sends exactly the bytes it is told. Every wait has a generous deadline.
 * The hub's time runs on by itself and can be moved forward besides.
 * Failures fail the test.
 */
#ifndef TESTS_WEB_HUB_H
#define TESTS_WEB_HUB_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/base/password.h"

struct broker;

#define HUB_NODE "testhub"
#define HUB_ADMIN "anna"
#define HUB_PASSWORD "correct horse battery"

struct hub {
	uint16_t port;
	uint16_t tls_port; /* 0: none */
	char token[PASSWORD_TOKEN_SIZE];
	struct broker *broker;
	struct hub_parts *parts;
};

enum hub_kind {
	HUB_UNCLAIMED,
	HUB_CLAIMED, /* by HUB_ADMIN */
	HUB_TLS, /* claimed, with a TLS listener besides */
	HUB_STORED, /* claimed, with a store: it keeps a history of everything */
};

struct hub *hub_start(enum hub_kind kind);
void hub_stop(struct hub *hub);
/* Files in the hub's scratch directory. */
const char *hub_path(const struct hub *hub, const char *name);
/* Let so much time pass, for all but libmicrohttpd's own clock. */
void hub_advance(const struct hub *hub, uint64_t ms);
/* How often the web side has asked for the hub to begin anew. */
unsigned int hub_restarts(const struct hub *hub);
/* What has been logged since the start. */
bool hub_logged(const char *text);

struct answer {
	int status;
	char *head; /* with the status line */
	char *body;
	size_t body_len;
	json_t *json; /* the body, if it is JSON */
};

/* A connection. */
int hub_connect(uint16_t port);
void hub_send(int fd, const char *text, size_t len);
/* One answer: by Content-Length, chunked, or to the end. status 0: the peer
 * closed without one. */
struct answer hub_read(int fd);
void answer_free(struct answer *answer);
/* A header's value in a static buffer, NULL if there is none. */
const char *answer_header(const struct answer *answer, const char *name);
/* True if the peer ends the connection within the deadline. */
bool hub_closed(int fd);

/*
 * One request on a connection of its own. headers: lines ended by \r\n, or NULL;
 * body: JSON text or NULL.
 */
struct answer hub_request(const struct hub *hub, const char *method,
			  const char *path, const char *headers,
			  const char *body);

/* A login: cookie and CSRF header, ready as headers of hub_request(). */
struct login {
	char headers[512];
	char cookie[256];
	char csrf[64];
};
struct login hub_login(const struct hub *hub, const char *user,
		       const char *password);

/* hub_request() that must be answered with status; the JSON, or NULL. */
json_t *hub_expect(const struct hub *hub, int status, const char *method,
		   const char *path, const char *headers, const char *body);

#endif

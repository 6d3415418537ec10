/*
 * libmicrohttpd, run by our loop: connections that front has judged come in,
 * requests go to the router's handlers, answers go out. Adds what it lacks:
 * absolute deadlines, strict checks of every request head, one error format.
 * The web thread's alone.
 */
#ifndef WEB_SERVER_H
#define WEB_SERVER_H

#include <stdbool.h>
#include <sys/socket.h>

struct peers;
struct server;
struct web_context;

/* peers is borrowed. Returns NULL with errno set, after logging why. */
struct server *server_new(struct web_context *web, struct peers *peers);

/*
 * Serve HTTP on fd, which is taken also on error, and so is the place in peers
 * (negative: none). secure: it came by TLS. Returns 0 or -ENOMEM.
 */
int server_add(struct server *server, int fd, const struct sockaddr *address,
	       socklen_t len, int place, bool secure);

/* Once each turn of the loop: how long it may sleep (-1: any time), and after
 * it what libmicrohttpd has to do. */
int server_wait_ms(struct server *server);
void server_run(struct server *server);

/* A long answer is being taken: its deadline begins anew. */
struct MHD_Connection;
void server_progress(struct MHD_Connection *connection);

/* Wake a suspended connection, also from within a handler of another. */
void server_resume(struct server *server, struct MHD_Connection *connection);

/* Answer 503 to what waits, close all. NULL does nothing. */
void server_free(struct server *server);

#endif

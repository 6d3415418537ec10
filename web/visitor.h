/*
 * A connection that has just come in, until it is known what it wants; the
 * states of front.c's guests. Plain ones are only peeked at, so that
 * libmicrohttpd reads the same bytes again; those by TLS are read and relayed
 * (pump.h).
 */
#ifndef WEB_VISITOR_H
#define WEB_VISITOR_H

#include <sys/socket.h>

#include "broker/base/list.h"

struct peers;
struct ssl_st;
struct web_context;

/*
 * Takes fd and the place in peers, also on error; ssl, if not NULL, is a server
 * session on fd that has not shaken hands yet, taken too. The visitor adds itself
 * to list, and goes by itself. Returns 0 or a negative errno.
 */
struct visit {
	struct web_context *web;
	struct peers *peers;
	struct list *list;
	struct list *pumps; /* of pump.h: where those by TLS go on */
	int fd;
	int place;
	struct ssl_st *ssl;
	const struct sockaddr *address;
	socklen_t address_len;
};

int visitor_new(const struct visit *visit);
/* End all of the list. */
void visitors_free(struct list *list);

#endif

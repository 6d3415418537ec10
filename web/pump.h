/*
 * Relays bytes between a TLS connection and a socket pair whose other end speaks
 * plain HTTP with libmicrohttpd. The web thread's alone.
 */
#ifndef WEB_PUMP_H
#define WEB_PUMP_H

#include "broker/base/list.h"
#include "broker/base/slice.h"

struct loop;
struct peers;
struct ssl_st;

struct pump_start {
	struct loop *loop;
	struct list *list; /* the pump adds itself */
	struct peers *peers;
	int fd;
	int place;
	struct ssl_st *ssl; /* shaken hands */
	struct slice first; /* read already; at most WEB_HEAD_MAX; copied */
};

/* Takes fd, ssl and place; on error they are still the caller's. Returns the
 * plain end, which is the caller's, or a negative errno. */
int pump_new(const struct pump_start *start);
/* End all of the list. */
void pumps_free(struct list *list);

#endif

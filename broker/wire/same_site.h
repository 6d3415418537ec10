/*
 * Is a request meant for this box, and does it come from our own pages? Guards
 * against DNS rebinding (Host) and against other sites acting with a browser's
 * session (Origin, Sec-Fetch-Site). Pure functions over header values.
 */
#ifndef WIRE_SAME_SITE_H
#define WIRE_SAME_SITE_H

#include "broker/base/slice.h"

struct same_site {
	const char *node;
	const char *const *hosts;
	size_t host_count;
};

/*
 * host is the Host header's value: name or address, perhaps with a port. Ours
 * are IP literals (a rebound name is never one), localhost, the node's name,
 * *.local and the names configured.
 */
bool same_site_host(const struct same_site *site, struct slice host);

/*
 * origin is the Origin header's value: our own if it is https://<host>, with the
 * host and port as the browser sent it, and without TLS also http://<host>. Not
 * TLS and https go together behind a proxy; and Paho Python always says https. A
 * strange page cannot have that origin: its host and port would be ours. "null"
 * is not our own.
 */
bool same_site_origin(struct slice origin, struct slice host, bool secure);

/*
 * The page comes from the machine that host names, whatever the ports: for
 * WebSockets on a port of their own, where no cookie counts. Its name must be one
 * of ours, as by same_site_host(): a rebound one is not. "null" is not.
 */
bool same_site_page(const struct same_site *site, struct slice origin,
		    struct slice host);

/* Sec-Fetch-Site: "same-origin" and "none" (typed by the person) are ours, and
 * so is an empty value: browsers before 2023 and programs send none. */
bool same_site_fetch(struct slice value);

/* The value of a cookie in a Cookie header; false if it is not there. */
bool cookie_find(struct slice header, const char *name, struct slice *value);

#endif

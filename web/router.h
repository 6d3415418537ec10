/*
 * Which handler answers a method and path: one table, which openapi.json
 * describes route by route (a test compares them).
 */
#ifndef WEB_ROUTER_H
#define WEB_ROUTER_H

#include "web/request.h"

enum route_guard {
	ROUTE_PUBLIC, /* no login; also on an unclaimed box */
	ROUTE_USER, /* anybody logged in */
	ROUTE_ADMIN,
};

struct route {
	const char *path; /* "/api/v1/users/{name}": {} is any one segment */
	request_fn *fn;
	enum method method;
	enum route_guard guard;
};

/* NULL if there is none. *allowed: for a path that has other methods, a list of
 * them for the Allow header, else empty. */
#define ROUTER_ALLOWED_SIZE 40
const struct route *router_find(const struct request *request,
				char allowed[ROUTER_ALLOWED_SIZE]);

/* The whole table. */
const struct route *router_table(size_t *count);

const char *method_text(enum method method);
/* Returns METHODS for one we do not know. */
enum method method_parse(const char *text);

#endif

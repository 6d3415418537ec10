/*
 * What every request must satisfy before its handler is asked: method, target,
 * Host, lengths, and not sent by another site's page. The same rules as head.h
 * for the requests that follow the first on a connection, as far as
 * libmicrohttpd lets them be seen: not bare line feeds, folded lines and NULs.
 */
#ifndef WEB_CHECK_H
#define WEB_CHECK_H

#include "web/request.h"

/* By its head alone. False: the request has been answered. Sets method (method
 * is its name) and route (NULL: a file of the dashboard is asked for). */
bool check_head(struct request *request, const char *method);

#endif

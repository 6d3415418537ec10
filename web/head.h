/*
 * Is a request head one that every HTTP parser reads the same way? Where two
 * parsers could differ (duplicate lengths, folded lines, bare line feeds, spaces
 * before a colon) a request can be smuggled, so it is refused whole, before
 * libmicrohttpd, which accepts several of them, sees it. RFC 9112.
 *
 * Bytes in, verdict out: no I/O, no state.
 */
#ifndef WEB_HEAD_H
#define WEB_HEAD_H

#include "broker/base/slice.h"

/*
 * head ends with the empty line. Returns 0, or the HTTP status to refuse with
 * (400, 501 for a transfer coding other than chunked, 505 for a version other
 * than 1.0 and 1.1), and why in a static string.
 */
int head_check(struct slice head, const char **why);

#endif

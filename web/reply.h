/*
 * Answers. Each sets the request's response, with the security headers that all
 * have, and wakes its connection if that was suspended; when memory runs out the
 * connection is closed instead.
 */
#ifndef WEB_REPLY_H
#define WEB_REPLY_H

#include "web/request.h"

/* body is taken; NULL closes the connection (out of memory). */
void reply_json(struct request *request, unsigned int status, json_t *body);
/* 204 and the like. */
void reply_empty(struct request *request, unsigned int status);
void reply_text(struct request *request, unsigned int status, const char *text);

/* RFC 9457: {"type":"/problems/<slug>","title","status","detail"}. */
__attribute__((format(printf, 4, 5))) void
reply_problem(struct request *request, unsigned int status, const char *slug,
	      const char *format, ...);
/* 422 with a list of {"field","message"}, which is taken. */
void reply_invalid(struct request *request, json_t *errors);
/* What went wrong on our side: 503 when busy, full or out of memory, 504 when
 * the broker did not answer in time, 500 else, which is logged. */
void reply_error(struct request *request, int error, const char *what);
/* 503 or 429, come again after so many milliseconds. */
void reply_later(struct request *request, unsigned int status, uint64_t ms,
		 const char *detail);

/* A response made by the caller, which is taken. */
void reply_response(struct request *request, unsigned int status,
		    struct MHD_Response *response);
/* One more header for the answer that has been set. */
void reply_header(struct request *request, const char *name, const char *value);

/* A page that a browser shows rather than data: the policy for documents goes
 * with every answer alike. */
#define REPLY_CONTENT_POLICY                                            \
	"default-src 'self'; script-src 'self'; style-src 'self'; "     \
	"img-src 'self' data:; connect-src 'self'; object-src 'none'; " \
	"base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

#endif

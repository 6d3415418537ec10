#include "web/reply.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/base/json_text.h"
#include "broker/base/log.h"
#include "web/server.h"

static const struct {
	const char *name;
	const char *value;
} security_headers[] = {
	{ "Content-Security-Policy", REPLY_CONTENT_POLICY },
	{ "X-Content-Type-Options", "nosniff" },
	{ "Referrer-Policy", "no-referrer" },
	{ "Cross-Origin-Opener-Policy", "same-origin" },
	{ "Cross-Origin-Resource-Policy", "same-origin" },
	{ "Permissions-Policy",
	  "camera=(), geolocation=(), microphone=(), payment=(), usb=()" },
};

static const struct {
	unsigned int status;
	const char *title;
} titles[] = {
	{ 400, "Bad request" },	       { 401, "Not logged in" },
	{ 403, "Forbidden" },	       { 404, "Not found" },
	{ 405, "Method not allowed" }, { 409, "Conflict" },
	{ 412, "Changed meanwhile" },  { 413, "Too large" },
	{ 415, "Not JSON" },	       { 421, "Not our name" },
	{ 422, "Not valid" },	       { 426, "Upgrade required" },
	{ 429, "Too many requests" },  { 500, "Internal error" },
	{ 503, "Not available" },      { 504, "No answer from the broker" },
};

static const char *title_of(unsigned int status)
{
	for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++)
		if (titles[i].status == status)
			return titles[i].title;
	return "Problem";
}

void reply_header(struct request *request, const char *name, const char *value)
{
	if (request->response &&
	    MHD_add_response_header(request->response, name, value) != MHD_YES)
		log_warn("web", "header %s could not be added", name);
}

void reply_response(struct request *request, unsigned int status,
		    struct MHD_Response *response)
{
	request->status = status;
	request->response = response;
	request->failed = !response;
	for (size_t i = 0;
	     i < sizeof(security_headers) / sizeof(security_headers[0]); i++)
		reply_header(request, security_headers[i].name,
			     security_headers[i].value);
	if (request->suspended) {
		request->suspended = false;
		server_resume(request->web->server, request->connection);
	}
}

static void reply_bytes(struct request *request, unsigned int status,
			const char *type, char *text)
{
	struct MHD_Response *response = NULL;

	if (text)
		response = MHD_create_response_from_buffer(
			strlen(text), text, MHD_RESPMEM_MUST_FREE);
	if (!response)
		free(text);
	reply_response(request, status, response);
	reply_header(request, "Content-Type", type);
	reply_header(request, "Cache-Control", "no-store");
}

static void reply_object(struct request *request, unsigned int status,
			 const char *type, json_t *body)
{
	char *text = json_text(body, JSON_COMPACT);

	json_decref(body);
	reply_bytes(request, status, type, text);
}

void reply_json(struct request *request, unsigned int status, json_t *body)
{
	reply_object(request, status, "application/json", body);
}

void reply_text(struct request *request, unsigned int status, const char *text)
{
	reply_bytes(request, status, "text/plain; charset=utf-8", strdup(text));
}

void reply_empty(struct request *request, unsigned int status)
{
	static char nothing[] = "";

	reply_response(request, status,
		       MHD_create_response_from_buffer(0, nothing,
						       MHD_RESPMEM_PERSISTENT));
	reply_header(request, "Cache-Control", "no-store");
}

static json_t *problem(unsigned int status, const char *slug,
		       const char *detail)
{
	char type[64];

	snprintf(type, sizeof(type), "/problems/%s", slug);
	return json_pack("{s:s,s:s,s:i,s:s}", "type", type, "title",
			 title_of(status), "status", (int)status, "detail",
			 detail);
}

void reply_problem(struct request *request, unsigned int status,
		   const char *slug, const char *format, ...)
{
	char detail[512];
	va_list args;

	va_start(args, format);
	vsnprintf(detail, sizeof(detail), format, args);
	va_end(args);
	reply_object(request, status, "application/problem+json",
		     problem(status, slug, detail));
}

void reply_invalid(struct request *request, json_t *errors)
{
	json_t *body = problem(422, "invalid", "Some fields are not valid.");

	if (body && json_object_set_new(body, "errors", errors)) {
		json_decref(body);
		body = NULL;
	}
	reply_object(request, 422, "application/problem+json", body);
}

void reply_later(struct request *request, unsigned int status, uint64_t ms,
		 const char *detail)
{
	char seconds[24];

	reply_problem(request, status,
		      status == 429 ? "too-many-requests" : "unavailable", "%s",
		      detail);
	snprintf(seconds, sizeof(seconds), "%llu",
		 (unsigned long long)((ms + 999) / 1000));
	reply_header(request, "Retry-After", seconds);
}

void reply_error(struct request *request, int error, const char *what)
{
	switch (-error) {
	case ETIMEDOUT:
		reply_problem(request, 504, "broker-timeout",
			      "The broker has not answered in time.");
		break;
	case EAGAIN:
	case ENOMEM:
	case ESHUTDOWN:
	case ECANCELED:
	case EBUSY:
		reply_later(request, 503, 1000,
			    "The hub is busy; try again in a moment.");
		break;
	case ENOSPC:
	case EROFS:
		reply_problem(request, 503, "storage",
			      "The disk is full or read-only; nothing has "
			      "been changed.");
		break;
	default:
		log_error("web", "%s: %s", what, strerrordesc_np(-error));
		reply_problem(request, 500, "internal",
			      "%s failed; the log says more.", what);
		break;
	}
}

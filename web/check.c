#include "web/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "web/api.h"
#include "web/reply.h"
#include "web/router.h"
#include "web/upload.h"

struct seen {
	unsigned int hosts;
	unsigned int lengths;
	unsigned int codings;
};

static enum MHD_Result look(void *arg, enum MHD_ValueKind kind, const char *key,
			    const char *value)
{
	struct seen *seen = arg;

	(void)kind;
	(void)value;
	if (strcasecmp(key, "Host") == 0)
		seen->hosts++;
	else if (strcasecmp(key, "Content-Length") == 0)
		seen->lengths++;
	else if (strcasecmp(key, "Transfer-Encoding") == 0)
		seen->codings++;
	return MHD_YES;
}

static bool refuse(struct request *request, const char *detail)
{
	reply_problem(request, 400, "malformed-request", "%s", detail);
	reply_header(request, "Connection", "close");
	return false;
}

static bool check_headers(struct request *request)
{
	struct seen seen = { 0 };

	MHD_get_connection_values(request->connection, MHD_HEADER_KIND, look,
				  &seen);
	if (seen.hosts > 1)
		return refuse(request, "There are two Host headers.");
	if (seen.lengths > 1)
		return refuse(request, "There are two Content-Lengths.");
	if (seen.codings > 1 || (seen.codings && seen.lengths))
		return refuse(request, "The length of the body is ambiguous.");
	return true;
}

static bool check_host(struct request *request)
{
	struct slice host = request_header(request, "Host");

	if (same_site_host(&request->web->site, host))
		return true;
	reply_problem(request, 421, "unknown-host",
		      "This hub is not called \"%.*s\". Use its address, its "
		      "name, or list the name under web hosts.",
		      host.len > 64 ? 64 : (int)host.len, host.data);
	return false;
}

static bool check_site(struct request *request)
{
	struct slice origin = request_header(request, "Origin");
	struct slice host = request_header(request, "Host");

	if (same_site_fetch(request_header(request, "Sec-Fetch-Site")) &&
	    (origin.len == 0 ||
	     same_site_origin(origin, host, request->secure)))
		return true;
	reply_problem(request, 403, "cross-site",
		      "The request comes from a page of another site.");
	return false;
}

static bool check_length(struct request *request)
{
	struct slice length = request_header(request, "Content-Length");

	/* One that is no number libmicrohttpd has refused. */
	if (length.len == 0 ||
	    strtoull((const char *)length.data, NULL, 10) <= WEB_BODY_MAX)
		return true;
	reply_problem(request, 413, "too-large", "A body may have %d bytes.",
		      WEB_BODY_MAX);
	return false;
}

static bool is_api(const struct request *request)
{
	return strncmp(request->path, "/api/", 5) == 0;
}

static bool check_route(struct request *request)
{
	char allowed[ROUTER_ALLOWED_SIZE];

	if (request->method != METHODS)
		request->route = router_find(request, allowed);
	else
		router_find(request, allowed);
	if (request->route)
		return true;
	if (!allowed[0] && !is_api(request)) {
		if (request->method == METHOD_GET)
			return true;
		snprintf(allowed, sizeof(allowed), "GET, HEAD");
	}
	if (allowed[0]) {
		reply_problem(request, 405, "method-not-allowed",
			      "Here one may %s.", allowed);
		reply_header(request, "Allow", allowed);
	} else {
		reply_problem(request, 404, "not-found", "There is no %s.",
			      request->path);
	}
	return false;
}

bool check_head(struct request *request, const char *method)
{
	request->method = method_parse(method);
	if (!check_headers(request) || !check_host(request))
		return false;
	if (request->segment_count == 0)
		return refuse(request, "The target is malformed.");
	if (is_api(request) && !check_site(request))
		return false;
	if (!check_route(request))
		return false;
	if (request->route && request->route->fn == api_restore_upload)
		return upload_begin(request);
	return check_length(request);
}

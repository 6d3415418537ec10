#include "web/request.h"

#include <errno.h>
#include <stdlib.h>

#include "broker/base/clock.h"
#include "web/login.h"
#include "web/reply.h"
#include "web/upload.h"

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* In place. False for a bad escape or one that means NUL. */
static bool decode(char *text, bool plus_is_space)
{
	char *out = text;

	for (; *text; text++) {
		int high, low;

		if (*text == '+' && plus_is_space) {
			*out++ = ' ';
			continue;
		}
		if (*text != '%') {
			*out++ = *text;
			continue;
		}
		high = hex_value(text[1]);
		low = high < 0 ? -1 : hex_value(text[2]);
		if (low < 0 || high + low == 0)
			return false;
		*out++ = (char)(unsigned char)(high * 16 + low);
		text += 2;
	}
	*out = '\0';
	return true;
}

static bool split_query(struct request *request, char *query)
{
	char *part, *value;

	while ((part = strsep(&query, "&"))) {
		if (!*part)
			continue;
		if (request->query_count == WEB_QUERY_PARAMETERS)
			return false;
		value = strchr(part, '=');
		if (value)
			*value++ = '\0';
		else
			value = part + strlen(part);
		if (!decode(part, true) || !decode(value, true))
			return false;
		/* Said twice, who knows which is meant. */
		if (request_query(request, part))
			return false;
		request->query[request->query_count].name = part;
		request->query[request->query_count].value = value;
		request->query_count++;
	}
	return true;
}

/* Segments are decoded after they were split: a %2F does not end one. */
static bool split_path(struct request *request, char *path)
{
	char *part;

	if (*path++ != '/')
		return false;
	while ((part = strsep(&path, "/"))) {
		if (request->segment_count == WEB_PATH_SEGMENTS ||
		    !decode(part, false))
			return false;
		request->segments[request->segment_count++] = part;
	}
	return true;
}

static bool split_target(struct request *request, char *target)
{
	char *query = strchr(target, '?');

	if (query)
		*query++ = '\0';
	request->path = strdup(target);
	if (!request->path)
		return false;
	return split_path(request, target) &&
	       (!query || split_query(request, query));
}

struct request *request_new(struct web_context *web, const char *uri)
{
	struct request *request = calloc(1, sizeof(*request));

	if (!request)
		return NULL;
	request->web = web;
	buffer_init(&request->body, WEB_BODY_MAX);
	request->target = strdup(uri);
	if (!request->target) {
		free(request);
		return NULL;
	}
	if (!split_target(request, request->target))
		request->segment_count = 0;
	return request;
}

void request_free(struct request *request)
{
	if (!request)
		return;
	if (request->job)
		request->cancel(request);
	upload_gone(request);
	list_remove(&request->link);
	if (request->response)
		MHD_destroy_response(request->response);
	json_decref(request->json);
	/* It may have held a password. */
	if (request->body.data)
		explicit_bzero(request->body.data, request->body.cap);
	buffer_free(&request->body);
	free(request->memory);
	free(request->path);
	free(request->target);
	free(request);
}

const char *request_query(const struct request *request, const char *name)
{
	for (size_t i = 0; i < request->query_count; i++)
		if (strcmp(request->query[i].name, name) == 0)
			return request->query[i].value;
	return NULL;
}

struct slice request_header(const struct request *request, const char *name)
{
	const char *value;

	value = MHD_lookup_connection_value(request->connection,
					    MHD_HEADER_KIND, name);
	return value ? slice_str(value) : slice_of("", 0);
}

const struct sockaddr *request_peer(const struct request *request)
{
	const union MHD_ConnectionInfo *info;

	info = MHD_get_connection_info(request->connection,
				       MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	return info->client_addr;
}

struct session *request_session(const struct request *request)
{
	struct slice id;

	if (!cookie_find(request_header(request, "Cookie"),
			 login_cookie_name(request->secure), &id))
		return NULL;
	return sessions_find(request->web->sessions, id, clock_ms());
}

bool request_number(struct request *request, const char *name, int64_t min,
		    int64_t max, int64_t *out)
{
	const char *text = request_query(request, name);
	char *end;
	long long n;

	if (!text)
		return true;
	errno = 0;
	n = strtoll(text, &end, 10);
	if (errno || end == text || *end || n < min || n > max) {
		reply_problem(request, 400, "bad-parameter",
			      "%s must be a whole number from %lld to %lld",
			      name, (long long)min, (long long)max);
		return false;
	}
	*out = n;
	return true;
}

/*
 * Messages as they come, as server-sent events: /events. For curl and scripts;
 * the dashboard speaks MQTT.
 *
 * The stream is a client of the broker's with the caller's rules. Between
 * messages its connection is suspended. It belongs to the response: when that
 * is freed, it ends.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "broker/access.h"
#include "broker/base/json_text.h"
#include "broker/local_client.h"
#include "broker/wire/topic.h"
#include "web/address.h"
#include "web/api.h"
#include "web/payload.h"
#include "web/reply.h"
#include "web/server.h"

#define TOKEN 1
#define BLOCK 4096

struct stream {
	struct list link;
	struct web_context *web;
	struct MHD_Connection *connection;
	struct request *request; /* NULL: it has ended */
	struct local_client *client;
	struct loop_source source;
	struct loop_timer comment;
	struct buffer out;
	unsigned long dropped; /* since it was last said */
	bool waiting; /* the connection is suspended */
	bool ended;
};

static void wake(struct stream *stream)
{
	if (!stream->waiting)
		return;
	stream->waiting = false;
	server_resume(stream->web->server, stream->connection);
}

static void say(struct stream *stream, const char *event, const char *data)
{
	struct buffer *out = &stream->out;
	size_t before = out->len;

	if (buffer_append(out, "event: ", 7) ||
	    buffer_append(out, event, strlen(event)) ||
	    buffer_append(out, "\ndata: ", 7) ||
	    buffer_append(out, data, strlen(data)) ||
	    buffer_append(out, "\n\n", 2)) {
		out->len = before;
		stream->dropped++;
	}
}

static void say_message(struct stream *stream, const struct local_event *event)
{
	const struct message *message = event->message;
	char *text = NULL;
	json_t *body;

	body = json_pack("{s:o,s:i,s:b,s:I}", "topic",
			 payload_text(message_topic(message)), "qos",
			 message->qos, "retain", (int)event->retain, "time",
			 (json_int_t)message->time);
	/* JSON escapes line ends, so one data line is enough. */
	if (body && payload_set(body, message_payload(message)) == 0)
		text = json_text(body, JSON_COMPACT);
	json_decref(body);
	if (text)
		say(stream, "message", text);
	else
		stream->dropped++;
	free(text);
}

static void say_dropped(struct stream *stream)
{
	unsigned long dropped = stream->dropped;
	char data[48];

	if (!dropped || stream->out.len)
		return;
	stream->dropped = 0;
	snprintf(data, sizeof(data), "{\"count\":%lu}", dropped);
	say(stream, "dropped", data);
}

static void end(struct stream *stream, enum mqtt_reason reason)
{
	char data[96];

	snprintf(data, sizeof(data), "{\"reason\":\"%s\"}",
		 reason_name(reason));
	say(stream, "end", data);
	stream->ended = true;
}

static void on_events(struct loop_source *source, uint32_t events)
{
	struct stream *stream = list_entry(source, struct stream, source);
	struct local_event *event;

	(void)events;
	while ((event = local_client_next(stream->client))) {
		if (event->type == LOCAL_CLIENT_MESSAGE)
			say_message(stream, event);
		else if (event->type == LOCAL_CLIENT_CLOSED ||
			 event->reason >= MQTT_UNSPECIFIED_ERROR)
			end(stream, event->reason);
		local_event_free(event);
	}
	wake(stream);
}

/* Writing it is also how a peer that has gone is noticed. */
static void on_comment(struct loop_timer *timer)
{
	struct stream *stream = list_entry(timer, struct stream, comment);

	if (stream->out.len == 0 && buffer_append(&stream->out, ":\n\n", 3))
		stream->dropped++;
	loop_timer_set(stream->web->loop, &stream->comment,
		       WEB_STREAM_COMMENT_MS);
	wake(stream);
}

static ssize_t on_read(void *arg, uint64_t position, char *out, size_t size)
{
	struct stream *stream = arg;
	size_t len;

	(void)position;
	say_dropped(stream);
	len = stream->out.len < size ? stream->out.len : size;
	if (len) {
		memcpy(out, stream->out.data, len);
		buffer_consume(&stream->out, len);
		return (ssize_t)len;
	}
	if (stream->ended)
		return MHD_CONTENT_READER_END_OF_STREAM;
	stream->waiting = true;
	MHD_suspend_connection(stream->connection);
	return 0;
}

/* The request ends: its connection will not be spoken to any more. */
static void on_cancel(struct request *request)
{
	struct stream *stream = request->job;

	request->job = NULL;
	stream->request = NULL;
	stream->ended = true;
	wake(stream);
}

static void stream_free(void *arg)
{
	struct stream *stream = arg;

	if (stream->request)
		stream->request->job = NULL;
	loop_timer_cancel(stream->web->loop, &stream->comment);
	loop_remove(stream->web->loop, &stream->source);
	local_client_free(stream->client);
	buffer_free(&stream->out);
	list_remove(&stream->link);
	stream->web->stream_count--;
	free(stream);
}

static int open_client(struct stream *stream, const char *filter)
{
	struct request *request = stream->request;
	char id[32], address[ADDRESS_TEXT_SIZE];
	struct local_client_options options = {
		.client_id = id,
		.user = request->user,
		.address = address,
		.mailbox = WEB_STREAM_MAILBOX,
	};
	int r;

	context_client_id(stream->web, id, sizeof(id));
	address_text(request_peer(request), address);
	stream->client = local_client_new(stream->web->broker, &options);
	if (!stream->client)
		return -errno;
	r = local_client_subscribe(stream->client, slice_str(filter), 0, TOKEN);
	if (r == 0)
		r = loop_add(stream->web->loop, &stream->source,
			     local_client_fd(stream->client), EPOLLIN,
			     on_events);
	if (r)
		local_client_free(stream->client);
	return r;
}

static int stream_new(struct request *request, const char *filter,
		      struct stream **out)
{
	struct stream *stream = calloc(1, sizeof(*stream));
	int r;

	if (!stream)
		return -ENOMEM;
	stream->web = request->web;
	stream->connection = request->connection;
	stream->request = request;
	buffer_init(&stream->out, WEB_STREAM_BYTES);
	r = open_client(stream, filter);
	if (r) {
		free(stream);
		return r;
	}
	stream->comment.fn = on_comment;
	loop_timer_set(stream->web->loop, &stream->comment,
		       WEB_STREAM_COMMENT_MS);
	list_append(&stream->web->streams, &stream->link);
	stream->web->stream_count++;
	*out = stream;
	return 0;
}

void events_end_user(struct web_context *web, const char *user)
{
	struct list *at, *after;

	list_for_each (at, after, &web->streams) {
		struct stream *stream = list_entry(at, struct stream, link);

		if (!stream->request ||
		    strcmp(stream->request->user, user) != 0)
			continue;
		end(stream, MQTT_ADMINISTRATIVE_ACTION);
		wake(stream);
	}
}

/* Its predicate: the broker would end the stream for it. False: answered. */
static bool check_predicate(struct request *request, const char *filter)
{
	const char *why = NULL;
	size_t at = 0;
	int r = local_client_judge(slice_str(filter), &why, &at);

	if (r == -EINVAL)
		reply_problem(request, 400, "bad-parameter",
			      "filter has a malformed predicate: byte %zu: %s.",
			      at, why);
	else if (r)
		reply_error(request, r, "Reading the filter");
	return r == 0;
}

/* False: answered. */
static bool check(struct request *request, const char *filter)
{
	struct topic_parts parts;

	if (!filter || topic_split(slice_str(filter), &parts) < 0 ||
	    parts.history.data || !topic_filter_valid(parts.filter)) {
		reply_problem(request, 400, "bad-parameter",
			      "filter must be a topic filter.");
		return false;
	}
	if (!check_predicate(request, filter))
		return false;
	if (!access_may_subscribe(request->web->access, request->user, "$web",
				  parts.filter)
		     .allowed) {
		reply_problem(request, 403, "not-authorized",
			      "No rule allows you to read that.");
		return false;
	}
	if (request->web->stream_count == WEB_STREAMS) {
		reply_later(request, 503, 10000,
			    "There are as many event streams as can be.");
		return false;
	}
	return true;
}

void api_events(struct request *request)
{
	const char *filter = request_query(request, "filter");
	struct MHD_Response *response;
	struct stream *stream;
	int r;

	if (!check(request, filter))
		return;
	r = stream_new(request, filter, &stream);
	if (r) {
		reply_error(request, r, "Opening the stream");
		return;
	}
	response = MHD_create_response_from_callback(
		MHD_SIZE_UNKNOWN, BLOCK, on_read, stream, stream_free);
	if (!response) {
		stream_free(stream);
	} else {
		request->job = stream;
		request->cancel = on_cancel;
		request->streaming = true;
	}
	reply_response(request, 200, response);
	reply_header(request, "Content-Type", "text/event-stream");
	reply_header(request, "Connection", "close");
	reply_header(request, "Cache-Control", "no-store");
}

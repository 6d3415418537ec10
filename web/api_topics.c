/* Retained values, as far as the caller may read them: /topics. */
#include <errno.h>
#include <stdlib.h>

#include "broker/access.h"
#include "broker/admin.h"
#include "broker/origin.h"
#include "broker/wire/topic.h"
#include "web/api.h"
#include "web/payload.h"
#include "web/reply.h"

#define LIMIT_DEFAULT 100

/* What both answers tell of a message. */
static json_t *message_json(const struct message *message)
{
	json_t *body;

	body = json_pack("{s:o,s:i,s:I}", "topic",
			 payload_text(message_topic(message)), "qos",
			 message->qos, "time", (json_int_t)message->time);
	if (body && payload_set(body, message_payload(message))) {
		json_decref(body);
		return NULL;
	}
	return body;
}

static json_t *value_json(const struct message *message)
{
	const struct origin *origin = message->origin;
	json_t *body = message_json(message);
	int r = 0;

	if (!body)
		return NULL;
	r |= json_object_set_new(body, "retain", json_true());
	r |= json_object_set_new(body, "user",
				 payload_text(slice_str(origin->user)));
	r |= json_object_set_new(body, "client",
				 payload_text(slice_str(origin->client_id)));
	if (r) {
		json_decref(body);
		return NULL;
	}
	return body;
}

void api_topic_value(struct request *request)
{
	const char *topic = request_query(request, "topic");
	struct web_context *web = request->web;
	struct message *message;
	int r;

	if (!topic || !topic_name_valid(slice_str(topic))) {
		reply_problem(request, 400, "bad-parameter",
			      "topic must be a topic, without + and #.");
		return;
	}
	if (!access_may(web->access, request->user, "$web", slice_str(topic),
			ACCESS_READ)
		     .allowed) {
		reply_problem(request, 403, "not-authorized",
			      "No rule allows you to read that.");
		return;
	}
	r = admin_retained(web->admin, slice_str(topic), &message);
	if (r == -ENOENT) {
		reply_problem(request, 404, "no-value",
			      "There is no retained value of that topic.");
		return;
	}
	if (r) {
		reply_error(request, r, "Reading the value");
		return;
	}
	reply_json(request, 200, value_json(message));
	message_unref(message);
}

static json_t *list_json(const struct admin_messages *messages)
{
	json_t *list = json_array(), *next = json_null();

	for (size_t i = 0; list && i < messages->count; i++) {
		if (json_array_append_new(
			    list, message_json(messages->messages[i]))) {
			json_decref(list);
			list = NULL;
		}
	}
	if (messages->more && messages->count)
		next = payload_text(
			message_topic(messages->messages[messages->count - 1]));
	return json_pack("{s:o,s:o}", "topics", list, "next", next);
}

void api_topics(struct request *request)
{
	const char *filter = request_query(request, "filter");
	const char *after = request_query(request, "after");
	struct admin_messages *messages;
	int64_t limit = LIMIT_DEFAULT;
	int r;

	if (!filter)
		filter = "#";
	if (!topic_filter_valid(slice_str(filter))) {
		reply_problem(request, 400, "bad-parameter",
			      "filter must be a topic filter.");
		return;
	}
	if (!request_number(request, "limit", 1, WEB_PAGE_MAX, &limit))
		return;
	r = admin_retained_list(request->web->admin, slice_str(filter),
				slice_str(after ? after : ""), request->user,
				(size_t)limit, &messages);
	if (r) {
		reply_error(request, r, "Listing the topics");
		return;
	}
	reply_json(request, 200, list_json(messages));
	admin_messages_free(messages);
}

/* Publish as the caller, answered when the broker has acknowledged: /publish. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "broker/local_client.h"
#include "broker/wire/topic.h"
#include "db/access_rules.h"
#include "web/address.h"
#include "web/api.h"
#include "web/form.h"
#include "web/payload.h"
#include "web/reply.h"

#define TOKEN 1

/* A client that lives for one message. */
struct job {
	struct request *request;
	struct local_client *client;
	struct loop_source source;
	struct loop_timer deadline;
};

static void job_free(struct request *request)
{
	struct job *job = request->job;

	request->job = NULL;
	loop_timer_cancel(request->web->loop, &job->deadline);
	loop_remove(request->web->loop, &job->source);
	local_client_free(job->client);
	free(job);
}

static void reply_refused(struct request *request, uint32_t rule)
{
	if (rule >= DB_RULE_SYSTEM)
		reply_problem(request, 403, "not-authorized",
			      "A built-in rule forbids publishing there.");
	else if (rule)
		reply_problem(request, 403, "not-authorized",
			      "Rule %u forbids publishing there.", rule);
	else
		reply_problem(request, 403, "not-authorized",
			      "No rule allows publishing there.");
}

static void reply_reason(struct request *request, enum mqtt_reason reason,
			 uint32_t rule)
{
	if (reason < MQTT_UNSPECIFIED_ERROR)
		reply_json(request, 200, json_pack("{s:b}", "acknowledged", 1));
	else if (reason == MQTT_NOT_AUTHORIZED)
		reply_refused(request, rule);
	else if (reason == MQTT_QUOTA_EXCEEDED || reason == MQTT_SERVER_BUSY ||
		 reason == MQTT_SERVER_UNAVAILABLE ||
		 reason == MQTT_SERVER_SHUTTING_DOWN)
		reply_problem(request, 503, "broker-busy",
			      "The broker does not take it now: %s.",
			      reason_name(reason));
	else
		reply_problem(request, 422, "refused",
			      "The broker refused it: %s.",
			      reason_name(reason));
}

static void on_events(struct loop_source *source, uint32_t events)
{
	struct job *job = list_entry(source, struct job, source);
	struct request *request = job->request;
	struct local_event *event;
	enum mqtt_reason reason;
	uint32_t rule;

	(void)events;
	while ((event = local_client_next(job->client))) {
		bool last = event->type != LOCAL_CLIENT_MESSAGE;

		reason = event->reason;
		rule = event->rule;
		/* Closed before the answer is no success. */
		if (event->type == LOCAL_CLIENT_CLOSED &&
		    reason < MQTT_UNSPECIFIED_ERROR)
			reason = MQTT_SERVER_UNAVAILABLE;
		local_event_free(event);
		if (last) {
			job_free(request);
			reply_reason(request, reason, rule);
			return;
		}
	}
}

static void on_deadline(struct loop_timer *timer)
{
	struct request *request =
		list_entry(timer, struct job, deadline)->request;

	job_free(request);
	reply_error(request, -ETIMEDOUT, "Publishing");
}

static int job_new(struct request *request)
{
	struct web_context *web = request->web;
	char id[32], address[ADDRESS_TEXT_SIZE];
	struct local_client_options options = {
		.client_id = id,
		.user = request->user,
		.address = address,
		.mailbox = WEB_MAILBOX,
	};
	struct job *job = calloc(1, sizeof(*job));
	int r;

	if (!job)
		return -ENOMEM;
	context_client_id(web, id, sizeof(id));
	address_text(request_peer(request), address);
	job->request = request;
	job->client = local_client_new(web->broker, &options);
	if (!job->client) {
		r = -errno;
		goto err_free;
	}
	r = loop_add(web->loop, &job->source, local_client_fd(job->client),
		     EPOLLIN, on_events);
	if (r)
		goto err_client;
	job->deadline.fn = on_deadline;
	loop_timer_set(web->loop, &job->deadline, WEB_BROKER_MS);
	request->job = job;
	request->cancel = job_free;
	return 0;

err_client:
	local_client_free(job->client);
err_free:
	free(job);
	return r;
}

struct message_form {
	const char *topic;
	struct slice payload;
	uint8_t *decoded; /* where payload lies, if it came in base64 */
	uint8_t qos;
	bool retain;
};

static void read_payload(struct form *form, struct message_form *out)
{
	const char *base64;
	const char *text;
	size_t len;

	text = form_text(form, "payload", FORM_OPTIONAL, WEB_BODY_MAX);
	base64 = form_text(form, "payload_base64", FORM_OPTIONAL, WEB_BODY_MAX);
	if (text && base64)
		form_error(form, "payload_base64",
			   "must not come with payload");
	else if (text)
		out->payload = slice_str(text);
	else if (base64 && payload_decode(base64, &out->decoded, &len) == 0)
		out->payload = slice_of(out->decoded, len);
	else if (base64)
		form_error(form, "payload_base64", "must be base64");
	else if (!form_has(form, "payload") &&
		 !form_has(form, "payload_base64"))
		form_error(form, "payload", "is required");
}

static bool read_form(struct request *request, struct message_form *out)
{
	struct form form;

	*out = (struct message_form){ .payload = slice_of("", 0) };
	if (!form_begin(&form, request))
		return false;
	out->topic = form_text(&form, "topic", FORM_REQUIRED, 65535);
	if (out->topic && !topic_name_valid(slice_str(out->topic)))
		form_error(&form, "topic", "must be a topic, without + and #");
	read_payload(&form, out);
	out->qos = (uint8_t)form_number(&form, "qos", FORM_OPTIONAL, 0, 2);
	out->retain = form_bool(&form, "retain", false);
	return form_end(&form);
}

void api_publish(struct request *request)
{
	struct message_form message;
	struct job *job;
	int r;

	if (!read_form(request, &message)) {
		free(message.decoded);
		return;
	}
	r = job_new(request);
	if (r == 0) {
		job = request->job;
		r = local_client_publish(job->client, slice_str(message.topic),
					 message.payload, message.qos,
					 message.retain, TOKEN);
		if (r)
			job_free(request);
	}
	free(message.decoded);
	if (r == -EINVAL)
		reply_problem(request, 422, "invalid",
			      "The topic is malformed.");
	else if (r)
		reply_error(request, r, "Publishing");
}

#include "broker/local_client.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "broker/admin/local_link.h"
#include "broker/core.h"
#include "broker/match/predicate.h"
#include "broker/routing/admission.h"
#include "broker/routing/router.h"
#include "broker/routing/subscriptions.h"
#include "broker/routing/topic_cache.h"
#include "broker/session/session.h"
#include "broker/wire/topic.h"

/*
 * Two threads share struct local_client: the owner's makes it and asks by calls;
 * the broker's attaches a session to it and, at the end, frees it. Between
 * local_client_free() and that, the owner does not touch it.
 */
struct local_client {
	struct broker *broker;
	struct mailbox *events;
	struct session *session; /* broker thread */
	struct list link; /* broker thread: in broker->locals */
	struct list answers; /* broker thread: struct pending */
	bool closed; /* broker thread: nothing more is delivered */
	atomic_bool
		overflowed; /* the mailbox was full: LOCAL_CLIENT_CLOSED is owed */
	bool told; /* owner: it has been given */
	char *client_id;
	char *user;
	char *address;
	struct call *ending; /* kept ready, so that ending cannot fail */
};

enum call_kind {
	CALL_OPEN,
	CALL_PUBLISH,
	CALL_SUBSCRIBE,
	CALL_UNSUBSCRIBE,
	CALL_CLOSE
};

struct call {
	struct broker_call call;
	struct local_client *client;
	uint64_t token;
	enum call_kind kind;
	uint8_t qos;
	bool retain;
	size_t topic_len;
	size_t payload_len;
	uint8_t data[]; /* topic or filter, payload */
};

/* A publish whose answer waits for the store. */
struct pending {
	struct list link;
	struct local_event *event;
	uint64_t ticket;
};

/* ---- broker thread ------------------------------------------------------ */

/* The owner is behind and would see a gap: its end. The mailbox has no room for
 * the last event, so local_client_next() makes it up once all others are taken. */
static void overflow(struct local_client *lc)
{
	lc->closed = true;
	atomic_store(&lc->overflowed, true);
	/* It may have taken the last event just before. */
	mailbox_wake(lc->events);
}

static void post(struct local_client *lc, struct local_event *event)
{
	if (mailbox_post(lc->events, event) == 0)
		return;
	local_event_free(event);
	overflow(lc);
}

static void close_client(struct local_client *lc, enum mqtt_reason reason)
{
	struct local_event *event;

	if (lc->closed)
		return;
	lc->closed = true;
	event = calloc(1, sizeof(*event));
	if (!event)
		return;
	event->type = LOCAL_CLIENT_CLOSED;
	event->reason = reason;
	post(lc, event);
}

int local_link_deliver(struct session *session, struct publish *p, bool retain)
{
	struct local_client *lc = session->local;
	struct local_event *event;

	if (lc->closed)
		return 0;
	if (!publish_message(session->broker, p))
		return -ENOMEM;
	event = calloc(1, sizeof(*event));
	if (!event)
		return -ENOMEM;
	event->type = LOCAL_CLIENT_MESSAGE;
	event->message = message_ref(p->message);
	event->retain = retain;
	if (mailbox_post(lc->events, event) == 0) {
		session->broker->count.messages_sent++;
		return 0;
	}
	local_event_free(event);
	session->broker->count.messages_dropped++;
	if (p->qos > 0)
		overflow(lc);
	return 0;
}

static void answer(struct local_client *lc, struct local_event *event,
		   uint64_t ticket)
{
	struct pending *pending;

	if (ticket <= lc->broker->committed && list_empty(&lc->answers)) {
		post(lc, event);
		return;
	}
	pending = malloc(sizeof(*pending));
	if (!pending) {
		event->reason = MQTT_UNSPECIFIED_ERROR;
		post(lc, event);
		return;
	}
	pending->event = event;
	pending->ticket = ticket;
	list_append(&lc->answers, &pending->link);
}

static void answer_committed(struct local_client *lc, uint64_t committed)
{
	struct list *at, *after;

	list_for_each (at, after, &lc->answers) {
		struct pending *pending = list_entry(at, struct pending, link);

		if (pending->ticket > committed)
			return;
		list_remove(at);
		post(lc, pending->event);
		free(pending);
	}
}

void local_link_committed(struct broker *broker)
{
	struct list *at, *after;

	list_for_each (at, after, &broker->locals)
		answer_committed(list_entry(at, struct local_client, link),
				 broker->committed);
}

static void run_open(struct broker *broker, struct local_client *lc)
{
	struct session *old = session_find(broker, slice_str(lc->client_id));
	struct session *s = NULL;

	list_append(&broker->locals, &lc->link);
	/* Identifiers of local clients start with '$' and are not given out. */
	if (!old)
		s = session_new(broker, slice_str(lc->client_id), lc->user);
	if (s && session_set_address(s, lc->address) < 0) {
		session_remove(s);
		s = NULL;
	}
	if (!s) {
		close_client(lc, old ? MQTT_CLIENT_IDENTIFIER_NOT_VALID
				     : MQTT_UNSPECIFIED_ERROR);
		return;
	}
	s->local = lc;
	broker->attached_count++;
	s->version = MQTT_5_0;
	lc->session = s;
}

static void run_publish(struct broker *broker, const struct call *call,
			struct local_event *event, uint64_t *ticket)
{
	struct session *s = call->client->session;
	struct publish p = {
		.topic = slice_of(call->data, call->topic_len),
		.payload = slice_of(call->data + call->topic_len,
				    call->payload_len),
		.expires = MESSAGE_NO_EXPIRY,
		.origin = s->origin,
		.from = s,
		.qos = call->qos,
		.retain = call->retain,
	};
	struct topic_entry *entry = router_topic(broker, p.topic);
	struct access_verdict verdict = { .allowed = false };

	event->reason = MQTT_UNSPECIFIED_ERROR;
	if (!entry)
		return;
	verdict = router_may_write(s, entry);
	event->rule = verdict.rule;
	event->reason = MQTT_NOT_AUTHORIZED;
	if (!verdict.allowed)
		return;

	broker->count.messages_received++;
	if (admission_ask(broker, &p, entry) != ADMITTED) {
		event->reason = MQTT_QUOTA_EXCEEDED;
		broker->count.publishes_refused++;
		return;
	}
	switch (router_publish(broker, &p, entry)) {
	case 0:
		event->reason =
			p.matched ? MQTT_SUCCESS : MQTT_NO_MATCHING_SUBSCRIBERS;
		break;
	case -EDQUOT:
		event->reason = MQTT_QUOTA_EXCEEDED;
		break;
	default:
		event->reason = MQTT_UNSPECIFIED_ERROR;
		break;
	}
	*ticket = p.ticket;
	publish_done(&p);
}

static void run_subscribe(const struct call *call, struct local_event *event)
{
	struct session *s = call->client->session;
	struct slice filter = slice_of(call->data, call->topic_len);
	struct access_verdict verdict = { .allowed = true };
	struct topic_parts parts;
	bool replaced;
	int r;

	event->reason = MQTT_TOPIC_FILTER_INVALID;
	/* What was stored is asked of db/history.h in this process. */
	if (topic_split(filter, &parts) < 0 || parts.history.data)
		return;
	if (s->user)
		verdict = access_may_subscribe(s->broker->access, s->user,
					       s->client_id, parts.filter);
	event->rule = verdict.rule;
	event->reason = MQTT_NOT_AUTHORIZED;
	if (!verdict.allowed)
		return;
	r = subscriptions_add(s, filter, call->qos, 0, &replaced);
	event->reason = r == 0	       ? (enum mqtt_reason)call->qos
			: r == -EDQUOT ? MQTT_QUOTA_EXCEEDED
			: r == -EINVAL ? MQTT_TOPIC_FILTER_INVALID
				       : MQTT_UNSPECIFIED_ERROR;
	if (r == 0 && router_send_retained(s, filter, call->qos, 0) < 0)
		event->reason = MQTT_UNSPECIFIED_ERROR;
}

static void drop_events(struct local_client *lc)
{
	struct local_event *event;

	while ((event = mailbox_take(lc->events)))
		local_event_free(event);
}

static void client_free(struct local_client *lc)
{
	drop_events(lc);
	mailbox_free(lc->events);
	free(lc->client_id);
	free(lc->user);
	free(lc->address);
	free(lc->ending);
	free(lc);
}

static void run_close(struct local_client *lc)
{
	struct list *at, *after;

	if (lc->session)
		session_detach(lc->session, false);
	list_for_each (at, after, &lc->answers) {
		struct pending *pending = list_entry(at, struct pending, link);

		list_remove(at);
		local_event_free(pending->event);
		free(pending);
	}
	list_remove(&lc->link);
	client_free(lc);
}

static void run(struct broker *broker, struct broker_call *posted)
{
	struct call *call = list_entry(posted, struct call, call);
	struct local_client *lc = call->client;
	struct local_event *event;
	uint64_t ticket = 0;

	if (call->kind == CALL_CLOSE) {
		run_close(lc); /* frees call, too */
		return;
	}
	if (call->kind == CALL_OPEN) {
		run_open(broker, lc);
	} else if (lc->session && !lc->closed) {
		event = calloc(1, sizeof(*event));
		if (!event) {
			close_client(lc, MQTT_UNSPECIFIED_ERROR);
		} else {
			event->type = LOCAL_CLIENT_ANSWER;
			event->token = call->token;
			if (call->kind == CALL_PUBLISH)
				run_publish(broker, call, event, &ticket);
			else if (call->kind == CALL_SUBSCRIBE)
				run_subscribe(call, event);
			else if (subscriptions_remove(
					 lc->session,
					 slice_of(call->data,
						  call->topic_len)) < 0)
				event->reason = MQTT_NO_SUBSCRIPTION_EXISTED;
			answer(lc, event, ticket);
		}
	}
	free(call);
}

static void drop(struct broker *broker, struct broker_call *posted)
{
	struct call *call = list_entry(posted, struct call, call);

	(void)broker;
	if (call->kind == CALL_CLOSE)
		run_close(call->client); /* frees call, too */
	else
		free(call);
}

/* ---- the owner's thread ------------------------------------------------- */

static struct call *call_new(struct local_client *lc, enum call_kind kind,
			     struct slice topic, struct slice payload)
{
	struct call *call = calloc(1, sizeof(*call) + topic.len + payload.len);

	if (!call)
		return NULL;
	call->call.run = run;
	call->call.drop = drop;
	call->client = lc;
	call->kind = kind;
	call->topic_len = topic.len;
	call->payload_len = payload.len;
	if (topic.len)
		memcpy(call->data, topic.data, topic.len);
	if (payload.len)
		memcpy(call->data + topic.len, payload.data, payload.len);
	return call;
}

static int ask(struct call *call)
{
	if (!call)
		return -ENOMEM;
	if (broker_post(call->client->broker, &call->call) < 0) {
		free(call);
		return -EAGAIN;
	}
	return 0;
}

struct local_client *local_client_new(struct broker *broker,
				      const struct local_client_options *o)
{
	struct local_client *lc = calloc(1, sizeof(*lc));
	const struct slice nothing = slice_of(NULL, 0);
	int r = -ENOMEM;

	if (!lc)
		goto err_errno;
	lc->broker = broker;
	list_init(&lc->answers);
	list_init(&lc->link);
	lc->client_id = strdup(o->client_id);
	lc->user = o->user ? strdup(o->user) : NULL;
	lc->address = strdup(o->address ? o->address : "local");
	lc->ending = call_new(lc, CALL_CLOSE, nothing, nothing);
	lc->events = mailbox_new(o->mailbox);
	if (!lc->client_id || (o->user && !lc->user) || !lc->address ||
	    !lc->ending || !lc->events)
		goto err_free;
	r = ask(call_new(lc, CALL_OPEN, nothing, nothing));
	if (r < 0)
		goto err_free;
	return lc;

err_free:
	if (lc->events)
		mailbox_free(lc->events);
	lc->events = NULL;
	free(lc->client_id);
	free(lc->user);
	free(lc->address);
	free(lc->ending);
	free(lc);
err_errno:
	errno = -r;
	return NULL;
}

void local_client_free(struct local_client *lc)
{
	const struct timespec pause = { .tv_nsec = 1000000 };

	if (!lc)
		return;
	/* The broker empties its mailbox every turn; there is no other way to
	 * tell it, and without being told it would keep the session. */
	while (broker_post(lc->broker, &lc->ending->call) < 0)
		nanosleep(&pause, NULL);
}

int local_client_publish(struct local_client *lc, struct slice topic,
			 struct slice payload, uint8_t qos, bool retain,
			 uint64_t token)
{
	struct call *call;

	if (!topic_name_valid(topic) || qos > 2)
		return -EINVAL;
	call = call_new(lc, CALL_PUBLISH, topic, payload);
	if (call) {
		call->qos = qos;
		call->retain = retain;
		call->token = token;
	}
	return ask(call);
}

static int ask_filter(struct local_client *lc, enum call_kind kind,
		      struct slice filter, uint8_t qos, uint64_t token)
{
	struct call *call;

	if (!topic_filter_valid(filter) || qos > 2)
		return -EINVAL;
	call = call_new(lc, kind, filter, slice_of(NULL, 0));
	if (call) {
		call->qos = qos;
		call->token = token;
	}
	return ask(call);
}

int local_client_subscribe(struct local_client *lc, struct slice filter,
			   uint8_t qos, uint64_t token)
{
	return ask_filter(lc, CALL_SUBSCRIBE, filter, qos, token);
}

int local_client_unsubscribe(struct local_client *lc, struct slice filter,
			     uint64_t token)
{
	return ask_filter(lc, CALL_UNSUBSCRIBE, filter, 0, token);
}

int local_client_judge(struct slice filter, const char **why, size_t *at)
{
	struct predicate *predicate = NULL;
	struct predicate_error error;
	struct topic_parts parts;
	int r;

	if (topic_split(filter, &parts) < 0 || !parts.predicate.data)
		return 0;
	r = predicate_parse(parts.predicate, &predicate, &error);
	if (r == 0)
		predicate_free(predicate);
	if (r == -EINVAL) {
		*why = error.why;
		*at = error.at;
	}
	return r;
}

int local_client_fd(const struct local_client *lc)
{
	return mailbox_fd(lc->events);
}

struct local_event *local_client_next(struct local_client *lc)
{
	struct local_event *event = mailbox_take(lc->events);

	if (event || lc->told || !atomic_load(&lc->overflowed))
		return event;
	event = calloc(1, sizeof(*event));
	if (!event)
		return NULL;
	event->type = LOCAL_CLIENT_CLOSED;
	event->reason = MQTT_QUOTA_EXCEEDED;
	lc->told = true;
	return event;
}

void local_event_free(struct local_event *event)
{
	if (!event)
		return;
	message_unref(event->message);
	free(event);
}

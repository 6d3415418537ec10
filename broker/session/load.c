#include "broker/session/load.h"

#include <errno.h>
#include <stdlib.h>

#include "broker/base/log.h"
#include "broker/core.h"
#include "broker/routing/retained.h"
#include "broker/routing/subscriptions.h"
#include "broker/session/backlog.h"
#include "broker/session/legacy.h"
#include "broker/session/load_ids.h"
#include "broker/session/session.h"
#include "broker/store.h"

struct load {
	struct broker *broker;
	struct load_ids sessions;
	struct load_ids messages;
	/* Made here: they get an id when all are known. */
	struct message *offline[BROKER_STATUS_MAX];
	size_t offline_count;
};

static int on_session(void *arg, const struct store_session *row)
{
	struct load *load = arg;
	struct broker *broker = load->broker;
	struct session *s;
	char *user = strndup(row->user.len ? (const char *)row->user.data : "",
			     row->user.len);

	if (!user)
		return -ENOMEM;
	s = session_new(broker, row->client_id, user);
	free(user);
	if (!s)
		return -ENOMEM;
	s->id = row->id;
	s->expiry = row->expiry;
	s->version = (enum mqtt_version)row->version;
	if (row->id >= broker->next_session)
		broker->next_session = row->id + 1;
	/* Nobody knows how long we were away: its time starts anew. */
	s->gone = loop_now(broker->loop);
	session_start_expiry(s);
	return load_ids_put(&load->sessions, row->id, s);
}

static int on_subscription(void *arg, uint64_t session,
			   const struct store_subscription *row)
{
	struct load *load = arg;
	struct session *s = load_ids_get(&load->sessions, session);
	bool replaced;
	int r;

	if (!s)
		return 0;
	r = subscriptions_add(s, row->filter, row->options, row->identifier,
			      &replaced);
	if (r != -EINVAL)
		return r;
	/* Another version of hearth took it: one less is better than none. */
	log_error("client",
		  "%s: its subscription %.*s cannot be read: left out",
		  s->client_id, (int)row->filter.len,
		  (const char *)row->filter.data);
	return 0;
}

static int on_message(void *arg, struct message *message)
{
	struct load *load = arg;
	int r = load_ids_put(&load->messages, message->id, message);

	if (message->id >= load->broker->next_message)
		load->broker->next_message = message->id + 1;
	if (r < 0)
		message_unref(message);
	return r;
}

static int on_queued(void *arg, const struct store_queued *row)
{
	struct load *load = arg;
	struct session *s = load_ids_get(&load->sessions, row->session);
	struct message *m = load_ids_get(&load->messages, row->message);
	struct outgoing o = {
		.qos = row->qos,
		.retain = row->retain,
		.share = row->share,
		.stored = true,
		.inherited = true,
		.row = row->message,
		.seq = row->seq, /* those that are missing were delivered */
		.state = row->state == STORE_QUEUED	 ? OUTGOING_QUEUED
			 : row->state == STORE_PUBLISHED ? OUTGOING_SENT
							 : OUTGOING_RELEASED,
	};
	size_t before;

	if (!s || (!m && o.state != OUTGOING_RELEASED)) {
		log_warn("store", "a queued row names no session or message");
		return 0;
	}
	if (row->seq < s->outbox.next_seq || row->seq == UINT64_MAX) {
		log_warn("store", "%s: a queued row is out of its order",
			 s->client_id);
		return 0;
	}
	if (!outgoing_set_identifiers(&o, row->identifiers))
		return -ENOMEM;
	if (o.state != OUTGOING_RELEASED)
		o.message = message_ref(m);
	before = s->outbox.bytes;
	if (!outbox_push(&s->outbox, &o)) {
		message_unref(o.message);
		free(o.identifiers);
		return -ENOMEM;
	}
	if (o.message)
		o.message->store_rows++;
	load->broker->queued_bytes += s->outbox.bytes - before;
	backlog_grew(s);
	return 0;
}

static int on_inbound(void *arg, uint64_t session, uint16_t packet_id)
{
	struct load *load = arg;
	struct session *s = load_ids_get(&load->sessions, session);
	int r = s ? session_inbound_add(s, packet_id) : 0;

	return r == -EALREADY ? 0 : r;
}

/* What is retained may also be waiting for somebody: then it is one message, as
 * it was before, whose row goes when the last who waits has it. Takes message;
 * returns it or the other with a reference. */
static struct message *as_waiting(struct load *load, struct message *message)
{
	struct message *waiting = load_ids_get(&load->messages, message->id);

	if (!waiting)
		return message;
	message_unref(message);
	return message_ref(waiting);
}

/* Takes message; returns what to retain in its place, or NULL. */
static struct message *as_offline(struct message *message)
{
	const struct message_parts parts = {
		.topic = message_topic(message),
		.payload = slice_str("offline"),
		.qos = message->qos,
		.retain = true,
		.expires = message->expires,
		.time = message->time,
		.origin = message->origin,
	};
	struct message *offline = message_new(&parts);

	message_unref(message);
	return offline;
}

static bool is_status(const struct load *load, const struct message *message)
{
	const struct broker_options *options = &load->broker->options;

	for (size_t i = 0; i < options->status_count; i++) {
		if (slice_equal(message_topic(message),
				slice_str(options->status_topics[i])))
			return true;
	}
	return false;
}

static int on_retained(void *arg, struct message *message)
{
	struct load *load = arg;
	int r;

	if (message->id >= load->broker->next_message)
		load->broker->next_message = message->id + 1;
	if (load->offline_count < BROKER_STATUS_MAX &&
	    is_status(load, message)) {
		message = as_offline(message);
		if (!message)
			return -ENOMEM;
		load->offline[load->offline_count++] = message;
	} else {
		message = as_waiting(load, message);
	}
	r = retained_set(load->broker->retained, message);
	message_unref(message);
	return r;
}

static int on_will(void *arg, const struct store_will *will)
{
	struct load *load = arg;
	int r = legacy_add(load->broker, will);

	/* Its row is found by the number of a session that may be no more. */
	if (will->session >= load->broker->next_session)
		load->broker->next_session = will->session + 1;
	if (r < 0)
		message_unref(will->message);
	return r;
}

/* The references that loading held; a payload that no row named is not needed. */
static void drop_messages(struct load *load, bool clean)
{
	struct store *store = load->broker->store;

	for (size_t i = 0; i < load->messages.count; i++) {
		struct message *m = load->messages.all[i].of;

		if (clean && m->store_rows == 0)
			store->ops->message_remove(store, m->id);
		message_unref(m);
	}
}

int load_store(struct broker *broker)
{
	static const struct store_loader loader = {
		.session = on_session,
		.subscription = on_subscription,
		.message = on_message,
		.queued = on_queued,
		.inbound = on_inbound,
		.retained = on_retained,
		.will = on_will,
	};
	struct load load = { .broker = broker };
	int r;

	r = broker->store->ops->load(broker->store, &loader, &load);
	for (size_t i = 0; r == 0 && i < load.offline_count; i++)
		load.offline[i]->id = broker->next_message++;
	drop_messages(&load, r == 0);
	load_ids_clear(&load.messages);
	load_ids_clear(&load.sessions);
	if (r == 0)
		log_info("store",
			 "%zu sessions, %zu subscriptions, %zu retained "
			 "messages taken over",
			 broker->session_count, broker->subscription_count,
			 retained_count(broker->retained));
	return r;
}

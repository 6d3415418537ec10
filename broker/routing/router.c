#include "broker/routing/router.h"

#include <errno.h>

#include "broker/admin/sys_topics.h"
#include "broker/admin/trace.h"
#include "broker/base/clock.h"
#include "broker/base/log.h"
#include "broker/core.h"
#include "broker/limits.h"
#include "broker/match/matcher.h"
#include "broker/origin.h"
#include "broker/peer/connection.h"
#include "broker/routing/retain_hold.h"
#include "broker/routing/retained.h"
#include "broker/routing/shared.h"
#include "broker/routing/topic_conditional.h"
#include "broker/routing/topic_tree.h"
#include "broker/session/delivery.h"
#include "broker/session/session.h"
#include "broker/session/will_row.h"
#include "broker/wire/properties.h"
#include "broker/wire/topic.h"

struct topic_entry *router_topic(struct broker *broker, struct slice topic)
{
	return topic_cache_get(broker->cache, topic);
}

struct slice router_known_topic(struct connection *c)
{
	struct publisher *p = c->publisher;

	if (p->last && p->last_age != topic_cache_given_up(c->broker->cache))
		p->last = NULL;
	return p->last ? slice_of(p->last->topic, p->last->len)
		       : slice_of(NULL, 0);
}

struct topic_entry *router_topic_of(struct connection *c, struct slice topic)
{
	struct topic_cache *cache = c->broker->cache;
	struct publisher *p = c->publisher;

	if (p->last && topic.data == p->last->topic)
		return topic_cache_again(cache, p->last);
	p->last = topic_cache_get(cache, topic);
	p->last_age = topic_cache_given_up(cache);
	return p->last;
}

struct access_verdict router_may_write(struct session *session,
				       const struct topic_entry *entry)
{
	const struct slice topic = slice_of(entry->topic, entry->len);
	struct broker *broker = session->broker;
	struct access_verdict verdict;
	struct verdict_cache *cached;

	/* $SYS is the broker's own, whatever rules say. */
	if (sys_topics_own(topic))
		return (struct access_verdict){ .allowed = false };
	if (!session->connection)
		return session_may(session, topic, ACCESS_WRITE);

	cached = &session->connection->publisher
			  ->verdicts[entry->serial % CONNECTION_VERDICTS];
	if (cached->entry == entry->serial &&
	    cached->access == broker->access_generation)
		return (struct access_verdict){ .allowed = true };

	verdict = session_may(session, topic, ACCESS_WRITE);
	/* Refusals are rare and must name their rule: not remembered. */
	if (verdict.allowed) {
		cached->entry = entry->serial;
		cached->access = broker->access_generation;
	}
	return verdict;
}

/* Clearing is a promise too, whatever the QoS. */
static int clear_retained(struct broker *broker, struct publish *p)
{
	struct store *store = broker->store;

	if (!retained_holds(broker->retained, p->topic)) {
		/* What cleared it may still be on its way to the disk. */
		p->ticket = broker_written(broker);
		return 0;
	}
	if (store) {
		if (store->ops->retained_remove(store, p->topic) < 0)
			return -ENOMEM;
		p->ticket = broker_ticket(broker);
	}
	retained_remove(broker->retained, p->topic);
	return 0;
}

static int retain(struct broker *broker, struct publish *p)
{
	struct store *store = broker->store;
	struct message *m;
	bool hold;
	int r;

	if (p->payload.len == 0)
		return clear_retained(broker, p);

	m = publish_message(broker, p);
	if (!m)
		return -ENOMEM;
	hold = store && retain_hold_may(broker, p);
	r = retained_set(broker->retained, m);
	if (r < 0)
		return r;
	if (!store || sys_topics_own(p->topic))
		return 0;
	if (hold && retain_hold_add(broker, m) == 0)
		return 0;
	r = store->ops->retained_save(store, m, p->qos == 0);
	if (r == 0 && p->qos > 0) {
		m->value_written = true;
		p->ticket = broker_ticket(broker);
	}
	return r;
}

static int keep_history(struct broker *broker, struct publish *p)
{
	struct message *m = publish_message(broker, p);

	return m ? broker->store->ops->history(broker->store, m) : -ENOMEM;
}

static int deliver(struct broker *broker, struct publish *p,
		   const struct topic_target *t)
{
	const struct delivery d = {
		.identifiers = slice_of(t->identifiers, t->identifiers_len),
		.qos = t->qos < p->qos ? t->qos : p->qos,
		.retain = p->retain && t->retain_as_published,
	};

	if (t->no_local && t->session == p->from)
		return 0;
	if (t->group)
		return shared_deliver(broker, t->group, p);
	p->matched++;
	return delivery_send(t->session, p, &d);
}

/* To sessions whose predicates it fits. */
static int deliver_conditionals(struct broker *broker, struct publish *p,
				const struct topic_conditionals *all)
{
	uint8_t identifiers[TOPIC_IDENTIFIERS_SIZE];
	struct topic_target target;
	int failed = 0;

	for (uint32_t i = 0; i < all->count; i++) {
		int r = 0;

		if (topic_conditionals_resolve(all, i, broker->matcher, p,
					       identifiers, &target))
			r = deliver(broker, p, &target);
		if (r < 0)
			failed = r;
	}
	return failed;
}

int router_publish(struct broker *broker, struct publish *p,
		   const struct topic_entry *entry)
{
	int failed = 0;
	int r;

	if (broker->trace)
		trace_routed(broker, p);
	if (p->retain) {
		r = retain(broker, p);
		if (r < 0)
			return r;
	}
	if (entry->history && keep_history(broker, p) < 0)
		failed = -ENOMEM;

	for (uint32_t i = 0; i < entry->count; i++) {
		r = deliver(broker, p, &entry->targets[i]);
		if (r < 0)
			failed = r;
	}
	if (entry->conditionals) {
		r = deliver_conditionals(broker, p, entry->conditionals);
		if (r < 0)
			failed = r;
	}
	return failed;
}

/* Nobody else has seen the message yet. from: NULL when there is no session. */
static void publish_will(struct broker *broker, struct message *will,
			 struct session *from, bool allowed)
{
	const char *client_id = will->origin->client_id;
	struct topic_entry *entry;
	struct publish p;

	will->time = clock_wall_ms();
	publish_of_message(&p, will);
	p.from = from;
	entry = router_topic(broker, p.topic);
	if (!entry) {
		log_error("client", "%s: will lost: out of memory", client_id);
	} else if (!allowed) {
		log_warn("client", "%s: will refused: not authorized for %.*s",
			 client_id, (int)p.topic.len,
			 (const char *)p.topic.data);
	} else if (router_publish(broker, &p, entry) < 0) {
		log_error("client", "%s: will not delivered to all", client_id);
	}
	publish_done(&p);
}

void router_publish_will(struct session *session)
{
	struct message *will = session->will;

	if (!will)
		return;
	session->will = NULL;
	if (session->will_expires)
		will->expires = loop_now(session->broker->loop) +
				(uint64_t)session->will_expiry * 1000;
	publish_will(session->broker, will, session,
		     session_may(session, message_topic(will), ACCESS_WRITE)
			     .allowed);
	message_unref(will);
	will_row_remove(session);
}

void router_publish_legacy(struct broker *broker, struct message *will)
{
	const struct origin *origin = will->origin;

	publish_will(broker, will, NULL,
		     access_may(broker->access, origin->user, origin->client_id,
				message_topic(will), ACCESS_WRITE)
			     .allowed);
}

struct replay {
	struct session *session;
	struct predicate *predicate;
	struct publish_match match; /* of all messages together */
	struct delivery delivery;
	uint8_t qos;
	bool no_local;
};

static int send_one(struct message *message, void *arg)
{
	struct replay *replay = arg;
	struct session *session = replay->session;
	struct publish p;
	int r = 0;

	if (!session_may(session, message_topic(message), ACCESS_READ).allowed)
		return 0;
	/* The client identifier decides, not the connection [MQTT-3.8.3-3]. */
	if (replay->no_local &&
	    strcmp(message->origin->client_id, session->client_id) == 0)
		return 0;

	publish_of_message(&p, message);
	p.match = replay->match;
	p.match.stamp = 0;
	replay->delivery.qos =
		message->qos < replay->qos ? message->qos : replay->qos;
	if (!replay->predicate ||
	    matcher_holds(session->broker->matcher, replay->predicate, &p))
		r = delivery_send(session, &p, &replay->delivery);
	replay->match = p.match;
	publish_done(&p);
	return r;
}

int router_send_retained(struct session *session, struct slice filter,
			 uint8_t options, uint32_t identifier)
{
	struct broker *broker = session->broker;
	struct replay replay = {
		.session = session,
		.match = { .most = LIMIT_MATCH_REPLAY_WORK },
		.delivery = { .retain = true, .replay = true },
		.qos = SUBSCRIPTION_QOS(options),
		.no_local = options & SUBSCRIPTION_NO_LOCAL,
	};
	uint8_t bytes[5];
	struct writer w = writer_of(bytes, sizeof(bytes));
	struct topic_parts parts;

	if (topic_split(filter, &parts) < 0)
		return 0;
	if (parts.predicate.data) {
		replay.predicate =
			matcher_find(broker->matcher, parts.predicate);
		if (!replay.predicate)
			return 0;
	}
	if (identifier) {
		writer_u8(&w, MQTT_PROP_SUBSCRIPTION_IDENTIFIER);
		writer_varint(&w, identifier);
		replay.delivery.identifiers = slice_of(bytes, w.len);
	}
	return retained_match(broker->retained, parts.filter,
			      loop_now(broker->loop), send_one, &replay);
}

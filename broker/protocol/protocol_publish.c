#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "broker/base/log.h"
#include "broker/core.h"
#include "broker/limits.h"
#include "broker/peer/listener.h"
#include "broker/peer/mount.h"
#include "broker/protocol/protocol.h"
#include "broker/protocol/reply.h"
#include "broker/routing/admission.h"
#include "broker/routing/router.h"
#include "broker/routing/topic_cache.h"
#include "broker/session/session.h"
#include "broker/store.h"
#include "broker/wire/publish.h"
#include "broker/wire/topic.h"
#include "broker/wire/utf8.h"

/* Refusals of one client are logged once in this time, not for each message. */
#define DENIAL_LOG_MS 1000

struct alias {
	uint8_t *topic;
	size_t len;
};

struct alias_table {
	struct alias of[LIMIT_TOPIC_ALIASES];
};

void alias_table_free(struct alias_table *table)
{
	if (!table)
		return;
	for (size_t i = 0; i < LIMIT_TOPIC_ALIASES; i++)
		free(table->of[i].topic);
	free(table);
}

static int alias_set(struct connection *c, uint16_t alias, struct slice topic)
{
	uint8_t *copy = malloc(topic.len);
	struct alias *at;

	if (!copy)
		return -ENOMEM;
	if (!c->aliases)
		c->aliases = calloc(1, sizeof(*c->aliases));
	if (!c->aliases) {
		free(copy);
		return -ENOMEM;
	}
	at = &c->aliases->of[alias - 1];
	memcpy(copy, topic.data, topic.len);
	free(at->topic);
	at->topic = copy;
	at->len = topic.len;
	return 0;
}

/* Put the topic that an alias stands for into the packet, or learn it. */
static enum mqtt_reason resolve_alias(struct connection *c,
				      struct mqtt_publish *packet)
{
	const uint16_t alias = packet->properties.topic_alias;

	if (c->version != MQTT_5_0 ||
	    !properties_has(&packet->properties, MQTT_PROP_TOPIC_ALIAS))
		return MQTT_SUCCESS;
	if (alias > LIMIT_TOPIC_ALIASES)
		return MQTT_TOPIC_ALIAS_INVALID;
	if (packet->topic.len > 0)
		return alias_set(c, alias, packet->topic) < 0
			       ? MQTT_UNSPECIFIED_ERROR
			       : MQTT_SUCCESS;
	if (!c->aliases || !c->aliases->of[alias - 1].topic)
		return MQTT_PROTOCOL_ERROR;
	packet->topic = slice_of(c->aliases->of[alias - 1].topic,
				 c->aliases->of[alias - 1].len);
	return MQTT_SUCCESS;
}

static enum mqtt_packet_type answer_type(const struct mqtt_publish *packet)
{
	return packet->qos == 1 ? MQTT_PUBACK : MQTT_PUBREC;
}

/* Answer a publish at its QoS without routing it. */
static void answer(struct connection *c, const struct mqtt_publish *packet,
		   enum mqtt_reason reason, uint64_t ticket)
{
	if (packet->qos == 0)
		return;
	if (connection_ack(c, answer_type(packet), packet->packet_id, reason,
			   ticket) < 0)
		connection_close(c, MQTT_UNSPECIFIED_ERROR, "out of memory");
}

/* The same when it is refused, QoS 1 or 2: say why to those who can be told. Before 5.0
 * there is no negative answer: the message is acknowledged and goes nowhere
 * [MQTT-3.3.5-2]. */
static void refuse(struct connection *c, const struct mqtt_publish *packet,
		   enum mqtt_reason reason, const char *why, uint64_t ticket)
{
	if (c->version != MQTT_5_0)
		reason = MQTT_SUCCESS;
	if (reply_ack(c, answer_type(packet), packet->packet_id, reason, why,
		      ticket) < 0)
		connection_close(c, MQTT_UNSPECIFIED_ERROR, "out of memory");
}

static void deny(struct connection *c, const struct mqtt_publish *packet,
		 uint32_t rule)
{
	const uint64_t now = loop_now(c->broker->loop);
	const char *user = c->session->user[0] ? c->session->user : "anonymous";
	char why[2 * LIMIT_REASON_STRING];
	uint64_t *const logged = &c->publisher->denial_logged;
	char name[160];

	if (now >= *logged + DENIAL_LOG_MS || !*logged) {
		*logged = now;
		log_warn("client",
			 "%s: user %s may not publish to %.*s (%s %u)",
			 connection_name(c, name), user, (int)packet->topic.len,
			 (const char *)packet->topic.data,
			 rule ? "denied by rule" : "no rule allows it:", rule);
	}
	if (packet->qos == 0)
		return;
	(void)snprintf(why, sizeof(why),
		       "user %s may not publish to this topic", user);
	refuse(c, packet, MQTT_NOT_AUTHORIZED, why, 0);
}

static int remember_inbound(struct session *s, uint16_t packet_id,
			    uint64_t *ticket)
{
	struct store *store = s->broker->store;

	if (session_inbound_add(s, packet_id) < 0)
		return -ENOMEM;
	if (!store || !session_durable(s))
		return 0;
	if (store->ops->inbound_add(store, s->id, packet_id) < 0) {
		session_inbound_remove(s, packet_id);
		return -ENOMEM;
	}
	*ticket = broker_ticket(s->broker);
	return 0;
}

static void forget_inbound(struct session *s, uint16_t packet_id)
{
	struct store *store = s->broker->store;

	session_inbound_remove(s, packet_id);
	if (store && session_durable(s))
		store->ops->inbound_remove(store, s->id, packet_id);
}

/* The identifier is remembered first: whoever cannot be told apart from its own
 * repetition is not let through at all. */
static int route_once(struct session *s, const struct mqtt_publish *packet,
		      struct publish *p, const struct topic_entry *entry)
{
	uint64_t ticket = 0;
	int r;

	if (packet->qos == 2 &&
	    remember_inbound(s, packet->packet_id, &ticket) < 0)
		return -ENOMEM;
	r = router_publish(s->broker, p, entry);
	if (r < 0 && packet->qos == 2)
		forget_inbound(s, packet->packet_id);
	if (p->ticket < ticket)
		p->ticket = ticket;
	return r;
}

static struct slice forwardable(struct connection *c,
				const struct mqtt_publish *packet)
{
	uint8_t *buffer = c->broker->properties_buffer;

	if (!packet->properties.present || c->version != MQTT_5_0)
		return slice_of(NULL, 0);
	if (properties_forward_is_raw(&packet->properties))
		return packet->properties.raw;
	return slice_of(buffer,
			properties_forward(packet->properties.raw, buffer));
}

static uint64_t expires(const struct connection *c,
			const struct mqtt_publish *packet)
{
	if (c->version != MQTT_5_0 ||
	    !properties_has(&packet->properties,
			    MQTT_PROP_MESSAGE_EXPIRY_INTERVAL))
		return MESSAGE_NO_EXPIRY;
	return loop_now(c->broker->loop) +
	       (uint64_t)packet->properties.message_expiry_interval * 1000;
}

/* The bytes that a receiver at QoS 0 is sent again: nothing in them is to be
 * changed, and there are few. */
static struct slice as_it_came(const struct mqtt_publish *packet,
			       const struct frame *frame)
{
	if (packet->qos || packet->retain || packet->properties.present ||
	    packet->payload.len >= OUTPUT_COPY_MAX)
		return slice_of(NULL, 0);
	return slice_of(frame->body.data + frame->body.len - frame->size,
			frame->size);
}

static void count(struct connection *c, const struct mqtt_publish *packet)
{
	c->received++;
	/* Repeated at QoS 2 it is none more. */
	c->publisher->unanswered +=
		packet->qos == 1 ||
		(packet->qos == 2 &&
		 !session_inbound_has(c->session, packet->packet_id));
	c->broker->count.messages_received++;
	c->broker->count.payload_received += packet->payload.len;
}

/* Some subscriber's queue is full: wait for it, or say no; no when it cannot be
 * kept. Before 5.0 a client
 * cannot be told so; an acknowledgement would be a lie. */
static void turn_away(struct connection *c, const struct mqtt_publish *packet,
		      enum admission admission)
{
	const char *why = admission == ADMISSION_NO_DISK
				  ? "the hub cannot keep it: its disk is full "
				    "or fails"
				  : "the queue of a subscriber is full";

	if (admission == ADMISSION_WAIT && admission_stall(c))
		return;
	c->publisher->stalled_until = 0;
	count(c, packet);
	c->broker->count.publishes_refused++;
	if (c->version == MQTT_5_0)
		refuse(c, packet, MQTT_QUOTA_EXCEEDED, why, 0);
	else
		connection_close(c, MQTT_QUOTA_EXCEEDED, why);
}

/* What became of it; r is route_once()'s. */
static void answer_routed(struct connection *c,
			  const struct mqtt_publish *packet, struct publish *p,
			  int r)
{
	enum mqtt_reason reason = MQTT_SUCCESS;

	if (r == -EDQUOT) {
		reason = MQTT_QUOTA_EXCEEDED;
		log_warn("client",
			 "%s: retained message refused: limit reached",
			 c->session->client_id);
		r = c->version == MQTT_5_0 && packet->qos > 0 ? 0 : -EDQUOT;
	} else if (p->matched == 0 && c->version == MQTT_5_0) {
		reason = MQTT_NO_MATCHING_SUBSCRIBERS;
	}
	if (r < 0) {
		connection_close(c,
				 r == -EDQUOT ? MQTT_QUOTA_EXCEEDED
					      : MQTT_UNSPECIFIED_ERROR,
				 r == -EDQUOT ? "too many retained messages"
					      : "out of memory");
		return;
	}
	if (reason == MQTT_QUOTA_EXCEEDED && packet->qos > 0)
		refuse(c, packet, reason, "too many retained messages",
		       p->ticket);
	else if (packet->qos > 0 &&
		 connection_ack_held(c, answer_type(packet), packet->packet_id,
				     reason, p->ticket, &p->message) < 0)
		connection_close(c, MQTT_UNSPECIFIED_ERROR, "out of memory");
}

static void route(struct connection *c, const struct mqtt_publish *packet,
		  const struct topic_entry *entry, const struct frame *frame)
{
	struct publish p = {
		.topic = packet->topic,
		.properties = forwardable(c, packet),
		.payload = packet->payload,
		.packet = c->mounted ? slice_of(NULL, 0)
				     : as_it_came(packet, frame),
		.packet_v5 = c->version == MQTT_5_0,
		.expires = expires(c, packet),
		.origin = c->session->origin,
		.from = c->session,
		.qos = packet->qos,
		.retain = packet->retain,
		/* At QoS 2 the identifier must not be on disk before the rows:
		 * it would make a repetition of what is lost go nowhere. */
		.may_hold = packet->qos == 1,
	};
	const enum admission admission =
		p.qos ? admission_ask(c->broker, &p, entry) : ADMITTED;
	int r;

	if (admission != ADMITTED) {
		turn_away(c, packet, admission);
		return;
	}
	c->publisher->stalled_until = 0;
	count(c, packet);
	r = route_once(c->session, packet, &p, entry);
	answer_routed(c, packet, &p, r);
	publish_done(&p);
}

enum mqtt_reason protocol_may_send(const struct connection *c, uint8_t qos,
				   bool retain)
{
	const struct broker_options *limits = &c->broker->options;

	if (qos < limits->refused_qos && !(retain && limits->refuse_retained))
		return MQTT_SUCCESS;
	if (c->listener && listener_options(c->listener)->user)
		return MQTT_SUCCESS;
	return qos >= limits->refused_qos ? MQTT_QOS_NOT_SUPPORTED
					  : MQTT_RETAIN_NOT_SUPPORTED;
}

/* What the bytes alone could not say. */
static enum mqtt_reason check(struct connection *c, struct mqtt_publish *packet)
{
	const struct mqtt_properties *p = &packet->properties;

	if (c->version == MQTT_5_0 && p->present) {
		enum mqtt_reason reason = resolve_alias(c, packet);

		if (reason != MQTT_SUCCESS)
			return reason;
		/* [MQTT-3.3.4-6] */
		if (properties_has(p, MQTT_PROP_SUBSCRIPTION_IDENTIFIER))
			return MQTT_PROTOCOL_ERROR;
		if (properties_has(p, MQTT_PROP_PAYLOAD_FORMAT_INDICATOR) &&
		    p->payload_format_indicator == 1 &&
		    !utf8_valid(packet->payload))
			return MQTT_PAYLOAD_FORMAT_INVALID;
	}
	if (packet->qos > 0 && c->version == MQTT_5_0 &&
	    c->publisher->unanswered >= c->own_receive_maximum &&
	    !(packet->qos == 2 &&
	      session_inbound_has(c->session, packet->packet_id)))
		return MQTT_RECEIVE_MAXIMUM_EXCEEDED;
	return protocol_may_send(c, packet->qos, packet->retain);
}

void protocol_publish(struct connection *c, const struct frame *frame)
{
	struct broker *broker = c->broker;
	struct mqtt_publish packet;
	struct access_verdict verdict;
	const struct topic_entry *entry;
	enum mqtt_reason reason;

	if (!c->publisher)
		c->publisher = calloc(1, sizeof(*c->publisher));
	if (!c->publisher) {
		connection_close(c, MQTT_UNSPECIFIED_ERROR, "out of memory");
		return;
	}
	reason = publish_decode_known(c->version, frame->flags, frame->body,
				      router_known_topic(c), &packet);
	if (reason == MQTT_SUCCESS)
		reason = check(c, &packet);
	if (reason == MQTT_SUCCESS && c->mounted &&
	    mount_topic(c, &packet.topic) < 0)
		reason = MQTT_TOPIC_NAME_INVALID;
	if (reason != MQTT_SUCCESS) {
		connection_close(c, reason, "PUBLISH refused");
		return;
	}

	/* Its answer was lost, or is on its way: the message was taken once. The
	 * identifier's batch may still be under way, so this waits for the
	 * current one, which is not before it. */
	if (packet.qos == 2 &&
	    session_inbound_has(c->session, packet.packet_id)) {
		count(c, &packet);
		answer(c, &packet, MQTT_SUCCESS,
		       session_durable(c->session) ? broker_written(broker)
						   : 0);
		return;
	}

	entry = router_topic_of(c, packet.topic);
	if (!entry) {
		connection_close(c, MQTT_UNSPECIFIED_ERROR, "out of memory");
		return;
	}
	verdict = router_may_write(c->session, entry);
	if (!verdict.allowed) {
		count(c, &packet);
		deny(c, &packet, verdict.rule);
		return;
	}
	route(c, &packet, entry, frame);
}

#include <errno.h>
#include <stdlib.h>

#include "broker/base/log.h"
#include "broker/core.h"
#include "broker/protocol.h"
#include "broker/router.h"
#include "broker/session.h"
#include "broker/store.h"
#include "broker/subscriptions.h"
#include "broker/topic_tree.h"
#include "broker/wire/subscribe.h"
#include "broker/wire/topic.h"

/* Answers of a request, one byte each, and which entries want the retained
 * messages: as many as fit into a packet. */
struct answers {
	uint8_t *reasons;
	bool *replay;
	uint64_t ticket;
};

static uint8_t options_of(const struct mqtt_subscription *entry)
{
	return (uint8_t)(entry->qos |
			 (entry->no_local ? SUBSCRIPTION_NO_LOCAL : 0) |
			 (entry->retain_as_published
				  ? SUBSCRIPTION_RETAIN_AS_PUBLISHED
				  : 0) |
			 entry->retain_handling << 4);
}

static enum mqtt_reason judge(struct session *s,
			      const struct mqtt_subscription *entry)
{
	struct access_verdict verdict;
	struct slice group, rest;
	int shared = topic_split_share(entry->filter, &group, &rest);

	if (shared < 0 || !topic_filter_valid(rest))
		return MQTT_TOPIC_FILTER_INVALID;

	verdict = access_may_subscribe(s->broker->access, s->user, s->client_id,
				       rest);
	if (verdict.allowed)
		return MQTT_SUCCESS;
	log_warn("client", "%s: user %s may not subscribe to %.*s (%s %u)",
		 s->client_id, s->user[0] ? s->user : "anonymous",
		 (int)entry->filter.len, (const char *)entry->filter.data,
		 verdict.rule ? "denied by rule" : "no rule allows it:",
		 verdict.rule);
	return MQTT_NOT_AUTHORIZED;
}

/* On disk as in memory; on error in neither more than before. */
static int take_subscription(struct session *s,
			     const struct store_subscription *row,
			     bool *replaced, uint64_t *ticket)
{
	const struct subscription *sub = subscriptions_find(s, row->filter);
	const uint8_t options = sub ? sub->options : 0;
	const uint32_t identifier = sub ? sub->identifier : 0;
	struct store *store = s->broker->store;
	int r = subscriptions_add(s, row->filter, row->options, row->identifier,
				  replaced);

	if (r < 0 || !store || !session_durable(s))
		return r;
	r = store->ops->subscription_save(store, s->id, row);
	if (r == 0)
		*ticket = broker_ticket(s->broker);
	else if (*replaced)
		subscriptions_add(s, row->filter, options, identifier,
				  replaced);
	else
		subscriptions_remove(s, row->filter);
	return r;
}

static enum mqtt_reason subscribe(struct session *s,
				  const struct mqtt_subscription *entry,
				  uint32_t identifier, bool *replaced,
				  uint64_t *ticket)
{
	const struct store_subscription row = {
		.filter = entry->filter,
		.options = options_of(entry),
		.identifier = identifier,
	};
	enum mqtt_reason reason = judge(s, entry);
	int r;

	if (reason != MQTT_SUCCESS)
		return reason;
	r = take_subscription(s, &row, replaced, ticket);
	if (r < 0)
		return r == -EDQUOT ? MQTT_QUOTA_EXCEEDED
				    : MQTT_IMPLEMENTATION_SPECIFIC_ERROR;
	return (enum mqtt_reason)entry->qos;
}

/* Nothing retained is sent to a shared subscription [MQTT-4.8.2]. */
static bool is_shared(struct slice filter)
{
	struct slice name, rest;

	return topic_split_share(filter, &name, &rest) != 0;
}

static bool wants_retained(const struct mqtt_subscription *entry,
			   enum mqtt_reason reason, bool replaced)
{
	return reason <= MQTT_GRANTED_QOS_2 &&
	       (entry->retain_handling == 0 ||
		(entry->retain_handling == 1 && !replaced));
}

static void subscribe_all(struct connection *c,
			  const struct mqtt_subscribe *packet,
			  uint32_t identifier, struct answers *answers)
{
	struct slice entries = packet->entries;
	struct mqtt_subscription entry;
	bool replaced = false;

	for (size_t i = 0; subscribe_next(c->version, &entries, &entry); i++) {
		enum mqtt_reason reason =
			subscribe(c->session, &entry, identifier, &replaced,
				  &answers->ticket);

		answers->reasons[i] = (uint8_t)reason;
		answers->replay[i] = wants_retained(&entry, reason, replaced) &&
				     !is_shared(entry.filter);
	}
}

static int replay_all(struct connection *c, const struct mqtt_subscribe *packet,
		      uint32_t identifier, const struct answers *answers)
{
	struct slice entries = packet->entries;
	struct mqtt_subscription entry;
	int r;

	for (size_t i = 0; subscribe_next(c->version, &entries, &entry); i++) {
		if (!answers->replay[i])
			continue;
		r = router_send_retained(c->session, entry.filter,
					 options_of(&entry), identifier);
		if (r < 0)
			return r;
	}
	return 0;
}

/* SUBACK or UNSUBACK; reasons are one byte for each entry. */
static int send_answer(struct connection *c, enum mqtt_packet_type type,
		       uint16_t packet_id, struct slice reasons,
		       uint64_t ticket)
{
	struct mqtt_suback packet = {
		.packet_id = packet_id,
		.reasons = reasons,
	};
	struct writer w;
	uint8_t *bytes;
	int r;

	bytes = malloc(reasons.len + 16);
	if (!bytes)
		return -ENOMEM;
	w = writer_of(bytes, reasons.len + 16);
	suback_encode(&w, c->version, type, &packet);
	r = connection_send_gated(c, slice_of(w.data, w.len), ticket);
	free(bytes);
	return r;
}

void protocol_subscribe(struct connection *c, const struct frame *frame)
{
	struct answers answers = { 0 };
	struct mqtt_subscribe packet;
	enum mqtt_reason reason;
	uint32_t identifier = 0;
	int r = -ENOMEM;

	reason = subscribe_decode(c->version, frame->body, &packet);
	if (reason != MQTT_SUCCESS) {
		connection_close(c, reason, "SUBSCRIBE refused");
		return;
	}
	if (c->version == MQTT_5_0 &&
	    properties_has(&packet.properties,
			   MQTT_PROP_SUBSCRIPTION_IDENTIFIER))
		identifier = packet.properties.subscription_ids[0];

	answers.reasons = calloc(packet.count, 1);
	answers.replay = calloc(packet.count, sizeof(bool));
	if (answers.reasons && answers.replay) {
		subscribe_all(c, &packet, identifier, &answers);
		r = send_answer(c, MQTT_SUBACK, packet.packet_id,
				slice_of(answers.reasons, packet.count),
				answers.ticket);
	}
	if (r == 0)
		r = replay_all(c, &packet, identifier, &answers);
	if (r < 0)
		connection_close(c, MQTT_UNSPECIFIED_ERROR, "out of memory");
	free(answers.replay);
	free(answers.reasons);
}

/* Returns 0 and the reason, or -ENOMEM: then nothing has changed. */
static int unsubscribe(struct session *s, struct slice filter,
		       enum mqtt_reason *reason, uint64_t *ticket)
{
	struct store *store = s->broker->store;
	const bool stored = store && session_durable(s);
	struct slice name, rest;

	*reason = MQTT_TOPIC_FILTER_INVALID;
	if (topic_split_share(filter, &name, &rest) < 0 ||
	    !topic_filter_valid(rest))
		return 0;
	*reason = MQTT_NO_SUBSCRIPTION_EXISTED;
	if (!subscriptions_find(s, filter)) {
		/* What ended it may still be on its way to the disk. */
		if (stored)
			*ticket = broker_written(s->broker);
		return 0;
	}
	if (stored) {
		if (store->ops->subscription_remove(store, s->id, filter) < 0)
			return -ENOMEM;
		*ticket = broker_ticket(s->broker);
	}
	subscriptions_remove(s, filter);
	*reason = MQTT_SUCCESS;
	return 0;
}

static int unsubscribe_all(struct connection *c,
			   const struct mqtt_subscribe *packet,
			   uint8_t *reasons, uint64_t *ticket)
{
	struct slice entries = packet->entries;
	struct slice filter;
	enum mqtt_reason reason;

	for (size_t i = 0; unsubscribe_next(&entries, &filter); i++) {
		if (unsubscribe(c->session, filter, &reason, ticket) < 0)
			return -ENOMEM;
		reasons[i] = (uint8_t)reason;
	}
	return 0;
}

void protocol_unsubscribe(struct connection *c, const struct frame *frame)
{
	struct mqtt_subscribe packet;
	enum mqtt_reason reason;
	uint64_t ticket = 0;
	uint8_t *reasons;
	int r = -ENOMEM;

	reason = unsubscribe_decode(c->version, frame->body, &packet);
	if (reason != MQTT_SUCCESS) {
		connection_close(c, reason, "UNSUBSCRIBE refused");
		return;
	}
	reasons = calloc(packet.count, 1);
	if (reasons)
		r = unsubscribe_all(c, &packet, reasons, &ticket);
	if (r == 0)
		r = send_answer(c, MQTT_UNSUBACK, packet.packet_id,
				slice_of(reasons, packet.count), ticket);
	if (r < 0)
		connection_close(c, MQTT_UNSPECIFIED_ERROR, "out of memory");
	free(reasons);
}

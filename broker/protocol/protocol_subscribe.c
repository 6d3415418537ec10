#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "broker/base/log.h"
#include "broker/core.h"
#include "broker/limits.h"
#include "broker/match/match_property.h"
#include "broker/match/matcher.h"
#include "broker/peer/mount.h"
#include "broker/protocol/portion.h"
#include "broker/protocol/protocol.h"
#include "broker/protocol/reply.h"
#include "broker/routing/router.h"
#include "broker/routing/subscriptions.h"
#include "broker/routing/topic_tree.h"
#include "broker/session/playback.h"
#include "broker/session/session.h"
#include "broker/store.h"
#include "broker/wire/history_filter.h"
#include "broker/wire/subscribe.h"
#include "broker/wire/topic.h"

/* Answers of a request, one byte each, and which entries want the retained
 * messages: as many as fit into a packet. A SUBSCRIBE that is taken in portions
 * keeps them until its end: portion.h. */
struct answers {
	size_t done; /* entries that have been taken in earlier turns */
	int matched; /* what match_property_find() said */
	struct slice match; /* predicate of all entries, if that was 1 */
	const struct connection *mounted; /* by a mount point; or NULL */
	bool *replay; /* behind the reasons */
	uint64_t ticket;
	char why[2 * LIMIT_REASON_STRING]; /* of the first that was refused */
	uint8_t reasons[];
};

/* For this packet, or those of its earlier portions. NULL when out of memory. */
static struct answers *answers_of(struct connection *c,
				  const struct mqtt_subscribe *packet)
{
	struct answers *answers = c->answers;

	c->answers = NULL;
	if (!answers)
		answers = calloc(1, sizeof(*answers) + 2 * packet->count);
	if (!answers)
		return NULL;
	answers->replay = (bool *)(answers->reasons + packet->count);
	answers->mounted = c->mounted ? c : NULL;
	answers->matched =
		match_property_find(&packet->properties, &answers->match);
	return answers;
}

/* Entry i (from 0) is refused: the first says why, in SUBACK or UNSUBACK. */
__attribute__((format(printf, 3, 4))) static void
say_why(struct answers *answers, size_t i, const char *format, ...)
{
	const size_t size = sizeof(answers->why);
	va_list args;
	int len;

	if (answers->why[0])
		return;
	len = snprintf(answers->why, size, "filter %zu: ", i + 1);
	va_start(args, format);
	/* It loses sight of va_start(): NOLINTNEXTLINE(*-valist.Uninitialized) */
	(void)vsnprintf(answers->why + len, size - (size_t)len, format, args);
	va_end(args);
}

/* What an entry's filter is called with the predicate of the request and the mount
 * point of the listener. Returns 0, or what match_property_name() and mount_filter()
 * do; the name is valid until the next, and goes with name_free(). */
static int name_of(const struct answers *answers, struct slice filter,
		   struct slice *name)
{
	int r = 0;

	*name = filter;
	if (answers->matched < 0)
		return answers->matched;
	if (answers->mounted)
		r = mount_filter(answers->mounted, name);
	if (r == 0 && answers->matched)
		r = match_property_name(answers->match, *name, name);
	return r;
}

static void name_free(const struct answers *answers, struct slice name)
{
	if (answers->matched)
		free((void *)(uintptr_t)name.data);
}

/* Entry i has no name, as name_of() said. */
static enum mqtt_reason refuse_name(struct answers *answers, size_t i, int r)
{
	if (r == -ENOMEM) {
		say_why(answers, i, "out of memory");
		return MQTT_IMPLEMENTATION_SPECIFIC_ERROR;
	}
	if (r == -EMSGSIZE)
		say_why(answers, i, "too long with what is put before it");
	else if (r == -EEXIST || answers->matched < 0)
		say_why(answers, i, "more than one predicate is given");
	else
		say_why(answers, i, "not a valid topic filter");
	return MQTT_TOPIC_FILTER_INVALID;
}

static uint8_t options_of(const struct mqtt_subscription *entry)
{
	return (uint8_t)(entry->qos |
			 (entry->no_local ? SUBSCRIPTION_NO_LOCAL : 0) |
			 (entry->retain_as_published
				  ? SUBSCRIPTION_RETAIN_AS_PUBLISHED
				  : 0) |
			 entry->retain_handling << 4);
}

static enum mqtt_reason judge_predicate(const struct session *s,
					struct slice predicate, size_t i,
					struct answers *answers)
{
	struct predicate_error error;
	int r = matcher_check(s->broker->matcher, predicate, &error);

	if (r == 0)
		return MQTT_SUCCESS;
	if (r != -EINVAL)
		return refuse_name(answers, i, r);
	if (answers->matched)
		error.at = match_property_place(answers->match, error.at);
	log_warn("client", "%s: predicate %.*s refused: byte %zu: %s",
		 s->client_id, (int)predicate.len, (const char *)predicate.data,
		 error.at, error.why);
	say_why(answers, i, "predicate, byte %zu: %s", error.at, error.why);
	return MQTT_TOPIC_FILTER_INVALID;
}

/* Can what was stored be asked for, and so? */
static enum mqtt_reason judge_history(const struct session *s,
				      struct slice filter, size_t i,
				      struct answers *answers)
{
	struct history_error error;
	struct history_filter asked;
	enum mqtt_reason reason;
	const char *why;

	if (history_filter_parse(filter, LIMIT_HISTORY_LAST, &asked, &error) <
	    0) {
		say_why(answers, i, "byte %zu: %s", error.at, error.why);
		return MQTT_TOPIC_FILTER_INVALID;
	}
	reason = playback_judge(s, &why);
	if (reason != MQTT_SUCCESS)
		say_why(answers, i, "%s", why);
	return reason;
}

static enum mqtt_reason judge(struct session *s,
			      const struct mqtt_subscription *entry, size_t i,
			      struct answers *answers)
{
	enum mqtt_reason reason = MQTT_SUCCESS;
	struct access_verdict verdict;
	struct topic_parts parts;

	if (history_filter_meant(entry->filter))
		reason = judge_history(s, entry->filter, i, answers);
	if (reason != MQTT_SUCCESS)
		return reason;
	if (topic_split(entry->filter, &parts) < 0 ||
	    !topic_filter_valid(parts.filter)) {
		say_why(answers, i, "not a valid topic filter");
		return MQTT_TOPIC_FILTER_INVALID;
	}

	verdict = access_may_subscribe(s->broker->access, s->user, s->client_id,
				       parts.filter);
	if (verdict.allowed)
		return parts.predicate.data
			       ? judge_predicate(s, parts.predicate, i, answers)
			       : MQTT_SUCCESS;
	log_warn("client", "%s: user %s may not subscribe to %.*s (%s %u)",
		 s->client_id, s->user[0] ? s->user : "anonymous",
		 (int)entry->filter.len, (const char *)entry->filter.data,
		 verdict.rule ? "denied by rule" : "no rule allows it:",
		 verdict.rule);
	say_why(answers, i, "user %s may not subscribe to it",
		s->user[0] ? s->user : "anonymous");
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

/* A replay for an entry that asks for one and whose Retain Handling lets it: that
 * means what was stored there. Returns 0, *out NULL if there is none, or -ENOMEM. */
static int prepare_playback(struct session *s,
			    const struct mqtt_subscription *entry,
			    struct playback **out)
{
	struct history_error error;
	struct history_filter asked;
	struct topic_parts parts;

	*out = NULL;
	if (topic_split(entry->filter, &parts) < 0 || !parts.history.data ||
	    entry->retain_handling == 2 ||
	    (entry->retain_handling == 1 &&
	     subscriptions_find(s, entry->filter)))
		return 0;
	if (history_filter_parse(entry->filter, LIMIT_HISTORY_LAST, &asked,
				 &error) == 0)
		*out = playback_new(s, parts.filter, &asked);
	return *out ? 0 : -ENOMEM;
}

/* Entry i of the packet. */
static enum mqtt_reason subscribe(struct session *s,
				  const struct mqtt_subscription *entry,
				  size_t i, uint32_t identifier, bool *replaced,
				  struct answers *answers)
{
	const struct store_subscription row = {
		.filter = entry->filter,
		.options = options_of(entry),
		.identifier = identifier,
	};
	enum mqtt_reason reason = judge(s, entry, i, answers);
	struct playback *playback;
	int r;

	if (reason != MQTT_SUCCESS)
		return reason;
	r = prepare_playback(s, entry, &playback);
	if (r == 0)
		r = take_subscription(s, &row, replaced, &answers->ticket);
	if (r == -EDQUOT)
		log_warn("client", "%s: too many subscriptions", s->client_id);
	if (r < 0) {
		playback_free(playback);
		say_why(answers, i, "%s",
			r == -EDQUOT ? "too many subscriptions"
				     : "out of memory");
		return r == -EDQUOT ? MQTT_QUOTA_EXCEEDED
				    : MQTT_IMPLEMENTATION_SPECIFIC_ERROR;
	}
	if (playback)
		playback_begin(playback, subscriptions_find(s, entry->filter));
	return (enum mqtt_reason)entry->qos;
}

/* Nothing retained is sent to a shared subscription [MQTT-4.8.2], nor to one that
 * begins with what was stored: that is in it. */
static bool gets_retained(struct slice filter)
{
	struct topic_parts parts;

	return topic_split(filter, &parts) == 0 && !parts.group.data &&
	       !parts.history.data;
}

static bool wants_retained(const struct mqtt_subscription *entry,
			   enum mqtt_reason reason, bool replaced)
{
	return reason <= MQTT_GRANTED_QOS_2 &&
	       (entry->retain_handling == 0 ||
		(entry->retain_handling == 1 && !replaced));
}

/* No higher QoS is granted than may be published [MQTT-3.2.2-9]. */
static bool next_entry(const struct connection *c, struct slice *entries,
		       struct mqtt_subscription *entry)
{
	if (!subscribe_next(c->version, entries, entry))
		return false;
	while (protocol_may_send(c, entry->qos, false) != MQTT_SUCCESS)
		entry->qos--;
	return true;
}

/* As many as this turn allows. Returns the first that it does not. */
static size_t subscribe_all(struct connection *c,
			    const struct mqtt_subscribe *packet,
			    uint32_t identifier, struct answers *answers)
{
	struct slice entries = packet->entries;
	struct mqtt_subscription entry;
	bool replaced = false;
	size_t i;

	for (i = 0; next_entry(c, &entries, &entry); i++) {
		struct slice filter = entry.filter;
		enum mqtt_reason reason;
		int r;

		if (i < answers->done)
			continue;
		if (!portion_more(c->broker, &entry, answers->matched > 0))
			break;
		r = name_of(answers, filter, &entry.filter);
		if (r < 0) {
			answers->reasons[i] =
				(uint8_t)refuse_name(answers, i, r);
			continue;
		}
		reason = subscribe(c->session, &entry, i, identifier, &replaced,
				   answers);
		answers->reasons[i] = (uint8_t)reason;
		answers->replay[i] = wants_retained(&entry, reason, replaced) &&
				     gets_retained(filter);
		name_free(answers, entry.filter);
	}
	return i;
}

/* Of the entries from answers->done up to end. */
static int replay_all(struct connection *c, const struct mqtt_subscribe *packet,
		      uint32_t identifier, const struct answers *answers,
		      size_t end)
{
	struct slice entries = packet->entries;
	struct mqtt_subscription entry;
	int r;

	for (size_t i = 0; i < end && next_entry(c, &entries, &entry); i++) {
		struct slice name;

		if (i < answers->done || !answers->replay[i])
			continue;
		/* It has been sent more than it may have waiting. */
		if (list_linked(&c->failing))
			return 0;
		r = name_of(answers, entry.filter, &name);
		if (r < 0)
			return r;
		r = router_send_retained(c->session, name, options_of(&entry),
					 identifier);
		name_free(answers, name);
		if (r < 0)
			return r;
	}
	return 0;
}

/* The entries of this turn, and with the last one the answer: before its retained
 * messages, as clients are used to. */
static int take_portion(struct connection *c,
			const struct mqtt_subscribe *packet,
			struct answers *answers)
{
	uint32_t identifier = 0;
	size_t end;
	int r = 0;

	if (c->version == MQTT_5_0 &&
	    properties_has(&packet->properties,
			   MQTT_PROP_SUBSCRIPTION_IDENTIFIER))
		identifier = packet->properties.subscription_ids[0];
	end = subscribe_all(c, packet, identifier, answers);
	if (end == packet->count)
		r = reply_suback(c, MQTT_SUBACK, packet->packet_id,
				 slice_of(answers->reasons, packet->count),
				 answers->why, answers->ticket);
	if (r == 0)
		r = replay_all(c, packet, identifier, answers, end);
	answers->done = end;
	return r;
}

void protocol_subscribe(struct connection *c, const struct frame *frame)
{
	struct answers *answers;
	struct mqtt_subscribe packet;
	enum mqtt_reason reason;
	int r = -ENOMEM;

	reason = subscribe_decode(c->version, frame->body, &packet);
	if (reason != MQTT_SUCCESS) {
		connection_close(c, reason, "SUBSCRIBE refused");
		return;
	}
	/* Each is looked for among all that is retained. */
	if (packet.count > c->broker->options.max_subscriptions_per_session) {
		connection_close(c, MQTT_QUOTA_EXCEEDED,
				 "more topic filters in a SUBSCRIBE than a "
				 "client may have");
		return;
	}
	answers = answers_of(c, &packet);
	if (answers)
		r = take_portion(c, &packet, answers);
	if (r < 0) {
		connection_close(c, MQTT_UNSPECIFIED_ERROR, "out of memory");
	} else if (answers->done < packet.count) {
		c->answers = answers;
		portion_wait(c);
		return;
	}
	free(answers);
}

/* Entry i of the packet. Returns 0, with the reason in its place, or -ENOMEM:
 * then nothing has changed. */
static int unsubscribe(struct session *s, struct slice filter, size_t i,
		       struct answers *answers)
{
	struct store *store = s->broker->store;
	const bool stored = store && session_durable(s);
	uint8_t *reason = &answers->reasons[i];
	struct topic_parts parts;

	*reason = MQTT_TOPIC_FILTER_INVALID;
	if (topic_split(filter, &parts) < 0 ||
	    !topic_filter_valid(parts.filter)) {
		say_why(answers, i, "not a valid topic filter");
		return 0;
	}
	*reason = MQTT_NO_SUBSCRIPTION_EXISTED;
	if (!subscriptions_find(s, filter)) {
		/* What ended it may still be on its way to the disk. */
		if (stored)
			answers->ticket = broker_written(s->broker);
		return 0;
	}
	if (stored) {
		if (store->ops->subscription_remove(store, s->id, filter) < 0)
			return -ENOMEM;
		answers->ticket = broker_ticket(s->broker);
	}
	subscriptions_remove(s, filter);
	*reason = MQTT_SUCCESS;
	return 0;
}

static int unsubscribe_all(struct connection *c,
			   const struct mqtt_subscribe *packet,
			   struct answers *answers)
{
	struct slice entries = packet->entries;
	struct slice filter;

	for (size_t i = 0; unsubscribe_next(&entries, &filter); i++) {
		struct slice name;
		int r = name_of(answers, filter, &name);

		if (r == -ENOMEM)
			return r;
		if (r < 0) {
			answers->reasons[i] =
				(uint8_t)refuse_name(answers, i, r);
			continue;
		}
		r = unsubscribe(c->session, name, i, answers);
		name_free(answers, name);
		if (r < 0)
			return r;
	}
	return 0;
}

void protocol_unsubscribe(struct connection *c, const struct frame *frame)
{
	struct answers *answers;
	struct mqtt_subscribe packet;
	enum mqtt_reason reason;
	int r = -ENOMEM;

	reason = unsubscribe_decode(c->version, frame->body, &packet);
	if (reason != MQTT_SUCCESS) {
		connection_close(c, reason, "UNSUBSCRIBE refused");
		return;
	}
	answers = answers_of(c, &packet);
	if (answers)
		r = unsubscribe_all(c, &packet, answers);
	if (r == 0)
		r = reply_suback(c, MQTT_UNSUBACK, packet.packet_id,
				 slice_of(answers->reasons, packet.count),
				 answers->why, answers->ticket);
	if (r < 0)
		connection_close(c, MQTT_UNSPECIFIED_ERROR, "out of memory");
	free(answers);
}

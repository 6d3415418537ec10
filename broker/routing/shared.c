#include "broker/routing/shared.h"

#include <stdlib.h>

#include "broker/base/log.h"
#include "broker/core.h"
#include "broker/match/matcher.h"
#include "broker/session/backlog.h"
#include "broker/session/delivery.h"
#include "broker/session/session.h"
#include "broker/wire/properties.h"

static uint64_t hash_of(const struct topic_node *node, struct slice name)
{
	const uintptr_t address = (uintptr_t)node;

	return hash_bytes(name) ^
	       hash_bytes(slice_of(&address, sizeof(address)));
}

struct share_group *shared_find(const struct broker *broker,
				const struct topic_node *node,
				struct slice name)
{
	struct hash_node *at =
		hash_table_first(&broker->shares, hash_of(node, name));

	for (; at; at = hash_table_next(at)) {
		struct share_group *group =
			hash_entry(at, struct share_group, by_name);

		if (group->entry.node == node &&
		    slice_equal(slice_of(group->name, group->name_len), name))
			return group;
	}
	return NULL;
}

static struct share_group *by_id(const struct broker *broker, uint32_t id)
{
	struct hash_node *at = hash_table_first(&broker->shares_by_id, id);

	for (; at; at = hash_table_next(at)) {
		struct share_group *group =
			hash_entry(at, struct share_group, by_id);

		if (group->id == id)
			return group;
	}
	return NULL;
}

/* The same after a restart, as it stands in the store. Who makes two names meet on
 * purpose makes one group inherit what the other one's members leave, and gets none
 * of it that he may not read. */
static uint32_t id_of(const struct broker *broker, struct slice filter,
		      struct slice name)
{
	static const uint64_t keys[2][2] = { { 1, 0 }, { 2, 0 } };
	uint32_t id = (uint32_t)(hash_bytes_keyed(keys[0], filter) ^
				 hash_bytes_keyed(keys[1], name));

	while (id == 0 || by_id(broker, id))
		id++;
	return id;
}

struct share_group *shared_obtain(struct broker *broker,
				  struct topic_node *node, struct slice filter,
				  struct slice name)
{
	struct share_group *group = shared_find(broker, node, name);

	if (group)
		return group;
	group = calloc(1, sizeof(*group) + name.len);
	if (!group)
		return NULL;
	group->id = id_of(broker, filter, name);
	group->name_len = (uint16_t)name.len;
	memcpy(group->name, name.data, name.len);
	list_init(&group->members);
	group->entry.group = group;
	topic_tree_add(node, &group->entry);
	hash_table_add(&broker->shares, &group->by_name, hash_of(node, name));
	hash_table_add(&broker->shares_by_id, &group->by_id, group->id);
	return group;
}

void shared_release(struct broker *broker, struct share_group *group)
{
	if (!list_empty(&group->members))
		return;
	hash_table_remove(&broker->shares, &group->by_name);
	hash_table_remove(&broker->shares_by_id, &group->by_id);
	topic_tree_remove(broker->tree, &group->entry);
	free(group);
}

static bool can_take(const struct subscription *member, struct publish *p,
		     bool connected)
{
	const struct session *s = member->session;

	if (session_attached(s) != connected)
		return false;
	/* One that is away keeps only what it will be sent when it is back. */
	if (!connected && (p->qos == 0 || !SUBSCRIPTION_QOS(member->options)))
		return false;
	return session_may(s, p->topic, ACCESS_READ).allowed &&
	       (!member->predicate ||
		matcher_holds(s->broker->matcher, member->predicate, p));
}

static uint8_t granted(const struct subscription *member,
		       const struct publish *p)
{
	const uint8_t qos = SUBSCRIPTION_QOS(member->options);

	return qos < p->qos ? qos : p->qos;
}

enum admission shared_ask(struct broker *broker, struct share_group *group,
			  struct publish *p)
{
	enum admission best =
		broker->refusing ? ADMISSION_NO_DISK : ADMISSION_REFUSED;
	bool any = false;
	struct list *at, *after;

	list_for_each (at, after, &group->members) {
		const struct subscription *member =
			list_entry(at, struct subscription, in_node);
		struct session *s = member->session;
		enum admission one;

		if (!can_take(member, p, session_attached(s)))
			continue;
		any = true;
		one = admission_of(s, p, granted(member, p));
		if (one == ADMITTED)
			return ADMITTED;
		if (one < best)
			best = one;
	}
	return any ? best : ADMITTED;
}

static bool has_room(const struct subscription *member, const struct publish *p)
{
	const uint8_t qos = granted(member, p);

	return qos == 0 ||
	       backlog_takes(member->session, admission_size(p), qos);
}

/* The next in turn; it goes to the end of the line. room: that has some. */
static struct subscription *choose(struct share_group *group, struct publish *p,
				   bool connected, bool room)
{
	struct list *at, *after;

	list_for_each (at, after, &group->members) {
		struct subscription *member =
			list_entry(at, struct subscription, in_node);

		if (!can_take(member, p, connected) ||
		    (room && !has_room(member, p)))
			continue;
		list_remove(at);
		list_append(&group->members, at);
		return member;
	}
	return NULL;
}

int shared_deliver(struct broker *broker, struct share_group *group,
		   struct publish *p)
{
	struct subscription *member = choose(group, p, true, true);
	struct delivery d = { .share = group->id };
	uint8_t bytes[5];
	struct writer w = writer_of(bytes, sizeof(bytes));

	for (unsigned int i = 0; !member && i < 3; i++)
		member = choose(group, p, i == 1, i == 0);
	if (!member) {
		broker->count.messages_dropped++;
		return 0;
	}
	d.qos = granted(member, p);
	d.retain = p->retain &&
		   (member->options & SUBSCRIPTION_RETAIN_AS_PUBLISHED);
	if (member->identifier) {
		writer_u8(&w, MQTT_PROP_SUBSCRIPTION_IDENTIFIER);
		writer_varint(&w, member->identifier);
		d.identifiers = slice_of(bytes, w.len);
	}
	p->matched++;
	return delivery_send(member->session, p, &d);
}

void shared_hand_over(struct broker *broker, struct session *session)
{
	struct outbox *box = &session->outbox;

	for (uint32_t i = 0; i < box->count; i++) {
		struct outgoing *o = outbox_at(box, i);
		struct share_group *group;
		struct publish p;

		if (!o->share || !o->message ||
		    (o->qos == 2 && o->state != OUTGOING_QUEUED))
			continue;
		group = by_id(broker, o->share);
		if (!group)
			continue;
		publish_of_message(&p, o->message);
		p.admitted = true; /* it has been acknowledged */
		if (shared_deliver(broker, group, &p) < 0)
			log_error(
				"client",
				"%s: a shared message was lost: out of memory",
				session->client_id);
		/* Its publisher is told when the new row is on disk. */
		if (p.ticket > o->message->ticket)
			o->message->ticket = p.ticket;
		publish_done(&p);
	}
}

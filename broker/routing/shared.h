/*
 * Shared subscriptions, $share/<name>/<filter> (MQTT 5.0, section 4.8.2): a group
 * stands in the topic tree once, as one subscription without a session; its
 * members are asked in turn.
 *
 * Each message goes to the next member that is connected, may read it and whose
 * predicate it fits; with none connected, to the next durable one that is away. A
 * group is its name and filter, whatever the predicates of its members. What a
 * member had not acknowledged when its session ended goes to another one, but not
 * QoS 2 messages under way [MQTT-4.8.2-5].
 *
 * Broker thread only.
 */
#ifndef BROKER_ROUTING_SHARED_H
#define BROKER_ROUTING_SHARED_H

#include "broker/base/hash.h"
#include "broker/routing/admission.h"
#include "broker/routing/topic_tree.h"

struct share_group {
	struct subscription entry; /* in the tree; session is NULL */
	struct hash_node by_name;
	struct hash_node by_id;
	struct list members; /* of subscription.in_node, the next one first */
	uint32_t id; /* never 0; names the group in an outbox and on disk */
	uint16_t name_len;
	uint8_t name[];
};

/* The group of this name at the node, which is the filter's, made and put into the
 * tree if need be. NULL when out of memory. */
struct share_group *shared_obtain(struct broker *broker,
				  struct topic_node *node, struct slice filter,
				  struct slice name);
/* Or NULL. */
struct share_group *shared_find(const struct broker *broker,
				const struct topic_node *node,
				struct slice name);
/* Without members it goes, and the node with it if nobody else uses it. */
void shared_release(struct broker *broker, struct share_group *group);

/* Is there a member that has room for p? admission.h */
enum admission shared_ask(struct broker *broker, struct share_group *group,
			  struct publish *p);

/* Give p to one member. Returns 0 (also when nobody can take it) or -ENOMEM. */
int shared_deliver(struct broker *broker, struct share_group *group,
		   struct publish *p);

/* The session is ending: pass on what it owed to its groups. Its subscriptions
 * are gone already, its outbox is not. */
void shared_hand_over(struct broker *broker, struct session *session);

#endif

/*
 * Subscriptions indexed by topic filter (MQTT 5.0, section 4.7).
 *
 * One node for each topic level, shared by every filter with the same prefix, so
 * a publish visits only the branches that can match: the literal level, "+" and
 * "#". Literal children are found in one hash table for the whole tree, keyed by
 * parent and level, so a node costs the same whether it has one child or a
 * million. Subscriptions carry their own links: the tree allocates only nodes.
 *
 * Broker thread only.
 */
#ifndef BROKER_ROUTING_TOPIC_TREE_H
#define BROKER_ROUTING_TOPIC_TREE_H

#include "broker/base/list.h"
#include "broker/base/slice.h"

struct topic_tree;
struct topic_node;
struct predicate;
struct session;
struct share_group;

struct subscription {
	struct list in_node;
	struct list in_session;
	struct topic_node *node;
	struct session *session; /* borrowed; NULL: a group's entry */
	struct share_group *group; /* NULL: not shared */
	struct predicate *predicate; /* one reference; NULL: every message */
	char *history; /* owned: "last/5" of $history/last/5/...; NULL none */
	uint32_t identifier; /* Subscription Identifier, 0 none */
	uint8_t options; /* as in SUBSCRIBE 3.8.3.1; QoS in the low two bits */
};

#define SUBSCRIPTION_QOS(options) ((uint8_t)((options)&3))
#define SUBSCRIPTION_NO_LOCAL 0x04
#define SUBSCRIPTION_RETAIN_AS_PUBLISHED 0x08
#define SUBSCRIPTION_RETAIN_HANDLING(options) (((options) >> 4) & 3)

/* Return NULL when out of memory. topic_tree_free(NULL) does nothing; no
 * subscription may be left in the tree. */
struct topic_tree *topic_tree_new(void);
void topic_tree_free(struct topic_tree *tree);

/* Find or make the node of a valid filter; NULL when out of memory: the tree is
 * as it was. A node that is not used is given back by topic_node_prune(). */
struct topic_node *topic_tree_obtain(struct topic_tree *tree,
				     struct slice filter);
/* The node of a filter, or NULL if nobody has subscribed to it. */
struct topic_node *topic_tree_find(const struct topic_tree *tree,
				   struct slice filter);
void topic_node_prune(struct topic_tree *tree, struct topic_node *node);

/* Link and unlink; remove also gives back the levels nobody uses. */
void topic_tree_add(struct topic_node *node, struct subscription *subscription);
void topic_tree_remove(struct topic_tree *tree,
		       struct subscription *subscription);

/* The node's filter, written to out (at most size bytes). Returns its length,
 * which may exceed size. */
size_t topic_node_filter(const struct topic_node *node, char *out, size_t size);

/* Call match once for each matching subscription, so a session with overlapping
 * filters is met several times. A negative return ends the walk and is returned.
 * match must not change the tree. */
typedef int topic_match_fn(struct subscription *subscription, void *arg);
int topic_tree_match(const struct topic_tree *tree, struct slice topic,
		     topic_match_fn *match, void *arg);

#endif

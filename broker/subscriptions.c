#include "broker/subscriptions.h"

#include <errno.h>
#include <stdlib.h>

#include "broker/core.h"
#include "broker/limits.h"
#include "broker/session.h"
#include "broker/shared.h"
#include "broker/topic_cache.h"
#include "broker/topic_tree.h"
#include "broker/wire/topic.h"

static const char share_prefix[] = "$share/";

/* A session has few subscriptions, a node may have thousands: search here. */
static struct subscription *find(const struct session *s,
				 const struct topic_node *node,
				 const struct share_group *group)
{
	struct list *at, *after;

	list_for_each (at, after, &s->subscriptions) {
		struct subscription *sub =
			list_entry(at, struct subscription, in_session);

		if (sub->node == node && sub->group == group)
			return sub;
	}
	return NULL;
}

/* Unlink and free; what it leaves empty goes, too. */
static void drop(struct session *s, struct subscription *sub)
{
	struct broker *broker = s->broker;
	struct share_group *group = sub->group;

	list_remove(&sub->in_session);
	if (group) {
		list_remove(&sub->in_node);
		shared_release(broker, group);
	} else {
		topic_tree_remove(broker->tree, sub);
	}
	free(sub);
	s->subscription_count--;
	broker->subscription_count--;
	if (group)
		broker->shared_count--;
}

/* The cache must not answer with this node's old subscriptions any more. */
static void void_topics(struct broker *broker, const struct topic_node *node)
{
	char filter[1024];
	size_t len = topic_node_filter(node, filter, sizeof(filter));

	if (len > sizeof(filter))
		topic_cache_void_all(broker->cache);
	else
		topic_cache_void(broker->cache, slice_of(filter, len));
}

static struct subscription *new_subscription(struct session *s,
					     struct topic_node *node,
					     struct share_group *group)
{
	struct subscription *sub = calloc(1, sizeof(*sub));

	if (!sub)
		return NULL;
	sub->session = s;
	sub->node = node;
	sub->group = group;
	if (group)
		list_append(&group->members, &sub->in_node);
	else
		topic_tree_add(node, sub);
	list_append(&s->subscriptions, &sub->in_session);
	s->subscription_count++;
	s->broker->subscription_count++;
	if (group)
		s->broker->shared_count++;
	return sub;
}

int subscriptions_add(struct session *s, struct slice filter, uint8_t options,
		      uint32_t identifier, bool *replaced)
{
	struct broker *broker = s->broker;
	struct share_group *group = NULL;
	struct subscription *sub = NULL;
	struct slice name, rest;
	struct topic_node *node;
	int r = -ENOMEM;
	bool shared = topic_split_share(filter, &name, &rest) == 1;

	node = topic_tree_obtain(broker->tree, rest);
	if (!node)
		return -ENOMEM;
	if (shared) {
		group = shared_obtain(broker, node, name);
		if (!group)
			goto err_prune;
	}
	sub = find(s, node, group);
	*replaced = sub != NULL;
	if (!sub && (s->subscription_count >= LIMIT_SUBSCRIPTIONS_PER_SESSION ||
		     broker->subscription_count >= LIMIT_SUBSCRIPTIONS)) {
		r = -EDQUOT;
		goto err_release;
	}
	if (!sub)
		sub = new_subscription(s, node, group);
	if (!sub)
		goto err_release;
	sub->options = options;
	sub->identifier = identifier;
	topic_cache_void(broker->cache, rest);
	return 0;

err_release:
	if (group) {
		shared_release(broker, group); /* prunes the node, too */
		return r;
	}
err_prune:
	topic_node_prune(broker->tree, node);
	return r;
}

static struct subscription *by_filter(const struct session *s,
				      struct slice filter)
{
	struct broker *broker = s->broker;
	struct share_group *group = NULL;
	struct topic_node *node;
	struct slice name, rest;
	bool shared = topic_split_share(filter, &name, &rest) == 1;

	node = topic_tree_find(broker->tree, rest);
	if (node && shared)
		group = shared_find(broker, node, name);
	return node && (group || !shared) ? find(s, node, group) : NULL;
}

const struct subscription *subscriptions_find(const struct session *s,
					      struct slice filter)
{
	return by_filter(s, filter);
}

int subscriptions_remove(struct session *s, struct slice filter)
{
	struct subscription *sub = by_filter(s, filter);
	struct slice name, rest;

	if (!sub)
		return -ENOENT;
	drop(s, sub);
	topic_split_share(filter, &name, &rest);
	topic_cache_void(s->broker->cache, rest);
	return 0;
}

void subscriptions_clear(struct session *s)
{
	struct list *at, *after;

	list_for_each (at, after, &s->subscriptions) {
		struct subscription *sub =
			list_entry(at, struct subscription, in_session);

		void_topics(s->broker, sub->node);
		drop(s, sub);
	}
}

size_t subscription_filter(const struct subscription *sub, char *out,
			   size_t size)
{
	const struct share_group *group = sub->group;
	const size_t prefix = sizeof(share_prefix) - 1;
	size_t front, len;

	if (!group)
		return topic_node_filter(sub->node, out, size);
	front = prefix + group->name_len + 1;
	len = front + topic_node_filter(sub->node, NULL, 0);
	if (len > size)
		return len;
	memcpy(out, share_prefix, prefix);
	memcpy(out + prefix, group->name, group->name_len);
	out[front - 1] = '/';
	topic_node_filter(sub->node, out + front, size - front);
	return len;
}

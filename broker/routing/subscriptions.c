#include "broker/routing/subscriptions.h"

#include <errno.h>
#include <stdlib.h>

#include "broker/core.h"
#include "broker/limits.h"
#include "broker/match/matcher.h"
#include "broker/routing/shared.h"
#include "broker/routing/topic_cache.h"
#include "broker/routing/topic_tree.h"
#include "broker/session/playback.h"
#include "broker/session/session.h"
#include "broker/wire/topic.h"
#include "broker/wire/writer.h"

/* What a subscription is known by. */
struct key {
	struct topic_node *node;
	struct share_group *group; /* NULL: not shared */
	struct predicate *predicate; /* NULL: every message */
	struct slice history; /* borrowed; data NULL: without */
};

static struct slice history_of(const struct subscription *sub)
{
	return sub->history ? slice_str(sub->history) : slice_of(NULL, 0);
}

/* A session has few subscriptions, a node may have thousands: search here. */
static struct subscription *find(const struct session *s, const struct key *key)
{
	struct list *at, *after;

	list_for_each (at, after, &s->subscriptions) {
		struct subscription *sub =
			list_entry(at, struct subscription, in_session);

		if (sub->node == key->node && sub->group == key->group &&
		    sub->predicate == key->predicate &&
		    slice_equal(history_of(sub), key->history))
			return sub;
	}
	return NULL;
}

/* How many subscriptions of the session have this predicate. */
static size_t users(const struct session *s, const struct predicate *predicate)
{
	struct list *at, *after;
	size_t n = 0;

	list_for_each (at, after, &s->subscriptions)
		n += list_entry(at, struct subscription, in_session)
			     ->predicate == predicate;
	return n;
}

static uint32_t no_local(uint8_t options)
{
	return (options & SUBSCRIPTION_NO_LOCAL) != 0;
}

/* Unlink and free; what it leaves empty goes, too. The session's predicates are
 * the caller's to count. */
static void drop(struct session *s, struct subscription *sub)
{
	struct broker *broker = s->broker;
	struct share_group *group = sub->group;

	playback_cancel(s, sub);
	list_remove(&sub->in_session);
	matcher_release(broker->matcher, sub->predicate);
	if (group) {
		list_remove(&sub->in_node);
		shared_release(broker, group);
	} else {
		topic_tree_remove(broker->tree, sub);
	}
	s->no_local_count -= no_local(sub->options);
	free(sub->history);
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

/* May the session have one more? */
static bool within_limits(const struct session *s, const struct key *key)
{
	if (s->subscription_count >=
		    s->broker->options.max_subscriptions_per_session ||
	    s->broker->subscription_count >=
		    s->broker->options.max_subscriptions)
		return false;
	return !key->predicate ||
	       s->predicate_count < LIMIT_PREDICATES_PER_SESSION ||
	       users(s, key->predicate) > 0;
}

/* Takes the key's reference to the predicate. */
static struct subscription *new_subscription(struct session *s,
					     const struct key *key)
{
	struct subscription *sub = calloc(1, sizeof(*sub));

	if (!sub)
		return NULL;
	if (key->history.data) {
		sub->history = strndup((const char *)key->history.data,
				       key->history.len);
		if (!sub->history) {
			free(sub);
			return NULL;
		}
	}
	if (key->predicate && users(s, key->predicate) == 0)
		s->predicate_count++;
	sub->session = s;
	sub->node = key->node;
	sub->group = key->group;
	sub->predicate = key->predicate;
	if (sub->group)
		list_append(&sub->group->members, &sub->in_node);
	else
		topic_tree_add(sub->node, sub);
	list_append(&s->subscriptions, &sub->in_session);
	s->subscription_count++;
	s->broker->subscription_count++;
	if (sub->group)
		s->broker->shared_count++;
	return sub;
}

/* Give back what the key holds and nobody uses. */
static void key_release(struct broker *broker, const struct key *key)
{
	matcher_release(broker->matcher, key->predicate);
	if (key->group)
		shared_release(broker, key->group); /* prunes the node, too */
	else if (key->node)
		topic_node_prune(broker->tree, key->node);
}

/* Find or make what the parts name. Returns 0, -EINVAL, -EDQUOT, -ENOMEM. */
static int key_obtain(struct broker *broker, const struct topic_parts *parts,
		      struct key *key)
{
	int r;

	*key = (struct key){ .history = parts->history };
	if (parts->predicate.data) {
		r = matcher_obtain(broker->matcher, parts->predicate,
				   &key->predicate);
		if (r < 0) {
			key->predicate = NULL;
			return r;
		}
	}
	key->node = topic_tree_obtain(broker->tree, parts->filter);
	if (key->node && parts->group.data)
		key->group = shared_obtain(broker, key->node, parts->filter,
					   parts->group);
	if (key->node && (key->group || !parts->group.data))
		return 0;
	key_release(broker, key);
	return -ENOMEM;
}

int subscriptions_add(struct session *s, struct slice filter, uint8_t options,
		      uint32_t identifier, bool *replaced)
{
	struct broker *broker = s->broker;
	struct subscription *sub;
	struct topic_parts parts;
	struct key key;
	int r;

	if (topic_split(filter, &parts) < 0)
		return -EINVAL;
	r = key_obtain(broker, &parts, &key);
	if (r < 0)
		return r;
	sub = find(s, &key);
	*replaced = sub != NULL;
	if (sub)
		key_release(broker, &key); /* sub has its own */
	else if (!within_limits(s, &key))
		r = -EDQUOT;
	else if (!(sub = new_subscription(s, &key)))
		r = -ENOMEM;
	if (r < 0) {
		key_release(broker, &key);
		return r;
	}
	s->no_local_count -= no_local(sub->options);
	s->no_local_count += no_local(options);
	sub->options = options;
	sub->identifier = identifier;
	topic_cache_void(broker->cache, parts.filter);
	return 0;
}

static struct subscription *by_parts(const struct session *s,
				     const struct topic_parts *parts)
{
	struct broker *broker = s->broker;
	struct key key = {
		.node = topic_tree_find(broker->tree, parts->filter),
		.history = parts->history,
	};

	if (!key.node)
		return NULL;
	if (parts->group.data) {
		key.group = shared_find(broker, key.node, parts->group);
		if (!key.group)
			return NULL;
	}
	if (parts->predicate.data) {
		key.predicate = matcher_find(broker->matcher, parts->predicate);
		if (!key.predicate)
			return NULL;
	}
	return find(s, &key);
}

const struct subscription *subscriptions_find(const struct session *s,
					      struct slice filter)
{
	struct topic_parts parts;

	return topic_split(filter, &parts) < 0 ? NULL : by_parts(s, &parts);
}

int subscriptions_remove(struct session *s, struct slice filter)
{
	struct subscription *sub = NULL;
	struct topic_parts parts;

	if (topic_split(filter, &parts) == 0)
		sub = by_parts(s, &parts);
	if (!sub)
		return -ENOENT;
	if (sub->predicate && users(s, sub->predicate) == 1)
		s->predicate_count--;
	drop(s, sub);
	topic_cache_void(s->broker->cache, parts.filter);
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
	s->predicate_count = 0;
}

/* Behind what is in out already, as far as it fits. */
static void put(struct writer *w, size_t *len, struct slice bytes)
{
	*len += bytes.len;
	writer_bytes(w, bytes);
}

size_t subscription_filter(const struct subscription *sub, char *out,
			   size_t size)
{
	const struct share_group *group = sub->group;
	struct writer w = writer_of(out, size);
	size_t len = 0;

	if (sub->history) {
		put(&w, &len, slice_str("$history/"));
		put(&w, &len, history_of(sub));
		put(&w, &len, slice_str("/"));
	}
	if (group) {
		put(&w, &len, slice_str("$share/"));
		put(&w, &len, slice_of(group->name, group->name_len));
		put(&w, &len, slice_str("/"));
	}
	if (sub->predicate) {
		put(&w, &len, slice_str("$match/"));
		put(&w, &len, sub->predicate->text);
		put(&w, &len, slice_str("/"));
	}
	if (len >= size)
		return len + topic_node_filter(sub->node, NULL, 0);
	return len + topic_node_filter(sub->node, out + len, size - len);
}

#include "broker/routing/topic_cache.h"

#include <errno.h>
#include <stdlib.h>

#include "broker/core.h"
#include "broker/history_rules.h"
#include "broker/limits.h"
#include "broker/routing/topic_conditional.h"
#include "broker/routing/topic_tree.h"
#include "broker/session/session.h"
#include "broker/wire/topic.h"

struct topic_cache {
	struct broker *broker;
	struct hash_table entries;
	struct list order; /* sweep from the front */
	uint64_t generation;
	uint64_t next_serial;
	uint64_t stamp;
	uint64_t given_up;
	size_t targets; /* places in all entries */
};

struct topic_cache *topic_cache_new(struct broker *broker)
{
	struct topic_cache *cache = calloc(1, sizeof(*cache));

	if (!cache)
		return NULL;
	cache->broker = broker;
	cache->next_serial = 1;
	list_init(&cache->order);
	if (hash_table_init(&cache->entries) < 0) {
		free(cache);
		return NULL;
	}
	return cache;
}

/* Places for subscribers, whether their predicates have a say or not. */
static size_t places(const struct topic_entry *entry)
{
	const struct topic_conditionals *all = entry->conditionals;

	return entry->cap + (all ? (size_t)all->cap + all->option_cap : 0);
}

static void entry_empty(struct topic_entry *entry)
{
	for (uint32_t i = 0; i < entry->count; i++)
		free(entry->targets[i].identifiers);
	entry->count = 0;
	topic_conditionals_free(entry->conditionals);
	entry->conditionals = NULL;
}

static void entry_free(struct topic_cache *cache, struct topic_entry *entry)
{
	cache->given_up++;
	hash_table_remove(&cache->entries, &entry->by_topic);
	list_remove(&entry->link);
	cache->targets -= places(entry);
	entry_empty(entry);
	free(entry->targets);
	free(entry);
}

void topic_cache_free(struct topic_cache *cache)
{
	if (!cache)
		return;
	while (!list_empty(&cache->order))
		entry_free(cache, list_entry(cache->order.next,
					     struct topic_entry, link));
	hash_table_free(&cache->entries);
	free(cache);
}

static struct topic_entry *entry_find(const struct topic_cache *cache,
				      struct slice topic, uint64_t hash)
{
	struct hash_node *at = hash_table_first(&cache->entries, hash);

	for (; at; at = hash_table_next(at)) {
		struct topic_entry *entry =
			hash_entry(at, struct topic_entry, by_topic);

		if (slice_equal(slice_of(entry->topic, entry->len), topic))
			return entry;
	}
	return NULL;
}

/* Second chance: one that was used since the last sweep goes to the back. */
static void make_room(struct topic_cache *cache)
{
	while (cache->entries.count >= LIMIT_TOPIC_CACHE ||
	       cache->targets > LIMIT_TOPIC_CACHE_TARGETS) {
		struct topic_entry *entry =
			list_entry(cache->order.next, struct topic_entry, link);

		if (entry->used) {
			entry->used = false;
			list_remove(&entry->link);
			list_append(&cache->order, &entry->link);
			continue;
		}
		entry_free(cache, entry);
	}
}

/* Asked once for each topic and set of policies: subscriptions come and go more
 * often. */
static void ask_history(const struct broker *broker, struct topic_entry *entry)
{
	const struct history_policy *policy;

	if (entry->history_generation == broker->history_generation)
		return;
	policy = history_rules_find(broker->history_rules,
				    slice_of(entry->topic, entry->len));
	entry->history = broker->store && policy && policy->keep;
	entry->history_generation = broker->history_generation;
}

static struct topic_entry *entry_new(struct topic_cache *cache,
				     struct slice topic, uint64_t hash)
{
	struct topic_entry *entry;

	make_room(cache);
	entry = calloc(1, sizeof(*entry) + topic.len);
	if (!entry)
		return NULL;
	entry->serial = cache->next_serial++;
	entry->generation = cache->generation - 1;
	entry->len = (uint16_t)topic.len;
	memcpy(entry->topic, topic.data, topic.len);
	entry->history_generation = cache->broker->history_generation - 1;
	hash_table_add(&cache->entries, &entry->by_topic, hash);
	list_append(&cache->order, &entry->link);
	return entry;
}

static int target_identifier(struct topic_target *target, uint32_t identifier)
{
	uint8_t *grown;

	if (!identifier)
		return 0;
	grown = realloc(target->identifiers,
			target->identifiers_len +
				(size_t)TOPIC_IDENTIFIER_SIZE);
	if (!grown)
		return -ENOMEM;
	target->identifiers = grown;
	target->identifiers_len = topic_identifier_put(
		grown, target->identifiers_len, identifier);
	return 0;
}

struct build {
	struct topic_cache *cache;
	struct topic_entry *entry;
};

static struct topic_target *target_add(struct topic_entry *entry)
{
	if (entry->count == entry->cap) {
		uint32_t cap = entry->cap ? entry->cap * 2 : 2;
		struct topic_target *grown =
			realloc(entry->targets, cap * sizeof(*grown));

		if (!grown)
			return NULL;
		entry->targets = grown;
		entry->cap = cap;
	}
	return &entry->targets[entry->count++];
}

static int meet_group(struct topic_entry *entry, struct share_group *group)
{
	struct topic_target *target = target_add(entry);

	if (!target)
		return -ENOMEM;
	*target = (struct topic_target){ .group = group };
	return 0;
}

/* May a message be for some of its subscriptions to a topic and not for others? */
static bool is_conditional(const struct session *session)
{
	return session->predicate_count || session->no_local_count;
}

/* Its place among the targets or, if the message may have a say, the others. */
static int meet_session(const struct build *build, struct session *session)
{
	struct topic_entry *entry = build->entry;
	struct slice topic = slice_of(entry->topic, entry->len);
	struct topic_target *target;

	session->route_stamp = build->cache->stamp;
	session->route_index = UINT32_MAX;
	if (!session_may(session, topic, ACCESS_READ).allowed)
		return 0;
	if (is_conditional(session)) {
		if (topic_conditionals_add(&entry->conditionals, session) < 0)
			return -ENOMEM;
		session->route_index = entry->conditionals->count - 1;
		return 0;
	}
	target = target_add(entry);
	if (!target)
		return -ENOMEM;
	session->route_index = entry->count - 1;
	*target = (struct topic_target){
		.session = session,
		.no_local = true,
	};
	return 0;
}

static int meet(struct subscription *subscription, void *arg)
{
	const struct build *build = arg;
	struct topic_entry *entry = build->entry;
	struct session *session = subscription->session;
	struct topic_target *target;

	if (!session)
		return meet_group(entry, subscription->group);
	if (session->route_stamp != build->cache->stamp &&
	    meet_session(build, session) < 0)
		return -ENOMEM;
	if (session->route_index == UINT32_MAX)
		return 0;
	if (is_conditional(session))
		return topic_conditionals_option(entry->conditionals,
						 session->route_index,
						 subscription);

	target = &entry->targets[session->route_index];
	topic_target_merge(target, subscription->options);
	return target_identifier(target, subscription->identifier);
}

/* Predicates the session has, but none that matches this topic, and what is its own
 * goes by all of its subscriptions or by none: it is a target as any other. */
static int settle_one(const struct build *build, uint32_t at)
{
	struct publish any = { .expires = MESSAGE_NO_EXPIRY };
	struct topic_entry *entry = build->entry;
	uint8_t buffer[TOPIC_IDENTIFIERS_SIZE];
	struct topic_target found, *target;
	uint8_t *identifiers = NULL;

	topic_conditionals_resolve(entry->conditionals, at,
				   build->cache->broker->matcher, &any, buffer,
				   &found);
	if (found.identifiers_len) {
		identifiers = malloc(found.identifiers_len);
		if (!identifiers)
			return -ENOMEM;
		memcpy(identifiers, buffer, found.identifiers_len);
	}
	found.identifiers = identifiers;
	target = target_add(entry);
	if (!target) {
		free(identifiers);
		return -ENOMEM;
	}
	*target = found;
	return 0;
}

static int settle(const struct build *build)
{
	struct topic_entry *entry = build->entry;
	struct topic_conditionals *all = entry->conditionals;
	uint32_t kept = 0;

	if (!all)
		return 0;
	for (uint32_t i = 0; i < all->count; i++) {
		if (topic_conditional_depends(&all->sessions[i]))
			all->sessions[kept++] = all->sessions[i];
		else if (settle_one(build, i) < 0)
			return -ENOMEM;
	}
	all->count = kept;
	if (kept == 0) {
		topic_conditionals_free(all);
		entry->conditionals = NULL;
	}
	return 0;
}

static bool entry_build(struct topic_cache *cache, struct topic_entry *entry)
{
	struct broker *broker = cache->broker;
	struct build build = { .cache = cache, .entry = entry };
	int r;

	ask_history(broker, entry);
	cache->targets -= places(entry);
	entry_empty(entry);
	cache->stamp++;
	r = topic_tree_match(broker->tree, slice_of(entry->topic, entry->len),
			     meet, &build);
	if (r == 0)
		r = settle(&build);
	if (r < 0)
		entry_empty(entry);
	cache->targets += places(entry);
	if (r < 0)
		return false;
	entry->generation = cache->generation;
	entry->access_generation = broker->access_generation;
	return true;
}

struct topic_entry *topic_cache_get(struct topic_cache *cache,
				    struct slice topic)
{
	uint64_t hash = hash_bytes(topic);
	struct topic_entry *entry = entry_find(cache, topic, hash);

	/* Asked for once is not used: topics never seen again go first. */
	if (entry)
		return topic_cache_again(cache, entry);
	entry = entry_new(cache, topic, hash);
	return entry && entry_build(cache, entry) ? entry : NULL;
}

uint64_t topic_cache_given_up(const struct topic_cache *cache)
{
	return cache->given_up;
}

struct topic_entry *topic_cache_again(struct topic_cache *cache,
				      struct topic_entry *entry)
{
	entry->used = true;
	if (entry->generation == cache->generation &&
	    entry->access_generation == cache->broker->access_generation)
		return entry;
	return entry_build(cache, entry) ? entry : NULL;
}

void topic_cache_void(struct topic_cache *cache, struct slice filter)
{
	struct topic_entry *entry;

	if (topic_has_wildcard(filter)) {
		topic_cache_void_all(cache);
		return;
	}
	entry = entry_find(cache, filter, hash_bytes(filter));
	if (entry)
		entry->generation = cache->generation - 1;
}

void topic_cache_void_all(struct topic_cache *cache)
{
	cache->generation++;
}

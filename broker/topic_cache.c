#include "broker/topic_cache.h"

#include <errno.h>
#include <stdlib.h>

#include "broker/core.h"
#include "broker/limits.h"
#include "broker/session.h"
#include "broker/topic_tree.h"
#include "broker/wire/properties.h"
#include "broker/wire/topic.h"

/* One encoded Subscription Identifier: the property's number and a varint. */
#define IDENTIFIER_SIZE 5

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

static void entry_empty(struct topic_entry *entry)
{
	for (uint32_t i = 0; i < entry->count; i++)
		free(entry->targets[i].identifiers);
	entry->count = 0;
}

static void entry_free(struct topic_cache *cache, struct topic_entry *entry)
{
	cache->given_up++;
	hash_table_remove(&cache->entries, &entry->by_topic);
	list_remove(&entry->link);
	entry_empty(entry);
	cache->targets -= entry->cap;
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

static bool wants_history(const struct broker *broker, struct slice topic)
{
	if (!broker->store)
		return false;
	for (size_t i = 0; i < broker->options.history_filter_count; i++)
		if (topic_matches(slice_str(broker->options.history_filters[i]),
				  topic))
			return true;
	return false;
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
	entry->history = wants_history(cache->broker, topic);
	hash_table_add(&cache->entries, &entry->by_topic, hash);
	list_append(&cache->order, &entry->link);
	return entry;
}

static int target_identifier(struct topic_target *target, uint32_t identifier)
{
	struct writer w;
	uint8_t *grown;

	if (!identifier)
		return 0;
	if (target->identifiers_len >
	    (PROPERTIES_SUBSCRIPTION_IDS_MAX - 1) * IDENTIFIER_SIZE)
		return 0;
	grown = realloc(target->identifiers,
			target->identifiers_len + (size_t)IDENTIFIER_SIZE);
	if (!grown)
		return -ENOMEM;
	target->identifiers = grown;
	w = writer_of(grown + target->identifiers_len, IDENTIFIER_SIZE);
	writer_u8(&w, MQTT_PROP_SUBSCRIPTION_IDENTIFIER);
	writer_varint(&w, identifier);
	target->identifiers_len = (uint16_t)(target->identifiers_len + w.len);
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

static int meet(struct subscription *subscription, void *arg)
{
	const uint8_t options = subscription->options;
	const struct build *build = arg;
	struct topic_entry *entry = build->entry;
	struct session *session = subscription->session;
	struct topic_target *target;

	if (!session)
		return meet_group(entry, subscription->group);
	if (session->route_stamp != build->cache->stamp) {
		struct slice topic = slice_of(entry->topic, entry->len);

		session->route_stamp = build->cache->stamp;
		session->route_index = UINT32_MAX;
		if (!session_may(session, topic, ACCESS_READ).allowed)
			return 0;
		target = target_add(entry);
		if (!target)
			return -ENOMEM;
		session->route_index = entry->count - 1;
		*target = (struct topic_target){
			.session = session,
			.no_local = true,
		};
	}
	if (session->route_index == UINT32_MAX)
		return 0;

	target = &entry->targets[session->route_index];
	if (SUBSCRIPTION_QOS(options) > target->qos)
		target->qos = SUBSCRIPTION_QOS(options);
	target->no_local &= (options & SUBSCRIPTION_NO_LOCAL) != 0;
	target->retain_as_published |=
		(options & SUBSCRIPTION_RETAIN_AS_PUBLISHED) != 0;
	return target_identifier(target, subscription->identifier);
}

static bool entry_build(struct topic_cache *cache, struct topic_entry *entry)
{
	struct broker *broker = cache->broker;
	struct build build = { .cache = cache, .entry = entry };
	int r;

	entry_empty(entry);
	cache->stamp++;
	cache->targets -= entry->cap;
	r = topic_tree_match(broker->tree, slice_of(entry->topic, entry->len),
			     meet, &build);
	cache->targets += entry->cap;
	if (r < 0) {
		entry_empty(entry);
		return false;
	}
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

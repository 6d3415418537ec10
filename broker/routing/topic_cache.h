/*
 * Topic Name -> who gets it: the answer of the topic tree and of the access
 * rules, remembered. Overlapping subscriptions of a session are merged into one
 * target with the highest QoS and all Subscription Identifiers [MQTT-3.3.5-1].
 * Where predicates have a say, merging waits for the message.
 *
 * A change of a subscription without wildcards voids the one topic it names; any
 * other change, and a new access table, void everything. Entries void are rebuilt
 * when they are asked for. The least used go when LIMIT_TOPIC_CACHE is reached,
 * or LIMIT_TOPIC_CACHE_TARGETS.
 *
 * Broker thread only.
 */
#ifndef BROKER_ROUTING_TOPIC_CACHE_H
#define BROKER_ROUTING_TOPIC_CACHE_H

#include "broker/base/hash.h"
#include "broker/base/list.h"

struct broker;
struct session;
struct share_group;
struct topic_cache;
struct topic_conditionals;

struct topic_target {
	struct session
		*session; /* may read the topic; NULL: the group's turn */
	struct share_group *group;
	uint8_t *
		identifiers; /* owned by the entry; encoded properties, or NULL */
	uint16_t identifiers_len;
	uint8_t qos;
	bool no_local; /* all its matching subscriptions say so */
	bool retain_as_published;
};

struct topic_entry {
	struct hash_node by_topic;
	struct list link;
	uint64_t serial; /* unique, so that a verdict can name the entry */
	uint64_t generation;
	uint64_t access_generation;
	uint64_t history_generation;
	struct topic_target *targets; /* whatever the message */
	uint32_t count;
	uint32_t cap;
	struct topic_conditionals *conditionals; /* NULL: none */
	bool used; /* since the last sweep */
	bool history; /* its messages are offered to the store's history */
	uint16_t len;
	uint8_t topic[];
};

struct topic_cache *topic_cache_new(struct broker *broker);
void topic_cache_free(struct topic_cache *cache);

/* The entry, up to date; NULL when out of memory. Valid until the next call of
 * this module. */
struct topic_entry *topic_cache_get(struct topic_cache *cache,
				    struct slice topic);
/* How many entries have been given up so far: as long as it is the same, an entry
 * from before is still there. */
uint64_t topic_cache_given_up(const struct topic_cache *cache);
/* The same entry as before, up to date; NULL when out of memory. */
struct topic_entry *topic_cache_again(struct topic_cache *cache,
				      struct topic_entry *entry);
/* A subscription with this filter came, went or changed. */
void topic_cache_void(struct topic_cache *cache, struct slice filter);
void topic_cache_void_all(struct topic_cache *cache);

#endif

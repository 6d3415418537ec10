#include "db/history_topics.h"

#include <stdlib.h>

int history_topics_init(struct history_topics *topics, size_t max)
{
	topics->max = max;
	return hash_table_init(&topics->table);
}

static struct history_topic *entry_of(struct hash_node *node)
{
	return hash_entry(node, struct history_topic, node);
}

static void clear(struct history_topics *topics)
{
	struct hash_node *node;
	struct hash_node *next;
	size_t slot = 0;

	node = hash_table_walk(&topics->table, &slot, NULL);
	while (node) {
		next = hash_table_walk(&topics->table, &slot, node);
		hash_table_remove(&topics->table, node);
		free(entry_of(node));
		node = next;
	}
}

void history_topics_free(struct history_topics *topics)
{
	if (topics->table.slots)
		clear(topics);
	hash_table_free(&topics->table);
}

struct history_topic *history_topics_get(struct history_topics *topics,
					 struct slice topic)
{
	uint64_t hash = hash_bytes(topic);
	struct history_topic *entry;
	struct hash_node *node;

	node = hash_table_first(&topics->table, hash);
	for (; node; node = hash_table_next(node)) {
		entry = entry_of(node);
		if (slice_equal(slice_of(entry->topic, entry->len), topic))
			return entry;
	}

	if (topics->table.count >= topics->max)
		clear(topics);
	entry = calloc(1, sizeof(*entry) + topic.len);
	if (!entry)
		return NULL;
	entry->len = topic.len;
	memcpy(entry->topic, topic.data, topic.len);
	hash_table_add(&topics->table, &entry->node, hash);

	return entry;
}

void history_topics_forget_ids(struct history_topics *topics)
{
	struct hash_node *node = NULL;
	size_t slot = 0;

	while ((node = hash_table_walk(&topics->table, &slot, node)))
		entry_of(node)->id = 0;
}

#include "db/lazy.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

int lazy_init(struct lazy *lazy)
{
	list_init(&lazy->order);
	return hash_table_init(&lazy->topics);
}

static void forget(struct lazy *lazy, struct lazy_entry *entry)
{
	hash_table_remove(&lazy->topics, &entry->node);
	list_remove(&entry->link);
	message_unref(entry->message);
	free(entry);
}

void lazy_free(struct lazy *lazy)
{
	lazy_drop(lazy, lazy_count(lazy));
	hash_table_free(&lazy->topics);
}

static struct lazy_entry *find(const struct lazy *lazy, struct slice topic)
{
	struct hash_node *node =
		hash_table_first(&lazy->topics, hash_bytes(topic));

	while (node) {
		struct lazy_entry *entry =
			hash_entry(node, struct lazy_entry, node);

		if (slice_equal(message_topic(entry->message), topic))
			return entry;
		node = hash_table_next(node);
	}

	return NULL;
}

int lazy_put(struct lazy *lazy, struct message *message)
{
	struct slice topic = message_topic(message);
	struct lazy_entry *entry = find(lazy, topic);

	if (entry) {
		message_unref(entry->message);
		entry->message = message_ref(message);
		return 0;
	}

	entry = calloc(1, sizeof(*entry));
	if (!entry)
		return -ENOMEM;
	entry->message = message_ref(message);
	hash_table_add(&lazy->topics, &entry->node, hash_bytes(topic));
	list_append(&lazy->order, &entry->link);

	return 0;
}

void lazy_remove(struct lazy *lazy, struct slice topic)
{
	struct lazy_entry *entry = find(lazy, topic);

	if (entry)
		forget(lazy, entry);
}

void lazy_drop(struct lazy *lazy, size_t n)
{
	while (n--) {
		struct list *link = list_first(&lazy->order);

		assert(link);
		forget(lazy, list_entry(link, struct lazy_entry, link));
	}
}

#include "broker/routing/retained.h"

#include <errno.h>
#include <stdlib.h>

#include "broker/base/hash.h"
#include "broker/base/list.h"
#include "broker/limits.h"
#include "broker/wire/topic.h"

struct entry {
	struct hash_node by_topic;
	struct list link;
	struct message *message;
};

struct retained {
	struct hash_table entries;
	struct list
		order; /* oldest topic first: as they mostly lie in memory */
	size_t bytes;
	size_t max_messages;
	size_t max_bytes;
	size_t expiring; /* entries with an expiry: none, and a sweep is free */
};

struct retained *retained_new(void)
{
	struct retained *retained = calloc(1, sizeof(*retained));

	if (!retained)
		return NULL;
	retained->max_messages = LIMIT_RETAINED;
	retained->max_bytes = LIMIT_RETAINED_BYTES;
	if (hash_table_init(&retained->entries) < 0) {
		free(retained);
		return NULL;
	}
	list_init(&retained->order);
	return retained;
}

static struct entry *entry_of(struct hash_node *node)
{
	return hash_entry(node, struct entry, by_topic);
}

void retained_free(struct retained *retained)
{
	struct list *at, *after;

	if (!retained)
		return;
	list_for_each (at, after, &retained->order) {
		struct entry *entry = list_entry(at, struct entry, link);

		message_unref(entry->message);
		free(entry);
	}
	hash_table_free(&retained->entries);
	free(retained);
}

static struct entry *find(const struct retained *retained, struct slice topic)
{
	struct hash_node *at =
		hash_table_first(&retained->entries, hash_bytes(topic));

	for (; at; at = hash_table_next(at))
		if (slice_equal(message_topic(entry_of(at)->message), topic))
			return entry_of(at);
	return NULL;
}

static void count(struct retained *retained, const struct message *m, int sign)
{
	size_t expiring = m->expires != MESSAGE_NO_EXPIRY;

	if (sign > 0) {
		retained->bytes += message_size(m);
		retained->expiring += expiring;
	} else {
		retained->bytes -= message_size(m);
		retained->expiring -= expiring;
	}
}

void retained_limit(struct retained *retained, size_t messages, size_t bytes)
{
	retained->max_messages = messages;
	retained->max_bytes = bytes;
}

int retained_set(struct retained *retained, struct message *message)
{
	struct entry *entry = find(retained, message_topic(message));
	size_t old = entry ? message_size(entry->message) : 0;

	if (retained->bytes - old + message_size(message) > retained->max_bytes)
		return -EDQUOT;
	if (!entry) {
		if (retained->entries.count >= retained->max_messages)
			return -EDQUOT;
		entry = calloc(1, sizeof(*entry));
		if (!entry)
			return -ENOMEM;
		hash_table_add(&retained->entries, &entry->by_topic,
			       hash_bytes(message_topic(message)));
		list_append(&retained->order, &entry->link);
	} else {
		count(retained, entry->message, -1);
		message_unref(entry->message);
	}
	entry->message = message_ref(message);
	count(retained, message, 1);
	return 0;
}

/* The entry goes, its message's reference is the caller's. */
static struct message *take(struct retained *retained, struct entry *entry)
{
	struct message *message = entry->message;

	hash_table_remove(&retained->entries, &entry->by_topic);
	list_remove(&entry->link);
	count(retained, message, -1);
	free(entry);
	return message;
}

int retained_remove(struct retained *retained, struct slice topic)
{
	struct entry *entry = find(retained, topic);

	if (!entry)
		return -ENOENT;
	message_unref(take(retained, entry));
	return 0;
}

bool retained_holds(const struct retained *retained, struct slice topic)
{
	return find(retained, topic) != NULL;
}

struct message *retained_get(const struct retained *retained,
			     struct slice topic, uint64_t now)
{
	struct entry *entry = find(retained, topic);

	return entry && entry->message->expires > now ? entry->message : NULL;
}

/* What comes after it is fetched while it is sent: a walk through all is a walk
 * through as many places in memory. */
static void fetch(const struct retained *retained, struct list *at)
{
	const struct message *m;

	if (at == &retained->order)
		return;
	m = list_entry(at, struct entry, link)->message;
	__builtin_prefetch(m);
	__builtin_prefetch(m->data);
	__builtin_prefetch(m->data + 64);
}

int retained_match(const struct retained *retained, struct slice filter,
		   uint64_t now, retained_fn *fn, void *arg)
{
	struct list *at, *after;
	int r;

	if (!topic_has_wildcard(filter)) {
		struct message *m = retained_get(retained, filter, now);

		return m ? fn(m, arg) : 0;
	}
	list_for_each (at, after, &retained->order) {
		struct message *m = list_entry(at, struct entry, link)->message;

		fetch(retained, after);
		if (m->expires <= now ||
		    !topic_matches(filter, message_topic(m)))
			continue;
		r = fn(m, arg);
		if (r < 0)
			return r;
	}
	return 0;
}

struct message *retained_sweep(struct retained *retained, uint64_t now)
{
	struct list *at, *after;

	if (!retained->expiring)
		return NULL;
	list_for_each (at, after, &retained->order) {
		struct entry *entry = list_entry(at, struct entry, link);

		if (entry->message->expires <= now)
			return take(retained, entry);
	}
	return NULL;
}

size_t retained_count(const struct retained *retained)
{
	return retained->entries.count;
}

size_t retained_bytes(const struct retained *retained)
{
	return retained->bytes;
}

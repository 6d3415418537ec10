#include "db/wills.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

int wills_init(struct wills *wills)
{
	list_init(&wills->order);
	return hash_table_init(&wills->sessions);
}

static uint64_t hash_of(uint64_t session)
{
	return hash_bytes(slice_of(&session, sizeof(session)));
}

static void forget(struct wills *wills, struct wills_entry *entry)
{
	hash_table_remove(&wills->sessions, &entry->node);
	list_remove(&entry->link);
	message_unref(entry->will.message);
	free(entry);
}

void wills_free(struct wills *wills)
{
	if (!wills->sessions.slots)
		return;
	wills_drop(wills, wills->sessions.count);
	hash_table_free(&wills->sessions);
}

static struct wills_entry *find(const struct wills *wills, uint64_t session)
{
	struct hash_node *node =
		hash_table_first(&wills->sessions, hash_of(session));

	for (; node; node = hash_table_next(node)) {
		struct wills_entry *entry =
			hash_entry(node, struct wills_entry, node);

		if (entry->will.session == session)
			return entry;
	}

	return NULL;
}

int wills_put(struct wills *wills, const struct store_will *will, uint64_t now)
{
	struct wills_entry *entry = find(wills, will->session);

	if (!entry) {
		entry = calloc(1, sizeof(*entry));
		if (!entry)
			return -ENOMEM;
		entry->since = now;
		hash_table_add(&wills->sessions, &entry->node,
			       hash_of(will->session));
		list_append(&wills->order, &entry->link);
	}
	message_ref(will->message);
	message_unref(entry->will.message);
	entry->will = *will;

	return 0;
}

void wills_remove(struct wills *wills, uint64_t session)
{
	struct wills_entry *entry = find(wills, session);

	if (entry)
		forget(wills, entry);
}

struct wills_entry *wills_first(const struct wills *wills)
{
	struct list *link = list_first(&wills->order);

	return link ? list_entry(link, struct wills_entry, link) : NULL;
}

void wills_drop(struct wills *wills, size_t n)
{
	while (n--) {
		struct wills_entry *entry = wills_first(wills);

		assert(entry);
		forget(wills, entry);
	}
}

#include "broker/client/client_queue.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "broker/client/client.h"

#define FLAG_DUP 0x08

static struct client_queued *entry_of(struct list *link)
{
	return list_entry(link, struct client_queued, link);
}

void client_queue_init(struct client_queue *queue)
{
	*queue = (struct client_queue){ 0 };
	list_init(&queue->entries);
}

void client_queue_clear(struct client_queue *queue)
{
	struct list *at;
	struct list *after;

	list_for_each (at, after, &queue->entries)
		client_queue_remove(queue, entry_of(at));
}

int client_queue_add(struct client_queue *queue, enum mqtt_version version,
		     const struct mqtt_publish *packet, uint64_t token)
{
	struct mqtt_publish copy = *packet;
	struct client_queued *entry;
	struct writer w;
	size_t size;

	copy.packet_id = 1; /* A place to write the real one. */
	copy.dup = false;
	size = publish_size(version, &copy);
	if (queue->count == CLIENT_QUEUE_MESSAGES ||
	    size > CLIENT_QUEUE_BYTES - queue->bytes)
		return -ENOBUFS;

	entry = malloc(sizeof(*entry) + size);
	if (!entry)
		return -ENOMEM;
	*entry = (struct client_queued){
		.token = token,
		.retain = packet->retain,
		.len = size,
	};
	w = writer_of(entry->bytes, size);
	publish_encode(&w, version, &copy);
	assert(!w.overflow && w.len == size);

	/* The fixed header's length byte ends at the first without a top bit. */
	entry->id_at = 1;
	while (entry->bytes[entry->id_at++] & 0x80)
		;
	entry->id_at += 2 + packet->topic.len;

	list_append(&queue->entries, &entry->link);
	queue->count++;
	queue->bytes += size;
	return 0;
}

struct client_queued *client_queue_next(const struct client_queue *queue)
{
	struct list *at;
	struct list *after;

	/* The sent ones come first, and there are few of them. */
	list_for_each (at, after, &queue->entries)
		if (!entry_of(at)->sent)
			return entry_of(at);
	return NULL;
}

struct client_queued *client_queue_find(const struct client_queue *queue,
					uint16_t id)
{
	struct list *at;
	struct list *after;

	list_for_each (at, after, &queue->entries) {
		if (!entry_of(at)->sent)
			return NULL;
		if (entry_of(at)->id == id)
			return entry_of(at);
	}
	return NULL;
}

bool client_queue_has_id(const struct client_queue *queue, uint16_t id)
{
	struct list *at;
	struct list *after;

	list_for_each (at, after, &queue->entries) {
		if (entry_of(at)->id == id)
			return true;
		if (entry_of(at)->id == 0)
			return false;
	}
	return false;
}

void client_queue_sent(struct client_queue *queue, struct client_queued *entry,
		       uint16_t id)
{
	assert(!entry->sent && id != 0);
	entry->sent = true;
	entry->id = id;
	entry->bytes[entry->id_at] = (uint8_t)(id >> 8);
	entry->bytes[entry->id_at + 1] = (uint8_t)id;
	queue->inflight++;
}

void client_queue_remove(struct client_queue *queue,
			 struct client_queued *entry)
{
	list_remove(&entry->link);
	queue->count--;
	queue->bytes -= entry->len;
	if (entry->sent)
		queue->inflight--;
	free(entry);
}

void client_queue_rewind(struct client_queue *queue, bool same_session)
{
	struct list *at;
	struct list *after;

	list_for_each (at, after, &queue->entries) {
		struct client_queued *entry = entry_of(at);

		entry->sent = false;
		if (same_session && entry->id) {
			entry->bytes[0] |= FLAG_DUP;
		} else {
			entry->bytes[0] &= (uint8_t)~FLAG_DUP;
			entry->id = 0;
		}
	}
	queue->inflight = 0;
}

#include "broker/message.h"

#include <assert.h>
#include <stdlib.h>

#include "broker/origin.h"

static uint8_t *put(uint8_t *at, struct slice bytes)
{
	if (bytes.len)
		memcpy(at, bytes.data, bytes.len);
	return at + bytes.len;
}

struct message *message_new(const struct message_parts *parts)
{
	struct message *m;
	uint8_t *at;

	assert(parts->topic.len <= UINT16_MAX);
	assert(parts->properties.len <= UINT32_MAX / 4);
	assert(parts->payload.len <= UINT32_MAX / 4);

	m = malloc(sizeof(*m) + parts->topic.len + parts->properties.len +
		   parts->payload.len);
	if (!m)
		return NULL;

	atomic_init(&m->refs, 1);
	m->store_rows = 0;
	m->held = 0;
	m->due = 0;
	m->ticket = 0;
	m->value_written = false;
	m->id = 0;
	m->time = parts->time;
	m->expires = parts->expires;
	m->origin = origin_ref(parts->origin);
	m->topic_len = (uint16_t)parts->topic.len;
	m->properties_len = (uint32_t)parts->properties.len;
	m->payload_len = (uint32_t)parts->payload.len;
	m->qos = parts->qos;
	m->retain = parts->retain;
	at = put(m->data, parts->topic);
	at = put(at, parts->properties);
	put(at, parts->payload);
	return m;
}

struct message *message_ref(struct message *message)
{
	atomic_fetch_add_explicit(&message->refs, 1, memory_order_relaxed);
	return message;
}

void message_unref(struct message *message)
{
	if (!message)
		return;
	/* Nobody can take a reference but from one: the last is ours alone, and
	 * needs no atomic subtraction. */
	if (atomic_load_explicit(&message->refs, memory_order_acquire) != 1 &&
	    atomic_fetch_sub_explicit(&message->refs, 1, memory_order_acq_rel) >
		    1)
		return;

	origin_unref(message->origin);
	free(message);
}

/*
 * One published message, immutable once made and reference-counted, so that all
 * its receivers, the store thread and the web thread can share it. Any thread
 * may hold and drop references. store_rows, held, due and ticket alone are the
 * broker thread's: when the payload's row may go, and what hold.h waits for.
 */
#ifndef BROKER_MESSAGE_H
#define BROKER_MESSAGE_H

#include <stdatomic.h>

#include "broker/base/slice.h"

struct origin;

#define MESSAGE_NO_EXPIRY UINT64_MAX

struct message {
	atomic_uint refs;
	uint32_t
		store_rows; /* queue rows that name this message (broker thread) */
	/* Of hold.h, the broker thread's too: clients whose row is not written
	 * yet, when it is due, and the commit that the written ones are in. */
	uint32_t held;
	uint64_t due;
	uint64_t ticket;
	uint64_t id; /* unique over restarts; the key of its row in state.db */
	int64_t time; /* wall clock of arrival, ms since 1970 UTC */
	uint64_t expires; /* clock_ms() when it expires, or MESSAGE_NO_EXPIRY */
	struct origin *origin; /* never NULL */
	uint32_t payload_len;
	uint32_t properties_len;
	uint16_t topic_len;
	uint8_t qos; /* as published, 0..2 */
	bool retain; /* as published */
	bool value_written; /* of retain_hold.h: as the topic's value, it has
			     * been given to the store (broker thread) */
	uint8_t data[]; /* topic, properties (forwardable, encoded), payload */
};

struct message_parts {
	struct slice topic;
	struct slice properties; /* encoded, what properties_forward() writes */
	struct slice payload;
	uint8_t qos;
	bool retain;
	uint64_t expires;
	int64_t time;
	struct origin *origin; /* borrowed; a reference is taken */
};

/* Copies all parts. id is 0 until the broker gives one. Returns one reference,
 * or NULL when out of memory. */
struct message *message_new(const struct message_parts *parts);
struct message *message_ref(struct message *message);
/* NULL does nothing. */
void message_unref(struct message *message);

static inline struct slice message_topic(const struct message *m)
{
	return slice_of(m->data, m->topic_len);
}

static inline struct slice message_properties(const struct message *m)
{
	return slice_of(m->data + m->topic_len, m->properties_len);
}

static inline struct slice message_payload(const struct message *m)
{
	return slice_of(m->data + m->topic_len + m->properties_len,
			m->payload_len);
}

/* Bytes it counts for in a queue's limit. */
static inline size_t message_size(const struct message *m)
{
	return (size_t)m->topic_len + m->properties_len + m->payload_len;
}

#endif

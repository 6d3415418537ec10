/*
 * Operations of the broker on their way to the disk. A batch is filled by one
 * thread, then belongs to another. Names and filters are copied into it,
 * messages are referenced. Operations never move once added.
 */
#ifndef DB_BATCH_H
#define DB_BATCH_H

#include "broker/base/hash.h"
#include "broker/base/list.h"
#include "broker/store.h"

enum op_type {
	OP_SESSION_SAVE,
	OP_SESSION_REMOVE,
	OP_SUBSCRIPTION_SAVE,
	OP_SUBSCRIPTION_REMOVE,
	OP_MESSAGE_SAVE,
	OP_MESSAGE_REMOVE,
	OP_QUEUE_SAVE,
	OP_QUEUE_REMOVE,
	OP_INBOUND_ADD,
	OP_INBOUND_REMOVE,
	OP_RETAINED_SAVE,
	OP_RETAINED_REMOVE,
	OP_WILL_REMOVE,
	/* In no batch: they only keep their place among the others. */
	OP_RETAINED_LAZY,
	OP_WILL_SAVE,
	OP_HISTORY,
	OP_HISTORY_MARK,
	OP_TYPES
};

struct history_request;

struct op {
	struct hash_node node; /* elide.c */
	struct op *next;
	enum op_type type;
	bool dead; /* undone by a later one of the same transaction */
	union {
		struct store_session session;
		struct {
			uint64_t session;
			struct store_subscription row;
		} subscription; /* also to remove: the filter only */
		struct store_queued queued;
		struct {
			uint64_t session; /* or a message's id */
			uint64_t seq; /* or a packet identifier */
			uint64_t message; /* OP_QUEUE_REMOVE */
		} key;
		struct message *message;
		struct store_will will;
		struct history_request *request; /* owned until it is marked */
		struct slice topic;
	} u;
};

struct batch {
	struct list link;
	uint64_t number; /* 0: holds nothing that was promised */
	struct op *first;
	struct op *last;
	size_t ops;
	size_t promised; /* ops that are not lazy */
	size_t urgent; /* of these: somebody may wait for their commit */
	size_t bytes; /* with the messages referenced */
	struct chunk *chunks;
};

/* NULL when out of memory. */
struct batch *batch_new(void);
/* Drops the references. NULL does nothing. */
void batch_free(struct batch *batch);

/* A zeroed operation at the end with room for so many bytes of text, or NULL: then
 * nothing has changed. */
struct op *batch_add(struct batch *batch, enum op_type type, size_t text);
/* That room; the operation's slices point into it. */
uint8_t *batch_text(struct op *op);
/* The same with a message: a reference is taken. */
struct op *batch_add_message(struct batch *batch, enum op_type type,
			     struct message *message);
struct op *batch_add_will(struct batch *batch, const struct store_will *will);

#endif

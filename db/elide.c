#include "db/elide.h"

#include "db/batch.h"

/* Things with rows of their own; an operation touches one of them. */
enum thing {
	THING_OTHER, /* rare: sessions and subscriptions are simply written */
	THING_MESSAGE,
	THING_QUEUED,
	THING_INBOUND,
	THING_RETAINED,
};

static enum thing thing_of(const struct op *op)
{
	switch (op->type) {
	case OP_MESSAGE_SAVE:
	case OP_MESSAGE_REMOVE:
		return THING_MESSAGE;
	case OP_QUEUE_SAVE:
	case OP_QUEUE_REMOVE:
		return THING_QUEUED;
	case OP_INBOUND_ADD:
	case OP_INBOUND_REMOVE:
		return THING_INBOUND;
	case OP_RETAINED_SAVE:
	case OP_RETAINED_REMOVE:
		return THING_RETAINED;
	case OP_SESSION_SAVE:
	case OP_SESSION_REMOVE:
	case OP_SUBSCRIPTION_SAVE:
	case OP_SUBSCRIPTION_REMOVE:
	case OP_WILL_REMOVE:
	case OP_RETAINED_LAZY:
	case OP_WILL_SAVE:
	case OP_HISTORY:
	case OP_HISTORY_MARK:
	case OP_TYPES:
		break;
	}

	return THING_OTHER;
}

struct key {
	uint64_t thing;
	uint64_t a;
	uint64_t b;
};

static struct slice topic_of(const struct op *op)
{
	return op->type == OP_RETAINED_SAVE ? message_topic(op->u.message)
					    : op->u.topic;
}

static struct key key_of(const struct op *op)
{
	struct key key = { .thing = thing_of(op) };

	switch (op->type) {
	case OP_MESSAGE_SAVE:
		key.a = op->u.message->id;
		break;
	case OP_QUEUE_SAVE:
		key.a = op->u.queued.session;
		key.b = op->u.queued.seq;
		break;
	case OP_MESSAGE_REMOVE:
	case OP_QUEUE_REMOVE:
	case OP_INBOUND_ADD:
	case OP_INBOUND_REMOVE:
		key.a = op->u.key.session;
		key.b = op->u.key.seq;
		break;
	case OP_RETAINED_SAVE:
	case OP_RETAINED_REMOVE:
		key.a = hash_bytes(topic_of(op));
		break;
	case OP_SESSION_SAVE:
	case OP_SESSION_REMOVE:
	case OP_SUBSCRIPTION_SAVE:
	case OP_SUBSCRIPTION_REMOVE:
	case OP_WILL_REMOVE:
	case OP_RETAINED_LAZY:
	case OP_WILL_SAVE:
	case OP_HISTORY:
	case OP_HISTORY_MARK:
	case OP_TYPES:
		break;
	}

	return key;
}

static bool same(const struct op *x, const struct op *y)
{
	struct key a = key_of(x);
	struct key b = key_of(y);

	if (a.thing != b.thing || a.a != b.a || a.b != b.b)
		return false;

	return a.thing != THING_RETAINED ||
	       slice_equal(topic_of(x), topic_of(y));
}

static struct op *find(const struct hash_table *table, uint64_t hash,
		       const struct op *like)
{
	struct hash_node *node = hash_table_first(table, hash);

	while (node) {
		struct op *op = hash_entry(node, struct op, node);

		if (same(op, like))
			return op;
		node = hash_table_next(node);
	}

	return NULL;
}

/*
 * The table holds the last live operation on each thing. A later one makes it
 * pointless, whatever the two are: rows are replaced and removed whole.
 *
 * The remover itself must stay, for the row may be on disk from before; but a
 * message is saved once, so one that is saved here is not.
 */
static void consider(struct hash_table *table, struct op *op)
{
	struct key key = key_of(op);
	uint64_t hash = hash_bytes(slice_of(&key, sizeof(key)));
	struct op *before = find(table, hash, op);

	if (before) {
		before->dead = true;
		hash_table_remove(table, &before->node);
		if (op->type == OP_MESSAGE_REMOVE) {
			op->dead = true;
			return;
		}
	}
	hash_table_add(table, &op->node, hash);
}

void elide(struct list *batches)
{
	struct hash_table table;
	struct list *after;
	struct list *at;

	if (hash_table_init(&table))
		return;

	list_for_each (at, after, batches) {
		struct batch *batch = list_entry(at, struct batch, link);

		for (struct op *op = batch->first; op; op = op->next) {
			if (thing_of(op) != THING_OTHER && !op->dead)
				consider(&table, op);
		}
	}
	hash_table_free(&table);
}

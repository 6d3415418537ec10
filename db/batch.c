#include "db/batch.h"

#include <stdlib.h>
#include <string.h>

#include "broker/history.h"

/* One loop turn of a quiet house fits in one; a topic or filter of 64 KiB gets a
 * chunk of its own. */
#define CHUNK 4096

struct chunk {
	struct chunk *next;
	size_t used;
	size_t size;
	max_align_t data[];
};

struct batch *batch_new(void)
{
	return calloc(1, sizeof(struct batch));
}

static bool holds_message(enum op_type type)
{
	return type == OP_MESSAGE_SAVE || type == OP_RETAINED_SAVE ||
	       type == OP_RETAINED_LAZY || type == OP_HISTORY;
}

void batch_free(struct batch *batch)
{
	struct chunk *next;

	if (!batch)
		return;
	for (struct op *op = batch->first; op; op = op->next) {
		if (holds_message(op->type))
			message_unref(op->u.message);
		else if (op->type == OP_WILL_SAVE)
			message_unref(op->u.will.message);
		else if (op->type == OP_HISTORY_MARK)
			history_request_free(op->u.request);
	}
	for (struct chunk *chunk = batch->chunks; chunk; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
	free(batch);
}

static size_t aligned(size_t size)
{
	const size_t unit = sizeof(max_align_t);

	return (size + unit - 1) / unit * unit;
}

static void *take(struct batch *batch, size_t size)
{
	struct chunk *chunk = batch->chunks;
	void *at;

	if (!chunk || chunk->size - chunk->used < size) {
		size_t room = size > CHUNK ? size : CHUNK;

		chunk = malloc(sizeof(*chunk) + room);
		if (!chunk)
			return NULL;
		chunk->used = 0;
		chunk->size = room;
		chunk->next = batch->chunks;
		batch->chunks = chunk;
	}
	at = (char *)chunk->data + chunk->used;
	chunk->used += size;

	return at;
}

static bool lazy(enum op_type type)
{
	return type == OP_RETAINED_LAZY || type == OP_HISTORY ||
	       type == OP_HISTORY_MARK || type == OP_WILL_SAVE;
}

/* What has been delivered: while its row stays, it may only come twice. And a
 * will that is not wanted any more: a DISCONNECT is not answered. */
static bool may_wait(enum op_type type)
{
	return type == OP_QUEUE_REMOVE || type == OP_MESSAGE_REMOVE ||
	       type == OP_WILL_REMOVE;
}

struct op *batch_add(struct batch *batch, enum op_type type, size_t text)
{
	size_t size = aligned(sizeof(struct op)) + aligned(text);
	struct op *op = take(batch, size);

	if (!op)
		return NULL;
	memset(op, 0, sizeof(*op));
	op->type = type;

	if (batch->last)
		batch->last->next = op;
	else
		batch->first = op;
	batch->last = op;
	batch->ops++;
	batch->promised += !lazy(type);
	batch->urgent += !lazy(type) && !may_wait(type);
	batch->bytes += size;

	return op;
}

uint8_t *batch_text(struct op *op)
{
	return (uint8_t *)op + aligned(sizeof(struct op));
}

struct op *batch_add_message(struct batch *batch, enum op_type type,
			     struct message *message)
{
	struct op *op = batch_add(batch, type, 0);

	if (!op)
		return NULL;
	op->u.message = message_ref(message);
	batch->bytes += message_size(message);

	return op;
}

struct op *batch_add_will(struct batch *batch, const struct store_will *will)
{
	struct op *op = batch_add(batch, OP_WILL_SAVE, 0);

	if (!op)
		return NULL;
	op->u.will = *will;
	message_ref(will->message);
	batch->bytes += message_size(will->message);

	return op;
}

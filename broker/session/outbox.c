#include "broker/session/outbox.h"

#include <assert.h>
#include <stdlib.h>

#define FIRST_CAP 8

/* A byte pair of length, then the bytes: one pointer in every slot, and most
 * subscriptions have no identifier. */
bool outgoing_set_identifiers(struct outgoing *o, struct slice identifiers)
{
	o->identifiers = NULL;
	if (identifiers.len == 0)
		return true;
	o->identifiers = malloc(2 + identifiers.len);
	if (!o->identifiers)
		return false;
	o->identifiers[0] = (uint8_t)(identifiers.len >> 8);
	o->identifiers[1] = (uint8_t)identifiers.len;
	memcpy(o->identifiers + 2, identifiers.data, identifiers.len);
	return true;
}

struct slice outgoing_identifiers(const struct outgoing *o)
{
	if (!o->identifiers)
		return slice_of(NULL, 0);
	return slice_of(o->identifiers + 2,
			(size_t)(o->identifiers[0] << 8 | o->identifiers[1]));
}

void outbox_init(struct outbox *box)
{
	*box = (struct outbox){ .first_seq = 1 };
}

static void outgoing_drop(struct outbox *box, struct outgoing *o)
{
	if (o->message) {
		box->bytes -= message_size(o->message);
		message_unref(o->message);
		o->message = NULL;
	}
	free(o->identifiers);
	o->identifiers = NULL;
}

void outbox_clear(struct outbox *box)
{
	for (uint32_t i = 0; i < box->count; i++)
		outgoing_drop(box, outbox_at(box, i));
	free(box->slots);
	free(box->sums);
	outbox_init(box);
}

static bool grow(struct outbox *box)
{
	uint32_t cap = box->cap ? box->cap * 2 : FIRST_CAP;
	struct outgoing *slots;

	if (!box->sums)
		box->sums = calloc(1, sizeof(*box->sums));
	if (!box->sums)
		return false;
	slots = malloc(cap * sizeof(*slots));
	if (!slots)
		return false;
	for (uint32_t i = 0; i < box->count; i++)
		slots[i] = *outbox_at(box, i);
	free(box->slots);
	box->slots = slots;
	box->cap = cap;
	box->head = 0;
	return true;
}

/* A long backlog has been delivered: do not hold its room for ever. */
static void shrink(struct outbox *box)
{
	if (box->count > 0 || box->cap <= 1024)
		return;
	free(box->slots);
	box->slots = NULL;
	box->cap = 0;
	box->head = 0;
}

/* A slot joins those that wait (1), or leaves them (-1). */
static void count_queued(struct outbox *box, const struct outgoing *o, int sign)
{
	const size_t size = o->message ? message_size(o->message) : 0;
	const uint32_t one = (uint32_t)sign; /* wraps around as it should */
	const size_t bytes = sign > 0 ? size : (size_t)0 - size;

	box->queued += one;
	if (o->qos == 0)
		box->queued_qos0 += one;
	if (o->replay) {
		box->sums->replayed += one;
		box->sums->replayed_bytes += bytes;
	} else if (o->qos == 0) {
		box->sums->droppable += one;
		box->sums->droppable_bytes += bytes;
	}
}

struct outgoing *outbox_push(struct outbox *box,
			     const struct outgoing *outgoing)
{
	struct outgoing *slot;

	if (box->count == box->cap && !grow(box))
		return NULL;

	slot = outbox_at(box, box->count++);
	*slot = *outgoing;
	if (slot->message)
		box->bytes += message_size(slot->message);
	if (slot->state != OUTGOING_DONE)
		count_queued(box, slot, 1);
	return slot;
}

static void pop_finished(struct outbox *box)
{
	while (box->count > 0 && outbox_at(box, 0)->state == OUTGOING_DONE) {
		box->head = (box->head + 1) & (box->cap - 1);
		box->first_seq++;
		box->count--;
		if (box->sent > 0)
			box->sent--;
	}
	shrink(box);
}

void outbox_mark_sent(struct outbox *box, uint32_t i)
{
	struct outgoing *o = outbox_at(box, i);

	assert(i == box->sent);

	box->sent++;
	if (o->state == OUTGOING_DONE) {
		pop_finished(box);
		return;
	}

	count_queued(box, o, -1);
	if (o->qos == 0) {
		outgoing_drop(box, o);
		o->state = OUTGOING_DONE;
		pop_finished(box);
		return;
	}
	box->inflight++;
	if (o->state == OUTGOING_QUEUED)
		o->state = OUTGOING_SENT;
}

int64_t outbox_find(const struct outbox *box, uint16_t packet_id)
{
	uint32_t first = outbox_packet_id(box->first_seq);
	uint32_t i = (packet_id + 65535u - first) % 65535u;

	if (packet_id == 0 || i >= box->sent ||
	    outbox_at(box, i)->state == OUTGOING_DONE)
		return -1;
	return i;
}

void outbox_finish(struct outbox *box, uint32_t i)
{
	struct outgoing *o = outbox_at(box, i);

	assert(o->state != OUTGOING_DONE);

	if (i < box->sent)
		box->inflight--;
	else
		count_queued(box, o, -1);
	outgoing_drop(box, o);
	o->state = OUTGOING_DONE;
	pop_finished(box);
}

void outbox_drop_message(struct outbox *box, uint32_t i)
{
	outgoing_drop(box, outbox_at(box, i));
}

int64_t outbox_oldest(struct outbox *box, bool droppable)
{
	uint32_t i = box->sent;

	if (!box->sums || (droppable && box->sums->droppable == 0))
		return -1;
	if (droppable && box->sums->droppable_from > outbox_seq(box, i))
		i = (uint32_t)(box->sums->droppable_from - box->first_seq);
	for (; i < box->count; i++) {
		const struct outgoing *o = outbox_at(box, i);

		if (o->state != OUTGOING_QUEUED || o->replay ||
		    (droppable && o->qos > 0))
			continue;
		if (droppable)
			box->sums->droppable_from = outbox_seq(box, i);
		return i;
	}
	return -1;
}

void outbox_rewind(struct outbox *box)
{
	for (uint32_t i = 0; i < box->sent; i++)
		if (outbox_at(box, i)->state != OUTGOING_DONE)
			count_queued(box, outbox_at(box, i), 1);
	box->sent = 0;
	box->inflight = 0;
}

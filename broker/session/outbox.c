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
	*box = (struct outbox){ .next_seq = 1 };
}

static size_t size_of(const struct outgoing *o)
{
	return o->message ? message_size(o->message) : 0;
}

static void outgoing_drop(struct outbox *box, struct outgoing *o)
{
	if (!o->replay)
		box->bytes -= size_of(o);
	message_unref(o->message);
	o->message = NULL;
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

/* Take the tombstones out of a full ring: worth a walk when they are half of it,
 * so one in as many pushes. */
static bool compact(struct outbox *box)
{
	uint32_t to = 0, sent = 0;

	if (!box->cap || box->inflight + box->queued > box->count / 2)
		return false;
	for (uint32_t i = 0; i < box->count; i++) {
		const struct outgoing *o = outbox_at(box, i);

		if (o->state == OUTGOING_DONE)
			continue;
		sent += i < box->sent;
		*outbox_at(box, to++) = *o;
	}
	box->sent = sent;
	box->count = to;
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
	const uint32_t one = (uint32_t)sign; /* wraps around as it should */
	const size_t bytes = sign > 0 ? size_of(o) : (size_t)0 - size_of(o);

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

/* May its client know it by its identifier? */
static bool is_begun(const struct outgoing *o)
{
	return o->qos == 2 && (o->state != OUTGOING_QUEUED || o->inherited);
}

/* Its identifier gets to be known (1), or is free again (-1). */
static void count_begun(struct outbox *box, const struct outgoing *o, int sign)
{
	if (!is_begun(o) || o->replay)
		return;
	box->sums->begun += (uint32_t)sign;
	box->sums->begun_bytes +=
		sign > 0 ? size_of(o) : (size_t)0 - size_of(o);
}

struct outgoing *outbox_push(struct outbox *box,
			     const struct outgoing *outgoing)
{
	struct outgoing *slot;

	assert(outgoing->state != OUTGOING_DONE);
	assert(!outgoing->seq || outgoing->seq >= box->next_seq);

	if (box->count == box->cap && !compact(box) && !grow(box))
		return NULL;

	slot = outbox_at(box, box->count++);
	*slot = *outgoing;
	if (!slot->seq)
		slot->seq = box->next_seq;
	box->next_seq = slot->seq + 1;
	if (!slot->replay)
		box->bytes += size_of(slot);
	count_queued(box, slot, 1);
	count_begun(box, slot, 1);
	return slot;
}

static void pop_finished(struct outbox *box)
{
	while (box->count > 0 && outbox_at(box, 0)->state == OUTGOING_DONE) {
		box->head = (box->head + 1) & (box->cap - 1);
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
	if (o->state == OUTGOING_QUEUED) {
		count_begun(box, o, -1);
		o->state = OUTGOING_SENT;
		count_begun(box, o, 1);
	}
}

/* The first slot of those before end whose number is at least seq, else end. */
static uint32_t index_from(const struct outbox *box, uint64_t seq, uint32_t end)
{
	uint32_t low = 0;

	while (low < end) {
		const uint32_t middle = low + (end - low) / 2;

		if (outbox_seq(box, middle) < seq)
			low = middle + 1;
		else
			end = middle;
	}
	return low;
}

int64_t outbox_find(const struct outbox *box, uint16_t packet_id)
{
	uint64_t seq;
	uint32_t i;

	if (packet_id == 0 || box->sent == 0)
		return -1;
	seq = outbox_seq(box, 0);
	i = (packet_id + 65535u - outbox_packet_id(seq)) % 65535u;
	seq += i;
	/* There, unless numbers before it are missing. */
	if (i >= box->sent || outbox_seq(box, i) != seq)
		i = index_from(box, seq, i < box->sent ? i : box->sent);
	if (i == box->sent || outbox_seq(box, i) != seq ||
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
	count_begun(box, o, -1);
	outgoing_drop(box, o);
	o->state = OUTGOING_DONE;
	pop_finished(box);
}

void outbox_release(struct outbox *box, uint32_t i)
{
	struct outgoing *o = outbox_at(box, i);

	assert(i < box->sent && o->qos == 2);

	count_begun(box, o, -1);
	outgoing_drop(box, o);
	o->state = OUTGOING_RELEASED;
	count_begun(box, o, 1);
}

static bool is_kind(const struct outgoing *o, enum outbox_kind kind)
{
	if (o->replay)
		return false;
	switch (kind) {
	case OUTBOX_QOS0:
		return o->state == OUTGOING_QUEUED && o->qos == 0;
	case OUTBOX_UNSENT:
		return o->state == OUTGOING_QUEUED && !is_begun(o);
	case OUTBOX_UNANSWERED:
		return o->state == OUTGOING_SENT && o->qos == 1;
	}
	return false;
}

int64_t outbox_oldest(struct outbox *box, enum outbox_kind kind)
{
	struct outbox_sums *sums = box->sums;
	uint64_t *from;
	uint32_t i = box->sent;

	if (!sums || (kind == OUTBOX_QOS0 && sums->droppable == 0))
		return -1;
	from = kind == OUTBOX_QOS0     ? &sums->droppable_from
	       : kind == OUTBOX_UNSENT ? &sums->unsent_from
				       : NULL;
	if (from && box->count > i && *from > outbox_seq(box, i))
		i = index_from(box, *from, box->count);
	for (; i < box->count; i++) {
		if (!is_kind(outbox_at(box, i), kind))
			continue;
		if (from)
			*from = outbox_seq(box, i);
		return i;
	}
	if (from)
		*from = box->next_seq;
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

#include "broker/session/gate.h"

#include <errno.h>
#include <stdlib.h>

#include "broker/limits.h"
#include "broker/message.h"
#include "broker/session/hold.h"

#define FIRST_CAP 16

void gate_init(struct gate *gate)
{
	*gate = (struct gate){ 0 };
	list_init(&gate->link);
}

static struct gated *at(const struct gate *gate, uint32_t i)
{
	return &gate->ring[(gate->head + i) & (gate->cap - 1)];
}

void gate_clear(struct gate *gate)
{
	for (uint32_t i = 0; i < gate->count; i++) {
		free(at(gate, i)->packet);
		message_unref(at(gate, i)->message);
	}
	free(gate->ring);
	list_remove(&gate->link);
	gate_init(gate);
}

static int grow(struct gate *gate)
{
	uint32_t cap = gate->cap ? gate->cap * 2 : FIRST_CAP;
	struct gated *ring = malloc(cap * sizeof(*ring));

	if (!ring)
		return -ENOMEM;
	for (uint32_t i = 0; i < gate->count; i++)
		ring[i] = *at(gate, i);
	free(gate->ring);
	gate->ring = ring;
	gate->cap = cap;
	gate->head = 0;
	return 0;
}

int gate_push(struct gate *gate, const struct gated *gated)
{
	int r;

	if (gate->count >= LIMIT_GATED)
		return -ENOBUFS;
	if (gate->count == gate->cap) {
		r = grow(gate);
		if (r < 0)
			return r;
	}
	*at(gate, gate->count) = *gated;
	gate->count++;
	return 0;
}

bool gate_pop(struct gate *gate, uint64_t committed, struct gated *out)
{
	const struct gated *first = gate->count ? at(gate, 0) : NULL;

	if (!first || first->ticket > committed ||
	    (first->message && !hold_over(first->message, committed)))
		return false;
	*out = *first;
	message_unref(out->message);
	out->message = NULL;
	gate->head = (gate->head + 1) & (gate->cap - 1);
	gate->count--;
	if (gate->count == 0) {
		free(gate->ring);
		gate->ring = NULL;
		gate->cap = 0;
		gate->head = 0;
	}
	return true;
}

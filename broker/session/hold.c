#include "broker/session/hold.h"

#include <errno.h>
#include <stdlib.h>

#include "broker/core.h"
#include "broker/session/delivery.h"
#include "broker/session/session.h"

/* No memory for a row: it is tried again after so long. */
#define RETRY_MS 10

/* Made when a session first has one, so that idle ones stay small. */
struct hold {
	struct list link; /* in broker->holding while slots > 0 */
	struct session *session;
	uint32_t slots;
};

static void on_timer(struct loop_timer *timer);

void hold_init(struct broker *broker)
{
	list_init(&broker->holding);
	broker->hold_timer.fn = on_timer;
}

static struct hold *hold_of(struct session *s)
{
	if (s->hold)
		return s->hold;
	s->hold = calloc(1, sizeof(*s->hold));
	if (!s->hold)
		return NULL;
	list_init(&s->hold->link);
	s->hold->session = s;
	return s->hold;
}

int hold_add(struct session *s)
{
	struct broker *broker = s->broker;
	struct outgoing *o = outbox_at(&s->outbox, s->outbox.count - 1);
	struct hold *hold = hold_of(s);

	if (!hold)
		return -ENOMEM;
	if (o->message->held++ == 0)
		o->message->due =
			loop_now(broker->loop) + broker->options.max_delay;
	o->held = true;
	hold->slots++;
	if (list_linked(&hold->link))
		return 0;
	if (list_empty(&broker->holding))
		loop_timer_set(broker->loop, &broker->hold_timer,
			       broker->options.max_delay);
	list_append(&broker->holding, &hold->link);
	return 0;
}

void hold_release(struct session *s, struct outgoing *o)
{
	o->held = false;
	if (--s->hold->slots == 0)
		list_remove(&s->hold->link);
	if (--o->message->held == 0)
		s->broker->gates_due = true;
}

uint64_t hold_count(struct broker *broker)
{
	struct list *at, *after;
	uint64_t count = 0;

	list_for_each (at, after, &broker->holding)
		count += list_entry(at, struct hold, link)->slots;
	return count;
}

bool hold_over(const struct message *m, uint64_t committed)
{
	return m->held == 0 && m->ticket <= committed;
}

/* From the end: they are the newest, however long the queue is. */
static uint32_t first_held(const struct session *s)
{
	uint32_t i = s->outbox.count;

	for (uint32_t left = s->hold->slots; left > 0;)
		left -= outbox_at(&s->outbox, --i)->held;
	return i;
}

/* What is due by now, oldest first: a row never overtakes one before it. Returns
 * when the next one is due, UINT64_MAX: none is left. */
static uint64_t write_due(struct session *s, uint64_t now)
{
	for (uint32_t i = first_held(s); s->hold->slots > 0; i++) {
		struct outgoing *o = outbox_at(&s->outbox, i);

		if (!o->held)
			continue;
		if (o->message->due > now)
			return o->message->due;
		if (delivery_store(s, i) < 0)
			return loop_now(s->broker->loop) + RETRY_MS;
		o->message->ticket = broker_ticket(s->broker);
		hold_release(s, o);
	}
	return UINT64_MAX;
}

static void on_timer(struct loop_timer *timer)
{
	struct broker *broker = list_entry(timer, struct broker, hold_timer);
	const uint64_t now = loop_now(broker->loop);
	uint64_t next = UINT64_MAX;
	struct list *at, *after;

	list_for_each (at, after, &broker->holding) {
		uint64_t due = write_due(
			list_entry(at, struct hold, link)->session, now);

		if (due < next)
			next = due;
	}
	if (next != UINT64_MAX)
		loop_timer_set(broker->loop, &broker->hold_timer,
			       next > now ? next - now : 1);
}

void hold_write(struct session *s)
{
	if (s->hold)
		write_due(s, UINT64_MAX);
}

void hold_write_all(struct broker *broker)
{
	struct list *at, *after;

	list_for_each (at, after, &broker->holding)
		hold_write(list_entry(at, struct hold, link)->session);
}

void hold_forget(struct session *s)
{
	if (!s->hold)
		return;
	for (uint32_t i = first_held(s); s->hold->slots > 0; i++) {
		struct outgoing *o = outbox_at(&s->outbox, i);

		if (o->held)
			hold_release(s, o);
	}
	free(s->hold);
	s->hold = NULL;
}

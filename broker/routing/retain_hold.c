#include "broker/routing/retain_hold.h"

#include <errno.h>
#include <stdlib.h>

#include "broker/core.h"
#include "broker/message.h"
#include "broker/routing/retained.h"

/* No memory for a row: it is tried again after so long. */
#define RETRY_MS 10

struct held_value {
	struct list link; /* in broker->values, in the order they came */
	struct message *message; /* reference; counted as held */
};

static void on_timer(struct loop_timer *timer)
{
	retain_hold_write(list_entry(timer, struct broker, values_timer));
}

void retain_hold_init(struct broker *broker)
{
	list_init(&broker->values);
	broker->values_timer.fn = on_timer;
}

static void drop(struct held_value *value)
{
	list_remove(&value->link);
	message_unref(value->message);
	free(value);
}

void retain_hold_free(struct broker *broker)
{
	struct list *at, *after;

	list_for_each (at, after, &broker->values)
		drop(list_entry(at, struct held_value, link));
}

bool retain_hold_may(const struct broker *broker, const struct publish *p)
{
	const int64_t max = broker->options.max_delay;
	const struct message *before;

	if (!p->may_hold)
		return false;
	before = retained_get(broker->retained, p->topic, 0);
	/* The wall clock may jump: then one is written too many, or waits for
	 * nothing, no longer than the others. */
	return before && p->message->time >= before->time &&
	       p->message->time - before->time < max;
}

int retain_hold_add(struct broker *broker, struct message *message)
{
	struct held_value *value = malloc(sizeof(*value));

	if (!value)
		return -ENOMEM;
	value->message = message_ref(message);
	if (message->held++ == 0)
		message->due =
			loop_now(broker->loop) + broker->options.max_delay;
	if (list_empty(&broker->values))
		loop_timer_set(broker->loop, &broker->values_timer,
			       broker->options.max_delay);
	list_init(&value->link);
	list_append(&broker->values, &value->link);
	return 0;
}

/* What is retained for its topic by now is its own value or a later one: that is
 * written, once. If there is none, what took it away has been written. */
static int write_value(struct broker *broker, const struct message *m)
{
	struct message *now =
		retained_get(broker->retained, message_topic(m), 0);
	int r;

	if (!now || now->value_written)
		return 0;
	r = broker->store->ops->retained_save(broker->store, now, false);
	if (r < 0)
		return r;
	broker_ticket(broker);
	now->value_written = true;
	return 0;
}

void retain_hold_write(struct broker *broker)
{
	struct list *at, *after;
	struct held_value *value;
	int r = 0;

	list_for_each (at, after, &broker->values) {
		value = list_entry(at, struct held_value, link);
		r = write_value(broker, value->message);
		if (r < 0)
			break;
	}
	if (r < 0) {
		loop_timer_set(broker->loop, &broker->values_timer, RETRY_MS);
		return;
	}
	list_for_each (at, after, &broker->values) {
		value = list_entry(at, struct held_value, link);
		value->message->ticket = broker_written(broker);
		value->message->held--;
		drop(value);
	}
	broker->gates_due = true;
}

#include "broker/routing/admission.h"

#include "broker/core.h"
#include "broker/limits.h"
#include "broker/peer/connection.h"
#include "broker/routing/shared.h"
#include "broker/routing/topic_conditional.h"
#include "broker/session/backlog.h"
#include "broker/session/session.h"

size_t admission_size(const struct publish *p)
{
	return p->topic.len + p->properties.len + p->payload.len;
}

/* Would a row be written for it, whatever the session's client does next? */
static bool needs_disk(const struct session *s, const struct publish *p,
		       uint8_t qos)
{
	if (!session_durable(s) || s->local)
		return false;
	/* Its acknowledgement is waited for first: hold.h. */
	return !(s->connection && qos == 1 && p->may_hold &&
		 s->broker->options.max_delay > 0);
}

/* For itself, whoever gets it. */
static bool must_be_kept(const struct publish *p)
{
	if (p->retain && p->payload.len > 0)
		return true;
	return p->qos == 2 && p->from && needs_disk(p->from, p, 2);
}

enum admission admission_of(struct session *s, const struct publish *p,
			    uint8_t qos)
{
	if (qos > 0 && s->broker->refusing && needs_disk(s, p, qos))
		return ADMISSION_NO_DISK;
	/* A local client's mailbox has rules of its own. */
	if (qos == 0 || s->local || backlog_takes(s, admission_size(p), qos))
		return ADMITTED;
	/* While its publisher waits, nobody reads what it acknowledges. */
	if (!s->connection || s == p->from) {
		backlog_tell(s, "further ones of QoS 1 and 2 are refused");
		backlog_refused(s);
		return ADMISSION_REFUSED;
	}
	backlog_tell(s, "its publishers have to wait");
	if (backlog_stuck_for(s) >= LIMIT_STANDSTILL)
		connection_close_soon(s->connection, MQTT_QUOTA_EXCEEDED,
				      "its queue is full and does not move");
	return ADMISSION_WAIT;
}

static enum admission ask_target(struct broker *broker, struct publish *p,
				 const struct topic_target *t)
{
	if (t->group)
		return shared_ask(broker, t->group, p);
	if (t->no_local && t->session == p->from)
		return ADMITTED;
	return admission_of(t->session, p, t->qos < p->qos ? t->qos : p->qos);
}

/* Those whom it does not fit need no room. */
static enum admission ask_conditionals(struct broker *broker, struct publish *p,
				       const struct topic_conditionals *all)
{
	uint8_t identifiers[TOPIC_IDENTIFIERS_SIZE];
	enum admission worst = ADMITTED;
	struct topic_target target;

	for (uint32_t i = 0; i < all->count && worst < ADMISSION_REFUSED; i++) {
		enum admission one = ADMITTED;

		if (topic_conditionals_resolve(all, i, broker->matcher, p,
					       identifiers, &target))
			one = ask_target(broker, p, &target);
		if (one > worst)
			worst = one;
	}
	return worst;
}

static size_t receivers(const struct topic_entry *entry)
{
	const struct topic_conditionals *all = entry->conditionals;

	return (size_t)entry->count + (all ? all->count : 0);
}

/* Nobody's queue is half full, and it is no giant: there is room everywhere. */
static bool surely(const struct broker *broker, const struct publish *p,
		   const struct topic_entry *entry)
{
	const struct broker_options *limits = &broker->options;
	const uint64_t size = admission_size(p);

	return broker->crowded_count == 0 &&
	       size <= limits->max_queue_bytes / 2 &&
	       broker->queued_bytes + size * receivers(entry) <=
		       limits->max_queue_bytes_total;
}

enum admission admission_ask(struct broker *broker, struct publish *p,
			     const struct topic_entry *entry)
{
	enum admission worst = ADMITTED;

	p->admitted = true;
	if (p->qos == 0 || (!broker->refusing && surely(broker, p, entry)))
		return ADMITTED;
	if (broker->refusing && must_be_kept(p)) {
		p->admitted = false;
		return ADMISSION_NO_DISK;
	}
	for (uint32_t i = 0; i < entry->count; i++) {
		enum admission one = ask_target(broker, p, &entry->targets[i]);

		if (one > worst)
			worst = one;
		if (worst >= ADMISSION_REFUSED)
			break;
	}
	if (entry->conditionals && worst < ADMISSION_REFUSED) {
		enum admission one =
			ask_conditionals(broker, p, entry->conditionals);

		if (one > worst)
			worst = one;
	}
	p->admitted = worst == ADMITTED;
	return worst;
}

bool admission_stall(struct connection *c)
{
	const uint64_t now = loop_now(c->broker->loop);

	if (!c->publisher->stalled_until)
		c->publisher->stalled_until = now + LIMIT_STALL;
	if (now >= c->publisher->stalled_until)
		return false;
	c->held = true;
	connection_pause(c);
	list_append(&c->broker->stalled, &c->paused);
	return true;
}

void admission_retry(struct broker *broker)
{
	struct list stalled;
	struct list *first;

	if (!broker->crowded_moved)
		return;
	broker->crowded_moved = false;
	list_init(&stalled);
	list_take_all(&stalled, &broker->stalled);
	while ((first = list_first(&stalled))) {
		list_remove(first);
		connection_resume(list_entry(first, struct connection, paused));
	}
}

#include "broker/session/backlog.h"

#include "broker/base/log.h"
#include "broker/core.h"
#include "broker/session/delivery.h"
#include "broker/session/session.h"

/* Who asks for room, and so what counts of what waits. */
enum claim {
	CLAIM_NONE, /* all but replays */
	CLAIM_QOS0, /* but for what makes room for QoS 1 and 2 */
	CLAIM_OLDEST, /* nor what drop-oldest may drop */
};

struct load {
	uint64_t messages;
	uint64_t bytes;
};

static struct load load_of(const struct outbox *box, enum claim claim)
{
	const struct outbox_sums *sums = box->sums;
	struct load load = { 0 };

	if (!sums)
		return load;
	if (claim == CLAIM_OLDEST) {
		load.messages = sums->begun;
		load.bytes = sums->begun_bytes;
		return load;
	}
	load.messages = box->queued - sums->replayed;
	load.bytes = box->bytes;
	if (claim == CLAIM_QOS0) {
		load.messages -= sums->droppable;
		load.bytes -= sums->droppable_bytes;
	}
	return load;
}

static uint64_t max_messages(const struct session *s)
{
	return s->broker->options.max_queue_messages +
	       (uint64_t)(s->extended ? LIMIT_PLAYBACK_HELD : 0);
}

static uint64_t max_bytes(const struct session *s)
{
	return s->broker->options.max_queue_bytes +
	       (uint64_t)(s->extended ? LIMIT_PLAYBACK_HELD_BYTES : 0);
}

static bool fits(const struct session *s, const struct load *load, size_t size)
{
	const struct broker_options *limits = &s->broker->options;
	const uint64_t total =
		s->broker->queued_bytes - (s->outbox.bytes - load->bytes);

	if (load->messages >= max_messages(s))
		return false;
	if (load->bytes > 0 && load->bytes + size > max_bytes(s))
		return false;
	/* One that keeps up is not made to pay for those that do not. */
	return total + size <= limits->max_queue_bytes_total ||
	       (s->connection && load->messages == 0);
}

static enum claim claim_of(const struct session *s, uint8_t qos)
{
	if (qos == 0)
		return CLAIM_NONE;
	return s->broker->options.full_queue == FULL_QUEUE_DROP_OLDEST &&
			       !session_attached(s)
		       ? CLAIM_OLDEST
		       : CLAIM_QOS0;
}

bool backlog_takes(const struct session *s, size_t size, uint8_t qos)
{
	const struct load load = load_of(&s->outbox, claim_of(s, qos));

	return fits(s, &load, size);
}

void backlog_lost(struct session *s)
{
	if (s->outbox.sums)
		s->outbox.sums->dropped++;
	s->broker->count.messages_dropped++;
}

void backlog_refused(struct session *s)
{
	if (s->outbox.sums)
		s->outbox.sums->refused++;
}

uint32_t backlog_take_dropped(struct session *s)
{
	struct outbox_sums *sums = s->outbox.sums;
	const uint32_t dropped = sums ? sums->dropped : 0;

	if (sums) {
		sums->dropped = 0;
		sums->refused = 0;
	}
	return dropped;
}

static void drop(struct session *s, uint32_t i)
{
	delivery_finish(s, i);
	backlog_lost(s);
}

/* The oldest, one by one; returns if that made room. */
static bool drop_until(struct session *s, size_t size, enum outbox_kind kind)
{
	for (;;) {
		const struct load load = load_of(&s->outbox, CLAIM_NONE);
		int64_t i;

		if (fits(s, &load, size))
			return true;
		i = outbox_oldest(&s->outbox, kind);
		if (i < 0)
			return false;
		drop(s, (uint32_t)i);
	}
}

bool backlog_make_room(struct session *s, size_t size, uint8_t qos)
{
	/* What asks at QoS 0 drives out others of QoS 0. */
	const enum claim claim = qos ? claim_of(s, qos) : CLAIM_QOS0;
	const struct load least = load_of(&s->outbox, claim);

	/* Not in vain: what would not suffice stays. */
	if (!fits(s, &least, size))
		return false;
	if (drop_until(s, size, OUTBOX_QOS0))
		return true;
	backlog_tell(s, "the oldest are dropped");
	return drop_until(s, size, OUTBOX_UNSENT) ||
	       drop_until(s, size, OUTBOX_UNANSWERED);
}

void backlog_tell(struct session *s, const char *what)
{
	const struct outbox *box = &s->outbox;

	if (s->overflowed)
		return;
	s->overflowed = true;
	log_warn("client", "%s: queue is full (%u messages, %zu bytes; %s): %s",
		 s->client_id, box->queued, box->bytes,
		 session_attached(s) ? "connected, does not keep up" : "away",
		 what);
}

static bool crowded(const struct session *s)
{
	const struct load load = load_of(&s->outbox, CLAIM_QOS0);

	return load.messages > max_messages(s) / 2 ||
	       load.bytes > max_bytes(s) / 2;
}

static void uncrowd(struct session *s)
{
	s->crowded = false;
	s->overflowed = false;
	s->broker->crowded_count--;
}

void backlog_grew(struct session *s)
{
	if (s->crowded || !crowded(s))
		return;
	s->crowded = true;
	s->outbox.sums->moved = loop_now(s->broker->loop);
	s->broker->crowded_count++;
}

/* Once what came meanwhile has gone, or at once if nobody takes it. */
void backlog_contract(struct session *s)
{
	s->extended = false;
	s->extended = session_attached(s) && crowded(s);
}

void backlog_extend(struct session *s)
{
	s->extended = true;
	if (s->crowded && !crowded(s))
		uncrowd(s);
}

void backlog_moved(struct session *s)
{
	if (s->crowded)
		s->outbox.sums->moved = loop_now(s->broker->loop);
}

void backlog_shrank(struct session *s)
{
	if (s->extended && !s->playing)
		backlog_contract(s);
	if (!s->crowded)
		return;
	s->outbox.sums->moved = loop_now(s->broker->loop);
	s->broker->crowded_moved = true;
	if (!crowded(s))
		uncrowd(s);
}

void backlog_configure(struct broker *broker)
{
	struct hash_node *at = NULL;
	size_t slot = 0;

	while ((at = hash_table_walk(&broker->sessions, &slot, at))) {
		struct session *s = hash_entry(at, struct session, by_id);

		backlog_grew(s);
		if (s->crowded && !crowded(s))
			uncrowd(s);
	}
	broker->crowded_moved = true;
}

void backlog_left(struct session *s)
{
	if (s->crowded)
		s->broker->crowded_moved = true;
}

uint64_t backlog_stuck_for(const struct session *s)
{
	return s->crowded ? loop_now(s->broker->loop) - s->outbox.sums->moved
			  : 0;
}

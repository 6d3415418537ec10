#include "tests/broker/sim_check.h"

#include <assert.h>

#include "broker/core.h"
#include "broker/peer/connection.h"
#include "broker/routing/topic_tree.h"
#include "broker/session/session.h"

struct sums {
	size_t sessions;
	size_t attached;
	size_t subscriptions;
	size_t bytes;
	size_t crowded;
};

static size_t list_count(const struct list *head)
{
	size_t n = 0;

	for (const struct list *at = head->next; at != head; at = at->next) {
		assert(at->next->prev == at);
		n++;
	}
	return n;
}

static void check_outbox(const struct outbox *box)
{
	uint32_t inflight = 0, queued = 0, queued_qos0 = 0;
	uint32_t replayed = 0, droppable = 0, begun = 0;
	size_t bytes = 0;

	assert(box->sent <= box->count && box->count <= box->cap);
	for (uint32_t i = 0; i < box->count; i++) {
		const struct outgoing *o = outbox_at(box, i);

		assert(o->seq < box->next_seq);
		assert(i == 0 || o->seq > outbox_seq(box, i - 1));
		if (o->message && !o->replay)
			bytes += message_size(o->message);
		if (o->state == OUTGOING_DONE) {
			assert(!o->message && !o->identifiers);
			continue;
		}
		assert(o->message || i < box->sent ||
		       o->state == OUTGOING_RELEASED);
		inflight += i < box->sent;
		queued += i >= box->sent;
		queued_qos0 += i >= box->sent && o->qos == 0;
		replayed += i >= box->sent && o->replay;
		droppable += i >= box->sent && o->qos == 0 && !o->replay;
		begun += o->qos == 2 && !o->replay &&
			 (o->state != OUTGOING_QUEUED || o->inherited);
	}
	assert((box->sums ? box->sums->replayed : 0) == replayed);
	assert((box->sums ? box->sums->droppable : 0) == droppable);
	assert((box->sums ? box->sums->begun : 0) == begun);
	assert(box->inflight == inflight);
	assert(box->queued == queued);
	assert(box->queued_qos0 == queued_qos0);
	assert(box->bytes == bytes);
}

static void check_session(const struct session *s, struct sums *sums)
{
	uint32_t inbound = 0;

	assert(list_count(&s->subscriptions) == s->subscription_count);
	check_outbox(&s->outbox);
	for (size_t i = 0; s->inbound && i < 65536 / 8; i++)
		inbound += (uint32_t)__builtin_popcount(s->inbound[i]);
	assert(inbound == s->inbound_count);
	if (s->connection)
		assert(s->connection->session == s);
	else
		assert(s->local || s->outbox.sent == 0);
	assert(session_attached(s) || session_durable(s));
	sums->sessions++;
	sums->attached += session_attached(s);
	sums->subscriptions += s->subscription_count;
	sums->bytes += s->outbox.bytes;
	sums->crowded += s->crowded;
}

static void check_connections(const struct broker *broker,
			      const struct list *list)
{
	for (const struct list *at = list->next; at != list; at = at->next) {
		const struct connection *c =
			(const struct connection
				 *)(const void *)((const char *)at -
						  offsetof(struct connection,
							   link));

		assert(c->broker == broker);
		if (c->state == CONNECTION_CONNECTED ||
		    c->state == CONNECTION_ACCEPTING)
			assert(c->session && c->session->connection == c);
		else
			assert(!c->session);
		assert(list_linked(&c->gate.link) || c->gate.count == 0);
	}
}

void sim_check(const struct broker *broker)
{
	const struct hash_node *at = NULL;
	struct sums sums = { 0 };
	size_t slot = 0;

	while ((at = hash_table_walk(&broker->sessions, &slot, at)))
		check_session((const struct session
				       *)(const void *)((const char *)at -
							offsetof(struct session,
								 by_id)),
			      &sums);
	assert(sums.sessions == broker->session_count);
	assert(sums.attached == broker->attached_count);
	assert(sums.subscriptions == broker->subscription_count);
	assert(sums.bytes == broker->queued_bytes);
	assert(sums.crowded == broker->crowded_count);
	assert(list_count(&broker->connections) + list_count(&broker->doomed) ==
	       broker->connection_count);
	check_connections(broker, &broker->connections);
	check_connections(broker, &broker->doomed);
}

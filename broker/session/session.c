#include "broker/session/session.h"

#include <errno.h>
#include <stdlib.h>

#include "broker/base/clock.h"
#include "broker/base/log.h"
#include "broker/core.h"
#include "broker/limits.h"
#include "broker/origin.h"
#include "broker/peer/connection.h"
#include "broker/routing/router.h"
#include "broker/routing/shared.h"
#include "broker/routing/subscriptions.h"
#include "broker/session/backlog.h"
#include "broker/session/delivery.h"
#include "broker/session/hold.h"
#include "broker/session/playback.h"
#include "broker/session/will_row.h"

#define INBOUND_BYTES (65536 / 8)

struct session *session_find(const struct broker *broker,
			     struct slice client_id)
{
	struct hash_node *at =
		hash_table_first(&broker->sessions, hash_bytes(client_id));

	for (; at; at = hash_table_next(at)) {
		struct session *s = hash_entry(at, struct session, by_id);

		if (slice_equal(slice_str(s->client_id), client_id))
			return s;
	}
	return NULL;
}

static void on_timer(struct loop_timer *timer);

struct session *session_new(struct broker *broker, struct slice client_id,
			    const char *user)
{
	struct session *s = calloc(1, sizeof(*s));
	char *id;
	int r;

	if (!s)
		return NULL;
	id = strndup((const char *)client_id.data, client_id.len);
	if (!id)
		goto err_free;
	s->client_id = id;
	s->user = user;
	r = session_set_address(s, "");
	free(id);
	if (r < 0)
		goto err_free;
	s->broker = broker;
	s->id = broker->next_session++;
	s->timer.fn = on_timer;
	s->since = clock_wall_ms();
	list_init(&s->subscriptions);
	list_init(&s->waiting);
	outbox_init(&s->outbox);
	hash_table_add(&broker->sessions, &s->by_id,
		       hash_bytes(slice_str(s->client_id)));
	broker->session_count++;
	return s;

err_free:
	free(s);
	return NULL;
}

int session_set_address(struct session *s, const char *address)
{
	struct origin *origin =
		origin_new(s->user ? s->user : "", s->client_id, address);

	if (!origin)
		return -ENOMEM;
	origin_unref(s->origin);
	s->origin = origin;
	s->client_id = origin->client_id;
	s->user = s->user ? origin->user : NULL;
	return 0;
}

static void session_free(struct session *s)
{
	struct broker *broker = s->broker;

	playback_stop(s);
	subscriptions_clear(s);
	hold_forget(s);
	broker->queued_bytes -= s->outbox.bytes;
	outbox_clear(&s->outbox);
	loop_timer_cancel(broker->loop, &s->timer);
	list_remove(&s->waiting);
	hash_table_remove(&broker->sessions, &s->by_id);
	broker->session_count--;
	broker->crowded_count -= s->crowded;
	message_unref(s->will);
	origin_unref(s->origin);
	free(s->inbound);
	free(s);
}

/* Its rows go, and payloads that only this session waited for. Returns 0, or
 * -ENOMEM: nothing has changed then. */
static int remove_rows(struct session *s)
{
	struct store *store = s->broker->store;

	if (!session_durable(s) || !store)
		return 0;
	if (store->ops->session_remove(store, s->id) < 0)
		return -ENOMEM;
	broker_ticket(s->broker);
	hold_forget(s);
	for (uint32_t i = 0; i < s->outbox.count; i++) {
		struct outgoing *o = outbox_at(&s->outbox, i);

		/* For lack of memory they go with the next start. */
		if (o->stored)
			store->ops->queue_remove(store, s->id, o->seq, o->row);
		if (o->stored && o->message && --o->message->store_rows == 0)
			store->ops->message_remove(store, o->message->id);
		o->stored = false;
		o->ticket = 0;
	}
	return 0;
}

void session_remove(struct session *s)
{
	backlog_left(s);
	subscriptions_clear(s);
	shared_hand_over(s->broker, s);
	will_row_remove(s);
	if (remove_rows(s) < 0) {
		hold_forget(s);
		log_error("client",
			  "%s: out of memory: its session is back after a "
			  "restart",
			  s->client_id);
	}
	session_free(s);
}

void session_free_all(struct broker *broker)
{
	struct hash_node *node;
	size_t slot;

	for (;;) {
		slot = 0;
		node = hash_table_walk(&broker->sessions, &slot, NULL);
		if (!node)
			return;
		session_free(hash_entry(node, struct session, by_id));
	}
}

int session_save(struct session *s)
{
	struct store *store = s->broker->store;
	const struct store_session row = {
		.id = s->id,
		.client_id = slice_str(s->client_id),
		.user = slice_str(s->user ? s->user : ""),
		.expiry = s->expiry,
		.version = (uint8_t)s->version,
	};
	int r;

	if (!store || !session_durable(s))
		return 0;
	r = store->ops->session_save(store, &row);
	if (r == 0)
		broker_ticket(s->broker);
	return r;
}

struct access_verdict session_may(const struct session *s, struct slice topic,
				  enum access_action action)
{
	if (!s->user)
		return (struct access_verdict){ .allowed = true,
						.admin = true };
	return access_may(s->broker->access, s->user, s->client_id, topic,
			  action);
}

static uint64_t seconds(uint32_t s)
{
	return (uint64_t)s * 1000;
}

static uint32_t granted_expiry(const struct session *s)
{
	uint32_t most = s->broker->options.max_session_expiry;

	return s->expiry > most ? most : s->expiry;
}

void session_start_expiry(struct session *s)
{
	uint64_t gone_for = loop_now(s->broker->loop) - s->gone;
	uint64_t due = seconds(granted_expiry(s));

	if (s->will && seconds(s->will_delay) < due)
		due = seconds(s->will_delay);
	loop_timer_set(s->broker->loop, &s->timer,
		       due > gone_for ? due - gone_for : 0);
}

/* Absent: the will delay or the session has run out, whichever is first
 * [MQTT-3.1.3-9]. */
static void on_timer(struct loop_timer *timer)
{
	struct session *s = list_entry(timer, struct session, timer);
	uint64_t gone_for = loop_now(s->broker->loop) - s->gone;
	bool over = gone_for >= seconds(granted_expiry(s));

	if (s->will && (over || gone_for >= seconds(s->will_delay)))
		router_publish_will(s);
	if (!over) {
		session_start_expiry(s);
		return;
	}
	log_info("client", "%s: session expired", s->client_id);
	s->broker->count.sessions_expired++;
	session_remove(s);
}

void session_detach(struct session *s, bool will)
{
	s->connection = NULL;
	s->local = NULL;
	playback_stop(s);
	backlog_contract(s);
	s->broker->attached_count--;
	s->since = clock_wall_ms();
	s->gone = loop_now(s->broker->loop);
	/* While it still says what has been sent. */
	hold_write(s);
	outbox_rewind(&s->outbox);
	backlog_grew(s);
	backlog_left(s);

	if (!will) {
		message_unref(s->will);
		s->will = NULL;
		will_row_remove(s);
	}
	if (s->will && (s->will_delay == 0 || !session_durable(s)))
		router_publish_will(s);
	if (!session_durable(s))
		session_remove(s);
	else
		session_start_expiry(s);
}

int session_set_expiry(struct session *s, uint32_t expiry)
{
	if (expiry == 0 && remove_rows(s) < 0)
		return -ENOMEM;
	s->expiry = expiry;
	return 0;
}

bool session_inbound_has(const struct session *s, uint16_t packet_id)
{
	return s->inbound && s->inbound[packet_id / 8] & 1 << packet_id % 8;
}

int session_inbound_add(struct session *s, uint16_t packet_id)
{
	if (session_inbound_has(s, packet_id))
		return -EALREADY;
	if (!s->inbound) {
		s->inbound = calloc(1, INBOUND_BYTES);
		if (!s->inbound)
			return -ENOMEM;
	}
	s->inbound[packet_id / 8] |= (uint8_t)(1 << packet_id % 8);
	s->inbound_count++;
	return 0;
}

int session_inbound_remove(struct session *s, uint16_t packet_id)
{
	if (!session_inbound_has(s, packet_id))
		return -ENOENT;
	s->inbound[packet_id / 8] &= (uint8_t)(~(1 << packet_id % 8));
	s->inbound_count--;
	return 0;
}

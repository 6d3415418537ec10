#include "broker/session/delivery.h"

#include <errno.h>
#include <stdlib.h>

#include "broker/admin/local_link.h"
#include "broker/core.h"
#include "broker/limits.h"
#include "broker/peer/connection.h"
#include "broker/routing/admission.h"
#include "broker/session/backlog.h"
#include "broker/session/hold.h"
#include "broker/session/playback.h"
#include "broker/session/session.h"

/* From here on the outbox holds back: half is left for what must not wait. */
#define OUTPUT_ROOM (LIMIT_OUTPUT / 2)

/* For a PUBLISH of this number. */
static bool window_open(const struct session *s, uint64_t seq)
{
	return s->outbox.inflight < s->connection->receive_maximum &&
	       s->outbox.inflight < s->broker->options.max_inflight &&
	       outbox_span(&s->outbox, seq) < LIMIT_INFLIGHT_SPAN;
}

static bool connected(const struct session *s)
{
	return s->connection && s->connection->state == CONNECTION_CONNECTED;
}

static void message_row_release(struct broker *broker, struct message *m)
{
	if (--m->store_rows == 0)
		broker->store->ops->message_remove(broker->store, m->id);
}

void delivery_finish(struct session *session, uint32_t i)
{
	struct broker *broker = session->broker;
	struct outbox *box = &session->outbox;
	struct outgoing *o = outbox_at(box, i);
	const size_t before = box->bytes;

	if (o->held)
		hold_release(session, o);
	if (o->stored) {
		broker->store->ops->queue_remove(broker->store, session->id,
						 o->seq, o->row);
		if (o->message)
			message_row_release(broker, o->message);
	}
	outbox_finish(box, i);
	broker->queued_bytes -= before - box->bytes;
	backlog_shrank(session);
}

/* It has been sent, or may be at any moment without a word to the store. */
static uint8_t row_state(const struct session *session,
			 const struct outgoing *o)
{
	return o->state == OUTGOING_SENT || connected(session) ? STORE_PUBLISHED
							       : STORE_QUEUED;
}

int delivery_store(struct session *session, uint32_t i)
{
	struct broker *broker = session->broker;
	struct store *store = broker->store;
	struct outgoing *o = outbox_at(&session->outbox, i);
	const uint64_t seq = outbox_seq(&session->outbox, i);
	const struct store_queued row = {
		.session = session->id,
		.seq = seq,
		.message = o->message->id,
		.packet_id = outbox_packet_id(seq),
		.state = row_state(session, o),
		.qos = o->qos,
		.retain = o->retain,
		.share = o->share,
		.identifiers = outgoing_identifiers(o),
	};

	if (!o->message->store_rows &&
	    store->ops->message_save(store, o->message) < 0)
		return -ENOMEM;
	o->message->store_rows++;
	if (store->ops->queue_save(store, &row) < 0) {
		message_row_release(broker, o->message);
		return -ENOMEM;
	}
	o->stored = true;
	o->row = row.message;
	return 0;
}

/* Put it into the outbox. Returns the slot, or NULL when out of memory. */
static struct outgoing *enqueue(struct session *session, struct publish *p,
				const struct delivery *d, bool keep)
{
	struct broker *broker = session->broker;
	struct outgoing o = {
		.state = OUTGOING_QUEUED,
		.share = d->share,
		.qos = d->qos,
		.retain = d->retain,
		.replay = d->replay,
	};
	const size_t before = session->outbox.bytes;
	struct outgoing *slot;

	if (keep) {
		if (!publish_message(broker, p))
			return NULL;
		o.message = message_ref(p->message);
	}
	if (!outgoing_set_identifiers(&o, d->identifiers))
		goto err_unref;
	slot = outbox_push(&session->outbox, &o);
	if (!slot)
		goto err_free;
	broker->queued_bytes += session->outbox.bytes - before;
	backlog_grew(session);
	return slot;

err_free:
	free(o.identifiers);
err_unref:
	message_unref(o.message);
	return NULL;
}

/* Whoever subscribes to everything, again and again, and never reads. */
static bool too_much_replay(struct session *session)
{
	const struct broker_options *limits = &session->broker->options;
	const struct outbox *box = &session->outbox;

	if (!box->sums ||
	    (box->sums->replayed < 2 * (uint64_t)limits->max_retained &&
	     box->sums->replayed_bytes < 2 * limits->max_retained_bytes))
		return false;
	if (session->connection)
		connection_close_soon(session->connection, MQTT_QUOTA_EXCEEDED,
				      "too many retained messages wait for it");
	return true;
}

/* Room for a message of QoS 1 or 2. One that has been admitted finds some, unless
 * it reaches the session twice; others, which nobody could be refused, may not. */
static bool room_for(struct session *session, const struct publish *p,
		     const struct delivery *d)
{
	if (d->replay)
		return !too_much_replay(session);
	if (backlog_make_room(session, admission_size(p), d->qos) ||
	    p->admitted)
		return true;
	backlog_tell(session, "a will, which cannot be refused, is dropped");
	return false;
}

static int send_qos0(struct session *session, struct publish *p,
		     const struct delivery *d)
{
	struct connection *c = session->connection;
	const struct publish_options options = {
		.identifiers = d->identifiers,
		.retain = d->retain,
	};
	size_t room = d->replay ? OUTPUT_ROOM : LIMIT_OUTPUT;
	int r;

	if (!connected(session))
		return 0;
	/* What waits in the outbox at QoS 0 goes first, to keep the order. */
	if (!session->outbox.queued_qos0 && !session->playing &&
	    c->output.len < room) {
		r = publish_send(session->broker, c, p, &options);
		return r == -EMSGSIZE ? 0 : r;
	}
	if (d->replay ? too_much_replay(session)
		      : !backlog_make_room(session, admission_size(p), 0)) {
		backlog_lost(session);
		return 0;
	}
	return enqueue(session, p, d, true) ? 0 : -ENOMEM;
}

/* The slot just enqueued, to a client whose window is open. On error the slot is
 * gone, unless it is kept for later. */
static int send_now(struct session *session, struct publish *p,
		    const struct delivery *d)
{
	struct outbox *box = &session->outbox;
	const uint32_t i = box->count - 1;
	const struct publish_options options = {
		.identifiers = d->identifiers,
		.packet_id = outbox_packet_id(outbox_seq(box, i)),
		.qos = d->qos,
		.retain = d->retain,
	};
	int r = publish_send(session->broker, session->connection, p, &options);

	if (r == -ENOMEM) {
		connection_close_soon(session->connection,
				      MQTT_UNSPECIFIED_ERROR, "out of memory");
		/* Without its message nobody could send it again. */
		if (!outbox_at(box, i)->message)
			delivery_finish(session, i);
		return session_durable(session) ? 0 : -ENOMEM;
	}
	outbox_mark_sent(box, i);
	if (r == -EMSGSIZE)
		delivery_finish(session, i);
	return 0;
}

/* A client that is there may acknowledge it before it must be written. */
static bool may_hold(const struct session *session, const struct publish *p,
		     const struct delivery *d)
{
	return d->qos == 1 && p->may_hold && connected(session) &&
	       session->broker->options.max_delay > 0;
}

int delivery_send(struct session *session, struct publish *p,
		  const struct delivery *d)
{
	struct broker *broker = session->broker;
	const bool stored = session_durable(session) && broker->store;
	struct outgoing *slot;
	bool now;

	if (session->local)
		return local_link_deliver(session, p, d->retain);
	if (d->qos == 0)
		return send_qos0(session, p, d);
	if (!room_for(session, p, d)) {
		backlog_lost(session);
		return 0;
	}

	/* Nothing before it may wait, not even what has been given up. */
	now = connected(session) && !session->playing &&
	      session->outbox.sent == session->outbox.count &&
	      window_open(session, session->outbox.next_seq) &&
	      session->connection->output.len < LIMIT_OUTPUT &&
	      !(stored && d->qos == 2);
	/* A shared message may have to go to another member. */
	slot = enqueue(session, p, d,
		       !now || session_durable(session) || d->share);
	if (!slot)
		return -ENOMEM;
	if (stored && (!may_hold(session, p, d) || hold_add(session) < 0)) {
		if (delivery_store(session, session->outbox.count - 1) < 0) {
			delivery_finish(session, session->outbox.count - 1);
			return -ENOMEM;
		}
		p->ticket = broker_ticket(broker);
		/* A QoS 2 identifier must be on disk before it is used. */
		if (d->qos == 2)
			slot->ticket = p->ticket;
	}
	if (now)
		return send_now(session, p, d);
	if (connected(session))
		delivery_pump(session);
	return 0;
}

static bool may_send(struct session *session, const struct outgoing *o)
{
	const struct outbox *box = &session->outbox;

	if (session->connection->output.len >= OUTPUT_ROOM)
		return false;
	if (session->playing &&
	    playback_holds(session, outbox_seq(box, box->sent)))
		return false;
	if (o->state == OUTGOING_DONE || o->qos == 0)
		return true;
	if (o->ticket > session->broker->committed) {
		if (!list_linked(&session->waiting))
			list_append(&session->broker->waiting,
				    &session->waiting);
		return false;
	}
	/* The window holds back PUBLISH, not PUBREL [MQTT-3.3.4-10]. */
	return o->state == OUTGOING_RELEASED || window_open(session, o->seq);
}

/* Rules may have changed, and time has passed, since it was queued. */
static bool void_by_now(const struct session *session, const struct outgoing *o)
{
	const struct broker *broker = session->broker;

	if (o->state != OUTGOING_QUEUED || !o->message)
		return false;
	return o->message->expires <= loop_now(broker->loop) ||
	       !session_may(session, message_topic(o->message), ACCESS_READ)
			.allowed;
}

static int send_slot(struct session *session, uint32_t i)
{
	struct broker *broker = session->broker;
	struct outbox *box = &session->outbox;
	struct outgoing *o = outbox_at(box, i);
	const uint16_t packet_id = outbox_packet_id(outbox_seq(box, i));
	const struct publish_options options = {
		.identifiers = outgoing_identifiers(o),
		.packet_id = o->qos ? packet_id : 0,
		.qos = o->qos,
		.dup = o->state == OUTGOING_SENT,
		.retain = o->retain,
	};
	struct publish p;
	int r;

	if (o->state == OUTGOING_RELEASED)
		return connection_send_ack(session->connection, MQTT_PUBREL,
					   packet_id, MQTT_SUCCESS);
	publish_of_message(&p, o->message);
	r = publish_send(broker, session->connection, &p, &options);
	publish_done(&p);
	return r;
}

/* From now on only the identifier is owed. */
static int release(struct session *session, uint32_t i)
{
	struct broker *broker = session->broker;
	struct outbox *box = &session->outbox;
	struct outgoing *o = outbox_at(box, i);
	const uint64_t seq = outbox_seq(box, i);
	const struct store_queued row = {
		.session = session->id,
		.seq = seq,
		.message = o->row,
		.packet_id = outbox_packet_id(seq),
		.state = STORE_RELEASED,
		.qos = 2,
	};
	const size_t before = box->bytes;

	if (o->stored) {
		if (broker->store->ops->queue_save(broker->store, &row) < 0)
			return -ENOMEM;
		broker_ticket(broker);
		if (o->message)
			message_row_release(broker, o->message);
	}
	outbox_release(box, i);
	broker->queued_bytes -= before - box->bytes;
	backlog_shrank(session);
	return 0;
}

/* The next to be sent is not to be sent any more. A client that has it under way
 * all the same, at QoS 2, is told to let the identifier go. Returns 0 or -ENOMEM. */
static int give_up(struct session *session, uint32_t i)
{
	const struct outgoing *o = outbox_at(&session->outbox, i);
	const uint16_t packet_id = outbox_packet_id(o->seq);
	int r;

	if (o->qos < 2 || !o->inherited) {
		delivery_finish(session, i);
		return 0;
	}
	outbox_mark_sent(&session->outbox, i);
	r = release(session, i);
	return r < 0 ? r
		     : connection_send_ack(session->connection, MQTT_PUBREL,
					   packet_id, MQTT_SUCCESS);
}

static void pump_outbox(struct session *session)
{
	struct broker *broker = session->broker;
	struct outbox *box = &session->outbox;

	while (connected(session) && box->sent < box->count) {
		const uint32_t i = box->sent;
		struct outgoing *o = outbox_at(box, i);
		const size_t before = box->bytes;
		int r = 0;

		if (!may_send(session, o))
			return;
		if (void_by_now(session, o)) {
			r = give_up(session, i);
			if (r == 0)
				continue;
		} else if (o->state != OUTGOING_DONE) {
			r = send_slot(session, i);
		}
		if (r == -ENOMEM) {
			connection_close_soon(session->connection,
					      MQTT_UNSPECIFIED_ERROR,
					      "out of memory");
			return;
		}
		if (r == -EMSGSIZE) {
			delivery_finish(session, i);
			continue;
		}
		outbox_mark_sent(box, i);
		broker->queued_bytes -= before - box->bytes;
		backlog_shrank(session);
	}
}

void delivery_pump(struct session *session)
{
	do {
		pump_outbox(session);
	} while (session->playing && connected(session) &&
		 playback_pump(session));
}

enum mqtt_reason delivery_puback(struct session *session, uint16_t packet_id)
{
	int64_t i = outbox_find(&session->outbox, packet_id);

	if (i < 0)
		return MQTT_PACKET_IDENTIFIER_NOT_FOUND;
	if (outbox_at(&session->outbox, (uint32_t)i)->qos != 1)
		return MQTT_PROTOCOL_ERROR;
	delivery_finish(session, (uint32_t)i);
	if (session->outbox.queued)
		delivery_pump(session);
	return MQTT_SUCCESS;
}

enum mqtt_reason delivery_pubrec(struct session *session,
				 const struct mqtt_ack *ack)
{
	int64_t i = outbox_find(&session->outbox, ack->packet_id);
	struct outgoing *o;

	if (i < 0)
		return MQTT_PACKET_IDENTIFIER_NOT_FOUND;
	o = outbox_at(&session->outbox, (uint32_t)i);
	if (o->qos != 2)
		return MQTT_PROTOCOL_ERROR;
	if (o->state == OUTGOING_RELEASED)
		return MQTT_SUCCESS;
	/* [MQTT-4.3.3-4]: a refusal ends the handshake. */
	if (ack->reason >= MQTT_UNSPECIFIED_ERROR) {
		delivery_finish(session, (uint32_t)i);
		delivery_pump(session);
		return MQTT_SUCCESS;
	}
	return release(session, (uint32_t)i) < 0 ? MQTT_UNSPECIFIED_ERROR
						 : MQTT_SUCCESS;
}

enum mqtt_reason delivery_pubcomp(struct session *session, uint16_t packet_id)
{
	int64_t i = outbox_find(&session->outbox, packet_id);

	if (i < 0)
		return MQTT_PACKET_IDENTIFIER_NOT_FOUND;
	if (outbox_at(&session->outbox, (uint32_t)i)->state !=
	    OUTGOING_RELEASED)
		return MQTT_PROTOCOL_ERROR;
	delivery_finish(session, (uint32_t)i);
	delivery_pump(session);
	return MQTT_SUCCESS;
}

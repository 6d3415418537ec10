/*
 * What one session still has to be sent, in order: messages whose handshake is
 * under way (the first sent slots) and messages that wait behind them. One
 * circular array serves as in-flight window and as queue.
 *
 * Every slot takes the next sequence number, and a slot's packet identifier
 * follows from that (seq % 65535 + 1): an acknowledgement finds its slot by
 * subtraction, and a message on disk has its identifier before it is sent. A slot
 * finished out of order stays as a tombstone until those before it are, or until
 * a push needs the place of as many as half of all: then they go, and numbers are
 * missing between slots.
 *
 * Broker thread only. Knows no sockets and no store.
 */
#ifndef BROKER_SESSION_OUTBOX_H
#define BROKER_SESSION_OUTBOX_H

#include "broker/message.h"

enum outgoing_state {
	OUTGOING_DONE,
	OUTGOING_QUEUED, /* never sent */
	OUTGOING_SENT, /* PUBLISH sent, or to be sent again: PUBACK or PUBREC is awaited */
	OUTGOING_RELEASED, /* PUBREL sent, or to be sent again: PUBCOMP is awaited */
};

/* identifiers: see outgoing_identifiers(). message is NULL where it is never sent
 * again. */
struct outgoing {
	struct message *message; /* reference */
	uint8_t *identifiers; /* owned; NULL none */
	uint64_t ticket; /* commit number to wait for before sending; 0 none */
	uint64_t seq; /* pushed as 0: the next one */
	uint64_t row; /* stored: the message that the row names, gone or not */
	uint32_t share; /* id of the share_group it came by; 0 none */
	uint8_t state; /* enum outgoing_state */
	uint8_t qos; /* 0..2, to deliver with */
	bool retain : 1; /* RETAIN flag to deliver with */
	bool stored : 1; /* has a row in the store */
	bool replay : 1; /* a retained message for a new subscription */
	bool held : 1; /* will get one unless it is acknowledged first: hold.h */
	bool inherited : 1; /* was there at the start: if it is QUEUED, nobody
			     * knows whether it was sent before that */
};

/* Apart, because most sessions never have a message waiting. */
struct outbox_sums {
	uint32_t replayed; /* of the queued: retained, see outgoing.replay */
	uint32_t droppable; /* of the queued: at QoS 0, and not replayed */
	size_t replayed_bytes;
	size_t droppable_bytes;
	uint32_t
		begun; /* at QoS 2, of which the client may know the identifier */
	size_t begun_bytes;
	uint64_t droppable_from; /* none of them has a lower seq */
	uint64_t unsent_from; /* none that was never sent has a lower seq */
	/* backlog.h's: */
	uint32_t dropped; /* messages that there was no room for, */
	uint32_t refused; /* and publishes that failed by that; since the client
			   * came last */
	uint64_t moved; /* clock_ms() when it last did, while crowded */
};

struct outbox {
	struct outgoing *slots;
	uint32_t cap; /* power of two or 0 */
	uint32_t head; /* index of the first slot */
	uint32_t count; /* slots in use, tombstones included */
	uint32_t sent; /* of these, from the front: sent on this connection */
	uint32_t inflight; /* sent and neither done nor QoS 0 */
	uint32_t queued; /* not sent, not done */
	uint32_t queued_qos0; /* of these */
	size_t bytes; /* message sizes of all with a message but for replays,
		       * which are those of the retained set */
	struct outbox_sums *sums; /* NULL: nothing has ever been pushed */
	uint64_t next_seq; /* of the next push; seqs start at 1 */
};

/* The encoded Subscription Identifier properties to deliver with: copied, read.
 * set is false when out of memory. */
bool outgoing_set_identifiers(struct outgoing *o, struct slice identifiers);
struct slice outgoing_identifiers(const struct outgoing *o);

void outbox_init(struct outbox *box);
/* Drops the references. */
void outbox_clear(struct outbox *box);

/* Slot i of count. */
static inline struct outgoing *outbox_at(const struct outbox *box, uint32_t i)
{
	return &box->slots[(box->head + i) & (box->cap - 1)];
}

static inline uint64_t outbox_seq(const struct outbox *box, uint32_t i)
{
	return outbox_at(box, i)->seq;
}

/* How many numbers lie between the first slot and seq: no two slots on their way
 * may have the same identifier. */
static inline uint64_t outbox_span(const struct outbox *box, uint64_t seq)
{
	return box->count ? seq - outbox_seq(box, 0) : 0;
}

/* 1 for the first message of a session, as clients are used to. */
static inline uint16_t outbox_packet_id(uint64_t seq)
{
	return (uint16_t)((seq - 1) % 65535 + 1);
}

/* A slot at the end, as a copy of outgoing, whose references it takes over. Its
 * state is not DONE; its seq is 0, or at least next_seq. Returns the slot, or NULL
 * when out of memory. Valid until the next push, and so are indexes. */
struct outgoing *outbox_push(struct outbox *box,
			     const struct outgoing *outgoing);

/* Slot count - 1, or the one at sent, has been sent: it moves into the window.
 * QoS 0 is done by that. i must be box->sent. */
void outbox_mark_sent(struct outbox *box, uint32_t i);

/* The sent slot that a packet identifier names, or -1. */
int64_t outbox_find(const struct outbox *box, uint16_t packet_id);

/* Slot i is finished: its references are dropped, and slots at the front that
 * are finished go. Indexes change. */
void outbox_finish(struct outbox *box, uint32_t i);

/* PUBREC came for slot i: its message goes, its identifier stays. */
void outbox_release(struct outbox *box, uint32_t i);

enum outbox_kind {
	OUTBOX_QOS0, /* waiting at QoS 0 */
	OUTBOX_UNSENT, /* waiting, never sent */
	OUTBOX_UNANSWERED, /* at QoS 1, sent, to be sent again */
};

/* The oldest slot of this kind that waits and is not replayed, or -1. */
int64_t outbox_oldest(struct outbox *box, enum outbox_kind kind);

/* The connection is gone: everything is to be sent again, in order. */
void outbox_rewind(struct outbox *box);

#endif

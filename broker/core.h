/*
 * What the files of the broker share: struct broker itself. Nobody outside
 * broker/ includes this. Everything here belongs to the broker thread, but for
 * the mailbox.
 */
#ifndef BROKER_CORE_H
#define BROKER_CORE_H

#include "broker/admin.h"
#include "broker/base/hash.h"
#include "broker/base/list.h"
#include "broker/base/loop.h"
#include "broker/base/mailbox.h"
#include "broker/broker.h"
#include "broker/peer/output.h"
#include "broker/routing/publish.h"

struct bans;
struct history_rules;
struct guard;
struct listener;
struct matcher;
struct reconfigured;
struct retained;
struct session;
struct topic_cache;
struct sys_topics;
struct topic_tree;
struct trace;

/* Something another thread wants done on the broker's. The first member of what
 * is posted; run() owns it from then on. */
struct broker_call {
	void (*run)(struct broker *broker, struct broker_call *call);
	/* Instead, when the broker has come to its end: by the thread that frees
	 * it, while everything else of it is still there. */
	void (*drop)(struct broker *broker, struct broker_call *call);
};

struct broker {
	struct loop *loop;
	struct broker_options options; /* with defaults filled in */
	struct reconfigured *reconfigured; /* NULL: never */
	struct listener **listeners;
	size_t listener_count;
	bool closed; /* nobody but clients of listeners with a user is let in */
	bool stopping;
	bool rated; /* see rate.h */
	bool refusing; /* the store takes no more that is to be kept */
	bool gates_due; /* somebody has what a publisher waited for */
	bool crowded_moved; /* one of crowded_count has moved, or gone */
	bool making_scram; /* a password check under way makes keys, too */

	struct mailbox *mailbox; /* of struct broker_call */
	atomic_bool ended; /* nobody takes from it any more */
	struct loop_source mailbox_source;
	struct mailbox *auth_replies;
	struct loop_source auth_source;
	struct loop_source store_source;
	struct loop_source history_source;
	struct loop_timer sweep; /* of expired retained messages */
	struct store *store; /* NULL: none */
	uint64_t committed; /* batches up to this one are on disk */
	uint64_t written; /* the last batch that anything was put in */

	struct hash_table sessions; /* by Client Identifier */
	struct hash_table shares; /* groups of shared subscriptions */
	struct hash_table shares_by_id;
	struct hash_table by_serial; /* connections waiting for the hasher */
	struct list connections;
	struct list arrivals; /* peers that may not speak MQTT yet */
	struct list dirty; /* have output to flush at the end of the turn */
	struct list doomed; /* to be freed at the end of the turn */
	struct list gated; /* connections whose gate is not empty */
	struct list holding; /* of hold.h: sessions some of whose rows wait */
	struct loop_timer hold_timer;
	struct list values; /* of retain_hold.h */
	struct loop_timer values_timer;
	struct list waiting; /* sessions whose outbox waits for a commit */
	struct list
		paused; /* connections not read because the store is behind */
	struct list stalled; /* connections not read because a queue is full */
	struct list portioned; /* those whose SUBSCRIBE goes on next turn */
	struct list
		failing; /* connections to be closed at the end of the turn */
	struct list locals; /* local clients */
	struct hash_table legacies; /* wills of before the start: legacy.h */
	struct list playbacks; /* of playback.h */
	size_t playback_count;
	size_t connection_count;
	size_t arrival_count;
	size_t long_connects; /* half received */
	size_t session_count;
	size_t attached_count; /* sessions with a client */
	size_t attached_most; /* at a time, since the start */
	size_t subscription_count;
	size_t shared_count; /* of these, in $share groups */
	size_t replay_work; /* of this turn: portion.h */
	size_t crowded_count; /* sessions whose queue is more than half full */

	struct sys_topics *sys_topics;
	struct topic_tree *tree;
	struct topic_cache *cache;
	struct matcher *matcher;
	struct retained *retained;
	struct output_pool *pool;
	struct bans *bans;
	struct history_rules *history_rules; /* NULL: nothing is kept */
	uint64_t history_generation; /* as access_generation */
	struct guard *guard;
	struct trace *trace; /* NULL: none is running */
	struct trace *trace_ended; /* the last one, to be freed */
	uint64_t ban_logged; /* when a peer last was turned away by one */
	struct access *access;
	uint64_t
		access_generation; /* cached verdicts of another one are void */

	uint8_t *
		mount_buffer; /* a topic with its mount point; NULL: none yet */
	uint8_t *read_buffer; /* a torn tail and one read behind it */
	size_t read_size;
	uint8_t *encode_buffer; /* head of a packet that is no template */
	uint8_t *
		properties_buffer; /* forwardable ones of the packet being read */
	struct publish_templates *templates;

	uint64_t next_session;
	uint64_t next_message;
	uint64_t next_serial;
	uint64_t next_playback;
	size_t queued_bytes; /* over all sessions */
	uint64_t started; /* clock_ms() */
	struct {
		uint64_t messages_received;
		uint64_t messages_sent;
		uint64_t messages_dropped;
		uint64_t publishes_refused; /* for want of room in a queue */
		uint64_t bytes_received;
		uint64_t bytes_sent;
		uint64_t packets_received;
		uint64_t packets_sent; /* but for PUBLISH */
		uint64_t payload_received; /* bytes, of PUBLISH */
		uint64_t payload_sent;
		uint64_t sockets; /* opened */
		uint64_t connects; /* accepted */
		uint64_t sessions_expired;
		uint64_t held_back; /* times, by rate.h */
		uint64_t connects_refused;
		uint64_t banned; /* refused or disconnected by a ban */
		uint64_t playbacks; /* begun */
		uint64_t messages_played;
	} count;
};

/* Numbers that are 0 become those of limits.h. */
void broker_fill_defaults(struct broker_options *options);

/* Post from another thread. Returns 0 or -EAGAIN: call is still the caller's. */
int broker_post(struct broker *broker, struct broker_call *call);

/* By any thread: does nobody run what is posted any more? */
static inline bool broker_ended(const struct broker *broker)
{
	return atomic_load(&broker->ended);
}

/* The number of the batch being filled: for an acknowledgement of what has just
 * been put into the store. Never before that: a batch with nothing in it is not
 * committed, and who waits for it waits for ever. 0 without a store. */
uint64_t broker_ticket(struct broker *broker);
/* The number of the last batch that anything was put in: for a repeated answer,
 * which must not overtake what the first one waited for. */
static inline uint64_t broker_written(const struct broker *broker)
{
	return broker->written;
}

#endif

/*
 * What outlives a connection: subscriptions, what still has to be sent, QoS 2
 * identifiers received, the will, expiry. Keyed by Client Identifier. A session
 * is attached to at most one connection or local client.
 *
 * A durable session (Session Expiry Interval above 0) is in the store; the others
 * end with their connection and cost no disk.
 */
#ifndef BROKER_SESSION_SESSION_H
#define BROKER_SESSION_SESSION_H

#include "broker/access.h"
#include "broker/base/hash.h"
#include "broker/base/loop.h"
#include "broker/session/outbox.h"
#include "broker/wire/framing.h"

struct broker;
struct connection;
struct hold;
struct local_client;
struct origin;
struct publish;
struct subscription;

struct session {
	struct hash_node by_id;
	struct broker *broker;
	struct connection *connection; /* NULL: absent or local */
	struct local_client *local;
	struct origin *origin; /* has the next two, and the last address */
	const char *user; /* whose it is; "" anonymous; NULL the system's own */
	const char *client_id;
	uint64_t id; /* key in the store */
	struct list subscriptions;
	struct list waiting; /* in broker->waiting */
	struct hold *hold; /* rows that wait (hold.h), or NULL */
	struct loop_timer timer; /* will delay or expiry, while absent */
	struct outbox outbox;
	uint8_t *inbound; /* bitmap of QoS 2 identifiers received, or NULL */
	struct message *will; /* its time and expiry are set when published */
	int64_t since; /* wall clock: attached, or gone */
	uint64_t gone; /* clock_ms() when it lost its connection */
	uint32_t will_delay; /* seconds */
	uint32_t will_expiry; /* seconds from its publication */
	uint32_t
		expiry; /* seconds, STORE_EXPIRY_NEVER; 0 ends with connection */
	uint32_t subscription_count;
	uint32_t no_local_count; /* of its subscriptions */
	uint16_t predicate_count; /* different ones of its subscriptions */
	uint16_t inbound_count; /* one for each identifier at most */
	/* Scratch of the topic cache: where this session stands in the list that
	 * is being built. */
	uint64_t route_stamp;
	uint32_t route_index;
	enum mqtt_version version : 8;
	bool will_expires;
	bool will_kept : 1; /* in the store: will_row.h */
	bool crowded : 1; /* its queue is more than half full: backlog.h */
	bool overflowed : 1; /* told in the log that its queue is full */
	bool playing : 1; /* something is played back to it: playback.h */
	bool extended : 1; /* its queue may be longer for that */
};

static inline bool session_attached(const struct session *s)
{
	return s->connection || s->local;
}

static inline bool session_durable(const struct session *s)
{
	return s->expiry > 0;
}

struct session *session_find(const struct broker *broker,
			     struct slice client_id);
/* A new one, from nowhere yet, under a client identifier that has none. NULL when
 * out of memory. */
struct session *session_new(struct broker *broker, struct slice client_id,
			    const char *user);
/* Its messages come from this address from now on. Returns 0, or -ENOMEM: nothing
 * has changed then. Pointers to client_id and user are void after it. */
int session_set_address(struct session *session, const char *address);
/* Forget it: subscriptions, queue, row. Not attached any more. The will is not
 * published. A row that the store has no memory to remove comes back with the next
 * start, which the log tells. */
void session_remove(struct session *session);
/* At shutdown: free memory, leave the store alone. */
void session_free_all(struct broker *broker);

/* The access rules' verdict on the session's user and client identifier. */
struct access_verdict session_may(const struct session *session,
				  struct slice topic,
				  enum access_action action);

/* Save its row, if it is durable. Returns 0 or -ENOMEM. */
int session_save(struct session *session);

/* The connection has ended: the will is published or delayed, the session ends
 * or its expiry begins. will: false after a DISCONNECT that discards it. */
void session_detach(struct session *session, bool will);
/* Set how long it lives without a connection. Returns 0, or -ENOMEM: it is as
 * before. */
int session_set_expiry(struct session *session, uint32_t expiry);
/* Begin to count towards its end (also for those just loaded). */
void session_start_expiry(struct session *session);

/* QoS 2 identifiers received and not yet released. Returns 0, -EALREADY if it
 * was there, -ENOENT if it was not, -ENOMEM. */
int session_inbound_add(struct session *session, uint16_t packet_id);
int session_inbound_remove(struct session *session, uint16_t packet_id);
bool session_inbound_has(const struct session *session, uint16_t packet_id);

#endif

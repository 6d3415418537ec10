/*
 * One peer: its transport, the packets on their way in and out, its timers. What
 * the packets mean is protocol.h's; what outlives the connection is session.h's.
 *
 * Broker thread only.
 */
#ifndef BROKER_PEER_CONNECTION_H
#define BROKER_PEER_CONNECTION_H

#include "broker/base/buffer.h"
#include "broker/base/hash.h"
#include "broker/base/loop.h"
#include "broker/peer/output.h"
#include "broker/peer/transport.h"
#include "broker/session/gate.h"
#include "broker/wire/framing.h"
#include "broker/wire/reason.h"

struct alias_out;
struct broker;
struct listener;
struct message;
struct scram;
struct session;
struct topic_entry;

enum connection_state {
	CONNECTION_OPEN, /* CONNECT is awaited */
	CONNECTION_EXCHANGING, /* AUTH is awaited */
	CONNECTION_AUTHENTICATING, /* the hasher has the password */
	CONNECTION_ACCEPTING, /* CONNACK waits for the store */
	CONNECTION_CONNECTED,
	CONNECTION_CLOSING, /* to be flushed and shut down at the end of the turn */
	CONNECTION_LINGERING, /* our end is shut; read until the peer ends, so that
			       * it gets our last packet instead of a reset */
};

#define CONNECTION_VERDICTS 4

/* "May write" verdicts: the topic entry's serial, and the access table's. */
struct verdict_cache {
	uint64_t entry;
	uint64_t access;
};

/* While AUTHENTICATING or EXCHANGING: login.h. */
struct login;

/* What only clients that publish need; most of a house's only listen. */
struct publisher {
	struct topic_entry
		*last; /* it published to; see router_known_topic() */
	uint64_t last_age;
	struct verdict_cache verdicts[CONNECTION_VERDICTS];
	uint64_t
		denial_logged; /* clock_ms() of the last refused publish logged */
	uint32_t unanswered; /* PUBLISH at QoS 1 and 2: what the client's quota
			      * lacks of our Receive Maximum (4.9), or less: a
			      * PUBCOMP for an earlier connection's counts, too */
	uint64_t stalled_until; /* clock_ms() when admission.h gives up; or 0 */
};

/* Topics that a 5.0 client has given aliases (3.3.2.3.4). */
struct alias_table;

struct connection {
	struct loop_source source;
	struct broker *broker;
	struct listener *listener; /* NULL: adopted from the web server */
	struct session *session; /* once CONNECTED or ACCEPTING */
	struct transport transport;
	struct output output;
	struct gate gate;
	uint8_t *tail; /* bytes not yet understood */
	struct list link;
	struct list dirty;
	struct list paused; /* in broker->paused: not read while the store is
			     * behind; or in broker->stalled or ->portioned */
	struct list failing; /* in broker->failing: connection_close_soon() */
	const char *failure;
	struct answers *answers; /* to a SUBSCRIBE that is taken in portions */
	struct login *login; /* NULL: nobody is asked for anything */
	struct scram *scram; /* the exchange under way, or NULL */
	struct loop_timer
		timer; /* CONNECT deadline, then keep-alive, then linger */
	struct alias_table *aliases;
	struct alias_out *aliases_out; /* with the first PUBLISH to it */
	struct rate *rate; /* NULL: not limited so far */
	char *cookie_user; /* the browser session's user, or NULL */
	uint64_t tag; /* of the browser session; 0 none */
	uint64_t last_heard; /* clock_ms() of the last whole packet */
	struct publisher *publisher; /* with its first PUBLISH */
	enum mqtt_reason failure_reason : 8;
	enum connection_state state : 8;
	enum mqtt_version version : 8; /* 0: not known yet */
	uint32_t tail_len;
	uint32_t max_packet; /* the client's Maximum Packet Size */
	uint32_t own_max_packet; /* ours towards it */
	uint32_t received; /* PUBLISH */
	uint32_t sent;
	uint16_t receive_maximum; /* the client's: our window towards it */
	uint16_t own_receive_maximum; /* as it was told in CONNACK */
	uint16_t keep_alive; /* seconds, as granted */
	uint16_t aliases_allowed; /* that we may set, at most our own limit */
	bool mounted : 1; /* its listener has a mount point: mount.h */
	bool input_paused : 1;
	bool traced : 1; /* broker->trace means it */
	bool long_connect : 1; /* in broker->long_connects */
	bool enhanced : 1; /* SCRAM was agreed on: it may authenticate again */
	bool held : 1; /* the packet at hand is to be read again */
	bool again : 1; /* it is being read again */
	bool problem_information : 1; /* the client wants to be told why: reply.h */
	bool clean_disconnect : 1; /* DISCONNECT discarded the will */
	bool peer_gone : 1; /* nobody is there to read a last packet */
	char address[]; /* "192.0.2.7:49152" */
};

struct connection_options {
	struct listener *listener;
	int fd; /* taken */
	struct ssl_st *ssl; /* taken */
	bool websocket;
	const char *address;
	const char *cookie_user;
	uint64_t tag;
	uint64_t waited; /* milliseconds since it was accepted */
};

/* Returns NULL when out of memory or the loop cannot take fd: then nothing was
 * taken. */
struct connection *connection_new(struct broker *broker,
				  const struct connection_options *options);
/* At shutdown only; else connection_close(). */
void connection_free(struct connection *c);

/* Bytes that came from somewhere else: the hand-over of a WebSocket, tests. For a
 * WebSocket they are frames. */
void connection_feed(struct connection *c, struct slice raw);
/* Stop reading from the socket; go on, with what was left first. */
void connection_pause(struct connection *c);
void connection_resume(struct connection *c);

/* CONNACK has left: the keep-alive begins. */
void connection_start_keep_alive(struct connection *c);

/* At the end of the turn, for those that are closing: flush, shut down, free or
 * linger. */
void connection_bury(struct connection *c);

/*
 * End the connection at the end of the turn. why goes to the log with name and
 * address. A 5.0 client that is connected is sent DISCONNECT with the reason
 * first, unless that is MQTT_SUCCESS (it left by itself) or the transport broke.
 * The session is detached at once, its will published. Harmless when closing.
 */
void connection_close(struct connection *c, enum mqtt_reason reason,
		      const char *why);

/* The same, from where sessions are being walked: done at the end of the turn.
 * why must be a literal. */
void connection_close_soon(struct connection *c, enum mqtt_reason reason,
			   const char *why);

/* Output waits: flush at the end of the turn. */
void connection_mark_dirty(struct connection *c);
void connection_flush(struct connection *c);

/* Append bytes; -ENOMEM closes nothing. */
int connection_send(struct connection *c, const void *bytes, size_t len);
/* PUBACK, PUBREC, PUBREL, PUBCOMP now. Returns 0 or -ENOMEM. */
int connection_send_ack(struct connection *c, enum mqtt_packet_type type,
			uint16_t packet_id, enum mqtt_reason reason);
/* The same when ticket has been committed and *message, if there is one, is over
 * (hold.h), behind those that already wait. Its reference is taken when it has to
 * be waited for: *message is then NULL. Returns 0, -ENOMEM, -ENOBUFS. */
int connection_ack_held(struct connection *c, enum mqtt_packet_type type,
			uint16_t packet_id, enum mqtt_reason reason,
			uint64_t ticket, struct message **message);
/* The same without one. */
int connection_ack(struct connection *c, enum mqtt_packet_type type,
		   uint16_t packet_id, enum mqtt_reason reason,
		   uint64_t ticket);
/* A whole packet likewise; packet is copied. */
int connection_send_gated(struct connection *c, struct slice packet,
			  uint64_t ticket);
/* The store has committed: let out what waited. */
void connection_open_gate(struct connection *c);

/* Who it is, for the log: client identifier if known, and address. */
const char *connection_name(const struct connection *c, char out[160]);

#endif

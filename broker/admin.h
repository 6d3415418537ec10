/*
 * What a manager may ask from another thread. An admin handle belongs to one
 * thread. Calls post a request to the broker thread and wait for its answer
 * (less than a loop turn, ordinarily well under a millisecond); they return
 * -ETIMEDOUT when the broker has not answered in 5 s, -EAGAIN when its mailbox
 * is full, -ESHUTDOWN when it has stopped, and -ENOMEM.
 *
 * Results are copies in one piece of memory, given back by free().
 */
#ifndef BROKER_ADMIN_H
#define BROKER_ADMIN_H

#include "broker/access.h"
#include "broker/bans.h"
#include "broker/guard.h"
#include "broker/limits.h"
#include "broker/message.h"
#include "broker/store.h"

struct admin;
struct broker;
struct ssl_st;

struct admin *admin_open(struct broker *broker);
void admin_close(struct admin *admin);

struct admin_counters {
	uint64_t uptime_ms;
	uint64_t connections; /* now */
	uint64_t sessions; /* connected or not */
	uint64_t subscriptions;
	uint64_t retained;
	uint64_t retained_bytes;
	uint64_t queued; /* messages waiting over all sessions */
	uint64_t queued_bytes;
	uint64_t messages_received; /* PUBLISH, since start */
	uint64_t messages_sent;
	uint64_t messages_dropped;
	uint64_t bytes_received;
	uint64_t bytes_sent;
	uint64_t connects_refused;
	uint64_t store_pending; /* batches not yet committed */
	bool has_store;
	enum store_health store_health;
	int store_refuses; /* 0, or the negative errno: store.h */
};

int admin_counters(struct admin *admin, struct admin_counters *out);

enum admin_transport {
	ADMIN_TCP,
	ADMIN_WEBSOCKET,
	ADMIN_UNIX,
	ADMIN_LOCAL,
};

struct admin_client {
	const char *id;
	const char *user;
	const char *address; /* "" when not connected */
	uint8_t version; /* 3, 4, 5 */
	enum admin_transport transport;
	bool connected;
	bool clean; /* ends with its connection */
	uint32_t expiry; /* seconds, STORE_EXPIRY_NEVER */
	uint16_t keep_alive; /* seconds */
	int64_t since; /* wall clock ms: connected or, if absent, gone since */
	uint32_t subscriptions;
	uint32_t queued;
	uint32_t inflight;
	size_t queued_bytes; /* with those in flight */
	size_t output; /* bytes its socket has not taken yet */
	uint32_t dropped; /* messages that found no room, since it came last */
	uint32_t refused; /* publishes that failed for want of room here */
	int64_t oldest; /* wall clock ms of the oldest that waits; 0: none */
	uint64_t received; /* PUBLISH from it, this connection */
	uint64_t sent;
};

struct admin_clients {
	size_t count;
	bool more; /* there are further ones after the last id */
	struct admin_client clients[];
};

enum admin_which {
	ADMIN_ALL,
	ADMIN_GHOSTS, /* sessions whose client is away */
	ADMIN_SLOW, /* connected, with messages or much output that waits, or
		     * that found no room */
};

/* In order of client identifier, those after the given one (NULL: from the
 * first), at most limit (1..1000). */
int admin_clients(struct admin *admin, enum admin_which which,
		  const char *after, size_t limit, struct admin_clients **out);

struct admin_subscription {
	const char *filter;
	uint8_t options;
};

struct admin_subscriptions {
	size_t count;
	struct admin_subscription subscriptions[];
};

/* -ENOENT: no such client. */
int admin_subscriptions(struct admin *admin, const char *client_id,
			struct admin_subscriptions **out);

/* Close with 0x98 Administrative action; remove_session also forgets it.
 * -ENOENT: no such client. */
int admin_disconnect(struct admin *admin, const char *client_id,
		     bool remove_session);

/* Close every connection of a user (deleted, disabled, password changed). */
int admin_disconnect_user(struct admin *admin, const char *user);

/* Close every connection that was handed over with this tag: the browser's session
 * has ended. */
int admin_disconnect_tag(struct admin *admin, uint64_t tag);

/* Swap the access table; the broker takes access, also on error frees it.
 * Subscriptions stay; deliveries and publishes are judged anew at once. */
int admin_set_access(struct admin *admin, struct access *access);

/* Swap the bans that people have made, taken also on error, and disconnect (0x98)
 * whom they mean; those that the broker has made itself stay. */
int admin_set_bans(struct admin *admin, struct bans *bans);

/* Swap the policies of the history: a reference is taken. They hold for the
 * messages that come from then on. */
int admin_set_history(struct admin *admin, struct history_rules *rules);

struct admin_bans {
	size_t count;
	struct ban bans[];
};

/* All that hold now, in order of id. */
int admin_bans(struct admin *admin, struct admin_bans **out);
/* Lift one that the broker has made itself. -ENOENT. */
int admin_unban(struct admin *admin, uint32_t id);

struct admin_notices {
	struct guard_counters count;
	size_t notice_count;
	struct guard_notice notices[];
};

/* What has gone wrong again and again lately (guard.h). */
int admin_notices(struct admin *admin, struct admin_notices **out);

enum admin_trace_kind { ADMIN_TRACE_CLIENT, ADMIN_TRACE_TOPIC };

struct admin_trace_options {
	enum admin_trace_kind kind;
	const char *what; /* client identifier or topic filter */
	const char *name; /* of the file, for the log */
	int fd; /* taken, also on error */
	uint32_t seconds;
	uint64_t max_bytes;
};

/* Write what a client, or what goes under a topic filter, does to a file
 * (trace.h). -EBUSY: there is a trace already. */
int admin_trace_start(struct admin *admin,
		      const struct admin_trace_options *options);
/* -ENOENT: there is none. */
int admin_trace_stop(struct admin *admin);

struct admin_trace {
	bool running;
	enum admin_trace_kind kind;
	char name[64]; /* "": there was none since the start */
	char what[LIMIT_CLIENT_ID + 1];
	int64_t begun; /* wall clock ms */
	uint32_t seconds;
	uint64_t bytes;
	uint64_t lines;
	uint64_t lost; /* lines for which the disk was too slow */
};

/* The trace that runs, or the last one. */
int admin_trace(struct admin *admin, struct admin_trace *out);

/* The box has been claimed: let clients in. */
int admin_open_mqtt(struct admin *admin);

/* The retained message of a topic: one reference, or -ENOENT. Not judged by any
 * rule: ask access_may() first. */
int admin_retained(struct admin *admin, struct slice topic,
		   struct message **out);

struct admin_messages {
	size_t count;
	bool more;
	struct message *messages[]; /* one reference each */
};

/* Retained messages that match filter, in order of topic, after a topic (empty:
 * from the first), at most limit (1..10000). Those that user (NULL: anyone) may
 * not read are left out. */
int admin_retained_list(struct admin *admin, struct slice filter,
			struct slice after, const char *user, size_t limit,
			struct admin_messages **out);
void admin_messages_free(struct admin_messages *messages);

/*
 * Hand over a socket whose WebSocket handshake is done (101 is sent): from now
 * on it is an ordinary client. All is taken on success: fd (non-blocking), ssl
 * (NULL for plain), the left-over bytes are copied. user, if not NULL, is who the
 * browser's session belongs to: CONNECT then needs no password. Does not wait
 * for the broker thread. On error everything is still the caller's.
 */
struct admin_websocket {
	int fd;
	struct ssl_st *ssl;
	struct slice left_over;
	const char *address; /* "192.0.2.7:49152" */
	const char *user;
	uint64_t tag; /* names the browser's session; 0 none */
};

int admin_adopt_websocket(struct admin *admin,
			  const struct admin_websocket *socket);

#endif

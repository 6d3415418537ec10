/*
 * The broker: owns the loop, listeners, sessions, topic tree, retained messages.
 * broker_new() and broker_load() are called by main before the thread runs;
 * broker_run() is the broker thread; broker_stop() may be called by any thread.
 * Other threads talk to it by admin.h and local_client.h only.
 */
#ifndef BROKER_BROKER_H
#define BROKER_BROKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/limits.h"

struct access;
struct authenticator;
struct bans;
struct history_rules;
struct broker;
struct history;
struct store;

enum listener_type {
	LISTENER_TCP,
	LISTENER_UNIX,
	LISTENER_WS, /* MQTT over WebSocket, on any path */
	LISTENER_TLS, /* TCP; tls_cert is required */
	LISTENER_WSS,
};

/* "one, two" in hearth.conf. */
#define NAME_LIST_MAX 16
struct name_list {
	const char *names[NAME_LIST_MAX];
	size_t count;
};

enum full_queue {
	FULL_QUEUE_REFUSE, /* a publish that does not fit fails: admission.h */
	FULL_QUEUE_DROP_OLDEST, /* unless its receiver is away: backlog.h */
};

struct listener_options {
	const char *name; /* for the log */
	enum listener_type type;
	uint16_t port; /* 0: the kernel chooses, see broker_listener_port() */
	bool anonymous; /* let clients without user name in as ACCESS_ANONYMOUS */
	/* Each peer is a proxy and says first, by PROXY protocol 1 or 2, for whom
	 * it comes. proxy_from: networks of the proxies; none: from everywhere. */
	bool proxy_protocol;
	struct name_list proxy_from;
	const char *address; /* numeric; "0.0.0.0", "127.0.0.1", "::" for every
			      * network of both kinds, "fe80::1%eth0" */
	const char *path; /* unix; a stale socket is replaced */
	const char *group; /* of path; NULL: our own */
	uint32_t mode; /* of path; 0: 0660 */
	unsigned int max_connections; /* 0: the broker's limit */
	uint32_t max_packet_size; /* if less than the broker's; 0: that */
	uint32_t max_keep_alive; /* likewise, seconds */
	const char *tls_cert; /* PEM files; NULL: no TLS; both or none */
	const char *tls_key;
	const char
		*tls_client_ca; /* clients must show a certificate; or NULL */
	const char *tls_client_crl; /* revoked ones; or NULL */
	struct name_list tls_sni; /* "CERTIFICATE KEY": further ones, by name */
	unsigned int tls_min; /* 0: TLS 1.2; 1: TLS 1.3 */
	/* enum tls_user: where a certificate says who comes; no password then */
	unsigned int tls_user;
	const char *user; /* not NULL: everybody here is this user, no password
			   * asked; for unix sockets guarded by their mode */
	/* Whom among those who could log in it is for: nobody else gets in here.
	 * None: everybody. */
	struct name_list users;
	/* As "cabin/": clients live under this part of the tree, as if it were all
	 * there is. NULL: none. */
	const char *mount_point;
	/* WebSocket: pages, as "https://ui.example", that may come besides those
	 * of this machine; "any". A peer that is no browser names none. */
	struct name_list origins;
};

/* The hub's own board, and satellites (db/nodes.h). */
#define BROKER_STATUS_MAX (1 + LIMIT_SATELLITES)

/* Zero means the default of limits.h. Strings and arrays are borrowed and must
 * live as long as the broker. */
struct broker_options {
	const struct listener_options *listeners;
	size_t listener_count;
	const char *node; /* for log and $SYS */
	/* Further names of this machine in the Origin of a WebSocket's page. */
	const char *const *hosts;
	size_t host_count;
	struct access *access; /* taken; NULL: no users, see access_may() */
	struct authenticator
		*authenticator; /* borrowed; NULL with access NULL */
	struct store *store; /* borrowed; NULL: nothing outlives the process */
	struct history *history; /* borrowed; NULL: none can be replayed */
	struct bans *bans; /* taken; NULL: none */
	bool closed; /* refuse every CONNECT but on listeners with a user, until
		      * admin_open_mqtt(): the box has not been claimed */
	/* Which messages are offered to store->history(); borrowed, a reference is
	 * taken. NULL: none. */
	struct history_rules *history_rules;
	/* The availability topics of hearth-gpiod, here and on satellites, at most
	 * BROKER_STATUS_MAX. Their wills end with this process: what was retained
	 * there is taken over as "offline", until they say otherwise. */
	const char *const *status_topics;
	size_t status_count;
	uint32_t set_aside; /* damaged files, told in $SYS */
	/* Where clients are sent instead, for good (moved) or for now; NULL: they
	 * are served here. See moved.h. */
	const char *server_reference;
	bool server_moved;
	/* Response Information for those who ask: a topic, in which %u and %c stand
	 * for user and client identifier; or NULL. */
	const char *response_information;
	uint32_t max_connections;
	uint32_t max_packet_size;
	uint32_t max_queue_messages;
	uint32_t max_queue_bytes;
	uint32_t max_queue_bytes_total;
	unsigned int full_queue; /* enum full_queue */
	uint32_t max_sessions;
	uint32_t max_subscriptions; /* of all sessions */
	uint32_t max_subscriptions_per_session;
	uint32_t max_retained;
	uint32_t max_retained_bytes;
	uint32_t max_inflight;
	uint32_t receive_maximum; /* ours */
	/* Not for listeners with a user, whose programs belong to the house: */
	uint32_t refused_qos; /* this and above: 1, 2; 3: none */
	bool refuse_retained;
	uint32_t max_keep_alive;
	uint32_t max_session_expiry;
	/* ms that a row may wait for a PUBACK (hold.h); 0: none waits. */
	uint32_t max_delay;
	/* What guard.h and limits.h say. Zero means off, as in limits.h. */
	uint32_t flapping;
	uint32_t flapping_ban;
	uint32_t login_failures;
	uint32_t login_ban;
	uint32_t connect_rate;
	uint32_t message_rate;
	uint32_t byte_rate;
};

/* Opens the listeners. Returns NULL with errno set, after logging which listener
 * and why. */
struct broker *broker_new(const struct broker_options *options);
/* Take over what the store kept. Returns 0 or a negative errno. */
int broker_load(struct broker *broker);
/* Serve until broker_stop(): then DISCONNECT 0x8B to 5.0 clients, sockets closed,
 * wills not sent, the store flushed. Returns 0 or a negative errno. */
int broker_run(struct broker *broker);
void broker_stop(struct broker *broker);
void broker_free(struct broker *broker);

/* The port a listener got. */
uint16_t broker_listener_port(const struct broker *broker, size_t index);

#endif

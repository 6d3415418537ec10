/*
 * The broker's door to persistence: a table of functions that the broker calls
 * and the completion it gets back. db/ fills it in; tests fill it with one in
 * memory that fails on demand; the broker also runs with none (NULL).
 *
 * All but load() are called by the broker thread and return at once: an
 * operation is put into the batch being filled. flush() hands the batch over to
 * the store's own thread at the end of a loop turn. A batch is committed whole
 * or not at all, in the order of its operations; the store may put several
 * batches in one transaction, in order, and may leave out operations that a
 * later one of the same transaction undoes.
 *
 * Batches are numbered from 1. What an operation promises holds on disk once
 * committed() has reached the number that current() gave when it was put in.
 *
 * Operations return 0 or -ENOMEM; on error nothing was put in.
 */
#ifndef BROKER_STORE_H
#define BROKER_STORE_H

#include "broker/message.h"

struct history_rules;
struct store;

#define STORE_EXPIRY_NEVER UINT32_MAX

struct store_session {
	uint64_t id; /* the broker's, unique, never 0, never used again */
	struct slice client_id;
	struct slice user;
	uint32_t
		expiry; /* Session Expiry Interval in seconds; 0 is never stored */
	uint8_t version; /* 3, 4, 5 */
};

struct store_subscription {
	struct slice filter; /* as subscribed, with $share/ or $match/ */
	uint8_t options; /* the options byte of SUBSCRIBE (5.0, 3.8.3.1) */
	uint32_t identifier; /* Subscription Identifier, 0 none */
};

enum store_queue_state {
	STORE_QUEUED, /* the client was away: not sent when this was written */
	STORE_PUBLISHED, /* PUBLISH may have been sent under packet_id */
	STORE_RELEASED, /* QoS 2: PUBREC came; only PUBREL is owed. Its message
			 * may be gone, and only names the row */
};

/* One message that waits for one session. (session, seq) is unique, and seq the
 * order of delivery; a row is found by all three, and keeps them. */
struct store_queued {
	uint64_t session;
	uint64_t seq;
	uint64_t message; /* message id */
	uint16_t packet_id; /* 0: none given yet */
	uint8_t state; /* enum store_queue_state */
	uint8_t qos; /* to deliver with: 1 or 2 */
	bool retain; /* the RETAIN flag to deliver with */
	uint32_t share; /* which group it came by: share_group.id; 0 none */
	struct slice
		identifiers; /* Subscription Identifiers, as properties encoded */
};

/* What is published for a client when the hub dies and the client does not come
 * back. session need not be a stored one: it may end with its connection. */
struct store_will {
	uint64_t session;
	struct message *message; /* its times and id mean nothing yet */
	uint32_t delay; /* seconds after the connection is lost */
	uint32_t expiry; /* seconds from its publication, STORE_EXPIRY_NEVER */
};

/* What load() hands to the broker, in this order: every session in order of ids, its
 * subscriptions; every message in order of ids; every queued row in order of
 * (session, seq); inbound identifiers; retained messages; wills. Messages are given with
 * one reference that the callee takes. A callback's negative return ends load()
 * with it. */
struct store_loader {
	int (*session)(void *arg, const struct store_session *session);
	int (*subscription)(void *arg, uint64_t session,
			    const struct store_subscription *subscription);
	int (*message)(void *arg, struct message *message);
	int (*queued)(void *arg, const struct store_queued *queued);
	int (*inbound)(void *arg, uint64_t session, uint16_t packet_id);
	int (*retained)(void *arg, struct message *message);
	int (*will)(void *arg, const struct store_will *will);
};

enum store_health {
	STORE_OK,
	STORE_DEGRADED, /* commits fail at the moment (disk full, I/O error); it
			 * keeps trying, and committed() does not advance */
};

struct store_ops {
	/* Before the broker thread runs. Message ids are unique and at least 1. */
	int (*load)(struct store *store, const struct store_loader *loader,
		    void *arg);

	/* Insert or replace. */
	int (*session_save)(struct store *store,
			    const struct store_session *session);
	/* With its subscriptions and inbound identifiers. What waits for it is
	 * removed by queue_remove() and message_remove(); rows for which there
	 * was no memory go with the next load(). */
	int (*session_remove)(struct store *store, uint64_t session);
	int (*subscription_save)(struct store *store, uint64_t session,
				 const struct store_subscription *subscription);
	int (*subscription_remove)(struct store *store, uint64_t session,
				   struct slice filter);

	/* The payload, once however many sessions wait for it. A reference is
	 * taken until it is written. */
	int (*message_save)(struct store *store, struct message *message);
	int (*message_remove)(struct store *store, uint64_t id);
	/* Insert or replace. */
	int (*queue_save)(struct store *store,
			  const struct store_queued *queued);
	int (*queue_remove)(struct store *store, uint64_t session, uint64_t seq,
			    uint64_t message);

	/* Packet identifiers of QoS 2 messages received, until their PUBREL. */
	int (*inbound_add)(struct store *store, uint64_t session,
			   uint16_t packet_id);
	int (*inbound_remove)(struct store *store, uint64_t session,
			      uint16_t packet_id);

	/* By topic. lazy: nobody was promised anything (QoS 0); written as last
	 * value of the topic every 60 s and at stop, in no batch. A reference is
	 * taken. A later save or remove of the topic replaces a lazy one. */
	int (*retained_save)(struct store *store, struct message *message,
			     bool lazy);
	int (*retained_remove)(struct store *store, struct slice topic);

	/* Insert or replace, some seconds later, in no batch: nobody is promised
	 * it. A reference is taken. */
	int (*will_save)(struct store *store, const struct store_will *will);
	int (*will_remove)(struct store *store, uint64_t session);

	/* Keep in the message history; lazily, in no batch. */
	int (*history)(struct store *store, struct message *message);
	/* How; a reference is taken. From then on, in no batch. */
	void (*history_rules)(struct store *store, struct history_rules *rules);

	/* The number of the batch being filled. */
	uint64_t (*current)(const struct store *store);
	/* Hand over the batch, if it holds anything. */
	void (*flush)(struct store *store);
	/* Everything up to this number is on disk. */
	uint64_t (*committed)(struct store *store);
	/* Readable when committed() or health() may have changed; committed()
	 * makes it unreadable. */
	int (*fd)(const struct store *store);
	/* So much waits for the disk that no more should be taken in. */
	bool (*congested)(const struct store *store);
	enum store_health (*health)(const struct store *store);
	/* 0, or the negative errno for which nothing more should be taken in that
	 * is to be kept: what is put in all the same may never be committed. fd()
	 * becomes readable when this has changed. */
	int (*refuses)(const struct store *store);
};

/* The first member of whatever implements it. */
struct store {
	const struct store_ops *ops;
};

#endif

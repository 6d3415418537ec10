/*
 * What goes wrong again and again, and who does it: passwords tried out, a client
 * that comes and goes, two clients that take one identifier from each other,
 * addresses that connect too fast. It is told once for each episode, in the log
 * and as a notice, with both addresses where there are two; and answered by a
 * short ban where hearth.conf says so.
 *
 * Broker thread only. Costs nothing for each message.
 */
#ifndef BROKER_GUARD_H
#define BROKER_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/base/slice.h"

struct broker;
struct connection;
struct guard;

enum notice_kind {
	NOTICE_FLAPPING, /* subject: a client identifier */
	NOTICE_TAKEOVERS, /* the same */
	NOTICE_LOGINS, /* subject: an address */
};

/* As long as an episode is remembered: until tomorrow somebody has looked. */
#define GUARD_NOTICE_MS (24u * 3600 * 1000)

struct guard_notice {
	enum notice_kind kind;
	const char *subject;
	const char *from; /* "192.0.2.7:49152" */
	const char *other; /* the second address, or "" */
	int64_t first; /* wall clock ms */
	int64_t last;
	uint64_t count; /* connections, take-overs, wrong passwords */
};

struct guard_counters {
	uint64_t flapping; /* episodes */
	uint64_t takeovers; /* episodes */
	uint64_t login_bans;
	uint64_t too_fast; /* connections turned away */
};

/* NULL when out of memory. */
struct guard *guard_new(struct broker *broker);
void guard_free(struct guard *guard);

/* May a peer at this address connect now, by connect_rate? */
bool guard_admits(struct guard *guard, const char *address);
/* A wrong user name or password came from here. */
void guard_login_failed(struct guard *guard, const char *address);
/* A client has ended, not by being taken over. */
void guard_disconnected(struct guard *guard, const char *client_id,
			const char *address);
/* A connection from one address has taken over that from another. */
void guard_taken_over(struct guard *guard, const char *client_id,
		      const char *from, const char *was_at);
/* An episode of this client goes on: its comings and goings are no news. */
bool guard_noisy(const struct guard *guard, const char *client_id);

const struct guard_counters *guard_counters(const struct guard *guard);

/* Those younger than GUARD_NOTICE_MS, the newest last; *at 0 at first. False at
 * the end. Texts are valid until the next call of another function. */
bool guard_next_notice(struct guard *guard, size_t *at,
		       struct guard_notice *out);

const char *notice_kind_text(enum notice_kind kind);

#endif

/*
 * Who is kept out: users, client identifiers and networks, each for a time or
 * for good, each with a reason. db/ builds the table of those that people have
 * made and posts it (admin.h); the broker adds its own for a short time. Time is
 * passed in and monotonic: a clock that jumps lets nobody in.
 *
 * One thread at a time.
 */
#ifndef BROKER_BANS_H
#define BROKER_BANS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/base/slice.h"

struct bans;

enum ban_kind { BAN_USER, BAN_CLIENT, BAN_ADDRESS };

/* From here on those that the broker has made itself; gone with the process. */
#define BAN_AUTOMATIC 0x80000000u

#define BAN_REASON_MAX 200 /* bytes: a line of a list */

struct ban {
	uint32_t id; /* never 0 */
	enum ban_kind kind;
	const char *what; /* user, client identifier, or network (cidr.h) */
	const char *reason;
	int64_t until; /* wall clock ms, shown only; 0: for good */
	uint64_t ends; /* clock_ms() when it is over; UINT64_MAX: never */
	uint64_t hits; /* refused or disconnected by it */
};

/* NULL when out of memory. */
struct bans *bans_new(void);
void bans_free(struct bans *bans);

/*
 * Strings are copied. A ban of the same kind and text is replaced, and keeps its
 * hits. Returns 0; -EINVAL for an address that is none; -ENFILE at LIMIT_BANS
 * (of automatic ones the oldest goes instead); -ENOMEM: nothing has changed.
 */
int bans_add(struct bans *bans, const struct ban *ban);
/* -ENOENT. */
int bans_remove(struct bans *bans, uint32_t id);
/* Move the automatic ones of old to bans and take over the hits of the others;
 * old is freed. */
void bans_inherit(struct bans *bans, struct bans *old);

/* The ban that holds now, its hit counted, or NULL. text of BAN_ADDRESS is a
 * peer's as the log writes it. Valid until the table is changed. */
const struct ban *bans_find(struct bans *bans, enum ban_kind kind,
			    struct slice text, uint64_t now);

/* Those that are over are freed first. */
size_t bans_count(struct bans *bans, uint64_t now);
/* In order of id; at NULL: the first. NULL at the end. */
struct ban *bans_next(struct bans *bans, struct ban *at);

/* "user", "client", "address". parse: 0 or -EINVAL. */
const char *ban_kind_text(enum ban_kind kind);
int ban_kind_parse(const char *text, enum ban_kind *out);

#endif

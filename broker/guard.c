#include "broker/guard.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/admin/tally.h"
#include "broker/bans.h"
#include "broker/base/cidr.h"
#include "broker/base/clock.h"
#include "broker/base/log.h"
#include "broker/core.h"
#include "broker/limits.h"

#define MINUTE_MS 60000
#define SECOND_MS 1000

/* Whoever is turned away comes again at once: told now and then. */
#define LOG_MS 10000

struct notice {
	char *subject; /* NULL: none here */
	struct guard_notice told;
	uint64_t last; /* clock_ms() */
	char from[TALLY_NOTE_SIZE];
	char other[TALLY_NOTE_SIZE];
};

struct guard {
	struct broker *broker;
	struct tally *ended; /* by client identifier */
	struct tally *taken_over; /* the same */
	struct tally *logins; /* by address */
	struct tally *connects; /* the same */
	struct guard_counters count;
	uint64_t fast_logged;
	struct notice notices[LIMIT_NOTICES];
};

static const char *const kinds[] = { "flapping", "takeovers", "logins" };

const char *notice_kind_text(enum notice_kind kind)
{
	return kinds[kind];
}

struct guard *guard_new(struct broker *broker)
{
	struct guard *guard = calloc(1, sizeof(*guard));

	if (!guard)
		return NULL;
	guard->broker = broker;
	guard->ended = tally_new(MINUTE_MS);
	guard->taken_over = tally_new(MINUTE_MS);
	guard->logins = tally_new(MINUTE_MS);
	guard->connects = tally_new(SECOND_MS);
	if (!guard->ended || !guard->taken_over || !guard->logins ||
	    !guard->connects) {
		guard_free(guard);
		return NULL;
	}
	return guard;
}

void guard_free(struct guard *guard)
{
	if (!guard)
		return;
	tally_free(guard->ended);
	tally_free(guard->taken_over);
	tally_free(guard->logins);
	tally_free(guard->connects);
	for (size_t i = 0; i < LIMIT_NOTICES; i++)
		free(guard->notices[i].subject);
	free(guard);
}

/* ---- notices ------------------------------------------------------------- */

static struct notice *find_notice(struct guard *guard, enum notice_kind kind,
				  const char *subject)
{
	for (size_t i = 0; i < LIMIT_NOTICES; i++) {
		struct notice *n = &guard->notices[i];

		if (n->subject && n->told.kind == kind &&
		    strcmp(n->subject, subject) == 0)
			return n;
	}
	return NULL;
}

/* An empty one, or that of the oldest episode. */
static struct notice *new_notice(struct guard *guard, enum notice_kind kind,
				 const char *subject)
{
	struct notice *oldest = &guard->notices[0];
	char *copy = strdup(subject);

	if (!copy)
		return NULL;
	for (size_t i = 0; i < LIMIT_NOTICES; i++) {
		struct notice *n = &guard->notices[i];

		if (!n->subject || n->last < oldest->last)
			oldest = n;
		if (!n->subject)
			break;
	}
	free(oldest->subject);
	*oldest = (struct notice){ .subject = copy };
	oldest->told.kind = kind;
	oldest->told.first = clock_wall_ms();
	return oldest;
}

/* More of what goes on; count is added to what has been told. */
static void note(struct guard *guard, enum notice_kind kind,
		 const char *subject, const struct tally_entry *entry,
		 uint64_t count)
{
	struct notice *n = find_notice(guard, kind, subject);

	if (!n)
		n = new_notice(guard, kind, subject);
	if (!n)
		return;
	n->told.count += count;
	n->told.last = clock_wall_ms();
	n->last = loop_now(guard->broker->loop);
	snprintf(n->from, sizeof(n->from), "%s", entry->from);
	snprintf(n->other, sizeof(n->other), "%s", entry->other);
}

bool guard_next_notice(struct guard *guard, size_t *at,
		       struct guard_notice *out)
{
	const uint64_t now = loop_now(guard->broker->loop);

	for (; *at < LIMIT_NOTICES; ++*at) {
		const struct notice *n = &guard->notices[*at];

		if (!n->subject || now >= n->last + GUARD_NOTICE_MS)
			continue;
		*out = n->told;
		out->subject = n->subject;
		out->from = n->from;
		out->other = n->other;
		++*at;
		return true;
	}
	return false;
}

const struct guard_counters *guard_counters(const struct guard *guard)
{
	return &guard->count;
}

/* ---- episodes ------------------------------------------------------------ */

static void ban(struct guard *guard, enum ban_kind kind, const char *what,
		const char *reason, uint32_t seconds)
{
	const uint64_t ms = (uint64_t)seconds * 1000;
	const struct ban made = {
		.id = BAN_AUTOMATIC,
		.kind = kind,
		.what = what,
		.reason = reason,
		.until = clock_wall_ms() + (int64_t)ms,
		.ends = loop_now(guard->broker->loop) + ms,
	};

	if (seconds == 0)
		return;
	if (bans_add(guard->broker->bans, &made) < 0)
		log_error("guard", "%s cannot be banned: out of memory", what);
	else
		log_warn("guard", "%s %s is banned for %u s: %s",
			 ban_kind_text(kind), what, seconds, reason);
}

/* The address alone: IPv6 peers have a whole /64 to draw from. False for those
 * without, and for this machine, where many programs share it. */
static bool address_key(const char *address, struct cidr *out)
{
	if (!cidr_peer(address, out) || cidr_loopback(out))
		return false;
	cidr_limit(out, 64);
	return true;
}

bool guard_admits(struct guard *guard, const char *address)
{
	const uint32_t rate = guard->broker->options.connect_rate;
	const uint64_t now = loop_now(guard->broker->loop);
	const struct tally_entry *entry;
	struct cidr key;

	if (rate == 0 || !cidr_peer(address, &key))
		return true;
	cidr_limit(&key, 64);
	tally_add(guard->connects, slice_of(&key, sizeof(key)), address, 0, now,
		  &entry);
	if (!entry || entry->count <= rate)
		return true;
	guard->count.too_fast++;
	if (!guard->fast_logged || now >= guard->fast_logged + LOG_MS) {
		guard->fast_logged = now;
		log_warn("listener",
			 "%s turned away: more than %u connections a second",
			 address, rate);
	}
	return false;
}

void guard_login_failed(struct guard *guard, const char *address)
{
	const struct broker_options *o = &guard->broker->options;
	const struct tally_entry *entry;
	char what[CIDR_TEXT_SIZE];
	enum tally_result result;
	struct cidr key;
	uint32_t news;

	if (o->login_failures == 0 || !address_key(address, &key))
		return;
	result = tally_add(guard->logins, slice_of(&key, sizeof(key)), address,
			   o->login_failures, loop_now(guard->broker->loop),
			   &entry);
	if (result == TALLY_QUIET)
		return;
	/* Also when the episode goes on: the ban before has ended. */
	news = result == TALLY_BEGINS ? entry->count : 1;
	guard->count.login_bans++;
	cidr_text(&key, what);
	note(guard, NOTICE_LOGINS, what, entry, news);
	ban(guard, BAN_ADDRESS, what, "too many wrong passwords", o->login_ban);
}

static const char *and_other(const struct tally_entry *entry, char out[96])
{
	out[0] = '\0';
	if (entry->other[0])
		snprintf(out, 96, " and %s", entry->other);
	return out;
}

void guard_disconnected(struct guard *guard, const char *client_id,
			const char *address)
{
	const struct broker_options *o = &guard->broker->options;
	const uint64_t now = loop_now(guard->broker->loop);
	const struct tally_entry *entry;
	char other[96];

	if (o->flapping == 0)
		return;
	switch (tally_add(guard->ended, slice_str(client_id), address,
			  o->flapping, now, &entry)) {
	case TALLY_QUIET:
		return;
	case TALLY_GOES_ON:
		note(guard, NOTICE_FLAPPING, client_id, entry, 1);
		return;
	case TALLY_BEGINS:
		break;
	}
	guard->count.flapping++;
	note(guard, NOTICE_FLAPPING, client_id, entry, entry->count);
	log_warn("client",
		 "%s: flapping: came and went %u times in a minute, from %s%s; "
		 "its connections are not logged until that is over",
		 client_id, entry->count, entry->from, and_other(entry, other));
	ban(guard, BAN_CLIENT, client_id, "flapping", o->flapping_ban);
}

void guard_taken_over(struct guard *guard, const char *client_id,
		      const char *from, const char *was_at)
{
	const struct broker_options *o = &guard->broker->options;
	const uint64_t now = loop_now(guard->broker->loop);
	struct tally_entry both = { 0 };
	const struct tally_entry *entry;
	enum tally_result result;

	if (o->flapping == 0)
		return;
	result = tally_add(guard->taken_over, slice_str(client_id), from,
			   o->flapping, now, &entry);
	if (result == TALLY_QUIET)
		return;
	snprintf(both.from, sizeof(both.from), "%s", from);
	snprintf(both.other, sizeof(both.other), "%s", was_at);
	note(guard, NOTICE_TAKEOVERS, client_id, &both,
	     result == TALLY_BEGINS ? entry->count : 1);
	if (result == TALLY_GOES_ON)
		return;
	guard->count.takeovers++;
	log_warn("client",
		 "%s: two clients of this identifier, at %s and %s, take it "
		 "from each other: %u times in a minute; they are not logged "
		 "until that is over",
		 client_id, from, was_at, entry->count);
	ban(guard, BAN_CLIENT, client_id, "two clients of one identifier",
	    o->flapping_ban);
}

bool guard_noisy(const struct guard *guard, const char *client_id)
{
	const uint64_t now = loop_now(guard->broker->loop);
	const struct slice key = slice_str(client_id);

	return tally_active(guard->ended, key, now) ||
	       tally_active(guard->taken_over, key, now);
}

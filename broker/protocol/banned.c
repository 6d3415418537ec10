#include "broker/protocol/banned.h"

#include <stdio.h>

#include "broker/bans.h"
#include "broker/base/log.h"
#include "broker/core.h"
#include "broker/peer/connection.h"
#include "broker/session/session.h"

/* A banned peer that does not give up must not fill the log. */
#define LOG_MS 10000

bool banned_address(struct broker *broker, const char *address)
{
	const uint64_t now = loop_now(broker->loop);
	const struct ban *ban =
		bans_find(broker->bans, BAN_ADDRESS, slice_str(address), now);

	if (!ban)
		return false;
	broker->count.banned++;
	if (!broker->ban_logged || now >= broker->ban_logged + LOG_MS) {
		broker->ban_logged = now;
		log_info("listener", "%s turned away: %s is banned: %s",
			 address, ban->what, ban->reason);
	}
	return true;
}

static const struct ban *find(struct connection *c, struct slice client_id,
			      struct slice user)
{
	struct bans *bans = c->broker->bans;
	const uint64_t now = loop_now(c->broker->loop);
	const struct ban *ban =
		bans_find(bans, BAN_ADDRESS, slice_str(c->address), now);

	if (!ban)
		ban = bans_find(bans, BAN_CLIENT, client_id, now);
	if (!ban)
		ban = bans_find(bans, BAN_USER, user, now);
	if (ban)
		c->broker->count.banned++;
	return ban;
}

bool banned(struct connection *c, struct slice client_id, struct slice user,
	    char why[BANNED_SIZE])
{
	const struct ban *ban = find(c, client_id, user);

	if (ban)
		snprintf(why, BANNED_SIZE, "this %s is banned: %.*s",
			 ban_kind_text(ban->kind), BAN_REASON_MAX, ban->reason);
	return ban != NULL;
}

void banned_sweep(struct broker *broker)
{
	struct list *at, *after;
	char why[BANNED_SIZE];

	list_for_each (at, after, &broker->connections) {
		struct connection *c = list_entry(at, struct connection, link);
		const struct session *s = c->session;

		/* Closing one may close no other: a will that is published
		 * only queues. */
		if (s && banned(c, slice_str(s->client_id),
				slice_str(s->user ? s->user : ""), why))
			connection_close(c, MQTT_ADMINISTRATIVE_ACTION, why);
	}
}

/*
 * A session's subscriptions: in the topic tree, or in a group of it for
 * $share/..., with a predicate for $match/..., and the topic cache told of each change. Memory only: the caller
 * tells the store.
 *
 * Broker thread only.
 */
#ifndef BROKER_ROUTING_SUBSCRIPTIONS_H
#define BROKER_ROUTING_SUBSCRIPTIONS_H

#include "broker/base/slice.h"

struct session;
struct subscription;

/* Take a subscription or replace its options; filter is valid, with $share/,
 * $history/ and $match/ if it has them: with another predicate, or another history,
 * it is another subscription.
 * *replaced says which. Returns 0, -ENOMEM, -EDQUOT at a limit, -EINVAL if the
 * predicate is malformed. */
int subscriptions_add(struct session *session, struct slice filter,
		      uint8_t options, uint32_t identifier, bool *replaced);
/* The subscription to exactly this filter, or NULL. */
const struct subscription *subscriptions_find(const struct session *session,
					      struct slice filter);
/* Returns 0 or -ENOENT. */
int subscriptions_remove(struct session *session, struct slice filter);
void subscriptions_clear(struct session *session);

/* The filter as it was subscribed to, written to out (at most size bytes).
 * Returns its length, which may exceed size. */
size_t subscription_filter(const struct subscription *subscription, char *out,
			   size_t size);

#endif

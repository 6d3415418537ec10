/*
 * What a client wants to hear, over all its connections, and how far the server
 * has been asked for it on this one.
 */
#ifndef BROKER_CLIENT_CLIENT_SUBSCRIPTIONS_H
#define BROKER_CLIENT_CLIENT_SUBSCRIPTIONS_H

#include "broker/client/client.h"

enum client_asked {
	CLIENT_NOT_ASKED,
	CLIENT_ASKED,
	CLIENT_ANSWERED, /* granted or refused: not again in this session */
};

struct client_subscription {
	char *filter;
	uint8_t qos;
	enum client_asked asked;
	uint16_t id; /* of the SUBSCRIBE, while CLIENT_ASKED */
};

struct client_subscriptions {
	struct client_subscription entry[CLIENT_SUBSCRIPTIONS];
	size_t count;
};

void client_subscriptions_free(struct client_subscriptions *all);

/* filter is copied. As client_subscribe(). */
int client_subscriptions_add(struct client_subscriptions *all,
			     const char *filter, uint8_t qos);
/* The first that has not been asked for, or NULL. */
struct client_subscription *
client_subscriptions_next(struct client_subscriptions *all);
/* The one asked for with this identifier, or NULL. */
struct client_subscription *
client_subscriptions_find(struct client_subscriptions *all, uint16_t id);
/* A new connection. same_session: what was answered need not be asked again. */
void client_subscriptions_rewind(struct client_subscriptions *all,
				 bool same_session);

#endif

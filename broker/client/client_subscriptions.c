#include "broker/client/client_subscriptions.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "broker/wire/topic.h"
#include "broker/wire/utf8.h"

void client_subscriptions_free(struct client_subscriptions *all)
{
	for (size_t i = 0; i < all->count; i++)
		free(all->entry[i].filter);
	all->count = 0;
}

int client_subscriptions_add(struct client_subscriptions *all,
			     const char *filter, uint8_t qos)
{
	size_t len = strlen(filter);
	char *copy;

	if (qos > 1 || len > 65535 || !utf8_valid(slice_str(filter)) ||
	    !topic_filter_valid(slice_str(filter)))
		return -EINVAL;
	for (size_t i = 0; i < all->count; i++)
		if (strcmp(all->entry[i].filter, filter) == 0)
			return 0;
	if (all->count == CLIENT_SUBSCRIPTIONS)
		return -ENOBUFS;

	copy = malloc(len + 1);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, filter, len + 1);
	all->entry[all->count++] = (struct client_subscription){
		.filter = copy,
		.qos = qos,
	};
	return 0;
}

struct client_subscription *
client_subscriptions_next(struct client_subscriptions *all)
{
	for (size_t i = 0; i < all->count; i++)
		if (all->entry[i].asked == CLIENT_NOT_ASKED)
			return &all->entry[i];
	return NULL;
}

struct client_subscription *
client_subscriptions_find(struct client_subscriptions *all, uint16_t id)
{
	for (size_t i = 0; i < all->count; i++)
		if (all->entry[i].asked == CLIENT_ASKED &&
		    all->entry[i].id == id)
			return &all->entry[i];
	return NULL;
}

void client_subscriptions_rewind(struct client_subscriptions *all,
				 bool same_session)
{
	for (size_t i = 0; i < all->count; i++)
		if (!same_session || all->entry[i].asked != CLIENT_ANSWERED)
			all->entry[i].asked = CLIENT_NOT_ASKED;
}

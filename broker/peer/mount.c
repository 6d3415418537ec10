#include "broker/peer/mount.h"

#include <errno.h>
#include <stdlib.h>

#include "broker/core.h"
#include "broker/limits.h"
#include "broker/peer/connection.h"
#include "broker/peer/listener.h"
#include "broker/routing/topic_tree.h"
#include "broker/session/session.h"
#include "broker/wire/topic.h"

/* Bytes of a topic or filter (1.5.4). */
#define TOPIC_MAX 65535

struct slice mount_of(const struct connection *c)
{
	return slice_str(listener_options(c->listener)->mount_point);
}

static bool begins(struct slice text, struct slice prefix)
{
	return text.len >= prefix.len &&
	       memcmp(text.data, prefix.data, prefix.len) == 0;
}

/* before, the prefix, behind. Made when the first client needs it. */
static int join(const struct connection *c, struct slice before,
		struct slice behind, struct slice *out)
{
	struct broker *broker = c->broker;
	const struct slice prefix = mount_of(c);
	uint8_t *at;

	if (before.len + prefix.len + behind.len > TOPIC_MAX)
		return -EMSGSIZE;
	if (!broker->mount_buffer)
		broker->mount_buffer = malloc(TOPIC_MAX);
	at = broker->mount_buffer;
	if (!at)
		return -ENOMEM;
	if (before.len > 0)
		memcpy(at, before.data, before.len);
	memcpy(at + before.len, prefix.data, prefix.len);
	memcpy(at + before.len + prefix.len, behind.data, behind.len);
	*out = slice_of(at, before.len + prefix.len + behind.len);
	return 0;
}

int mount_topic(const struct connection *c, struct slice *topic)
{
	return join(c, slice_of(NULL, 0), *topic, topic);
}

int mount_filter(const struct connection *c, struct slice *filter)
{
	struct topic_parts parts;
	struct slice before;

	if (topic_split(*filter, &parts) < 0)
		return 0;
	before = slice_of(filter->data, filter->len - parts.filter.len);
	return join(c, before, parts.filter, filter);
}

struct slice mount_strip(const struct connection *c, struct slice topic)
{
	const struct slice prefix = mount_of(c);

	if (topic.len <= prefix.len || !begins(topic, prefix))
		return topic;
	return slice_of(topic.data + prefix.len, topic.len - prefix.len);
}

bool mount_holds(const struct connection *c, const struct session *session)
{
	const struct slice prefix = mount_of(c);
	struct list *at, *after;

	list_for_each (at, after, &session->subscriptions) {
		const struct subscription *sub =
			list_entry(at, struct subscription, in_session);
		char filter[LIMIT_MOUNT_POINT];

		if (topic_node_filter(sub->node, filter, sizeof(filter)) <
			    prefix.len ||
		    memcmp(filter, prefix.data, prefix.len) != 0)
			return false;
	}
	return true;
}

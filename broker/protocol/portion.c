#include "broker/protocol/portion.h"

#include "broker/core.h"
#include "broker/limits.h"
#include "broker/peer/connection.h"
#include "broker/routing/retained.h"
#include "broker/wire/topic.h"

/* Bytes of a payload that cost a predicate as much as a topic does. */
#define BYTES_PER_TOPIC 64

/* Topics to look at, or as much. */
static size_t cost_of(const struct broker *broker,
		      const struct mqtt_subscription *entry, bool matched)
{
	struct topic_parts parts;

	if (entry->retain_handling == 2 ||
	    topic_split(entry->filter, &parts) < 0 ||
	    !topic_has_wildcard(parts.filter))
		return 1;
	if (!matched && !parts.predicate.data)
		return 1 + retained_count(broker->retained);
	return 1 + retained_count(broker->retained) +
	       retained_bytes(broker->retained) / BYTES_PER_TOPIC;
}

bool portion_more(struct broker *broker, const struct mqtt_subscription *entry,
		  bool matched)
{
	const size_t cost = cost_of(broker, entry, matched);

	/* At least one, or it would never end. */
	if (broker->replay_work > 0 &&
	    broker->replay_work + cost > LIMIT_REPLAY_WORK)
		return false;
	broker->replay_work += cost;
	return true;
}

void portion_wait(struct connection *c)
{
	c->held = true;
	connection_pause(c);
	list_append(&c->broker->portioned, &c->paused);
}

void portion_resume(struct broker *broker)
{
	struct list portioned;
	struct list *first;

	broker->replay_work = 0;
	list_init(&portioned);
	list_take_all(&portioned, &broker->portioned);
	while ((first = list_first(&portioned))) {
		list_remove(first);
		connection_resume(list_entry(first, struct connection, paused));
	}
}

#include "web/history_walk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "broker/access.h"
#include "broker/wire/topic.h"

static bool may_read(const struct request *request, const char *topic)
{
	return access_may(request->web->access, request->user, "$web",
			  slice_str(topic), ACCESS_READ)
		.allowed;
}

int history_walk_begin(struct history_walk *walk, const struct request *request,
		       struct slice filter, const char *from_topic,
		       uint64_t after)
{
	size_t count;
	size_t kept = 0;
	int r;

	walk->web = request->web;
	walk->at = 0;
	r = db_history_topics(request->web->history, &walk->topics, &count);
	if (r)
		return r;
	for (size_t i = 0; i < count; i++) {
		const char *topic = walk->topics[i].topic;

		if (!topic_matches(filter, slice_str(topic)) ||
		    (from_topic && strcmp(topic, from_topic) < 0) ||
		    !may_read(request, topic))
			continue;
		walk->topics[kept++] = walk->topics[i];
	}
	walk->count = kept;
	/* The topic it ended in may be gone meanwhile. */
	walk->after =
		from_topic && kept &&
				strcmp(walk->topics[0].topic, from_topic) == 0
			? after
			: 0;
	return 0;
}

void history_walk_end(struct history_walk *walk)
{
	free(walk->topics);
	walk->topics = NULL;
}

int history_walk_next(struct history_walk *walk, size_t limit,
		      const char **topic, struct db_history_samples **out)
{
	while (walk->at < walk->count) {
		struct db_history_query query = {
			.from = walk->from,
			.to = walk->to,
			.after = walk->after,
			.limit = limit,
		};
		int r;

		*topic = walk->topics[walk->at].topic;
		query.topic = slice_str(*topic);
		r = db_history_samples(walk->web->history, &query, out);
		if (r)
			return r;
		if ((*out)->more && (*out)->count) {
			walk->after = (*out)->samples[(*out)->count - 1].cursor;
		} else {
			walk->at++;
			walk->after = 0;
		}
		if ((*out)->count)
			return 1;
		free(*out);
	}
	return 0;
}

/*
 * Samples of all topics that a filter matches and somebody may read, one topic
 * after the other in order of name, each oldest first, a page at a time: nothing
 * is held between pages but where they ended.
 */
#ifndef WEB_HISTORY_WALK_H
#define WEB_HISTORY_WALK_H

#include "db/history.h"
#include "web/request.h"

struct history_walk {
	struct web_context *web;
	struct db_history_topic *topics; /* those that are walked through */
	size_t count;
	size_t at;
	uint64_t after; /* within the topic */
	int64_t from;
	int64_t to;
};

/* from_topic, after: where the page before ended; NULL and 0 at the beginning.
 * Returns 0 or a negative errno. */
int history_walk_begin(struct history_walk *walk, const struct request *request,
		       struct slice filter, const char *from_topic,
		       uint64_t after);
void history_walk_end(struct history_walk *walk);

/* The next samples, of one topic, at most limit; *out is freed by free(). 1, 0:
 * there are no more, or a negative errno. */
int history_walk_next(struct history_walk *walk, size_t limit,
		      const char **topic, struct db_history_samples **out);

#endif

/*
 * The topics of one day of the history that a filter matches: by the directory, for
 * a row whose topic it does not name for the day, or that is older than it says,
 * is there no more.
 */
#ifndef DB_HISTORY_TOPICS_OF_DAY_H
#define DB_HISTORY_TOPICS_OF_DAY_H

#include "broker/base/buffer.h"

struct sqlite3;
struct statement;

struct topic_of_day {
	int64_t id;
	int64_t first; /* ms since 1970 UTC: its oldest row */
	size_t name; /* offset in text */
	size_t len;
};

struct topics_of_day {
	uint32_t day;
	struct topic_of_day *list; /* by id */
	size_t count;
	size_t cap;
	struct buffer text;
	int64_t only; /* the one topic, if there is an index to find it by; or 0 */
};

enum topics_of_day_order { TOPICS_OF_DAY_UP, TOPICS_OF_DAY_DOWN };

/* Returns 0, -ENOMEM, -ENOBUFS or another negative errno; is to be freed then,
 * too. */
int topics_of_day_read(struct topics_of_day *topics, struct sqlite3 *sqlite,
		       uint32_t day, struct slice filter);
void topics_of_day_free(struct topics_of_day *topics);

/* A statement for the day's rows: id, topic, payload, origin, user, client. To be
 * bound: the first id, the last, how many rows at most. */
void topics_of_day_select(const struct topics_of_day *topics,
			  struct statement *s, struct sqlite3 *sqlite,
			  enum topics_of_day_order order);

/* The topic of a row, or NULL if it is another's. */
const struct topic_of_day *
topics_of_day_find(const struct topics_of_day *topics, int64_t topic,
		   int64_t row);
struct slice topics_of_day_name(const struct topics_of_day *topics,
				const struct topic_of_day *topic);

#endif

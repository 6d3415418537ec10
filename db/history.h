/*
 * Questions about what was said when. A connection that only reads and belongs
 * to one thread (web); it sees what the store has committed, which is at most
 * half a minute behind.
 */
#ifndef DB_HISTORY_H
#define DB_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/base/slice.h"

struct db;
struct db_history;

/* Bytes of a payload that are kept: values and small JSON, no pictures. */
#define DB_HISTORY_PAYLOAD_MAX 1024
#define DB_HISTORY_LIMIT_MAX 10000 /* rows of one answer */

int db_history_open(struct db *db, struct db_history **out);
/* NULL does nothing. */
void db_history_close(struct db_history *history);

struct db_history_topic {
	const char *topic;
	uint64_t samples;
	int64_t first; /* ms since 1970 UTC */
	int64_t last;
};

/* In order of topic; strings and array in one piece of memory, freed by free().
 * Returns 0 or a negative errno. */
int db_history_topics(struct db_history *history, struct db_history_topic **out,
		      size_t *count);

struct db_history_query {
	struct slice topic;
	int64_t from; /* ms since 1970 UTC, both included */
	int64_t to;
	uint64_t after; /* cursor of the answer before; 0: from the beginning */
	size_t limit; /* 1..DB_HISTORY_LIMIT_MAX */
};

struct db_history_sample {
	uint64_t cursor;
	int64_t time;
	double value;
	bool has_value; /* a number, or ON/OFF, true/false as 1 and 0 */
	struct slice payload; /* the first DB_HISTORY_PAYLOAD_MAX bytes */
	bool binary; /* the payload is no UTF-8 text */
	const char *user;
	const char *client;
	const char *address;
};

struct db_history_samples {
	size_t count;
	bool more; /* ask again with after = cursor of the last sample */
	struct db_history_sample samples[];
};

/* Oldest first; one piece of memory, freed by free(). An unknown topic has no
 * samples. -EINVAL: limit; -EBADMSG: the file is damaged; -ENOMEM. */
int db_history_samples(struct db_history *history,
		       const struct db_history_query *query,
		       struct db_history_samples **out);

/* What a payload is worth as a number; false if it is none. */
bool db_history_value(struct slice payload, double *out);

#endif

/*
 * The numbers that stand for topics and origins in history.db: found or given,
 * and remembered as long as the transaction they were given in has not failed.
 */
#ifndef DB_HISTORY_NAMES_H
#define DB_HISTORY_NAMES_H

#include "db/history_topics.h"
#include "db/statement.h"

struct origin;
struct sqlite3;

enum history_names_sql {
	NAMES_TOPIC_FIND,
	NAMES_TOPIC_ADD,
	NAMES_ORIGIN_FIND,
	NAMES_ORIGIN_ADD,
	NAMES_SQL
};

struct history_names {
	struct statement sql[NAMES_SQL];
	struct history_topics topics;

	/* Who published last, and its number: most rows have few origins. */
	uint32_t day;
	struct origin *origin;
	int64_t origin_id;
};

/* Returns 0 or a negative errno; then it may be freed. One that is all zero may
 * be freed, too. */
int history_names_init(struct history_names *names, struct sqlite3 *sqlite);
void history_names_free(struct history_names *names);

int history_names_topic(struct history_names *names, struct slice topic,
			int64_t *id);
/* Numbers of origins belong to a day (YYYYMMDD). */
int history_names_origin(struct history_names *names, uint32_t day,
			 struct origin *origin, int64_t *id);

/* A transaction was undone, or days were dropped: numbers may be wrong. */
void history_names_forget(struct history_names *names);

#endif

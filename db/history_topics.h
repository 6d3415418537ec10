/*
 * Topics of the history by their number in the file, and what the policy wants
 * to know of each.
 */
#ifndef DB_HISTORY_TOPICS_H
#define DB_HISTORY_TOPICS_H

#include "broker/base/hash.h"
#include "broker/history_rules.h"
#include "broker/message.h"

struct history_topic {
	struct hash_node node;
	int64_t id; /* in the file; 0: not looked up */
	uint64_t rules; /* which ones the policy is of; 0: none yet */
	struct history_policy policy;
	int64_t last_time;
	uint64_t last_payload; /* hash */
	bool seen;
	size_t len;
	uint8_t topic[];
};

struct history_topics {
	struct hash_table table;
	size_t max;
};

/* 0 or -ENOMEM. */
int history_topics_init(struct history_topics *topics, size_t max);
void history_topics_free(struct history_topics *topics);

/* Found or made; NULL when out of memory. At max all others are forgotten. */
struct history_topic *history_topics_get(struct history_topics *topics,
					 struct slice topic);
/* The numbers may be wrong: a transaction was undone. */
void history_topics_forget_ids(struct history_topics *topics);

#endif

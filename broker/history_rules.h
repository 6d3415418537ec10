/*
 * Which messages go into the history and how long they stay there: one policy
 * for each Topic Filter. Of those that match a topic the one says that is more
 * exact at the first level where they differ: a name before '+', '+' before '#'.
 * Topics that none matches are not kept.
 *
 * A filter whose last level is a wildcard leaves out commands and their results
 * (topics that end in /set and /result): the state that follows tells the same.
 * One that names that level keeps them.
 *
 * Filled by one thread, then immutable and reference-counted: the broker asks
 * which topics it wants, the store's thread what of them.
 */
#ifndef BROKER_HISTORY_RULES_H
#define BROKER_HISTORY_RULES_H

#include <stddef.h>
#include <stdint.h>

#include "broker/base/slice.h"

struct history_rules;

/* Each is asked for every topic that is new to a cache. */
#define HISTORY_RULES_MAX 64

/* More than anybody keeps, and day numbers that can be reckoned with. */
#define HISTORY_KEEP_DAYS_MAX 3660
#define HISTORY_KEEP_ROWS_MAX 100000000
#define HISTORY_INTERVAL_MAX_MS 86400000

struct history_policy {
	bool keep; /* false: nothing of these topics */
	bool on_change; /* only when the payload differs from the one before */
	bool averages; /* numbers are kept as averages for years */
	uint32_t min_interval_ms; /* of one topic; 0: every message */
	uint32_t days; /* that messages stay; 0: as long as usual */
	uint32_t rows; /* of one topic, the newest; 0: no limit */
};

/* Of all of it together. */
struct history_limits {
	uint32_t days; /* that messages stay where no policy says otherwise */
	uint64_t budget; /* bytes written a day; 0: no limit */
};

#define HISTORY_DAYS 30
/* Three commits a minute of a busy house; a card of 32 GB lasts for decades. */
#define HISTORY_BUDGET ((uint64_t)100 << 20)

/* With the limits above. One reference, or NULL when out of memory. */
struct history_rules *history_rules_new(void);
struct history_rules *history_rules_ref(struct history_rules *rules);
/* NULL does nothing. */
void history_rules_unref(struct history_rules *rules);

/* The filter is copied. Returns 0; -EINVAL: no Topic Filter; -EEXIST: it has a
 * policy already; -ENFILE at HISTORY_RULES_MAX; -ENOMEM. On error nothing has
 * changed. */
int history_rules_add(struct history_rules *rules, struct slice filter,
		      const struct history_policy *policy);

/* The policy of a topic, borrowed; NULL if none matches. rules NULL: none. */
const struct history_policy *
history_rules_find(const struct history_rules *rules, struct slice topic);

/* Before it is shared. */
void history_rules_limit(struct history_rules *rules,
			 const struct history_limits *limits);
/* rules NULL: the limits above. */
struct history_limits history_rules_limits(const struct history_rules *rules);

#endif

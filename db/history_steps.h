/*
 * Numbers of one topic summed up in steps of time, for charts: from the averages
 * of hours where a step is whole hours, of 5 minutes where it is whole 5 minutes,
 * and from the rows themselves where there are no averages (yet). It costs what
 * it answers, not what was said.
 */
#ifndef DB_HISTORY_STEPS_H
#define DB_HISTORY_STEPS_H

#include "broker/base/slice.h"

struct db_history;

#define DB_HISTORY_STEP_MAX (31 * 86400) /* seconds */
#define DB_HISTORY_STEPS_MAX 10000 /* of one answer */

struct db_history_step {
	int64_t time; /* its start, ms since 1970 UTC: a multiple of the step */
	uint64_t count; /* numbers, at least 1 */
	double min;
	double avg;
	double max;
};

struct db_history_steps_query {
	struct slice topic;
	int64_t from; /* ms since 1970 UTC; steps that begin in from..to */
	int64_t to;
	uint32_t step; /* seconds, 1..DB_HISTORY_STEP_MAX */
	size_t limit; /* 1..DB_HISTORY_STEPS_MAX */
};

struct db_history_steps {
	size_t count;
	bool more; /* ask again from the last one's time + step */
	struct db_history_step steps[];
};

/* Oldest first, empty ones left out; one piece of memory, freed by free().
 * -EINVAL: step or limit; -EBADMSG: the file is damaged; -ENOMEM. */
int db_history_steps(struct db_history *history,
		     const struct db_history_steps_query *query,
		     struct db_history_steps **out);

#endif

/*
 * What the history keeps of which topics, as people have decided; the broker and
 * the store go by the table built here (broker/history_rules.h), anew after
 * every change.
 */
#ifndef DB_HISTORY_POLICIES_H
#define DB_HISTORY_POLICIES_H

#include "broker/history_rules.h"

struct db_config;

#define DB_HISTORY_FILTER_MAX 255 /* bytes: what a form and a list can show */

/* Of the budget; above it a card is worn out within a year. */
#define DB_HISTORY_BUDGET_MB_MAX 100000

struct db_history_policy {
	char filter[DB_HISTORY_FILTER_MAX + 1];
	struct history_policy policy;
};

/*
 * Once in the life of config.db: policies for the filters that an older hearthd
 * had as a setting, or, if there are none, for "hearth/<node>/#". Later calls do
 * nothing, also when all policies were removed. Returns 0 or a negative errno.
 */
int db_history_policies_seed(struct db_config *config, const char *node);

/* In order of filter; *out is freed by free(). */
int db_history_policies_list(struct db_config *config,
			     struct db_history_policy **out, size_t *count);

/* Add, or replace that of the same filter. -EINVAL: no Topic Filter, or a number
 * out of the range of history_rules.h; -ENFILE: there are HISTORY_RULES_MAX. */
int db_history_policies_put(struct db_config *config,
			    const struct db_history_policy *policy);

/* -ENOENT. */
int db_history_policies_remove(struct db_config *config, const char *filter);

/* What holds for all of it; as usual where nothing was set. */
int db_history_limits_get(struct db_config *config, struct history_limits *out);
/* -EINVAL: 1 to HISTORY_KEEP_DAYS_MAX days, whole megabytes, at most
 * DB_HISTORY_BUDGET_MB_MAX. */
int db_history_limits_set(struct db_config *config,
			  const struct history_limits *limits);

/* All of it as one table, for admin_set_history(). */
int db_history_policies_build(struct db_config *config,
			      struct history_rules **out);

#endif

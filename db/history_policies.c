#include "db/history_policies.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/wire/topic.h"
#include "broker/wire/utf8.h"
#include "db/connection.h"
#include "db/rows.h"
#include "db/settings.h"
#include "db/statement.h"

/* Settings. */
#define SEEDED "history_seeded"
#define DAYS "history_days"
#define BUDGET "history_budget_mb"

static int policy_at(const struct statement *s, void *row)
{
	struct db_history_policy *out = row;
	if (!statement_copy_at(s, 0, out->filter, sizeof(out->filter)))
		return -EBADMSG;
	out->policy = (struct history_policy){
		.keep = statement_int_at(s, 1) != 0,
		.on_change = statement_int_at(s, 2) != 0,
		.averages = statement_int_at(s, 3) != 0,
		.min_interval_ms = (uint32_t)statement_int_at(s, 4),
		.days = (uint32_t)statement_int_at(s, 5),
		.rows = (uint32_t)statement_int_at(s, 6),
	};

	return 0;
}

static const struct rows_kind policy_rows = {
	.size = sizeof(struct db_history_policy),
	.read = policy_at,
};

int db_history_policies_list(struct db_config *config,
			     struct db_history_policy **out, size_t *count)
{
	struct statement s;

	statement_open(&s, db_config_sqlite(config),
		       "SELECT filter, keep, on_change, averages, min_interval,"
		       " days, rows FROM history_policies ORDER BY filter");
	return rows_list(&s, &policy_rows, HISTORY_RULES_MAX, out, count);
}

static bool valid(const struct db_history_policy *policy)
{
	struct slice filter = slice_str(policy->filter);

	return topic_filter_valid(filter) && utf8_valid(filter) &&
	       policy->policy.min_interval_ms <= HISTORY_INTERVAL_MAX_MS &&
	       policy->policy.days <= HISTORY_KEEP_DAYS_MAX &&
	       policy->policy.rows <= HISTORY_KEEP_ROWS_MAX;
}

/* -ENFILE: there is no room for one more. */
static int check_room(struct db_config *config, const char *filter)
{
	struct statement s;
	int64_t others;
	int r;

	statement_open(&s, db_config_sqlite(config),
		       "SELECT count(*) FROM history_policies"
		       " WHERE filter <> ?");
	statement_text(&s, filter);
	r = statement_finish_int(&s, &others);
	if (r)
		return r;

	return others < HISTORY_RULES_MAX ? 0 : -ENFILE;
}

static int replace(struct db_config *config,
		   const struct db_history_policy *row)
{
	const struct history_policy *policy = &row->policy;
	struct statement s;

	statement_open(
		&s, db_config_sqlite(config),
		"INSERT OR REPLACE INTO history_policies"
		" (filter, keep, on_change, averages, min_interval, days,"
		" rows) VALUES (?, ?, ?, ?, ?, ?, ?)");
	statement_text(&s, row->filter);
	statement_int(&s, policy->keep);
	statement_int(&s, policy->on_change);
	statement_int(&s, policy->averages);
	statement_int(&s, policy->min_interval_ms);
	statement_int(&s, policy->days);
	statement_int(&s, policy->rows);

	return statement_finish(&s);
}

int db_history_policies_put(struct db_config *config,
			    const struct db_history_policy *policy)
{
	int r;

	if (!valid(policy))
		return -EINVAL;
	r = db_config_begin(config);
	if (r)
		return r;
	r = check_room(config, policy->filter);
	if (!r)
		r = replace(config, policy);

	return db_config_finish(config, r);
}

int db_history_policies_remove(struct db_config *config, const char *filter)
{
	struct statement s;

	statement_open(&s, db_config_sqlite(config),
		       "DELETE FROM history_policies WHERE filter = ?"
		       " RETURNING 1");
	statement_text(&s, filter);
	return statement_finish_found(&s);
}

static int seed(struct db_config *config, const char *node)
{
	struct db_history_policy policy = {
		.policy = { .keep = true, .averages = true },
	};
	char **filters;
	size_t count;
	int r;

	r = db_settings_history_filters(config, node, &filters, &count);
	if (r)
		return r;
	for (size_t i = 0; !r && i < count; i++) {
		int len = snprintf(policy.filter, sizeof(policy.filter), "%s",
				   filters[i]);

		/* One that no form could show is of no more use. */
		if (len < (int)sizeof(policy.filter))
			r = db_history_policies_put(config, &policy);
	}
	free(filters);
	if (!r)
		r = db_settings_remove(config, DB_SETTING_HISTORY_FILTERS);

	return r == -ENOENT ? 0 : r;
}

int db_history_policies_seed(struct db_config *config, const char *node)
{
	char *seeded;
	int r = db_settings_get(config, SEEDED, &seeded);

	if (r != -ENOENT) {
		if (!r)
			free(seeded);
		return r;
	}
	r = db_config_begin(config);
	if (r)
		return r;
	r = seed(config, node);
	if (!r)
		r = db_settings_set(config, SEEDED, "1");

	return db_config_finish(config, r);
}

/* What nobody has set is left alone. */
static int get_number(struct db_config *config, const char *key, uint64_t max,
		      uint64_t *out)
{
	unsigned long long value;
	char *text;
	char *end;
	int r = db_settings_get(config, key, &text);

	if (r)
		return r == -ENOENT ? 0 : r;
	value = strtoull(text, &end, 10);
	if (end != text && !*end && value <= max)
		*out = value;
	free(text);

	return 0;
}

int db_history_limits_get(struct db_config *config, struct history_limits *out)
{
	const struct history_limits usual = history_rules_limits(NULL);
	uint64_t budget = usual.budget >> 20;
	uint64_t days = usual.days;
	int r;

	r = get_number(config, DAYS, HISTORY_KEEP_DAYS_MAX, &days);
	if (!r)
		r = get_number(config, BUDGET, DB_HISTORY_BUDGET_MB_MAX,
			       &budget);
	if (r)
		return r;

	out->days = days ? (uint32_t)days : usual.days;
	out->budget = budget << 20;
	return 0;
}

static int set_number(struct db_config *config, const char *key, uint64_t value)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%" PRIu64, value);
	return db_settings_set(config, key, text);
}

int db_history_limits_set(struct db_config *config,
			  const struct history_limits *limits)
{
	int r;

	if (!limits->days || limits->days > HISTORY_KEEP_DAYS_MAX ||
	    limits->budget & 0xfffff ||
	    limits->budget >> 20 > DB_HISTORY_BUDGET_MB_MAX)
		return -EINVAL;
	r = db_config_begin(config);
	if (r)
		return r;
	r = set_number(config, DAYS, limits->days);
	if (!r)
		r = set_number(config, BUDGET, limits->budget >> 20);

	return db_config_finish(config, r);
}

static int add_all(struct db_config *config, struct history_rules *rules)
{
	struct db_history_policy *all;
	struct history_limits limits;
	size_t count;
	int r;

	r = db_history_limits_get(config, &limits);
	if (r)
		return r;
	history_rules_limit(rules, &limits);
	r = db_history_policies_list(config, &all, &count);
	if (r)
		return r;
	for (size_t i = 0; !r && i < count; i++)
		r = history_rules_add(rules, slice_str(all[i].filter),
				      &all[i].policy);
	free(all);

	return r;
}

int db_history_policies_build(struct db_config *config,
			      struct history_rules **out)
{
	struct history_rules *rules = history_rules_new();
	int r = rules ? add_all(config, rules) : -ENOMEM;

	if (r) {
		history_rules_unref(rules);
		return r;
	}

	*out = rules;
	return 0;
}

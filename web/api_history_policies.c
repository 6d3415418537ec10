/* What the history keeps: /history/policies, /history/status, /history/limits. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "db/history_policies.h"
#include "db/store.h"
#include "web/api.h"
#include "web/audit.h"
#include "web/form.h"
#include "web/payload.h"
#include "web/reply.h"

static json_t *policy_json(const struct db_history_policy *row)
{
	const struct history_policy *policy = &row->policy;

	return json_pack("{s:o,s:b,s:b,s:b,s:I,s:I,s:I}", "filter",
			 payload_text(slice_str(row->filter)), "keep",
			 (int)policy->keep, "on_change", (int)policy->on_change,
			 "averages", (int)policy->averages, "min_interval_ms",
			 (json_int_t)policy->min_interval_ms, "days",
			 (json_int_t)policy->days, "rows",
			 (json_int_t)policy->rows);
}

void api_history_policies(struct request *request)
{
	json_t *list = json_array();
	struct db_history_policy *rows;
	size_t count;
	int r;

	r = db_history_policies_list(request->web->config, &rows, &count);
	if (r) {
		json_decref(list);
		reply_error(request, r, "Listing the policies");
		return;
	}
	for (size_t i = 0; list && i < count; i++) {
		if (json_array_append_new(list, policy_json(&rows[i]))) {
			json_decref(list);
			list = NULL;
		}
	}
	free(rows);
	reply_json(request, 200, json_pack("{s:o}", "policies", list));
}

static void reply_failed(struct request *request, int error, const char *what)
{
	if (error == -ENOENT)
		reply_problem(request, 404, "no-such-policy",
			      "This filter has no policy.");
	else if (error == -EINVAL)
		reply_problem(request, 422, "invalid",
			      "The filter is no topic filter.");
	else if (error == -ENFILE)
		reply_problem(request, 409, "too-many-policies",
			      "There are %d policies; no more fit.",
			      HISTORY_RULES_MAX);
	else
		reply_error(request, error, what);
}

/* What is not sent is as in a new one. False: answered. */
static bool read_policy(struct request *request, struct history_policy *policy)
{
	struct form form;

	if (!form_begin(&form, request))
		return false;
	policy->keep = form_bool(&form, "keep", true);
	policy->on_change = form_bool(&form, "on_change", false);
	policy->averages = form_bool(&form, "averages", true);
	policy->min_interval_ms =
		(uint32_t)form_number(&form, "min_interval_ms", FORM_OPTIONAL,
				      0, HISTORY_INTERVAL_MAX_MS);
	policy->days = (uint32_t)form_number(&form, "days", FORM_OPTIONAL, 0,
					     HISTORY_KEEP_DAYS_MAX);
	policy->rows = (uint32_t)form_number(&form, "rows", FORM_OPTIONAL, 0,
					     HISTORY_KEEP_ROWS_MAX);
	form_ignore(&form, "filter");
	return form_end(&form);
}

void api_history_policy_put(struct request *request)
{
	struct db_history_policy row = { 0 };
	int len = snprintf(row.filter, sizeof(row.filter), "%s",
			   request->segments[4]);
	int r;

	if (!read_policy(request, &row.policy))
		return;
	r = len < (int)sizeof(row.filter)
		    ? db_history_policies_put(request->web->config, &row)
		    : -EINVAL;
	if (r == 0)
		r = context_history_changed(request->web);
	if (r) {
		reply_failed(request, r, "Storing the policy");
		return;
	}
	audit(request, "history of %s: %s", row.filter,
	      row.policy.keep ? "kept by a policy" : "not kept");
	reply_json(request, 200, policy_json(&row));
}

void api_history_policy_delete(struct request *request)
{
	const char *filter = request->segments[4];
	int r = db_history_policies_remove(request->web->config, filter);

	if (r == 0)
		r = context_history_changed(request->web);
	if (r) {
		reply_failed(request, r, "Removing the policy");
		return;
	}
	audit(request, "history of %s: policy removed", filter);
	reply_empty(request, 204);
}

static json_t *status_json(struct request *request,
			   const struct history_limits *limits)
{
	struct db_store_history now = { 0 };

	if (request->web->store)
		db_store_history(request->web->store, &now);
	return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:b}", "days",
			 (json_int_t)limits->days, "budget_mb",
			 (json_int_t)(limits->budget >> 20), "written",
			 (json_int_t)now.written, "waiting",
			 (json_int_t)now.waiting, "lost", (json_int_t)now.lost,
			 "thinned", (json_int_t)now.thinned, "failing",
			 (int)now.failing);
}

void api_history_status(struct request *request)
{
	struct history_limits limits;
	int r = db_history_limits_get(request->web->config, &limits);

	if (r)
		reply_error(request, r, "Reading the limits");
	else
		reply_json(request, 200, status_json(request, &limits));
}

void api_history_limits_put(struct request *request)
{
	struct history_limits limits;
	struct form form;
	int r;

	if (!form_begin(&form, request))
		return;
	limits.days = (uint32_t)form_number(&form, "days", FORM_REQUIRED, 1,
					    HISTORY_KEEP_DAYS_MAX);
	limits.budget = (uint64_t)form_number(&form, "budget_mb", FORM_REQUIRED,
					      0, DB_HISTORY_BUDGET_MB_MAX)
			<< 20;
	if (!form_end(&form))
		return;
	r = db_history_limits_set(request->web->config, &limits);
	if (r == 0)
		r = context_history_changed(request->web);
	if (r) {
		reply_error(request, r, "Storing the limits");
		return;
	}
	audit(request, "history: %u days, %u MB a day", limits.days,
	      (unsigned int)(limits.budget >> 20));
	reply_json(request, 200, status_json(request, &limits));
}

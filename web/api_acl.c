/* Who may read and write what: /acl. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "broker/wire/topic.h"
#include "db/access_rules.h"
#include "web/api.h"
#include "web/audit.h"
#include "web/form.h"
#include "web/reply.h"

static const char *const actions[] = { "read", "write", "readwrite", NULL };
static const enum access_action action_of[] = { ACCESS_READ, ACCESS_WRITE,
						ACCESS_READWRITE };
static const char *const effects[] = { "allow", "deny", NULL };

static json_t *rule_json(const struct db_rule *rule)
{
	return json_pack("{s:I,s:s,s:s,s:s,s:s}", "id", (json_int_t)rule->id,
			 "user", rule->user, "filter", rule->filter, "action",
			 db_rule_action_text(rule->action), "effect",
			 rule->allow ? "allow" : "deny");
}

void api_rules(struct request *request)
{
	json_t *list = json_array();
	struct db_rule *rules;
	size_t count;
	int r;

	r = db_rules_list(request->web->config, request_query(request, "user"),
			  &rules, &count);
	if (r) {
		json_decref(list);
		reply_error(request, r, "Listing the rules");
		return;
	}
	for (size_t i = 0; list && i < count; i++) {
		if (json_array_append_new(list, rule_json(&rules[i]))) {
			json_decref(list);
			list = NULL;
		}
	}
	free(rules);
	reply_json(request, 200, json_pack("{s:o}", "rules", list));
}

static void reply_failed(struct request *request, int error, const char *what)
{
	switch (-error) {
	case ENOENT:
		reply_problem(request, 404, "no-such-rule",
			      "There is no such rule, or no such user.");
		break;
	case EINVAL:
		reply_problem(request, 422, "invalid",
			      "The filter or the user is malformed.");
		break;
	case EEXIST:
		reply_problem(request, 409, "rule-exists",
			      "There is such a rule already.");
		break;
	case ENFILE:
		reply_problem(request, 409, "too-many-rules",
			      "There are %d rules; no more fit.", DB_RULES_MAX);
		break;
	default:
		reply_error(request, error, what);
		break;
	}
}

void api_rule_add(struct request *request)
{
	struct db_rule rule = { 0 };
	const char *user, *filter;
	int action, effect, r;
	struct form form;

	if (!form_begin(&form, request))
		return;
	form_ignore(&form, "id");
	user = form_text(&form, "user", FORM_REQUIRED, DB_USER_NAME_MAX);
	filter = form_text(&form, "filter", FORM_REQUIRED, DB_RULE_FILTER_MAX);
	action = form_choice(&form, "action", actions, -1);
	effect = form_choice(&form, "effect", effects, 0);
	if (filter && !topic_filter_valid(slice_str(filter)))
		form_error(&form, "filter",
			   "must be a topic filter: + and # stand alone "
			   "between slashes, # comes last");
	if (!form_end(&form))
		return;
	assert(user && filter);
	snprintf(rule.user, sizeof(rule.user), "%s", user);
	snprintf(rule.filter, sizeof(rule.filter), "%s", filter);
	rule.action = action_of[action];
	rule.allow = effect == 0;
	r = db_rules_add(request->web->config, &rule);
	if (r == 0)
		r = context_access_changed(request->web);
	if (r) {
		reply_failed(request, r, "Storing the rule");
		return;
	}
	audit(request, "rule %u made: %s %s %s %s", rule.id, effects[effect],
	      rule.user, actions[action], rule.filter);
	reply_json(request, 201, rule_json(&rule));
}

void api_rule_delete(struct request *request)
{
	char *end;
	unsigned long id = strtoul(request->segments[3], &end, 10);
	int r = -ENOENT;

	if (*end == '\0' && id > 0 && id < DB_RULE_SYSTEM)
		r = db_rules_remove(request->web->config, (uint32_t)id);
	if (r == 0)
		r = context_access_changed(request->web);
	if (r) {
		reply_failed(request, r, "Deleting the rule");
		return;
	}
	audit(request, "rule %lu deleted", id);
	reply_empty(request, 204);
}

static void reason_text(const struct access_verdict *verdict, bool known,
			char *out, size_t size)
{
	if (!known)
		snprintf(out, size,
			 "There is no such user, or it may not "
			 "log in.");
	else if (verdict->admin)
		snprintf(out, size, "An administrator may do everything.");
	else if (verdict->rule >= DB_RULE_SYSTEM)
		snprintf(out, size, "A built-in rule allows it.");
	else if (verdict->rule)
		snprintf(out, size, "Rule %u %s it.", verdict->rule,
			 verdict->allowed ? "allows" : "forbids");
	else
		snprintf(out, size, "No rule allows it.");
}

void api_rule_test(struct request *request)
{
	const struct access *access = request->web->access;
	struct access_verdict verdict = { 0 };
	const char *user, *client, *topic;
	const struct access_user *known;
	char reason[96];
	struct form form;
	int action;

	if (!form_begin(&form, request))
		return;
	user = form_text(&form, "user", FORM_REQUIRED, DB_USER_NAME_MAX);
	client = form_text(&form, "client", FORM_OPTIONAL, 1024);
	topic = form_text(&form, "topic", FORM_REQUIRED, 65535);
	action = form_choice(&form, "action", actions, -1);
	if (action_of[action] == ACCESS_READWRITE)
		form_error(&form, "action", "must be one of read write");
	if (topic && !topic_name_valid(slice_str(topic)))
		form_error(&form, "topic", "must be a topic, without + and #");
	if (!form_end(&form))
		return;
	assert(user && topic);
	known = access_find_user(access, slice_str(user));
	if (!user[0] || (known && known->enabled))
		verdict = access_may(access, user, client ? client : "",
				     slice_str(topic), action_of[action]);
	reason_text(&verdict, !user[0] || (known && known->enabled), reason,
		    sizeof(reason));
	reply_json(request, 200,
		   json_pack("{s:b,s:o,s:s}", "allowed", (int)verdict.allowed,
			     "rule",
			     verdict.rule ? json_integer(verdict.rule)
					  : json_null(),
			     "reason", reason));
}

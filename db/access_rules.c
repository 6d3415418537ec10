#include "db/access_rules.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "broker/wire/topic.h"
#include "broker/wire/utf8.h"
#include "db/connection.h"
#include "db/rows.h"
#include "db/statement.h"

#define COLUMNS "id, user, filter, action, effect"

static const struct {
	enum access_action action;
	const char *text;
} actions[] = {
	{ ACCESS_READ, "read" },
	{ ACCESS_WRITE, "write" },
	{ ACCESS_READWRITE, "readwrite" },
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

const char *db_rule_action_text(enum access_action action)
{
	for (size_t i = 0; i < COUNT(actions); i++) {
		if (actions[i].action == action)
			return actions[i].text;
	}

	return NULL;
}

int db_rule_action_parse(const char *text, enum access_action *out)
{
	for (size_t i = 0; i < COUNT(actions); i++) {
		if (strcmp(actions[i].text, text) == 0) {
			*out = actions[i].action;
			return 0;
		}
	}

	return -EINVAL;
}

static int rule_at(const struct statement *s, void *row)
{
	struct db_rule *out = row;
	int64_t id = statement_int_at(s, 0);
	char action[16];

	if (id <= 0 || id >= (int64_t)DB_RULE_SYSTEM ||
	    !statement_copy_at(s, 1, out->user, sizeof(out->user)) ||
	    !statement_copy_at(s, 2, out->filter, sizeof(out->filter)) ||
	    !statement_copy_at(s, 3, action, sizeof(action)) ||
	    db_rule_action_parse(action, &out->action))
		return -EBADMSG;
	out->id = (uint32_t)id;
	out->allow = slice_equal(statement_bytes_at(s, 4), slice_str("allow"));

	return 0;
}

static int count_rules(struct db_config *config, int64_t *out)
{
	struct statement s;

	statement_open(&s, db_config_sqlite(config),
		       "SELECT count(*) FROM rules");
	return statement_finish_int(&s, out);
}

static const struct rows_kind rule_rows = {
	.size = sizeof(struct db_rule),
	.read = rule_at,
};

int db_rules_list(struct db_config *config, const char *user,
		  struct db_rule **out, size_t *count)
{
	struct statement s;

	statement_open(&s, db_config_sqlite(config),
		       "SELECT " COLUMNS " FROM rules"
		       " WHERE ?1 IS NULL OR user = ?1 ORDER BY id");
	if (user)
		statement_text(&s, user);
	else
		statement_null(&s);
	return rows_list(&s, &rule_rows, SIZE_MAX, out, count);
}

static int check(struct db_config *config, const struct db_rule *rule)
{
	struct slice filter = slice_str(rule->filter);
	struct db_user user;
	int64_t count;
	int r;

	if (!db_rule_action_text(rule->action) || !topic_filter_valid(filter) ||
	    !utf8_valid(filter))
		return -EINVAL;
	r = count_rules(config, &count);
	if (r)
		return r;
	if (count >= DB_RULES_MAX)
		return -ENFILE;
	if (strcmp(rule->user, "*") == 0)
		return 0;
	if (!db_user_name_valid(rule->user))
		return -EINVAL;

	return db_users_get(config, rule->user, &user);
}

static int insert(struct db_config *config, struct db_rule *rule)
{
	struct statement s;
	int64_t id = 0;
	int r;

	statement_open(&s, db_config_sqlite(config),
		       "INSERT INTO rules (user, filter, action, effect)"
		       " VALUES (?, ?, ?, ?) RETURNING id");
	statement_text(&s, rule->user);
	statement_text(&s, rule->filter);
	statement_text(&s, db_rule_action_text(rule->action));
	statement_text(&s, rule->allow ? "allow" : "deny");
	r = statement_finish_int(&s, &id);
	if (!r && id >= (int64_t)DB_RULE_SYSTEM)
		r = -ENFILE;
	if (!r)
		rule->id = (uint32_t)id;

	return r;
}

int db_rules_add(struct db_config *config, struct db_rule *rule)
{
	int r;

	r = db_config_begin(config);
	if (r)
		return r;
	r = check(config, rule);
	if (!r)
		r = insert(config, rule);

	return db_config_finish(config, r);
}

int db_rules_remove(struct db_config *config, uint32_t id)
{
	struct statement s;

	statement_open(&s, db_config_sqlite(config),
		       "DELETE FROM rules WHERE id = ? RETURNING id");
	statement_int(&s, id);
	return statement_finish_found(&s);
}

#include "db/users.h"

#include <errno.h>
#include <string.h>

#include "broker/base/clock.h"
#include "broker/wire/utf8.h"
#include "db/access_rules.h"
#include "db/connection.h"
#include "db/rows.h"
#include "db/statement.h"

#define COLUMNS "name, hash, kind, admin, enabled, created, version, scram"

const char *db_user_kind_text(enum db_user_kind kind)
{
	return kind == DB_USER_PERSON ? "person" : "device";
}

int db_user_kind_parse(const char *text, enum db_user_kind *out)
{
	if (strcmp(text, "person") == 0)
		*out = DB_USER_PERSON;
	else if (strcmp(text, "device") == 0)
		*out = DB_USER_DEVICE;
	else
		return -EINVAL;

	return 0;
}

bool db_user_name_valid(const char *name)
{
	size_t len = strlen(name);

	if (!len || len > DB_USER_NAME_MAX || !utf8_valid(slice_str(name)))
		return false;
	if (strchr("$* ", name[0]) || name[len - 1] == ' ')
		return false;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)name[i];

		/* C1 control characters are C2 80 to C2 9F. */
		if (c < 0x20 || c == 0x7f || strchr("/+#", c) ||
		    (c == 0xc2 && (unsigned char)name[i + 1] < 0xa0))
			return false;
	}

	return strcmp(name, DB_USER_GPIO) != 0;
}

/* Printable ASCII, as password.h and scram_keys.h promise. */
static bool printable(const char *text, size_t size)
{
	size_t len = strnlen(text, size);

	if (len == size)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (text[i] <= ' ' || text[i] > '~')
			return false;
	}

	return true;
}

static bool secrets_valid(const struct db_user *user)
{
	return printable(user->hash, sizeof(user->hash)) &&
	       printable(user->scram, sizeof(user->scram));
}

static int user_at(const struct statement *s, void *row)
{
	struct db_user *out = row;
	char kind[16];

	if (!statement_copy_at(s, 0, out->name, sizeof(out->name)) ||
	    !statement_copy_at(s, 1, out->hash, sizeof(out->hash)) ||
	    !statement_copy_at(s, 2, kind, sizeof(kind)) ||
	    db_user_kind_parse(kind, &out->kind))
		return -EBADMSG;
	out->admin = statement_int_at(s, 3) != 0;
	out->enabled = statement_int_at(s, 4) != 0;
	out->created = statement_int_at(s, 5);
	out->version = (uint64_t)statement_int_at(s, 6);
	if (!statement_copy_at(s, 7, out->scram, sizeof(out->scram)))
		return -EBADMSG;

	return 0;
}

int db_users_get(struct db_config *config, const char *name,
		 struct db_user *out)
{
	struct statement s;
	int r;

	statement_open(&s, db_config_sqlite(config),
		       "SELECT " COLUMNS " FROM users WHERE name = ?");
	statement_text(&s, name);
	r = statement_step(&s);
	if (r >= 0)
		r = r ? user_at(&s, out) : -ENOENT;
	statement_close(&s);

	return r;
}

/* One number of a query without parameters. */
static int ask(struct db_config *config, const char *sql, int64_t *out)
{
	struct statement s;

	statement_open(&s, db_config_sqlite(config), sql);
	return statement_finish_int(&s, out);
}

static const struct rows_kind user_rows = {
	.size = sizeof(struct db_user),
	.read = user_at,
};

int db_users_list(struct db_config *config, struct db_user **out, size_t *count)
{
	struct statement s;

	statement_open(&s, db_config_sqlite(config),
		       "SELECT " COLUMNS " FROM users ORDER BY name");
	return rows_list(&s, &user_rows, SIZE_MAX, out, count);
}

static int next_version(struct db_config *config, int64_t *version)
{
	return ask(config,
		   "UPDATE counter SET value = value + 1 RETURNING value",
		   version);
}

static int insert(struct db_config *config, const struct db_user *user)
{
	struct statement s;
	int64_t version = 0;
	int64_t users = 0;
	int r;

	r = ask(config, "SELECT count(*) FROM users", &users);
	if (!r && users >= DB_USERS_MAX)
		r = -ENFILE;
	if (!r)
		r = next_version(config, &version);
	if (r)
		return r;

	statement_open(&s, db_config_sqlite(config),
		       "INSERT INTO users (" COLUMNS ")"
		       " VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
	statement_text(&s, user->name);
	statement_text(&s, user->hash);
	statement_text(&s, db_user_kind_text(user->kind));
	statement_int(&s, user->admin);
	statement_int(&s, user->enabled);
	statement_int(&s, clock_wall_ms());
	statement_int(&s, version);
	statement_text(&s, user->scram);

	return statement_finish(&s);
}

static int add_default_rules(struct db_config *config,
			     const struct db_user *user)
{
	static const struct db_rule person[] = {
		{ .filter = "hearth/#", .action = ACCESS_READ, .allow = true },
		{ .filter = "hearth/+/out/+/set",
		  .action = ACCESS_WRITE,
		  .allow = true },
		{ .filter = "hearth/+/light/+/set",
		  .action = ACCESS_WRITE,
		  .allow = true },
		{ .filter = "hearth/+/cover/+/set",
		  .action = ACCESS_WRITE,
		  .allow = true },
	};
	/* Its name holds no wildcard, so %u is not skipped (access.h). */
	static const struct db_rule device[] = {
		{ .filter = "%u/#", .action = ACCESS_READWRITE, .allow = true },
	};
	bool is_device = user->kind == DB_USER_DEVICE;
	const struct db_rule *rules = is_device ? device : person;
	size_t count = is_device ? 1 : 4;

	for (size_t i = 0; i < count; i++) {
		struct db_rule rule = rules[i];
		int r;

		memcpy(rule.user, user->name, sizeof(rule.user));
		r = db_rules_add(config, &rule);
		if (r)
			return r;
	}

	return 0;
}

int db_users_add(struct db_config *config, const struct db_user *user)
{
	int r;

	if (!db_user_name_valid(user->name) || !secrets_valid(user))
		return -EINVAL;

	r = db_config_begin(config);
	if (r)
		return r;
	r = insert(config, user);
	if (!r)
		r = add_default_rules(config, user);

	return db_config_finish(config, r);
}

/* May the user stop being an enabled administrator, or change at all? */
static int may_change(struct db_config *config, const char *name,
		      uint64_t version, bool stays_admin)
{
	struct db_user now;
	int64_t admins = 0;
	int r;

	r = db_users_get(config, name, &now);
	if (r)
		return r;
	if (version && version != now.version)
		return -ESTALE;
	if (stays_admin || !now.admin || !now.enabled)
		return 0;

	r = ask(config,
		"SELECT count(*) FROM users WHERE admin = 1 AND enabled = 1",
		&admins);
	if (!r && admins <= 1)
		r = -EBUSY;

	return r;
}

static int update(struct db_config *config, const struct db_user *user)
{
	struct statement s;
	int64_t version = 0;
	int r;

	r = next_version(config, &version);
	if (r)
		return r;

	statement_open(&s, db_config_sqlite(config),
		       "UPDATE users SET scram = CASE WHEN scram = ?1"
		       " AND hash <> ?2 THEN '' ELSE ?1 END,"
		       " hash = ?2, kind = ?3, admin = ?4,"
		       " enabled = ?5, version = ?6 WHERE name = ?7");
	statement_text(&s, user->scram);
	statement_text(&s, user->hash);
	statement_text(&s, db_user_kind_text(user->kind));
	statement_int(&s, user->admin);
	statement_int(&s, user->enabled);
	statement_int(&s, version);
	statement_text(&s, user->name);

	return statement_finish(&s);
}

int db_users_change(struct db_config *config, const struct db_user *user)
{
	int r;

	if (!secrets_valid(user))
		return -EINVAL;

	r = db_config_begin(config);
	if (r)
		return r;
	r = may_change(config, user->name, user->version,
		       user->admin && user->enabled);
	if (!r)
		r = update(config, user);

	return db_config_finish(config, r);
}

static int delete_rows(struct db_config *config, const char *sql,
		       const char *name)
{
	struct statement s;

	statement_open(&s, db_config_sqlite(config), sql);
	statement_text(&s, name);

	return statement_finish(&s);
}

int db_users_remove(struct db_config *config, const char *name,
		    uint64_t version)
{
	int r;

	r = db_config_begin(config);
	if (r)
		return r;
	r = may_change(config, name, version, false);
	if (!r)
		r = delete_rows(config, "DELETE FROM rules WHERE user = ?",
				name);
	if (!r)
		r = delete_rows(config, "DELETE FROM users WHERE name = ?",
				name);

	return db_config_finish(config, r);
}

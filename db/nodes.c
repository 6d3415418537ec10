#include "db/nodes.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "broker/base/clock.h"
#include "broker/limits.h"
#include "db/connection.h"
#include "db/rows.h"
#include "db/settings.h"
#include "db/statement.h"
#include "db/users.h"

_Static_assert(DB_NODE_USER_SIZE <= DB_USER_NAME_MAX + 1, "a user's name");
_Static_assert(DB_NODE_DEVICES_SIZE <= DB_SETTING_KEY_MAX + 1, "a key");

bool db_node_name_valid(const char *name)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");

	return len > 0 && len <= DB_NODE_NAME_MAX && !name[len] &&
	       name[0] != '-' && name[len - 1] != '-';
}

const char *db_node_user(char out[DB_NODE_USER_SIZE], const char *name)
{
	(void)snprintf(out, DB_NODE_USER_SIZE, DB_USER_GPIO "/%s", name);
	return out;
}

const char *db_node_devices(char out[DB_NODE_DEVICES_SIZE], const char *name)
{
	(void)snprintf(out, DB_NODE_DEVICES_SIZE, "devices%s%s",
		       name[0] ? "." : "", name);
	return out;
}

static int node_at(const struct statement *s, void *row)
{
	struct db_node *out = row;
	out->id = (uint32_t)statement_int_at(s, 0);
	out->created = statement_int_at(s, 3);
	return statement_copy_at(s, 1, out->name, sizeof(out->name)) &&
			       statement_copy_at(s, 2, out->hash,
						 sizeof(out->hash))
		       ? 0
		       : -EBADMSG;
}

static const struct rows_kind node_rows = {
	.size = sizeof(struct db_node),
	.read = node_at,
};

int db_nodes_list(struct db_config *config, struct db_node **out, size_t *count)
{
	struct statement s;

	statement_open(&s, db_config_sqlite(config),
		       "SELECT id, name, hash, created FROM nodes"
		       " ORDER BY name");
	return rows_list(&s, &node_rows, LIMIT_SATELLITES, out, count);
}

const struct db_node *db_node_named(const struct db_node *nodes, size_t count,
				    const char *name)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(nodes[i].name, name) == 0)
			return &nodes[i];
	}
	return NULL;
}

/* A number that the database knows; text may be NULL. Negative errno. */
static int64_t ask(struct db_config *config, const char *sql, const char *text)
{
	struct statement s;
	int64_t value;
	int r;

	statement_open(&s, db_config_sqlite(config), sql);
	if (text)
		statement_text(&s, text);
	r = statement_finish_int(&s, &value);
	return r ? r : value;
}

static int64_t exists(struct db_config *config, const char *name)
{
	return ask(config, "SELECT count(*) FROM nodes WHERE name = ?", name);
}

static int insert(struct db_config *config, const struct db_node *node)
{
	int64_t n = exists(config, node->name);
	struct statement s;

	if (n)
		return n < 0 ? (int)n : -EEXIST;
	n = ask(config, "SELECT count(*) FROM nodes", NULL);
	if (n < 0)
		return (int)n;
	if (n >= LIMIT_SATELLITES)
		return -ENFILE;

	statement_open(&s, db_config_sqlite(config),
		       "INSERT INTO nodes (name, hash, created)"
		       " VALUES (?, ?, ?)");
	statement_text(&s, node->name);
	statement_text(&s, node->hash);
	statement_int(&s, clock_wall_ms());
	return statement_finish(&s);
}

int db_nodes_add(struct db_config *config, const struct db_node *node)
{
	int r;

	if (!db_node_name_valid(node->name) || !node->hash[0])
		return -EINVAL;
	r = db_config_begin(config);
	if (r)
		return r;
	return db_config_finish(config, insert(config, node));
}

int db_nodes_rekey(struct db_config *config, const char *name, const char *hash)
{
	struct statement s;

	if (!hash[0])
		return -EINVAL;
	statement_open(&s, db_config_sqlite(config),
		       "UPDATE nodes SET hash = ? WHERE name = ? RETURNING 1");
	statement_text(&s, hash);
	statement_text(&s, name);
	return statement_finish_found(&s);
}

static int run(struct db_config *config, const char *sql, const char *name)
{
	struct statement s;

	statement_open(&s, db_config_sqlite(config), sql);
	statement_text(&s, name);
	return statement_finish(&s);
}

static int delete (struct db_config *config, const char *name)
{
	char devices[DB_NODE_DEVICES_SIZE];
	int64_t n = exists(config, name);
	int r;

	if (n <= 0)
		return n < 0 ? (int)n : -ENOENT;
	r = run(config, "DELETE FROM nodes WHERE name = ?", name);
	if (!r)
		r = run(config, "DELETE FROM pins WHERE node = ?", name);
	if (!r)
		r = db_settings_remove(config, db_node_devices(devices, name));
	return r == -ENOENT ? 0 : r;
}

int db_nodes_remove(struct db_config *config, const char *name)
{
	int r;

	/* "" is the hub's own. */
	if (!db_node_name_valid(name))
		return -ENOENT;
	r = db_config_begin(config);
	if (r)
		return r;
	return db_config_finish(config, delete (config, name));
}

/* db_access_build() of access_rules.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/base/dialects.h"
#include "db/access_rules.h"
#include "db/connection.h"
#include "db/nodes.h"
#include "db/statement.h"

/* A built-in rule; %s in the filter is the node. */
struct built_in {
	const char *filter;
	enum access_action action;
};

/* hearth-gpiod publishes what the pins are and obeys commands; it sees nothing
 * else of the house. */
static const struct built_in gpio_rules[] = {
	{ "hearth/%s/+/+/set", ACCESS_READ },
	{ "hearth/%s/in/+/count/set", ACCESS_READ },
	{ "$hearth/gpio/%s/#", ACCESS_READ },
	{ "hearth/%s/#", ACCESS_WRITE },
	{ "$hearth/gpio/%s/report", ACCESS_WRITE },
};

/* Its own document for Home Assistant: under any prefix, as it takes away what it
 * published under the one before. %s is the node's identifier. */
static const struct built_in document_rules[] = {
	{ "+/device/hearth_%s/config", ACCESS_READWRITE },
};

/* Home Assistant's own state; %s is the prefix. */
static const struct built_in birth_rules[] = {
	{ "%s/status", ACCESS_READ },
};

/* As a Homie device; also to take away what it was. %s is its identifier. */
static const struct built_in homie_rules[] = {
	{ "homie/5/%s/#", ACCESS_READWRITE },
};

/* As a device with Tasmota; %s is its identifier, then what looks like the address
 * of its network card. */
static const struct built_in tasmota_rules[] = {
	{ "cmnd/hearth_%s/#", ACCESS_READ },
	{ "cmnd/tasmotas/#", ACCESS_READ },
	{ "stat/hearth_%s/#", ACCESS_WRITE },
	{ "tele/hearth_%s/#", ACCESS_WRITE },
};
static const struct built_in tasmota_found_rules[] = {
	{ "tasmota/discovery/%s/+", ACCESS_WRITE },
};

static const struct built_in demo_rules[] = {
	{ "#", ACCESS_READWRITE },
	{ "$SYS/#", ACCESS_READ },
};

/* The dialects' rules are numbered from here on: the others keep their numbers. */
#define DB_RULES_DIALECTS 100u

/* Those of a satellite from its number times this on. */
#define DB_RULES_NODE 1000u

/* Whose rules are added, and the number of the next one. */
struct giving {
	struct access *access;
	const char *user;
	uint32_t id;
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int add_built_in(struct giving *to, const struct built_in *rules,
			size_t count, const char *node)
{
	for (size_t i = 0; i < count; i++) {
		struct access_rule rule = {
			.id = to->id++,
			.user = to->user,
			.action = rules[i].action,
			.allow = true,
		};
		const char *hole = strstr(rules[i].filter, "%s");
		char *filter;
		int r;

		r = hole ? asprintf(&filter, "%.*s%s%s",
				    (int)(hole - rules[i].filter),
				    rules[i].filter, node, hole + 2)
			 : asprintf(&filter, "%s", rules[i].filter);
		if (r < 0)
			return -ENOMEM;
		rule.filter = filter;
		r = access_add_rule(to->access, &rule);
		free(filter);
		if (r)
			return r;
	}

	return 0;
}

static int add_dialects(struct giving *to, const struct dialects *dialects,
			const char *node)
{
	char name[DIALECT_ID_SIZE];
	char mac[DIALECT_MAC_SIZE];
	int r = add_built_in(to, document_rules, COUNT(document_rules),
			     dialect_id(name, node));

	if (r)
		return r;
	if (dialects && dialects->to_homeassistant)
		r = add_built_in(to, birth_rules, COUNT(birth_rules),
				 dialects->homeassistant);
	else
		to->id += COUNT(birth_rules);
	if (!r)
		r = add_built_in(to, homie_rules, COUNT(homie_rules),
				 dialect_homie_id(name, node));
	if (!r)
		r = add_built_in(to, tasmota_rules, COUNT(tasmota_rules),
				 dialect_id(name, node));
	if (!r)
		r = add_built_in(to, tasmota_found_rules,
				 COUNT(tasmota_found_rules),
				 dialect_tasmota_mac(mac, node));
	return r;
}

/* What a board may, whoever it is; rules from first on. */
static int add_board(struct access *access, const char *user, uint32_t first,
		     const struct db_access_options *options, const char *node)
{
	struct giving to = { access, user, first };
	int r = add_built_in(&to, gpio_rules, COUNT(gpio_rules), node);

	to.id = first + DB_RULES_DIALECTS;
	return r ? r : add_dialects(&to, options->dialects, node);
}

static int add_node(struct access *access, const struct db_node *node,
		    const struct db_access_options *options)
{
	char name[DB_NODE_USER_SIZE];
	const struct access_user user = {
		.name = db_node_user(name, node->name),
		.password_hash = node->hash,
		.enabled = true,
	};
	int r;

	/* The hub's own board was called so later: one of them must give way. */
	if (strcmp(node->name, options->node) == 0)
		return 0;
	r = access_add_user(access, &user);
	return r ? r
		 : add_board(access, name,
			     DB_RULE_SYSTEM + node->id * DB_RULES_NODE, options,
			     node->name);
}

static int add_nodes(struct access *access, struct db_config *config,
		     const struct db_access_options *options)
{
	struct db_node *nodes;
	size_t count;
	int r = db_nodes_list(config, &nodes, &count);

	if (r)
		return r;
	for (size_t i = 0; !r && i < count; i++)
		r = add_node(access, &nodes[i], options);
	free(nodes);
	return r;
}

static int add_demo(struct access *access)
{
	struct giving to = { access, ACCESS_ANONYMOUS,
			     DB_RULE_SYSTEM + COUNT(gpio_rules) };

	return add_built_in(&to, demo_rules, COUNT(demo_rules), "");
}

static int add_users(struct access *access, struct db_config *config)
{
	struct access_user gpio = {
		.name = DB_USER_GPIO,
		.password_hash = "", /* its socket's mode is its credential */
		.enabled = true,
	};
	struct db_user *users;
	size_t count;
	int r;

	r = db_users_list(config, &users, &count);
	if (r)
		return r;
	r = access_add_user(access, &gpio);
	for (size_t i = 0; !r && i < count; i++) {
		struct access_user user = {
			.name = users[i].name,
			.password_hash = users[i].hash,
			.admin = users[i].admin,
			.enabled = users[i].enabled,
			.scram = users[i].scram,
		};

		r = access_add_user(access, &user);
	}
	free(users);

	return r;
}

static int add_secret(struct access *access, struct db_config *config)
{
	struct slice secret;
	struct statement s;
	int r;

	statement_open(&s, db_config_sqlite(config),
		       "SELECT value FROM secrets WHERE name = 'scram'");
	r = statement_step(&s);
	if (r > 0) {
		secret = statement_bytes_at(&s, 0);
		if (secret.len == SCRAM_KEY_LEN)
			access_set_scram_secret(access, secret.data);
		else
			r = -EBADMSG;
	} else if (r == 0) {
		r = -EBADMSG;
	}
	statement_close(&s);

	return r < 0 ? r : 0;
}

static int add_rules(struct access *access, struct db_config *config)
{
	struct db_rule *rules;
	size_t count;
	int r;

	r = db_rules_list(config, NULL, &rules, &count);
	if (r)
		return r;
	for (size_t i = 0; !r && i < count; i++) {
		bool everyone = strcmp(rules[i].user, "*") == 0;
		struct access_rule rule = {
			.id = rules[i].id,
			.user = everyone ? NULL : rules[i].user,
			.filter = rules[i].filter,
			.action = rules[i].action,
			.allow = rules[i].allow,
		};

		r = access_add_rule(access, &rule);
	}
	free(rules);

	return r;
}

int db_access_build(struct db_config *config,
		    const struct db_access_options *options,
		    struct access **out)
{
	struct access *access = access_new();
	int r;

	if (!access)
		return -ENOMEM;

	r = add_users(access, config);
	if (!r)
		r = add_secret(access, config);
	if (!r)
		r = add_rules(access, config);
	if (!r)
		r = add_board(access, DB_USER_GPIO, DB_RULE_SYSTEM, options,
			      options->node);
	if (!r)
		r = add_nodes(access, config, options);
	if (!r && options->demo)
		r = add_demo(access);
	if (r) {
		access_free(access);
		return r;
	}

	*out = access;
	return 0;
}

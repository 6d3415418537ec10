/* db_access_build() of access_rules.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/base/dialects.h"
#include "db/access_rules.h"
#include "db/connection.h"
#include "db/statement.h"

/* A built-in rule; %s in the filter is the node. */
struct built_in {
	const char *user;
	const char *filter;
	enum access_action action;
};

/* hearth-gpiod publishes what the pins are and obeys commands; it sees nothing
 * else of the house. */
static const struct built_in gpio_rules[] = {
	{ DB_USER_GPIO, "hearth/%s/+/+/set", ACCESS_READ },
	{ DB_USER_GPIO, "hearth/%s/in/+/count/set", ACCESS_READ },
	{ DB_USER_GPIO, "$hearth/gpio/%s/#", ACCESS_READ },
	{ DB_USER_GPIO, "hearth/%s/#", ACCESS_WRITE },
	{ DB_USER_GPIO, "$hearth/gpio/%s/report", ACCESS_WRITE },
};

/* Its own document for Home Assistant: under any prefix, as it takes away what it
 * published under the one before. %s is the node's identifier. */
static const struct built_in document_rules[] = {
	{ DB_USER_GPIO, "+/device/hearth_%s/config", ACCESS_READWRITE },
};

/* Home Assistant's own state; %s is the prefix. */
static const struct built_in birth_rules[] = {
	{ DB_USER_GPIO, "%s/status", ACCESS_READ },
};

/* As a Homie device; also to take away what it was. %s is its identifier. */
static const struct built_in homie_rules[] = {
	{ DB_USER_GPIO, "homie/5/%s/#", ACCESS_READWRITE },
};

/* As a device with Tasmota; %s is its identifier, then what looks like the address
 * of its network card. */
static const struct built_in tasmota_rules[] = {
	{ DB_USER_GPIO, "cmnd/hearth_%s/#", ACCESS_READ },
	{ DB_USER_GPIO, "cmnd/tasmotas/#", ACCESS_READ },
	{ DB_USER_GPIO, "stat/hearth_%s/#", ACCESS_WRITE },
	{ DB_USER_GPIO, "tele/hearth_%s/#", ACCESS_WRITE },
};
static const struct built_in tasmota_found_rules[] = {
	{ DB_USER_GPIO, "tasmota/discovery/%s/+", ACCESS_WRITE },
};

static const struct built_in demo_rules[] = {
	{ ACCESS_ANONYMOUS, "#", ACCESS_READWRITE },
	{ ACCESS_ANONYMOUS, "$SYS/#", ACCESS_READ },
};

/* The dialects' rules are numbered from here on: the others keep their numbers. */
#define DB_RULES_DIALECTS 100u

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int add_built_in(struct access *access, const struct built_in *rules,
			size_t count, uint32_t first_id, const char *node)
{
	for (size_t i = 0; i < count; i++) {
		struct access_rule rule = {
			.id = first_id + (uint32_t)i,
			.user = rules[i].user,
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
		r = access_add_rule(access, &rule);
		free(filter);
		if (r)
			return r;
	}

	return 0;
}

static int add_dialects(struct access *access, const struct dialects *dialects,
			const char *node)
{
	uint32_t id = DB_RULE_SYSTEM + DB_RULES_DIALECTS;
	char name[DIALECT_ID_SIZE];
	char mac[DIALECT_MAC_SIZE];
	int r = add_built_in(access, document_rules, COUNT(document_rules), id,
			     dialect_id(name, node));

	id += COUNT(document_rules);
	if (!r && dialects && dialects->to_homeassistant)
		r = add_built_in(access, birth_rules, COUNT(birth_rules), id,
				 dialects->homeassistant);
	id += COUNT(birth_rules);
	if (!r)
		r = add_built_in(access, homie_rules, COUNT(homie_rules), id,
				 dialect_homie_id(name, node));
	id += COUNT(homie_rules);
	if (!r)
		r = add_built_in(access, tasmota_rules, COUNT(tasmota_rules),
				 id, dialect_id(name, node));
	id += COUNT(tasmota_rules);
	if (!r)
		r = add_built_in(access, tasmota_found_rules,
				 COUNT(tasmota_found_rules), id,
				 dialect_tasmota_mac(mac, node));
	return r;
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
		r = add_built_in(access, gpio_rules, COUNT(gpio_rules),
				 DB_RULE_SYSTEM, options->node);
	if (!r)
		r = add_dialects(access, options->dialects, options->node);
	if (!r && options->demo)
		r = add_built_in(access, demo_rules, COUNT(demo_rules),
				 DB_RULE_SYSTEM + COUNT(gpio_rules),
				 options->node);
	if (r) {
		access_free(access);
		return r;
	}

	*out = access;
	return 0;
}

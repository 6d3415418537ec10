/*
 * Who may read and write which topics, and the table the broker judges by
 * (broker/access.h), built anew after every change of users or rules.
 */
#ifndef DB_ACCESS_RULES_H
#define DB_ACCESS_RULES_H

#include "broker/access.h"
#include "db/users.h"

struct db_config;

#define DB_RULE_FILTER_MAX 255 /* bytes: a person reads and writes them */
#define DB_RULES_MAX 20000 /* two for each user of the largest house */

/* Rules from here on are built in: system users, and the demo. */
#define DB_RULE_SYSTEM 0x80000000u

struct db_rule {
	uint32_t id; /* below DB_RULE_SYSTEM, never 0, never used again */
	char user[DB_USER_NAME_MAX + 1]; /* "*": everyone */
	char filter[DB_RULE_FILTER_MAX + 1]; /* may hold %u and %c */
	enum access_action action;
	bool allow;
};

/* "read", "write", "readwrite". parse: 0 or -EINVAL. */
const char *db_rule_action_text(enum access_action action);
int db_rule_action_parse(const char *text, enum access_action *out);

/* In order of id; user NULL: all, else those naming the user, and with "*" those
 * for everyone. *out is freed by free(). */
int db_rules_list(struct db_config *config, const char *user,
		  struct db_rule **out, size_t *count);

/* rule->id is set. -EINVAL: filter, action or user malformed; -ENOENT: no such
 * user; -EEXIST: that rule is there; -ENFILE: DB_RULES_MAX. */
int db_rules_add(struct db_config *config, struct db_rule *rule);

/* -ENOENT. */
int db_rules_remove(struct db_config *config, uint32_t id);

struct dialects;

struct db_access_options {
	const char *node; /* for the rules of hearth-gpiod */
	const struct dialects *dialects; /* that it speaks; NULL: none */
	bool demo; /* clients without a user name may do all and read $SYS */
};

/* Everything in config.db as one table, with the built-in rules. A satellite that
 * is called as options->node is left out. */
int db_access_build(struct db_config *config,
		    const struct db_access_options *options,
		    struct access **out);

#endif

/*
 * Boards besides the hub's own: satellites, each with a credential that is good
 * for nothing but being that board. The hub's own board has no row; what is its
 * (its pins, say) is kept under the name "".
 */
#ifndef DB_NODES_H
#define DB_NODES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/base/password.h"

struct db_config;

/* Bytes of a name: it stands in topics and identifiers of other conventions. */
#define DB_NODE_NAME_MAX 32

/* "gpio/" and the name: no other user can be called so, having a '/'. */
#define DB_NODE_USER_SIZE (DB_NODE_NAME_MAX + 6)

/* Key of the setting: the name that the hub's own board had last, and below it,
 * one a line, those of which something may be retained still. */
#define DB_SETTING_NODE "node"

struct db_node {
	uint32_t id; /* never used again */
	char name[DB_NODE_NAME_MAX + 1];
	char hash[PASSWORD_HASH_SIZE];
	int64_t created; /* ms since 1970 UTC */
};

/* 1..32 of a-z, 0-9 and '-', which neither begins nor ends it: then no two are the
 * same in any convention. */
bool db_node_name_valid(const char *name);
/* The user that it logs in as. Returns out. */
const char *db_node_user(char out[DB_NODE_USER_SIZE], const char *name);

/* In order of name; *out is freed by free(). 0 or a negative errno. */
int db_nodes_list(struct db_config *config, struct db_node **out,
		  size_t *count);

/* The one of this name in a list of db_nodes_list(); NULL: there is none. */
const struct db_node *db_node_named(const struct db_node *nodes, size_t count,
				    const char *name);

/* id and created are filled in by the database. -EINVAL: name or hash; -EEXIST;
 * -ENFILE: LIMIT_SATELLITES. */
int db_nodes_add(struct db_config *config, const struct db_node *node);
/* Another credential. -EINVAL: hash; -ENOENT. */
int db_nodes_rekey(struct db_config *config, const char *name,
		   const char *hash);
/* With its pins and devices. -ENOENT. */
int db_nodes_remove(struct db_config *config, const char *name);

/* The setting in which the devices of a node are kept. */
#define DB_NODE_DEVICES_SIZE (DB_NODE_NAME_MAX + sizeof("devices."))
const char *db_node_devices(char out[DB_NODE_DEVICES_SIZE], const char *name);

#endif

/*
 * Who changed what, when, and from where: users, rules, bans, pins and what else
 * administrators do. The newest DB_AUDIT_MAX are kept.
 */
#ifndef DB_AUDIT_H
#define DB_AUDIT_H

#include <stddef.h>
#include <stdint.h>

#include "db/users.h"

struct db_config;

#define DB_AUDIT_MAX 10000 /* years of an ordinary house; 2 MB at most */
#define DB_AUDIT_WHAT_MAX 200 /* bytes; cut */

struct db_audit {
	int64_t id; /* set by the database, grows */
	int64_t time; /* ms since 1970 UTC */
	char user[DB_USER_NAME_MAX + 1];
	char address[64];
	char what[DB_AUDIT_WHAT_MAX + 1];
};

/* Returns 0 or a negative errno. */
int db_audit_add(struct db_config *config, const struct db_audit *entry);

/* The newest first, those before an id (0: from the newest), at most limit; *out
 * is freed by free(). */
int db_audit_list(struct db_config *config, int64_t before, size_t limit,
		  struct db_audit **out, size_t *count);

#endif

/*
 * Who is kept out, as people have decided; the broker judges by the table built
 * here (broker/bans.h), anew after every change.
 */
#ifndef DB_BANS_H
#define DB_BANS_H

#include "broker/bans.h"
#include "broker/limits.h"
#include "db/users.h"

struct db_config;

struct db_ban {
	uint32_t id; /* never 0, below BAN_AUTOMATIC, never used again */
	enum ban_kind kind;
	char what[LIMIT_CLIENT_ID + 1];
	char reason[BAN_REASON_MAX + 1]; /* may be empty */
	int64_t until; /* ms since 1970 UTC; 0: for good */
	int64_t created;
	char by[DB_USER_NAME_MAX + 1];
};

/* Those that are not over at now (ms since 1970 UTC), in order of id; *out is
 * freed by free(). */
int db_bans_list(struct db_config *config, int64_t now, struct db_ban **out,
		 size_t *count);

/*
 * id is set, and an address written as cidr_text() does. A ban of the same kind
 * and text gets the new end and reason and keeps its id. Those that are over at
 * created go. -EINVAL: what is malformed; -ENFILE: LIMIT_BANS.
 */
int db_bans_add(struct db_config *config, struct db_ban *ban);

/* -ENOENT. */
int db_bans_remove(struct db_config *config, uint32_t id);

/* Everything that holds as one table, for admin_set_bans(). */
int db_bans_build(struct db_config *config, struct bans **out);

#endif

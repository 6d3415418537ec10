/*
 * Who may log in: people (dashboard, apps) and devices (one credential each).
 * Passwords are hashed by the caller (base/password.h): it is slow on purpose.
 */
#ifndef DB_USERS_H
#define DB_USERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/base/password.h"
#include "broker/base/scram_keys.h"

struct db_config;

#define DB_USER_NAME_MAX 64 /* bytes; names stand in topics and in logs */
#define DB_USERS_MAX 10000 /* one for each device of the largest house */

/* The user that hearth-gpiod is; nobody else may be called so. */
#define DB_USER_GPIO "gpio"

enum db_user_kind {
	DB_USER_PERSON,
	DB_USER_DEVICE,
};

struct db_user {
	char name[DB_USER_NAME_MAX + 1];
	char hash[PASSWORD_HASH_SIZE]; /* "" lets nobody in */
	char scram[SCRAM_TEXT_SIZE]; /* of the same password; "": none */
	enum db_user_kind kind;
	bool admin;
	bool enabled;
	int64_t created; /* ms since 1970 UTC */
	uint64_t version; /* never the same twice: for ETag and If-Match */
};

/* "person", "device". parse: 0 or -EINVAL. */
const char *db_user_kind_text(enum db_user_kind kind);
int db_user_kind_parse(const char *text, enum db_user_kind *out);

/* 1..64 bytes of UTF-8 without '/', '+', '#', control characters, not starting
 * with '$' or '*', no space at either end, and not DB_USER_GPIO. */
bool db_user_name_valid(const char *name);

/* -ENOENT if there is none. */
int db_users_get(struct db_config *config, const char *name,
		 struct db_user *out);

/* In order of name; *out is freed by free(). */
int db_users_list(struct db_config *config, struct db_user **out,
		  size_t *count);

/*
 * created and version are filled in by the database. A person who is no
 * administrator starts with rules to read hearth/# and to command outputs and
 * lights; a device with one for its own <name>/#. -EINVAL: name or hash;
 * -EEXIST: the name is taken; -ENFILE: DB_USERS_MAX.
 */
int db_users_add(struct db_config *config, const struct db_user *user);

/*
 * Replace hash, scram, kind, admin and enabled of the user named. With another
 * hash the scram that was stored so far is not kept, also if it is given: it would
 * let the old password in. version 0: whatever it is now; else -ESTALE if it has
 * changed since. -ENOENT; -EINVAL; -EBUSY: it is the last enabled administrator.
 */
int db_users_change(struct db_config *config, const struct db_user *user);

/* With the rules that name it. version as above. -ENOENT, -ESTALE, -EBUSY. */
int db_users_remove(struct db_config *config, const char *name,
		    uint64_t version);

#endif

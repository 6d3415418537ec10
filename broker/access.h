/*
 * Users and rules as one table that never changes once the broker has it. db/
 * builds a new one after every edit and posts it (admin.h); the broker swaps a
 * pointer. Built by one thread, then read by any.
 *
 * Verdict: an administrator may do everything. For others a matching deny rule
 * refuses, else a matching allow rule permits, else it is refused. A rule's
 * filter may hold %u (user name) and %c (client identifier), each standing for
 * one whole or part of a level; a rule is skipped for a user or client whose
 * name holds '/', '+' or '#' or begins with '$' (CVE-2017-7650 and its like).
 */
#ifndef BROKER_ACCESS_H
#define BROKER_ACCESS_H

#include "broker/base/scram_keys.h"
#include "broker/base/slice.h"

struct access;

enum access_action {
	ACCESS_READ = 1, /* be sent messages of a topic */
	ACCESS_WRITE = 2, /* publish to it */
	ACCESS_READWRITE = 3,
};

struct access_user {
	const char *name;
	const char *password_hash; /* base/password.h; "" lets nobody in */
	bool admin;
	bool enabled;
	const char *scram; /* base/scram_keys.h; NULL or "": none */
};

struct access_rule {
	uint32_t id; /* told in verdicts; 0 is kept for "no rule" */
	const char *user; /* NULL: every user, also anonymous ones */
	const char *filter;
	enum access_action action;
	bool allow;
};

struct access_verdict {
	bool allowed;
	uint32_t rule; /* that decided; 0: none matched, or an administrator */
	bool admin; /* allowed because the user is one */
};

/* The user an anonymous client is: rules may name it. */
#define ACCESS_ANONYMOUS ""

/* All strings are copied. Returns NULL, or -ENOMEM; -EINVAL for a filter that is
 * no Topic Filter, an empty rule id; -EEXIST for a second user of a name. */
struct access *access_new(void);
int access_add_user(struct access *access, const struct access_user *user);
int access_add_rule(struct access *access, const struct access_rule *rule);
void access_free(struct access *access);

/* What names without SCRAM keys are answered with (scram_keys_of_nobody()): the
 * same in every table of a house, else a new one would tell them apart. */
void access_set_scram_secret(struct access *access,
			     const uint8_t secret[SCRAM_KEY_LEN]);
const uint8_t *access_scram_secret(const struct access *access);

/* NULL if there is none; valid as long as the table. */
const struct access_user *access_find_user(const struct access *access,
					   struct slice name);

/* access NULL: a broker without users; everything but $-topics is allowed. */
struct access_verdict access_may(const struct access *access, const char *user,
				 const char *client_id, struct slice topic,
				 enum access_action action);
/*
 * May the user subscribe to filter (without $share/)? Yes when some allow rule
 * for reading overlaps it and no deny rule covers it whole; each message is
 * still judged when delivered.
 */
struct access_verdict access_may_subscribe(const struct access *access,
					   const char *user,
					   const char *client_id,
					   struct slice filter);

#endif

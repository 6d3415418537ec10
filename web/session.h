/*
 * Who is logged in. A session is known by 256 random bits in a cookie, of which
 * only a SHA-256 is kept; it ends after WEB_SESSION_IDLE_MS without a request,
 * after WEB_SESSION_MS, by logging out, or when its user changes. Kept in memory
 * only: a restart logs everybody out. Time is passed in. The web thread's alone.
 */
#ifndef WEB_SESSION_H
#define WEB_SESSION_H

#include <stdint.h>

#include "broker/base/list.h"
#include "broker/base/slice.h"
#include "db/users.h"

#define SESSION_ID_SIZE 65 /* 64 hex digits and the NUL */
#define SESSION_CSRF_SIZE 33
#define SESSION_HASH_SIZE 32

struct session {
	struct list link; /* least recently used first */
	uint8_t hash[SESSION_HASH_SIZE];
	char user[DB_USER_NAME_MAX + 1];
	char csrf[SESSION_CSRF_SIZE]; /* to be sent back with every change */
	uint64_t tag; /* of its MQTT connections; unique, never 0 */
	uint64_t started;
	uint64_t used;
};

struct sessions;

struct sessions *sessions_new(void);
void sessions_free(struct sessions *sessions);

/* Begin a session of user; id is what the cookie will hold. With WEB_SESSIONS of
 * them the one unused longest ends. Returns NULL with errno ENOMEM or EIO. */
struct session *sessions_start(struct sessions *sessions, const char *user,
			       uint64_t now, char id[SESSION_ID_SIZE]);
/* The session of a cookie, marked as used now; NULL if there is none. Valid
 * until anything else is called. */
struct session *sessions_find(struct sessions *sessions, struct slice id,
			      uint64_t now);
void sessions_end(struct sessions *sessions, struct session *session);
/* End those of user, but for one (or NULL). */
void sessions_end_user(struct sessions *sessions, const char *user,
		       const struct session *but);

#endif

/*
 * Finding out who a request is from: the session cookie, with a CSRF token for
 * everything that changes something, or Authorization: Basic for programs. Also
 * whether a browser sent it from a page of another site.
 */
#ifndef WEB_LOGIN_H
#define WEB_LOGIN_H

#include "web/hashing.h"

/* "hearth_session", over TLS "__Host-hearth_session". */
const char *login_cookie_name(bool secure);

/*
 * Sets user, admin and by_cookie and calls next, at once or when the hasher has
 * checked the password; or answers 401, 403, 429 or 503. With neither cookie nor
 * password next is called with an empty user.
 */
void login_identify(struct request *request, request_fn *next);

/*
 * Check a password: fn is called with true if it is the user's, who exists and
 * is enabled; or 429 (guessing is slowed down) or 503 is answered.
 */
typedef void login_fn(struct request *request, bool right);
void login_check(struct request *request, const char *user,
		 const char *password, login_fn *fn);

/* SCRAM keys have been made for a user who had none, of the hash that made was
 * checked against: keep them. For hashing_keep_with(). */
void login_keep_scram(struct web_context *web,
		      const struct authenticator_request *made);

/* Begin a session for user, set the cookie and answer as GET /session does. The
 * session that the request came with ends. */
void login_start(struct request *request, unsigned int status,
		 const char *user);

/* What GET /session tells about the request's user; csrf NULL: came without a
 * session. NULL when out of memory. */
json_t *login_describe(struct request *request, const char *csrf);

/* A user's password or rights to be here have changed: end the user's sessions,
 * but for the one the request came with, event streams and MQTT connections. */
void login_put_out(struct request *request, const char *user);

/* Answer 401. */
void login_refuse(struct request *request, const char *detail);

/* Add a Set-Cookie that takes the cookie away. */
void login_forget_cookie(struct request *request);

#endif

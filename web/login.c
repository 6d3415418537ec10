#include "web/login.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "broker/access.h"
#include "broker/admin.h"
#include "broker/base/clock.h"
#include "broker/base/log.h"
#include "web/address.h"
#include "web/api.h"
#include "web/known.h"
#include "web/reply.h"
#include "web/router.h"
#include "web/throttle.h"

/* "name:password" as its bytes, and in base64, at its longest. */
#define BASIC_BYTES (DB_USER_NAME_MAX + 1 + PASSWORD_MAX)
#define BASIC_TEXT ((BASIC_BYTES + 2) / 3 * 4)

const char *login_cookie_name(bool secure)
{
	return secure ? "__Host-hearth_session" : "hearth_session";
}

void login_refuse(struct request *request, const char *detail)
{
	reply_problem(request, 401, "not-logged-in", "%s", detail);
	/* Not Basic: a browser would ask for a password by itself and send it
	 * along ever after, also for other sites' requests. */
	reply_header(request, "WWW-Authenticate", "Session realm=\"hearth\"");
}

/* ---- passwords ---------------------------------------------------------- */

/* Here the right password is in plain for a moment: what a user from before needs
 * for SCRAM can be made now. That it cannot be kept is no reason to refuse him.
 * Somebody else may have made them meanwhile. */
static void keep_scram(struct web_context *web, const char *name,
		       const struct authenticator_request *checked)
{
	struct db_user user;
	int r = db_users_get(web->config, name, &user);

	if (r == 0 && strcmp(user.hash, checked->hash) != 0)
		r = -ESTALE;
	if (r == 0 && user.scram[0]) {
		OPENSSL_cleanse(&user, sizeof(user));
		return;
	}
	if (r == 0) {
		memcpy(user.scram, checked->scram, sizeof(user.scram));
		r = db_users_change(web->config, &user);
	}
	if (r == 0)
		r = context_access_changed(web);
	if (r)
		log_warn("web", "user %s: SCRAM keys are not kept: %s", name,
			 strerrordesc_np(-r));
	OPENSSL_cleanse(&user, sizeof(user));
}

void login_keep_scram(struct web_context *web,
		      const struct authenticator_request *made)
{
	keep_scram(web, made->user, made);
}

static void on_verified(struct request *request, int result,
			const struct authenticator_request *checked)
{
	struct throttle *throttle = request->web->throttle;
	const struct access_user *user;
	char address[ADDRESS_KEY_SIZE];
	bool right;

	address_key(request_peer(request), address);
	if (result < 0 && result != -EINVAL) {
		throttle_end(throttle, address, request->attempt,
			     THROTTLE_UNKNOWN, clock_ms());
		reply_error(request, result, "Checking the password");
		return;
	}
	/* The account may have changed while the hasher was at work. */
	user = access_find_user(request->web->access,
				slice_str(request->attempt));
	right = result == 1 && user && user->enabled &&
		strcmp(user->password_hash, checked->hash) == 0;
	throttle_end(throttle, address, request->attempt,
		     right ? THROTTLE_RIGHT : THROTTLE_WRONG, clock_ms());
	if (right)
		known_add(request->web->known, &request->tag);
	else
		log_warn("web", "wrong password for user %s from %s",
			 request->attempt, address);
	/* This ends the table that user is of. */
	if (right && checked->scram[0])
		keep_scram(request->web, request->attempt, checked);
	request->checked(request, right);
}

/* An attacker learns by this no faster than by asking the hasher: who guesses
 * wrong is told to wait before it comes here. */
static bool is_known(struct request *request, const char *hash,
		     const char *password)
{
	const struct known *known = request->web->known;

	return hash && known_tag(known, hash, password, &request->tag) &&
	       known_has(known, &request->tag);
}

void login_check(struct request *request, const char *user,
		 const char *password, login_fn *fn)
{
	struct throttle *throttle = request->web->throttle;
	const struct access_user *account;
	char address[ADDRESS_KEY_SIZE];
	const char *hash = NULL;
	uint64_t wait;

	account = access_find_user(request->web->access, slice_str(user));
	if (account && account->enabled && account->password_hash[0])
		hash = account->password_hash;
	/* A name too long is cut: nobody is called so, and a check without hash
	 * never finds right. */
	snprintf(request->attempt, sizeof(request->attempt), "%s", user);
	request->checked = fn;
	address_key(request_peer(request), address);
	wait = throttle_wait(throttle, address, request->attempt, clock_ms());
	if (!wait && is_known(request, hash, password)) {
		fn(request, true);
		return;
	}
	if (!wait)
		wait = throttle_begin(throttle, address, request->attempt,
				      clock_ms());
	if (wait)
		reply_later(request, 429, wait,
			    "Too many wrong passwords; wait a little.");
	else if (!hashing_verify(request, hash, password,
				 hash && !account->scram[0], on_verified))
		throttle_end(throttle, address, request->attempt,
			     THROTTLE_UNKNOWN, clock_ms());
}

/* ---- who is it ---------------------------------------------------------- */

static void on_basic(struct request *request, bool right)
{
	const struct access_user *user;

	if (!right) {
		login_refuse(request, "User name or password is wrong.");
		return;
	}
	user = access_find_user(request->web->access,
				slice_str(request->attempt));
	memcpy(request->user, request->attempt, sizeof(request->user));
	request->admin = user && user->admin;
	request->next(request);
}

/* Cut "Basic <base64>" into name and password, in plain; false if it is not. */
static bool parse_basic(struct slice header, char plain[BASIC_BYTES + 4],
			const char **password)
{
	struct slice text = slice_of(header.data + 6, header.len - 6);
	char *colon;
	int len;

	if (text.len == 0 || text.len > BASIC_TEXT || text.len % 4)
		return false;
	len = EVP_DecodeBlock((unsigned char *)plain, text.data, (int)text.len);
	if (len < 0)
		return false;
	for (size_t i = text.len; text.data[i - 1] == '=' && len > 0; i--)
		len--;
	plain[len] = '\0';
	colon = memchr(plain, ':', (size_t)len);
	if (!colon || strlen(plain) != (size_t)len)
		return false;
	*colon = '\0';
	*password = colon + 1;
	return true;
}

static void identify_basic(struct request *request, struct slice header)
{
	char plain[BASIC_BYTES + 4];
	const char *password;

	if (parse_basic(header, plain, &password))
		login_check(request, plain, password, on_basic);
	else
		login_refuse(request, "The Authorization header is malformed.");
	OPENSSL_cleanse(plain, sizeof(plain));
}

static bool token_right(const struct session *session, struct slice token)
{
	return token.len == SESSION_CSRF_SIZE - 1 &&
	       CRYPTO_memcmp(token.data, session->csrf, token.len) == 0;
}

/* False: answered. */
static bool identify_session(struct request *request, struct session *session)
{
	const struct access_user *user;

	user = access_find_user(request->web->access, slice_str(session->user));
	if (!user || !user->enabled) {
		sessions_end(request->web->sessions, session);
		return true;
	}
	if (request->method != METHOD_GET &&
	    !token_right(session, request_header(request, "X-CSRF-Token"))) {
		reply_problem(request, 403, "csrf",
			      "The X-CSRF-Token header is missing or is not "
			      "this session's.");
		return false;
	}
	memcpy(request->user, session->user, sizeof(request->user));
	request->admin = user->admin;
	request->by_cookie = true;
	return true;
}

void login_identify(struct request *request, request_fn *next)
{
	struct slice header = request_header(request, "Authorization");
	struct session *session;

	request->next = next;
	if (header.len > 6 &&
	    strncasecmp((const char *)header.data, "Basic ", 6) == 0) {
		identify_basic(request, header);
		return;
	}
	session = request_session(request);
	if (session && !identify_session(request, session))
		return;
	next(request);
}

/* ---- sessions ----------------------------------------------------------- */

json_t *login_describe(struct request *request, const char *csrf)
{
	struct web_context *web = request->web;
	json_t *body;
	int r = 0;

	body = json_pack("{s:b,s:b,s:b,s:s,s:s}", "claimed", web->claimed,
			 "demo", web->demo, "authenticated",
			 request->user[0] != '\0', "node", web->node, "version",
			 HEARTH_VERSION);
	if (!body || !request->user[0])
		return body;
	r |= json_object_set_new(body, "user", json_string(request->user));
	r |= json_object_set_new(body, "admin", json_boolean(request->admin));
	if (csrf)
		r |= json_object_set_new(body, "csrf", json_string(csrf));
	if (r) {
		json_decref(body);
		return NULL;
	}
	return body;
}

static void set_cookie(struct request *request, const char *id, bool forget)
{
	char cookie[SESSION_ID_SIZE + 128];

	snprintf(cookie, sizeof(cookie),
		 "%s=%s; Path=/; HttpOnly; SameSite=Strict%s%s",
		 login_cookie_name(request->secure), id,
		 request->secure ? "; Secure" : "",
		 forget ? "; Max-Age=0" : "");
	reply_header(request, "Set-Cookie", cookie);
	OPENSSL_cleanse(cookie, sizeof(cookie));
}

void login_forget_cookie(struct request *request)
{
	set_cookie(request, "", true);
}

void login_start(struct request *request, unsigned int status, const char *user)
{
	struct web_context *web = request->web;
	const struct access_user *known;
	char id[SESSION_ID_SIZE];
	struct session *session;

	session = request_session(request);
	if (session)
		sessions_end(web->sessions, session);
	session = sessions_start(web->sessions, user, clock_ms(), id);
	if (!session) {
		reply_error(request, -errno, "Starting a session");
		return;
	}
	known = access_find_user(web->access, slice_str(user));
	memcpy(request->user, session->user, sizeof(request->user));
	request->admin = known && known->admin;
	reply_json(request, status, login_describe(request, session->csrf));
	set_cookie(request, id, false);
	OPENSSL_cleanse(id, sizeof(id));
}

void login_put_out(struct request *request, const char *user)
{
	struct web_context *web = request->web;
	struct session *own = request_session(request);
	int r;

	sessions_end_user(web->sessions, user, own);
	events_end_user(web, user);
	r = admin_disconnect_user(web->admin, user);
	if (r)
		log_error("web", "user %s could not be disconnected: %s", user,
			  strerrordesc_np(-r));
}

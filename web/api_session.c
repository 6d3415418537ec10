/* Whose box it is and who is logged in: /session, /claim, /login, /logout,
 * /account/password. */
#include <errno.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "broker/admin.h"
#include "broker/base/clock.h"
#include "broker/base/log.h"
#include "db/claim.h"
#include "web/address.h"
#include "web/api.h"
#include "web/audit.h"
#include "web/form.h"
#include "web/login.h"
#include "web/reply.h"
#include "web/throttle.h"

static void describe(struct request *request)
{
	struct session *session = NULL;

	if (request->by_cookie)
		session = request_session(request);
	reply_json(request, 200,
		   login_describe(request, session ? session->csrf : NULL));
}

void api_session(struct request *request)
{
	login_identify(request, describe);
}

/* ---- claim -------------------------------------------------------------- */

static void on_claim_hashed(struct request *request, int result,
			    const struct authenticator_request *made)
{
	struct web_context *web = request->web;
	struct db_user user = { .kind = DB_USER_PERSON };
	const char *name =
		json_string_value(json_object_get(request->json, "user"));
	const char *token =
		json_string_value(json_object_get(request->json, "token"));
	int r = result;

	if (r == 0) {
		snprintf(user.name, sizeof(user.name), "%s", name);
		memcpy(user.hash, made->hash, sizeof(user.hash));
		memcpy(user.scram, made->scram, sizeof(user.scram));
		r = db_claim(web->config, token, &user);
	}
	OPENSSL_cleanse(user.hash, sizeof(user.hash));
	OPENSSL_cleanse(user.scram, sizeof(user.scram));
	if (r == 0)
		r = context_access_changed(web);
	if (r == -EALREADY) {
		reply_problem(request, 409, "already-claimed",
			      "This hub has an owner already.");
		return;
	}
	if (r) {
		reply_error(request, r, "Claiming the hub");
		return;
	}
	web->claimed = true;
	log_info("web", "claimed by %s", name);
	r = admin_open_mqtt(web->admin);
	if (r)
		log_error("web", "MQTT could not be opened: %s",
			  strerrordesc_np(-r));
	login_start(request, 201, name);
}

/* Before the slow hash, which is not for everybody to ask for. False: answered. */
static bool check_token(struct request *request, const char *token)
{
	char address[ADDRESS_KEY_SIZE], right[PASSWORD_TOKEN_SIZE];
	struct throttle *throttle = request->web->throttle;
	uint64_t wait;
	bool good;
	int r;

	address_key(request_peer(request), address);
	wait = throttle_begin(throttle, address, "", clock_ms());
	if (wait) {
		reply_later(request, 429, wait,
			    "Too many wrong tokens; wait a little.");
		return false;
	}
	r = db_claim_token(request->web->config, right);
	good = r == 0 && strlen(token) == sizeof(right) - 1 &&
	       CRYPTO_memcmp(token, right, sizeof(right) - 1) == 0;
	OPENSSL_cleanse(right, sizeof(right));
	throttle_end(throttle, address, "",
		     good ? THROTTLE_RIGHT : THROTTLE_WRONG, clock_ms());
	if (r) {
		reply_error(request, r, "Reading the claim token");
	} else if (!good) {
		log_warn("web", "wrong claim token from %s", address);
		reply_problem(
			request, 403, "wrong-token",
			"That is not the claim token. It was printed when "
			"the hub started.");
	}
	return good;
}

static void check_new_password(struct form *form, const char *field,
			       const char *password)
{
	if (password && strlen(password) < PASSWORD_MIN)
		form_error(form, field, "must have at least 8 characters");
}

static void check_new_name(struct form *form, const char *name)
{
	if (name && !db_user_name_valid(name))
		form_error(form, "user",
			   "must be 1 to 64 bytes without / + # or control "
			   "characters, and not begin with $ or *");
}

void api_claim(struct request *request)
{
	const char *token, *name, *password;
	struct form form;

	if (request->web->claimed) {
		reply_problem(request, 409, "already-claimed",
			      "This hub has an owner already.");
		return;
	}
	if (!form_begin(&form, request))
		return;
	token = form_text(&form, "token", FORM_REQUIRED, 128);
	name = form_text(&form, "user", FORM_REQUIRED, DB_USER_NAME_MAX);
	password = form_text(&form, "password", FORM_REQUIRED, PASSWORD_MAX);
	check_new_name(&form, name);
	check_new_password(&form, "password", password);
	if (!form_end(&form))
		return;
	if (check_token(request, token))
		hashing_make(request, password, on_claim_hashed);
}

/* ---- log in and out ----------------------------------------------------- */

static void on_login_checked(struct request *request, bool right)
{
	if (right)
		login_start(request, 200, request->attempt);
	else
		login_refuse(request, "User name or password is wrong.");
}

void api_login(struct request *request)
{
	const char *user, *password;
	struct form form;

	if (!request->web->claimed) {
		reply_problem(request, 403, "unclaimed",
			      "This hub has no owner yet: claim it first.");
		return;
	}
	if (!form_begin(&form, request))
		return;
	user = form_text(&form, "user", FORM_REQUIRED, DB_USER_NAME_MAX);
	password = form_text(&form, "password", FORM_REQUIRED, PASSWORD_MAX);
	if (form_end(&form))
		login_check(request, user, password, on_login_checked);
}

void api_logout(struct request *request)
{
	struct session *session = request_session(request);
	struct web_context *web = request->web;
	int r = 0;

	if (session) {
		/* What was opened with the cookie goes with it. */
		r = admin_disconnect_tag(web->admin, session->tag);
		sessions_end(web->sessions, session);
	}
	if (r)
		log_error("web", "MQTT connections outlive a logout: %s",
			  strerrordesc_np(-r));
	reply_empty(request, 204);
	login_forget_cookie(request);
}

/* ---- own password ------------------------------------------------------- */

static void on_password_hashed(struct request *request, int result,
			       const struct authenticator_request *made)
{
	struct web_context *web = request->web;
	struct db_user user;
	int r = result;

	if (r == 0)
		r = db_users_get(web->config, request->user, &user);
	if (r == 0) {
		memcpy(user.hash, made->hash, sizeof(user.hash));
		memcpy(user.scram, made->scram, sizeof(user.scram));
		r = db_users_change(web->config, &user);
	}
	if (r == 0)
		r = context_access_changed(web);
	if (r == -ESTALE || r == -ENOENT) {
		reply_problem(request, 409, "changed-meanwhile",
			      "Somebody else has just changed this user.");
		return;
	}
	if (r) {
		reply_error(request, r, "Changing the password");
		return;
	}
	login_put_out(request, request->user);
	audit(request, "user %s has a new password", request->user);
	reply_empty(request, 204);
}

static void on_old_checked(struct request *request, bool right)
{
	const char *password =
		json_string_value(json_object_get(request->json, "new"));

	if (right)
		hashing_make(request, password, on_password_hashed);
	else
		reply_problem(request, 403, "wrong-password",
			      "The old password is wrong.");
}

void api_account_password(struct request *request)
{
	const char *old, *password;
	struct form form;

	if (!form_begin(&form, request))
		return;
	old = form_text(&form, "old", FORM_REQUIRED, PASSWORD_MAX);
	password = form_text(&form, "new", FORM_REQUIRED, PASSWORD_MAX);
	check_new_password(&form, "new", password);
	if (form_end(&form))
		login_check(request, request->user, old, on_old_checked);
}

/* People and devices: /users. */
#include <errno.h>
#include <inttypes.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>

#include "web/api.h"
#include "web/audit.h"
#include "web/form.h"
#include "web/login.h"
#include "web/reply.h"

#define ETAG_SIZE 24

static const char *const kinds[] = { "person", "device", NULL };

/* What a PUT is about to store. */
struct edit {
	struct db_user user;
	bool is_new;
	bool new_password;
	char generated[PASSWORD_TOKEN_SIZE]; /* "": none */
};

static void etag_of(const struct db_user *user, char out[ETAG_SIZE])
{
	snprintf(out, ETAG_SIZE, "\"%" PRIx64 "\"", user->version);
}

static json_t *user_json(const struct db_user *user)
{
	char etag[ETAG_SIZE];

	etag_of(user, etag);
	return json_pack("{s:s,s:b,s:s,s:b,s:b,s:I,s:s}", "name", user->name,
			 "admin", (int)user->admin, "kind",
			 db_user_kind_text(user->kind), "enabled",
			 (int)user->enabled, "scram", user->scram[0] != '\0',
			 "created", (json_int_t)user->created, "etag", etag);
}

void api_users(struct request *request)
{
	json_t *list = json_array();
	struct db_user *users;
	size_t count;
	int r;

	r = db_users_list(request->web->config, &users, &count);
	if (r) {
		json_decref(list);
		reply_error(request, r, "Listing the users");
		return;
	}
	for (size_t i = 0; list && i < count; i++) {
		if (json_array_append_new(list, user_json(&users[i]))) {
			json_decref(list);
			list = NULL;
		}
	}
	free(users);
	reply_json(request, 200, json_pack("{s:o}", "users", list));
}

/* The version If-Match names, 0 if it was not sent or is "*". False: answered. */
static bool wanted_version(struct request *request, uint64_t *version)
{
	struct slice header = request_header(request, "If-Match");
	const char *text = (const char *)header.data;
	char *end;

	*version = 0;
	if (header.len == 0 || slice_equal(header, slice_str("*")))
		return true;
	if (*text == '"') {
		*version = strtoull(text + 1, &end, 16);
		if (*version && end[0] == '"' && end[1] == '\0')
			return true;
	}
	reply_problem(request, 412, "changed-meanwhile",
		      "If-Match is none of this user's.");
	return false;
}

static void reply_failed(struct request *request, int error, const char *what)
{
	switch (-error) {
	case ENOENT:
		reply_problem(request, 404, "no-such-user",
			      "There is no user of that name.");
		break;
	case ESTALE:
		reply_problem(request, 412, "changed-meanwhile",
			      "Somebody else has changed this user since you "
			      "looked.");
		break;
	case EEXIST:
		reply_problem(request, 409, "changed-meanwhile",
			      "Somebody else has just made this user.");
		break;
	case EBUSY:
		reply_problem(request, 409, "last-administrator",
			      "It is the last administrator that can log in.");
		break;
	case ENFILE:
		reply_problem(request, 409, "too-many-users",
			      "There are %d users; no more fit.", DB_USERS_MAX);
		break;
	default:
		reply_error(request, error, what);
		break;
	}
}

static void store(struct request *request)
{
	struct edit *edit = request->memory;
	struct db_config *config = request->web->config;
	char etag[ETAG_SIZE];
	json_t *body;
	int r;

	r = edit->is_new ? db_users_add(config, &edit->user)
			 : db_users_change(config, &edit->user);
	if (r == 0)
		r = db_users_get(config, edit->user.name, &edit->user);
	if (r == 0)
		r = context_access_changed(request->web);
	if (r) {
		reply_failed(request, r, "Storing the user");
		return;
	}
	if (!edit->is_new && (edit->new_password || !edit->user.enabled))
		login_put_out(request, edit->user.name);
	audit(request, "user %s %s", edit->user.name,
	      edit->is_new ? "made" : "changed");
	body = user_json(&edit->user);
	if (body && edit->generated[0] &&
	    json_object_set_new(body, "password",
				json_string(edit->generated))) {
		json_decref(body);
		body = NULL;
	}
	reply_json(request, edit->is_new ? 201 : 200, body);
	etag_of(&edit->user, etag);
	reply_header(request, "ETag", etag);
	OPENSSL_cleanse(edit, sizeof(*edit));
}

static void on_hashed(struct request *request, int result,
		      const struct authenticator_request *made)
{
	struct edit *edit = request->memory;

	if (result) {
		reply_error(request, result, "Hashing the password");
		return;
	}
	memcpy(edit->user.hash, made->hash, sizeof(edit->user.hash));
	memcpy(edit->user.scram, made->scram, sizeof(edit->user.scram));
	store(request);
}

/* A device that was given no password gets one nobody has to type. */
static int generate(struct edit *edit)
{
	int r = password_generate(edit->generated);

	if (r == 0)
		r = password_hash(PASSWORD_GENERATED,
				  slice_str(edit->generated), edit->user.hash);
	if (r == 0)
		r = scram_keys_make(slice_str(edit->generated),
				    SCRAM_ITERATIONS_GENERATED,
				    edit->user.scram);
	return r;
}

static void read_form(struct form *form, struct edit *edit,
		      const char **password)
{
	struct db_user *user = &edit->user;

	form_ignore(form, "name");
	form_ignore(form, "scram");
	form_ignore(form, "created");
	form_ignore(form, "etag");
	*password = form_text(form, "password", FORM_OPTIONAL, PASSWORD_MAX);
	user->admin = form_bool(form, "admin", user->admin);
	user->enabled = form_bool(form, "enabled", user->enabled);
	user->kind = (enum db_user_kind)form_choice(form, "kind", kinds,
						    (int)user->kind);
	if (edit->is_new && !db_user_name_valid(user->name))
		form_error(form, "name",
			   "must be 1 to 64 bytes without / + # or control "
			   "characters, and not begin with $ or *");
	if (*password && strlen(*password) < PASSWORD_MIN)
		form_error(form, "password", "must have at least 8 characters");
	if (edit->is_new && user->kind == DB_USER_PERSON &&
	    !form_has(form, "password"))
		form_error(form, "password", "is required");
}

/* What is stored of the user now, or a new one. Returns 0 or a negative errno. */
static int begin_edit(struct db_config *config, const char *name,
		      uint64_t version, struct edit *edit)
{
	int r = -ENOENT;

	if (strlen(name) <= DB_USER_NAME_MAX)
		r = db_users_get(config, name, &edit->user);
	if (r == 0) {
		edit->user.version = version;
		return 0;
	}
	if (r != -ENOENT)
		return r;
	if (version)
		return -ESTALE;
	/* One too long becomes none, which is not valid either. */
	edit->is_new = true;
	edit->user.enabled = true;
	edit->user.kind = DB_USER_PERSON;
	if (strlen(name) <= DB_USER_NAME_MAX)
		snprintf(edit->user.name, sizeof(edit->user.name), "%s", name);
	return 0;
}

/* "*": if it is there (If-Match) or if it is not (If-None-Match), so that adding
 * never changes a user, and changing never makes one. */
static bool star_holds(struct request *request, const struct edit *edit)
{
	const struct slice star = slice_str("*");

	if (edit->is_new &&
	    slice_equal(request_header(request, "If-Match"), star)) {
		reply_problem(request, 412, "no-such-user",
			      "There is no user of that name.");
		return false;
	}
	if (!edit->is_new &&
	    slice_equal(request_header(request, "If-None-Match"), star)) {
		reply_problem(request, 412, "user-exists",
			      "There is a user of that name already.");
		return false;
	}
	return true;
}

static void carry_out(struct request *request, const char *password)
{
	struct edit *edit = request->memory;
	int r = 0;

	edit->new_password = password != NULL;
	if (password) {
		hashing_make(request, password, on_hashed);
		return;
	}
	if (edit->is_new)
		r = generate(edit);
	if (r)
		reply_error(request, r, "Making a password");
	else
		store(request);
}

void api_user_put(struct request *request)
{
	struct edit *edit = calloc(1, sizeof(*edit));
	const char *password;
	uint64_t version;
	struct form form;
	int r;

	request->memory = edit;
	if (!edit) {
		reply_error(request, -ENOMEM, "Storing the user");
		return;
	}
	if (!wanted_version(request, &version))
		return;
	r = begin_edit(request->web->config, request->segments[3], version,
		       edit);
	if (r) {
		reply_failed(request, r, "Reading the user");
		return;
	}
	if (!star_holds(request, edit))
		return;
	if (!form_begin(&form, request))
		return;
	read_form(&form, edit, &password);
	if (form_end(&form))
		carry_out(request, password);
}

void api_user_delete(struct request *request)
{
	struct web_context *web = request->web;
	const char *name = request->segments[3];
	uint64_t version;
	int r;

	if (!wanted_version(request, &version))
		return;
	r = db_users_remove(web->config, name, version);
	if (r == 0)
		r = context_access_changed(web);
	if (r) {
		reply_failed(request, r, "Deleting the user");
		return;
	}
	login_put_out(request, name);
	audit(request, "user %s deleted", name);
	reply_empty(request, 204);
}

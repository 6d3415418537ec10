/* The boards of the house: /nodes. */
#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/base/log.h"
#include "broker/limits.h"
#include "db/history_policies.h"
#include "db/nodes.h"
#include "web/api.h"
#include "web/audit.h"
#include "web/form.h"
#include "web/gpio_link.h"
#include "web/login.h"
#include "web/node_join.h"
#include "web/nodes.h"
#include "web/pin_table.h"
#include "web/reply.h"

/* ---- the list ------------------------------------------------------------ */

static json_t *node_json(struct request *request, const struct gpio_link *link,
			 const struct db_node *stored)
{
	const json_t *report = gpio_link_report(link);
	const char *key = gpio_link_key(link);
	char user[DB_NODE_USER_SIZE];
	struct pins *pins = NULL;
	json_t *body;

	/* One that cannot be read now has none to show. */
	(void)pin_table_load(request->web, key, &pins);
	body = json_pack(
		"{s:s,s:b,s:b,s:s?,s:O?,s:b,s:i,s:i,s:i}", "name",
		gpio_link_name(link), "own", key[0] == '\0', "online",
		(int)gpio_link_online(link), "backend", gpio_link_backend(link),
		"board", json_object_get(report, "board"), "pending",
		(int)gpio_link_pending(link), "pins",
		pins ? (int)pins->count : 0, "devices",
		pins ? (int)pins->devices : 0, "errors",
		(int)json_array_size(json_object_get(report, "errors")));
	free(pins);
	if (body && key[0] &&
	    (json_object_set_new(body, "user",
				 json_string(db_node_user(user, key))) ||
	     json_object_set_new(body, "created",
				 json_integer(stored ? stored->created : 0)))) {
		json_decref(body);
		return NULL;
	}
	return body;
}

void api_nodes(struct request *request)
{
	struct web_context *web = request->web;
	json_t *list = json_array();
	const struct gpio_link *link;
	struct db_node *stored;
	size_t count;
	int bad = 0;
	int r = db_nodes_list(web->config, &stored, &count);

	if (r) {
		json_decref(list);
		reply_error(request, r, "Listing the boards");
		return;
	}
	for (size_t i = 0; (link = nodes_at(web->nodes, i)); i++)
		bad |= json_array_append_new(
			list, node_json(request, link,
					db_node_named(stored, count,
						      gpio_link_key(link))));
	free(stored);
	if (bad) {
		json_decref(list);
		list = NULL;
	}
	reply_json(request, 200,
		   json_pack("{s:o,s:b}", "nodes", list, "can_add",
			     web->mqtts.port != 0));
}

/* ---- its credential ------------------------------------------------------ */

static void reply_failed(struct request *request, int error, const char *what)
{
	switch (-error) {
	case ENOENT:
		reply_problem(request, 404, "no-such-node",
			      "There is no satellite of that name.");
		break;
	case EEXIST:
		reply_problem(request, 409, "node-exists",
			      "There is a board of that name already.");
		break;
	case ENFILE:
		reply_problem(request, 409, "too-many-nodes",
			      "There are %d satellites; no more fit.",
			      LIMIT_SATELLITES);
		break;
	default:
		reply_error(request, error, what);
		break;
	}
}

/* The hub's address as the satellite is to use it. False: answered. */
static bool read_hub(struct request *request, char out[NODE_JOIN_HUB_MAX + 1])
{
	const struct slice host = request_header(request, "Host");
	struct form form;
	const char *hub;

	if (!request->web->mqtts.port) {
		reply_problem(
			request, 409, "no-tls-listener",
			"Satellites come by MQTT over TLS, and hearth.conf "
			"has no listener of type tls for everybody.");
		return false;
	}
	if (!form_begin(&form, request))
		return false;
	hub = form_text(&form, "hub", FORM_OPTIONAL, NODE_JOIN_HUB_MAX);
	if (hub && !node_join_hub_valid(hub))
		form_error(&form, "hub",
			   "must be mqtts://, a name or address, and perhaps "
			   "a port");
	else if (hub)
		(void)snprintf(out, NODE_JOIN_HUB_MAX + 1, "%s", hub);
	else if (!node_join_hub((const char *)host.data,
				request->web->mqtts.port, out))
		form_error(&form, "hub",
			   "is required: the name by which you reach the hub "
			   "is good on this machine only");
	return form_end(&form);
}

static int make_secret(char secret[PASSWORD_TOKEN_SIZE],
		       char hash[PASSWORD_HASH_SIZE])
{
	int r = password_generate(secret);

	return r ? r
		 : password_hash(PASSWORD_GENERATED, slice_str(secret), hash);
}

/* NULL with errno set. */
static char *make_join(struct request *request, const char *hub,
		       const char *name, const char *secret)
{
	char user[DB_NODE_USER_SIZE];
	const struct node_join join = {
		.hub = hub,
		.node = name,
		.user = db_node_user(user, name),
		.password = secret,
		.certificate = request->web->mqtts.certificate,
	};

	return node_join_text(&join);
}

/* Shown once, here. */
static void reply_joined(struct request *request, unsigned int status,
			 const char *hub, const char *name, const char *secret,
			 const char *text)
{
	char user[DB_NODE_USER_SIZE];

	reply_json(request, status,
		   json_pack("{s:s,s:s,s:s,s:s,s:s}", "name", name, "hub", hub,
			     "user", db_node_user(user, name), "password",
			     secret, "join", text));
}

static void forget(char *text, char secret[PASSWORD_TOKEN_SIZE])
{
	if (text)
		OPENSSL_cleanse(text, strlen(text));
	free(text);
	OPENSSL_cleanse(secret, PASSWORD_TOKEN_SIZE);
}

/* What it says is kept, as what the hub's own board says; it may be changed. */
static void follow_history(struct web_context *web, const char *name, bool keep)
{
	struct db_history_policy policy = {
		.policy = { .keep = true, .averages = true },
	};
	int r;

	(void)snprintf(policy.filter, sizeof(policy.filter), "hearth/%s/#",
		       name);
	r = keep ? db_history_policies_put(web->config, &policy)
		 : db_history_policies_remove(web->config, policy.filter);
	if (r >= 0)
		r = context_history_changed(web);
	if (r && r != -ENOENT)
		log_warn(name, "its history: %s", strerrordesc_np(-r));
}

static int store(struct request *request, const char *name, const char *hash,
		 bool is_new)
{
	struct web_context *web = request->web;
	struct db_node node = { 0 };
	int r;

	if (strcmp(name, web->node) == 0)
		return is_new ? -EEXIST : -ENOENT;
	(void)snprintf(node.name, sizeof(node.name), "%s", name);
	memcpy(node.hash, hash, sizeof(node.hash));
	r = is_new ? db_nodes_add(web->config, &node)
		   : db_nodes_rekey(web->config, name, hash);
	return r ? r : context_access_changed(web);
}

static void make(struct request *request, bool is_new)
{
	const char *name = request->segments[3];
	char hub[NODE_JOIN_HUB_MAX + 1] = "";
	char secret[PASSWORD_TOKEN_SIZE];
	char hash[PASSWORD_HASH_SIZE];
	char user[DB_NODE_USER_SIZE];
	char *text = NULL;
	int r;

	if (!read_hub(request, hub))
		return;
	r = make_secret(secret, hash);
	if (!r) {
		text = make_join(request, hub, name, secret);
		r = text ? 0 : -errno;
	}
	if (!r)
		r = store(request, name, hash, is_new);
	if (r) {
		reply_failed(request, r, "Storing the satellite");
	} else {
		if (is_new)
			follow_history(request->web, name, true);
		else
			login_put_out(request, db_node_user(user, name));
		nodes_changed(request->web->nodes);
		audit(request, "satellite %s %s", name,
		      is_new ? "made" : "given another credential");
		reply_joined(request, is_new ? 201 : 200, hub, name, secret,
			     text);
	}
	forget(text, secret);
}

void api_node_put(struct request *request)
{
	if (!db_node_name_valid(request->segments[3])) {
		reply_problem(request, 422, "bad-name",
			      "A board's name is 1 to 32 of a-z, 0-9 and -, "
			      "and - neither begins nor ends it.");
		return;
	}
	make(request, true);
}

void api_node_credential(struct request *request)
{
	make(request, false);
}

void api_node_delete(struct request *request)
{
	struct web_context *web = request->web;
	const char *name = request->segments[3];
	char user[DB_NODE_USER_SIZE];
	int r = db_nodes_remove(web->config, name);

	if (!r)
		r = context_access_changed(web);
	if (r) {
		reply_failed(request, r, "Removing the satellite");
		return;
	}
	login_put_out(request, db_node_user(user, name));
	follow_history(web, name, false);
	nodes_changed(web->nodes);
	audit(request, "satellite %s removed", name);
	reply_empty(request, 204);
}

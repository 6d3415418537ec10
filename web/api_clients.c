/* Clients of the broker: /clients. */
#include <errno.h>
#include <stdlib.h>

#include "broker/admin.h"
#include "web/api.h"
#include "web/audit.h"
#include "web/payload.h"
#include "web/reply.h"

static const char *protocol_text(uint8_t version)
{
	return version == 3 ? "3.1" : version == 4 ? "3.1.1" : "5.0";
}

static const char *transport_text(enum admin_transport transport)
{
	switch (transport) {
	case ADMIN_TCP:
		return "tcp";
	case ADMIN_WEBSOCKET:
		return "websocket";
	case ADMIN_UNIX:
		return "unix";
	case ADMIN_LOCAL:
		return "local";
	}
	return "tcp";
}

static json_t *client_json(const struct admin_client *c)
{
	json_t *expiry = c->expiry == STORE_EXPIRY_NEVER
				 ? json_null()
				 : json_integer(c->expiry);

	return json_pack(
		"{s:o,s:o,s:s,s:s,s:s,s:b,s:I,s:b,s:o,s:i,s:I,s:I,s:I,s:I,s:I,"
		"s:I,s:I,s:I,s:I,s:o}",
		"id", payload_text(slice_str(c->id)), "user",
		payload_text(slice_str(c->user)), "address", c->address,
		"protocol", protocol_text(c->version), "transport",
		transport_text(c->transport), "connected", (int)c->connected,
		"since", (json_int_t)c->since, "clean", (int)c->clean,
		"expiry_s", expiry, "keep_alive_s", (int)c->keep_alive,
		"subscriptions", (json_int_t)c->subscriptions, "queued",
		(json_int_t)c->queued, "inflight", (json_int_t)c->inflight,
		"received", (json_int_t)c->received, "sent",
		(json_int_t)c->sent, "queued_bytes",
		(json_int_t)c->queued_bytes, "output_bytes",
		(json_int_t)c->output, "dropped", (json_int_t)c->dropped,
		"refused", (json_int_t)c->refused, "oldest",
		c->oldest ? json_integer(c->oldest) : json_null());
}

static json_t *clients_json(const struct admin_clients *clients)
{
	json_t *list = json_array(), *next = json_null();

	for (size_t i = 0; list && i < clients->count; i++) {
		if (json_array_append_new(list,
					  client_json(&clients->clients[i]))) {
			json_decref(list);
			list = NULL;
		}
	}
	if (clients->more && clients->count)
		next = payload_text(
			slice_str(clients->clients[clients->count - 1].id));
	return json_pack("{s:o,s:o}", "clients", list, "next", next);
}

/* Replies when there is no such list. */
static bool take_which(struct request *request, enum admin_which *out)
{
	const char *which = request_query(request, "which");

	*out = ADMIN_ALL;
	if (!which || strcmp(which, "all") == 0)
		return true;
	*out = strcmp(which, "ghosts") == 0 ? ADMIN_GHOSTS : ADMIN_SLOW;
	if (*out == ADMIN_GHOSTS || strcmp(which, "slow") == 0)
		return true;
	reply_problem(request, 400, "bad-parameter",
		      "which: expected all, ghosts or slow.");
	return false;
}

void api_clients(struct request *request)
{
	enum admin_which which;
	struct admin_clients *clients;
	int64_t limit = WEB_PAGE_MAX;
	int r;

	if (!request_number(request, "limit", 1, WEB_PAGE_MAX, &limit))
		return;
	if (!take_which(request, &which))
		return;
	r = admin_clients(request->web->admin, which,
			  request_query(request, "after"), (size_t)limit,
			  &clients);
	if (r) {
		reply_error(request, r, "Listing the clients");
		return;
	}
	reply_json(request, 200, clients_json(clients));
	free(clients);
}

static void reply_none(struct request *request)
{
	reply_problem(request, 404, "no-such-client",
		      "There is no client of that identifier.");
}

static json_t *subscriptions_json(const struct admin_subscriptions *all)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < all->count; i++) {
		const struct admin_subscription *one = &all->subscriptions[i];
		json_t *filter = payload_text(slice_str(one->filter));

		if (json_array_append_new(list, json_pack("{s:o,s:i}", "filter",
							  filter, "qos",
							  one->options & 3))) {
			json_decref(list);
			list = NULL;
		}
	}
	return json_pack("{s:o}", "subscriptions", list);
}

void api_client_subscriptions(struct request *request)
{
	struct admin_subscriptions *all;
	int r;

	r = admin_subscriptions(request->web->admin, request->segments[3],
				&all);
	if (r == -ENOENT) {
		reply_none(request);
		return;
	}
	if (r) {
		reply_error(request, r, "Listing the subscriptions");
		return;
	}
	reply_json(request, 200, subscriptions_json(all));
	free(all);
}

void api_client_disconnect(struct request *request)
{
	const char *session = request_query(request, "session");
	bool remove = session && strcmp(session, "true") == 0;
	int r;

	r = admin_disconnect(request->web->admin, request->segments[3], remove);
	if (r == -ENOENT) {
		reply_none(request);
		return;
	}
	if (r) {
		reply_error(request, r, "Disconnecting the client");
		return;
	}
	audit(request, "client %s disconnected", request->segments[3]);
	reply_empty(request, 204);
}

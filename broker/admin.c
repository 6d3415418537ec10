#include "broker/admin.h"

#include <errno.h>
#include <stdlib.h>

#include "broker/admin/admin_call.h"
#include "broker/guard.h"
#include "broker/peer/connection.h"
#include "broker/protocol/banned.h"
#include "broker/routing/retained.h"
#include "broker/routing/router.h"
#include "broker/session/session.h"

#define NOTHING slice_of(NULL, 0)

/* ---- counters ----------------------------------------------------------- */

static int run_counters(struct broker *b, struct admin_call *call)
{
	struct admin_counters *c = calloc(1, sizeof(*c));
	struct hash_node *at = NULL;
	size_t slot = 0;

	if (!c)
		return -ENOMEM;
	call->out = c;
	c->uptime_ms = loop_now(b->loop) - b->started;
	c->connections = b->connection_count;
	c->sessions = b->session_count;
	c->subscriptions = b->subscription_count;
	c->retained = retained_count(b->retained);
	c->retained_bytes = retained_bytes(b->retained);
	c->queued_bytes = b->queued_bytes;
	c->messages_received = b->count.messages_received;
	c->messages_sent = b->count.messages_sent;
	c->messages_dropped = b->count.messages_dropped;
	c->bytes_received = b->count.bytes_received;
	c->bytes_sent = b->count.bytes_sent;
	c->connects_refused = b->count.connects_refused;
	c->has_store = b->store != NULL;
	c->store_health = STORE_OK;
	if (b->store) {
		c->store_pending = b->written > b->committed
					   ? b->written - b->committed
					   : 0;
		c->store_health = b->store->ops->health(b->store);
		c->store_refuses = b->store->ops->refuses(b->store);
	}
	while ((at = hash_table_walk(&b->sessions, &slot, at)))
		c->queued +=
			hash_entry(at, struct session, by_id)->outbox.queued;
	return 0;
}

int admin_counters(struct admin *admin, struct admin_counters *out)
{
	void *made;
	int r = admin_call_ask(admin_call_new(admin, run_counters, NOTHING),
			       &made);

	if (r < 0)
		return r;
	*out = *(struct admin_counters *)made;
	free(made);
	return 0;
}

static int run_disconnect(struct broker *b, struct admin_call *call)
{
	struct session *s = session_find(b, slice_str(call->text));

	if (!s || s->local)
		return -ENOENT;
	if (s->connection)
		connection_close(s->connection, MQTT_ADMINISTRATIVE_ACTION,
				 "disconnected by an administrator");
	s = session_find(b, slice_str(call->text));
	if (s && call->flag) {
		/* The session's end is what a delayed will waits for. */
		router_publish_will(s);
		session_remove(s);
	}
	return 0;
}

int admin_disconnect(struct admin *admin, const char *client_id,
		     bool remove_session)
{
	struct admin_call *call =
		admin_call_new(admin, run_disconnect, slice_str(client_id));

	if (call)
		call->flag = remove_session;
	return admin_call_ask(call, NULL);
}

/* Is it this user's, or may it become so by what held until now: a cookie, a
 * password or a proof that is being looked at? */
static bool belongs_to(const struct connection *c, const char *user)
{
	if (c->session)
		return c->session->user && strcmp(c->session->user, user) == 0;
	return c->state == CONNECTION_AUTHENTICATING ||
	       c->state == CONNECTION_EXCHANGING ||
	       (c->cookie_user && strcmp(c->cookie_user, user) == 0);
}

static int run_disconnect_user(struct broker *b, struct admin_call *call)
{
	struct list *at, *after;

	list_for_each (at, after, &b->connections) {
		struct connection *c = list_entry(at, struct connection, link);

		if (belongs_to(c, call->text))
			connection_close(c, MQTT_ADMINISTRATIVE_ACTION,
					 "the user's rights have changed");
	}
	return 0;
}

static int run_disconnect_tag(struct broker *b, struct admin_call *call)
{
	struct list *at, *after;

	list_for_each (at, after, &b->connections) {
		struct connection *c = list_entry(at, struct connection, link);

		if (c->tag == call->tag)
			connection_close(c, MQTT_ADMINISTRATIVE_ACTION,
					 "logged out");
	}
	return 0;
}

int admin_disconnect_tag(struct admin *admin, uint64_t tag)
{
	struct admin_call *call =
		admin_call_new(admin, run_disconnect_tag, NOTHING);

	if (call)
		call->tag = tag;
	return admin_call_ask(call, NULL);
}

int admin_disconnect_user(struct admin *admin, const char *user)
{
	return admin_call_ask(
		admin_call_new(admin, run_disconnect_user, slice_str(user)),
		NULL);
}

/* ---- access ------------------------------------------------------------- */

static void drop_access(void *access)
{
	access_free(access);
}

static int run_set_access(struct broker *b, struct admin_call *call)
{
	access_free(b->access);
	b->access = call->out;
	call->out = NULL;
	b->access_generation++;
	return 0;
}

int admin_set_access(struct admin *admin, struct access *access)
{
	struct admin_call *call =
		admin_call_new(admin, run_set_access, NOTHING);

	if (!call) {
		access_free(access);
		return -ENOMEM;
	}
	call->out = access;
	call->drop = drop_access;
	return admin_call_ask(call, NULL);
}

static int run_open_mqtt(struct broker *b, struct admin_call *call)
{
	(void)call;
	b->closed = false;
	return 0;
}

int admin_open_mqtt(struct admin *admin)
{
	return admin_call_ask(admin_call_new(admin, run_open_mqtt, NOTHING),
			      NULL);
}

/* ---- a socket from the web server --------------------------------------- */

struct adopt_call {
	struct broker_call call;
	int fd;
	struct ssl_st *ssl;
	char *address;
	char *user;
	uint64_t tag;
	size_t len;
	uint8_t left_over[];
};

static void adopt_call_free(struct adopt_call *call)
{
	free(call->address);
	free(call->user);
	free(call);
}

static void run_adopt(struct broker *b, struct broker_call *posted)
{
	struct adopt_call *call = list_entry(posted, struct adopt_call, call);
	const struct connection_options options = {
		.fd = call->fd,
		.ssl = call->ssl,
		.websocket = true,
		.address = call->address,
		.cookie_user = call->user,
		.tag = call->tag,
	};
	struct transport refused = { .fd = call->fd, .ssl = call->ssl };
	struct connection *c = NULL;

	if (b->connection_count < b->options.max_connections &&
	    !banned_address(b, call->address) &&
	    guard_admits(b->guard, call->address))
		c = connection_new(b, &options);
	if (c)
		connection_feed(c, slice_of(call->left_over, call->len));
	else
		transport_close(&refused, b->pool);
	adopt_call_free(call);
}

static void drop_adopt(struct broker *b, struct broker_call *posted)
{
	struct adopt_call *call = list_entry(posted, struct adopt_call, call);
	struct transport refused = { .fd = call->fd, .ssl = call->ssl };

	transport_close(&refused, b->pool);
	adopt_call_free(call);
}

int admin_adopt_websocket(struct admin *admin,
			  const struct admin_websocket *socket)
{
	struct adopt_call *call =
		calloc(1, sizeof(*call) + socket->left_over.len);

	if (!call)
		return -ENOMEM;
	call->call.run = run_adopt;
	call->call.drop = drop_adopt;
	call->fd = socket->fd;
	call->ssl = socket->ssl;
	call->address = strdup(socket->address);
	call->user = socket->user ? strdup(socket->user) : NULL;
	call->len = socket->left_over.len;
	call->tag = socket->tag;
	if (call->len)
		memcpy(call->left_over, socket->left_over.data, call->len);
	if (!call->address || (socket->user && !call->user)) {
		adopt_call_free(call);
		return -ENOMEM;
	}
	if (broker_post(admin_broker(admin), &call->call) < 0) {
		adopt_call_free(call);
		return -EAGAIN;
	}
	return 0;
}

#include "broker/admin.h"

#include <errno.h>
#include <stdlib.h>

#include "broker/admin/admin_call.h"
#include "broker/limits.h"
#include "broker/origin.h"
#include "broker/peer/connection.h"
#include "broker/peer/listener.h"
#include "broker/routing/retained.h"
#include "broker/routing/subscriptions.h"
#include "broker/routing/topic_tree.h"
#include "broker/session/session.h"

#define NOTHING slice_of(NULL, 0)

/* ---- clients ------------------------------------------------------------ */

/* Texts behind an array, in the same piece of memory. */
struct text_heap {
	char *at;
};

static const char *keep(struct text_heap *heap, const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy = memcpy(heap->at, text, size);

	heap->at += size;
	return copy;
}

static int compare_sessions(const void *a, const void *b)
{
	const struct session *const *x = a;
	const struct session *const *y = b;

	return strcmp((*x)->client_id, (*y)->client_id);
}

static const char *address_of(const struct session *s)
{
	return session_attached(s) ? s->origin->address : "";
}

static enum admin_transport transport_of(const struct session *s)
{
	const struct connection *c = s->connection;

	if (s->local)
		return ADMIN_LOCAL;
	if (c && c->transport.websocket)
		return ADMIN_WEBSOCKET;
	if (c && c->listener &&
	    listener_options(c->listener)->type == LISTENER_UNIX)
		return ADMIN_UNIX;
	return ADMIN_TCP;
}

static int64_t oldest(const struct outbox *box)
{
	for (uint32_t i = 0; i < box->count; i++)
		if (outbox_at(box, i)->message)
			return outbox_at(box, i)->message->time;
	return 0;
}

static void describe(struct text_heap *heap, const struct session *s,
		     struct admin_client *out)
{
	const struct outbox_sums *sums = s->outbox.sums;
	const struct connection *c = s->connection;

	*out = (struct admin_client){
		.id = keep(heap, s->client_id),
		.user = keep(heap, s->user ? s->user : ""),
		.address = keep(heap, address_of(s)),
		.version = (uint8_t)s->version,
		.transport = transport_of(s),
		.connected = session_attached(s),
		.clean = !session_durable(s),
		.expiry = s->expiry,
		.keep_alive = c ? c->keep_alive : 0,
		.since = s->since,
		.subscriptions = s->subscription_count,
		.queued = s->outbox.queued,
		.inflight = s->outbox.inflight,
		.queued_bytes = s->outbox.bytes,
		.output = c ? c->output.len : 0,
		.dropped = sums ? sums->dropped : 0,
		.refused = sums ? sums->refused : 0,
		.oldest = oldest(&s->outbox),
		.received = c ? c->received : 0,
		.sent = c ? c->sent : 0,
	};
}

/* One that keeps up has less output than this waiting. */
#define MUCH_OUTPUT (LIMIT_OUTPUT / 2)

static bool wanted(const struct session *s, enum admin_which which)
{
	const struct outbox_sums *sums = s->outbox.sums;
	const bool there = session_attached(s);

	switch (which) {
	case ADMIN_GHOSTS:
		return !there;
	case ADMIN_SLOW:
		return there && (s->outbox.queued > 0 ||
				 (sums && (sums->dropped || sums->refused)) ||
				 (s->connection &&
				  s->connection->output.len >= MUCH_OUTPUT));
	case ADMIN_ALL:
		break;
	}
	return true;
}

/* Sessions after a client identifier, sorted; NULL when out of memory. */
static const struct session **sorted(struct broker *b, enum admin_which which,
				     const char *after, size_t *count)
{
	const struct session **all =
		calloc(b->session_count + 1, sizeof(struct session *));
	struct hash_node *at = NULL;
	size_t slot = 0;

	*count = 0;
	if (!all)
		return NULL;
	while ((at = hash_table_walk(&b->sessions, &slot, at))) {
		const struct session *s = hash_entry(at, struct session, by_id);

		if (wanted(s, which) &&
		    (!after || strcmp(s->client_id, after) > 0))
			all[(*count)++] = s;
	}
	qsort(all, *count, sizeof(struct session *), compare_sessions);
	return all;
}

static int run_clients(struct broker *b, struct admin_call *call)
{
	struct admin_clients *out;
	struct text_heap heap;
	size_t count, n, bytes = 0;
	const struct session **all =
		sorted(b, call->which, call->after, &count);

	if (!all)
		return -ENOMEM;
	n = count < call->limit ? count : call->limit;
	for (size_t i = 0; i < n; i++)
		bytes += strlen(all[i]->client_id) +
			 strlen(all[i]->user ? all[i]->user : "") +
			 strlen(address_of(all[i])) + 3;
	out = malloc(sizeof(*out) + n * sizeof(out->clients[0]) + bytes);
	if (out) {
		out->count = n;
		out->more = count > n;
		heap.at = (char *)&out->clients[n];
		for (size_t i = 0; i < n; i++)
			describe(&heap, all[i], &out->clients[i]);
	}
	free(all);
	call->out = out;
	return out ? 0 : -ENOMEM;
}

int admin_clients(struct admin *admin, enum admin_which which,
		  const char *after, size_t limit, struct admin_clients **out)
{
	struct admin_call *call = admin_call_new(admin, run_clients, NOTHING);
	void *made;
	int r;

	if (!call)
		return -ENOMEM;
	call->limit = limit;
	call->which = which;
	call->after = after ? strdup(after) : NULL;
	if (after && !call->after) {
		admin_call_free(call);
		return -ENOMEM;
	}
	r = admin_call_ask(call, &made);
	if (r == 0)
		*out = made;
	return r;
}

static int run_subscriptions(struct broker *b, struct admin_call *call)
{
	struct session *s = session_find(b, slice_str(call->text));
	struct admin_subscriptions *out;
	struct list *at, *after;
	size_t bytes = 0, i = 0;
	char *text;

	if (!s)
		return -ENOENT;
	list_for_each (at, after, &s->subscriptions)
		bytes += subscription_filter(list_entry(at, struct subscription,
							in_session),
					     NULL, 0) +
			 1;
	out = malloc(sizeof(*out) +
		     s->subscription_count * sizeof(out->subscriptions[0]) +
		     bytes);
	if (!out)
		return -ENOMEM;
	out->count = s->subscription_count;
	text = (char *)&out->subscriptions[out->count];
	list_for_each (at, after, &s->subscriptions) {
		struct subscription *sub =
			list_entry(at, struct subscription, in_session);
		size_t len = subscription_filter(sub, text, bytes);

		text[len] = '\0';
		out->subscriptions[i].filter = text;
		out->subscriptions[i++].options = sub->options;
		text += len + 1;
		bytes -= len + 1;
	}
	call->out = out;
	return 0;
}

int admin_subscriptions(struct admin *admin, const char *client_id,
			struct admin_subscriptions **out)
{
	void *made;
	int r = admin_call_ask(
		admin_call_new(admin, run_subscriptions, slice_str(client_id)),
		&made);

	if (r == 0)
		*out = made;
	return r;
}

/* ---- retained ----------------------------------------------------------- */

static void drop_message(void *out)
{
	message_unref(*(struct message **)out);
	free(out);
}

static void drop_messages(void *out)
{
	admin_messages_free(out);
}

static int run_retained(struct broker *b, struct admin_call *call)
{
	struct message *m =
		retained_get(b->retained, slice_of(call->text, call->text_len),
			     loop_now(b->loop));
	struct message **out;

	if (!m)
		return -ENOENT;
	out = malloc(sizeof(struct message *));
	if (!out)
		return -ENOMEM;
	*out = message_ref(m);
	call->out = out;
	call->drop = drop_message;
	return 0;
}

int admin_retained(struct admin *admin, struct slice topic,
		   struct message **out)
{
	void *made;
	int r = admin_call_ask(admin_call_new(admin, run_retained, topic),
			       &made);

	if (r < 0)
		return r;
	*out = *(struct message **)made;
	free(made);
	return 0;
}

struct collect {
	struct broker *broker;
	const struct admin_call *call;
	struct admin_messages *out;
	size_t cap;
};

static int compare_topics(struct slice a, struct slice b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int r = memcmp(a.data, b.data, n);

	return r ? r : (a.len > b.len) - (a.len < b.len);
}

static int compare_messages(const void *a, const void *b)
{
	struct message *const *x = a;
	struct message *const *y = b;

	return compare_topics(message_topic(*x), message_topic(*y));
}

static int collect_one(struct message *m, void *arg)
{
	struct collect *collect = arg;
	const struct admin_call *call = collect->call;
	struct admin_messages *grown;

	if (call->after_len &&
	    compare_topics(message_topic(m),
			   slice_of(call->after, call->after_len)) <= 0)
		return 0;
	if (call->user && !access_may(collect->broker->access, call->user, "",
				      message_topic(m), ACCESS_READ)
				   .allowed)
		return 0;
	if (collect->out->count == collect->cap) {
		collect->cap = collect->cap * 2 + 16;
		grown = realloc(collect->out,
				sizeof(*grown) +
					collect->cap *
						sizeof(struct message *));
		if (!grown)
			return -ENOMEM;
		collect->out = grown;
	}
	collect->out->messages[collect->out->count++] = m;
	return 0;
}

static int run_retained_list(struct broker *b, struct admin_call *call)
{
	struct collect collect = { .broker = b, .call = call };
	int r = -ENOMEM;

	collect.out = calloc(1, sizeof(*collect.out));
	if (collect.out)
		r = retained_match(b->retained,
				   slice_of(call->text, call->text_len),
				   loop_now(b->loop), collect_one, &collect);
	if (r < 0) {
		free(collect.out);
		return r;
	}
	qsort(collect.out->messages, collect.out->count,
	      sizeof(struct message *), compare_messages);
	collect.out->more = collect.out->count > call->limit;
	if (collect.out->more)
		collect.out->count = call->limit;
	for (size_t i = 0; i < collect.out->count; i++)
		message_ref(collect.out->messages[i]);
	call->out = collect.out;
	call->drop = drop_messages;
	return 0;
}

int admin_retained_list(struct admin *admin, struct slice filter,
			struct slice after, const char *user, size_t limit,
			struct admin_messages **out)
{
	struct admin_call *call =
		admin_call_new(admin, run_retained_list, filter);
	void *made;
	int r;

	if (!call)
		return -ENOMEM;
	call->limit = limit;
	call->user = user ? strdup(user) : NULL;
	call->after =
		strndup(after.len ? (const char *)after.data : "", after.len);
	call->after_len = after.len;
	if ((user && !call->user) || !call->after) {
		admin_call_free(call);
		return -ENOMEM;
	}
	r = admin_call_ask(call, &made);
	if (r == 0)
		*out = made;
	return r;
}

void admin_messages_free(struct admin_messages *messages)
{
	if (!messages)
		return;
	for (size_t i = 0; i < messages->count; i++)
		message_unref(messages->messages[i]);
	free(messages);
}

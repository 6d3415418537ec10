#include "broker/broker.h"

#include <errno.h>
#include <stdlib.h>

#include "broker/admin/local_link.h"
#include "broker/admin/reconfigure.h"
#include "broker/admin/sys_topics.h"
#include "broker/admin/trace.h"
#include "broker/authenticator.h"
#include "broker/bans.h"
#include "broker/base/clock.h"
#include "broker/base/log.h"
#include "broker/core.h"
#include "broker/guard.h"
#include "broker/history_rules.h"
#include "broker/limits.h"
#include "broker/match/matcher.h"
#include "broker/peer/arrival.h"
#include "broker/peer/connection.h"
#include "broker/peer/listener.h"
#include "broker/peer/rate.h"
#include "broker/protocol/login.h"
#include "broker/protocol/portion.h"
#include "broker/protocol/protocol.h"
#include "broker/routing/admission.h"
#include "broker/routing/retain_hold.h"
#include "broker/routing/retained.h"
#include "broker/routing/topic_cache.h"
#include "broker/routing/topic_tree.h"
#include "broker/session/delivery.h"
#include "broker/session/hold.h"
#include "broker/session/legacy.h"
#include "broker/session/load.h"
#include "broker/session/playback.h"
#include "broker/session/session.h"

/* Calls from other threads that may wait: one web thread posts few at a time. */
#define MAILBOX_CALLS 4096

/* Expired retained messages are looked for this often; each sweep takes a few. */
#define SWEEP_MS 1000
#define SWEEP_MOST 1000

/* At the stop the store is given this long to commit what was flushed. */
#define STOP_MS 10000

int broker_post(struct broker *broker, struct broker_call *call)
{
	return mailbox_post(broker->mailbox, call);
}

uint64_t broker_ticket(struct broker *broker)
{
	if (!broker->store)
		return 0;
	broker->written = broker->store->ops->current(broker->store);
	return broker->written;
}

static void on_mailbox(struct loop_source *source, uint32_t events)
{
	struct broker *broker =
		list_entry(source, struct broker, mailbox_source);
	struct broker_call *call;

	(void)events;
	while ((call = mailbox_take(broker->mailbox)))
		call->run(broker, call);
}

static struct connection *by_serial(const struct broker *broker,
				    uint64_t serial)
{
	struct hash_node *at = hash_table_first(&broker->by_serial, serial);

	for (; at; at = hash_table_next(at)) {
		struct login *login = hash_entry(at, struct login, by_serial);

		if (login->serial == serial)
			return login->connection;
	}
	return NULL;
}

static void on_auth_reply(struct loop_source *source, uint32_t events)
{
	struct broker *broker = list_entry(source, struct broker, auth_source);
	struct authenticator_request *request;

	(void)events;
	while ((request = mailbox_take(broker->auth_replies))) {
		struct connection *c = by_serial(broker, request->token);

		if (c)
			protocol_auth_result(c, request->result == 1);
		protocol_auth_done(broker, request);
	}
}

static void open_gates(struct broker *broker)
{
	struct list *at, *after;

	list_for_each (at, after, &broker->gated)
		connection_open_gate(
			list_entry(list_entry(at, struct gate, link),
				   struct connection, gate));
	local_link_committed(broker);
}

static void pump_waiting(struct broker *broker)
{
	struct list waiting;
	struct list *first;

	/* Those that still have to wait come back to broker->waiting. */
	list_init(&waiting);
	list_take_all(&waiting, &broker->waiting);
	while ((first = list_first(&waiting))) {
		list_remove(first);
		delivery_pump(list_entry(first, struct session, waiting));
	}
}

static void resume_paused(struct broker *broker)
{
	struct list paused;
	struct list *first;

	if (broker->store->ops->congested(broker->store))
		return;
	list_init(&paused);
	list_take_all(&paused, &broker->paused);
	while ((first = list_first(&paused))) {
		list_remove(first);
		connection_resume(list_entry(first, struct connection, paused));
	}
}

static void on_store(struct loop_source *source, uint32_t events)
{
	struct broker *broker = list_entry(source, struct broker, store_source);

	(void)events;
	broker->committed = broker->store->ops->committed(broker->store);
	broker->refusing = broker->store->ops->refuses(broker->store) != 0;
	open_gates(broker);
	pump_waiting(broker);
	resume_paused(broker);
}

static void on_sweep(struct loop_timer *timer)
{
	struct broker *broker = list_entry(timer, struct broker, sweep);
	struct message *m;

	for (int i = 0; i < SWEEP_MOST; i++) {
		m = retained_sweep(broker->retained, loop_now(broker->loop));
		if (!m)
			break;
		/* Not removed for lack of memory it has expired all the same. */
		if (broker->store &&
		    broker->store->ops->retained_remove(broker->store,
							message_topic(m)) == 0)
			broker_ticket(broker);
		message_unref(m);
	}
	/* Those who have waited long enough are told so. */
	broker->crowded_moved = true;
	playback_sweep(broker);
	loop_timer_set(broker->loop, &broker->sweep, SWEEP_MS);
}

/* Sends that are over before a disk would notice: some 10 us each. */
#define SENDS_FIRST 8u

static void turn_end(void *arg)
{
	struct broker *broker = arg;
	struct list *first;

	while ((first = list_first(&broker->failing))) {
		struct connection *c =
			list_entry(first, struct connection, failing);

		list_remove(first);
		connection_close(c, c->failure_reason, c->failure);
	}
	if (broker->gates_due) {
		broker->gates_due = false;
		open_gates(broker);
		resume_paused(broker);
	}
	admission_retry(broker);
	portion_resume(broker);
	if (broker->trace)
		trace_flush(broker);
	/* Few are told at once: on a busy or only processor the store's thread
	 * would work first. Before many, so that the disk works while we send. */
	for (unsigned int i = 0;
	     i < SENDS_FIRST && (first = list_first(&broker->dirty)); i++)
		connection_flush(list_entry(first, struct connection, dirty));
	if (broker->store)
		broker->store->ops->flush(broker->store);
	while ((first = list_first(&broker->dirty)))
		connection_flush(list_entry(first, struct connection, dirty));
	while ((first = list_first(&broker->doomed)))
		connection_bury(list_entry(first, struct connection, link));
	/* Wills of those that failed while being flushed. */
	if (broker->store)
		broker->store->ops->flush(broker->store);
	if (!list_empty(&broker->dirty) || !list_empty(&broker->failing) ||
	    !list_empty(&broker->portioned) ||
	    (broker->crowded_moved && !list_empty(&broker->stalled)))
		loop_wake(broker->loop);
}

static void set_default(uint32_t *value, uint32_t otherwise)
{
	if (*value == 0)
		*value = otherwise;
}

void broker_fill_defaults(struct broker_options *o)
{
	set_default(&o->max_connections, LIMIT_CONNECTIONS);
	set_default(&o->max_packet_size, LIMIT_PACKET_SIZE);
	set_default(&o->max_queue_messages, LIMIT_QUEUE_MESSAGES);
	set_default(&o->max_queue_bytes, LIMIT_QUEUE_BYTES);
	set_default(&o->max_queue_bytes_total, LIMIT_QUEUE_BYTES_TOTAL);
	set_default(&o->max_sessions, LIMIT_SESSIONS);
	set_default(&o->max_subscriptions, LIMIT_SUBSCRIPTIONS);
	set_default(&o->max_subscriptions_per_session,
		    LIMIT_SUBSCRIPTIONS_PER_SESSION);
	set_default(&o->max_retained, LIMIT_RETAINED);
	set_default(&o->max_retained_bytes, LIMIT_RETAINED_BYTES);
	set_default(&o->max_inflight, LIMIT_INFLIGHT);
	set_default(&o->receive_maximum, LIMIT_RECEIVE_MAXIMUM);
	set_default(&o->refused_qos, 3);
	set_default(&o->max_keep_alive, LIMIT_KEEP_ALIVE);
	set_default(&o->max_session_expiry, LIMIT_SESSION_EXPIRY);
}

static void init_lists(struct broker *broker)
{
	list_init(&broker->connections);
	list_init(&broker->arrivals);
	list_init(&broker->dirty);
	list_init(&broker->doomed);
	list_init(&broker->gated);
	list_init(&broker->waiting);
	list_init(&broker->paused);
	list_init(&broker->stalled);
	list_init(&broker->portioned);
	list_init(&broker->failing);
	list_init(&broker->locals);
	list_init(&broker->playbacks);
	hold_init(broker);
	retain_hold_init(broker);
}

static bool make_parts(struct broker *broker)
{
	const size_t max = broker->options.max_packet_size;

	broker->read_size =
		LIMIT_READ +
		(max > LIMIT_CONNECT_SIZE ? max : LIMIT_CONNECT_SIZE);
	return (broker->loop = loop_new()) &&
	       (broker->mailbox = mailbox_new(MAILBOX_CALLS)) &&
	       (broker->auth_replies =
			mailbox_new(AUTHENTICATOR_REQUESTS_MAX)) &&
	       (broker->bans || (broker->bans = bans_new())) &&
	       (broker->guard = guard_new(broker)) &&
	       hash_table_init(&broker->sessions) == 0 &&
	       hash_table_init(&broker->by_serial) == 0 &&
	       legacy_init(broker) == 0 &&
	       hash_table_init(&broker->shares) == 0 &&
	       hash_table_init(&broker->shares_by_id) == 0 &&
	       (broker->tree = topic_tree_new()) &&
	       (broker->matcher = matcher_new()) &&
	       (broker->cache = topic_cache_new(broker)) &&
	       (broker->retained = retained_new()) &&
	       (broker->pool = output_pool_new()) &&
	       (broker->read_buffer = malloc(broker->read_size)) &&
	       (broker->encode_buffer = malloc(publish_encode_size(max))) &&
	       (broker->properties_buffer = malloc(max)) &&
	       (broker->templates = publish_templates_new());
}

static int watch(struct broker *broker)
{
	int r = loop_add(broker->loop, &broker->mailbox_source,
			 mailbox_fd(broker->mailbox), EPOLLIN, on_mailbox);

	if (r == 0)
		r = loop_add(broker->loop, &broker->auth_source,
			     mailbox_fd(broker->auth_replies), EPOLLIN,
			     on_auth_reply);
	broker->refusing = broker->store &&
			   broker->store->ops->refuses(broker->store) != 0;
	if (r == 0 && broker->store)
		r = loop_add(broker->loop, &broker->store_source,
			     broker->store->ops->fd(broker->store), EPOLLIN,
			     on_store);
	if (r == 0)
		r = playback_open(broker);
	loop_set_turn_end(broker->loop, turn_end, broker);
	broker->sweep.fn = on_sweep;
	loop_timer_set(broker->loop, &broker->sweep, SWEEP_MS);
	return r;
}

static int open_listeners(struct broker *broker)
{
	const struct broker_options *o = &broker->options;
	int r;

	broker->listeners =
		calloc(o->listener_count + 1, sizeof(struct listener *));
	if (!broker->listeners)
		return -ENOMEM;
	for (size_t i = 0; i < o->listener_count; i++) {
		const struct listener_options *l = &o->listeners[i];

		r = listener_open(broker, l, &broker->listeners[i]);
		if (r < 0) {
			log_error(
				"listener",
				"%s: cannot listen on %s port %u: %s", l->name,
				l->type == LISTENER_UNIX ? l->path : l->address,
				l->port, strerrordesc_np(-r));
			return r;
		}
		broker->listener_count++;
	}
	return 0;
}

struct broker *broker_new(const struct broker_options *options)
{
	struct broker *broker = calloc(1, sizeof(*broker));
	int r = -ENOMEM;

	if (!broker) {
		errno = ENOMEM;
		return NULL;
	}
	broker->options = *options;
	broker_fill_defaults(&broker->options);
	rate_configure(broker);
	init_lists(broker);
	broker->mailbox_source.fd = -1;
	broker->auth_source.fd = -1;
	broker->store_source.fd = -1;
	broker->history_source.fd = -1;
	broker->access = options->access;
	broker->bans = options->bans;
	broker->access_generation = 1;
	broker->store = options->store;
	if (options->history_rules)
		broker->history_rules =
			history_rules_ref(options->history_rules);
	if (options->history_rules && options->store)
		options->store->ops->history_rules(options->store,
						   options->history_rules);
	broker->closed = options->closed;
	broker->next_session = 1;
	broker->next_message = 1;
	broker->next_serial = 1;
	if (make_parts(broker)) {
		retained_limit(broker->retained, broker->options.max_retained,
			       broker->options.max_retained_bytes);
		r = watch(broker);
	}
	if (r == 0)
		r = open_listeners(broker);
	if (r == 0) {
		broker->started = loop_now(broker->loop);
		return broker;
	}
	/* The caller keeps what it gave. */
	broker->access = NULL;
	if (options->bans)
		broker->bans = NULL;
	broker_free(broker);
	errno = -r;
	return NULL;
}

int broker_load(struct broker *broker)
{
	return broker->store ? load_store(broker) : 0;
}

static void close_all(struct broker *broker)
{
	struct list *at, *after;

	list_for_each (at, after, &broker->connections) {
		struct connection *c = list_entry(at, struct connection, link);

		if (c->state == CONNECTION_LINGERING) {
			connection_free(c);
			continue;
		}
		/* A stop of ours is not the client's death. */
		c->clean_disconnect = true;
		connection_close(c, MQTT_SERVER_SHUTTING_DOWN,
				 "hub is stopping");
	}
	turn_end(broker);
}

/* Acknowledgements that are under way still leave: whoever got none sends its
 * message again. */
static void wait_for_store(struct broker *broker)
{
	const uint64_t until = clock_ms() + STOP_MS;
	uint64_t target;

	if (!broker->store)
		return;
	hold_write_all(broker);
	retain_hold_write(broker);
	target = broker->written;
	broker->store->ops->flush(broker->store);
	while (broker->committed < target && clock_ms() < until &&
	       broker->store->ops->health(broker->store) == STORE_OK)
		loop_turn(broker->loop, 50);
}

static int run(struct broker *broker)
{
	int r;

	broker->sys_topics = sys_topics_new(broker);
	if (!broker->sys_topics)
		return -ENOMEM;
	r = loop_run(broker->loop);
	/* What was asked before the stop is still answered: nobody else frees
	 * it. */
	on_mailbox(&broker->mailbox_source, 0);

	for (size_t i = 0; i < broker->listener_count; i++)
		listener_stop(broker->listeners[i]);
	wait_for_store(broker);
	trace_stop(broker, "the hub stops");
	broker->stopping = true;
	close_all(broker);
	return r;
}

int broker_run(struct broker *broker)
{
	int r = run(broker);

	atomic_store(&broker->ended, true);
	return r;
}

void broker_stop(struct broker *broker)
{
	loop_stop(broker->loop);
}

static void free_connections(struct list *connections)
{
	struct list *first;

	while ((first = list_first(connections)))
		connection_free(list_entry(first, struct connection, link));
}

/* Posted when nobody ran them any more. */
static void drop_calls(struct broker *broker)
{
	struct broker_call *call;

	while (broker->mailbox && (call = mailbox_take(broker->mailbox)))
		call->drop(broker, call);
}

void broker_free(struct broker *broker)
{
	struct authenticator_request *request;

	if (!broker)
		return;
	drop_calls(broker);
	arrivals_free(broker);
	trace_stop(broker, "the hub stops");
	free_connections(&broker->connections);
	free_connections(&broker->doomed);
	for (size_t i = 0; broker->listeners && i < broker->listener_count; i++)
		listener_close(broker->listeners[i]);
	free(broker->listeners);
	reconfigured_free(broker->reconfigured);
	if (broker->cache)
		session_free_all(broker);
	legacy_free(broker);
	if (broker->playbacks.next)
		playback_close(broker);
	sys_topics_free(broker->sys_topics);
	topic_cache_free(broker->cache);
	topic_tree_free(broker->tree);
	matcher_free(broker->matcher);
	retain_hold_free(broker);
	retained_free(broker->retained);
	output_pool_free(broker->pool);
	hash_table_free(&broker->sessions);
	hash_table_free(&broker->by_serial);
	hash_table_free(&broker->shares);
	hash_table_free(&broker->shares_by_id);
	access_free(broker->access);
	bans_free(broker->bans);
	history_rules_unref(broker->history_rules);
	guard_free(broker->guard);
	trace_free(broker->trace_ended);
	free(broker->templates);
	free(broker->properties_buffer);
	free(broker->encode_buffer);
	free(broker->mount_buffer);
	free(broker->read_buffer);
	if (broker->auth_replies) {
		/* What the hasher gave back when it ended. */
		while ((request = mailbox_take(broker->auth_replies)))
			authenticator_request_free(request);
		mailbox_free(broker->auth_replies);
	}
	if (broker->mailbox)
		mailbox_free(broker->mailbox);
	loop_free(broker->loop);
	free(broker);
}

uint16_t broker_listener_port(const struct broker *broker, size_t index)
{
	return index < broker->listener_count
		       ? listener_port(broker->listeners[index])
		       : 0;
}

#include "broker/peer/connection.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "broker/admin/trace.h"
#include "broker/base/log.h"
#include "broker/core.h"
#include "broker/guard.h"
#include "broker/limits.h"
#include "broker/peer/connection_input.h"
#include "broker/peer/listener.h"
#include "broker/peer/rate.h"
#include "broker/protocol/alias_out.h"
#include "broker/protocol/login.h"
#include "broker/protocol/protocol.h"
#include "broker/protocol/reply.h"
#include "broker/protocol/scram.h"
#include "broker/session/delivery.h"
#include "broker/session/session.h"
#include "broker/wire/publish.h"

/* How long a peer may take to read our last packet and end its side. */
#define LINGER_MS 1000

/* A peer is silent when nothing came in one and a half times the keep-alive
 * [MQTT-3.1.2-22]. */
#define KEEP_ALIVE_MS(seconds) ((uint64_t)(seconds)*1500)

static void on_timer(struct loop_timer *timer);

/* Its listener may be narrower than the broker. */
static void take_limits(struct connection *c)
{
	const uint32_t own =
		c->listener ? listener_options(c->listener)->max_packet_size
			    : 0;

	c->own_max_packet = c->broker->options.max_packet_size;
	if (own && own < c->own_max_packet)
		c->own_max_packet = own;
}

struct connection *connection_new(struct broker *broker,
				  const struct connection_options *options)
{
	const size_t address_size = strlen(options->address) + 1;
	struct connection *c =
		calloc(1, offsetof(struct connection, address) + address_size);

	if (!c)
		return NULL;
	c->broker = broker;
	memcpy(c->address, options->address, address_size);
	if (options->cookie_user) {
		c->cookie_user = strdup(options->cookie_user);
		if (!c->cookie_user)
			goto err_free;
	}
	if (transport_open(&c->transport, options->fd, options->ssl,
			   options->websocket) < 0)
		goto err_cookie;
	c->source.fd = -1;
	if (options->fd >= 0 &&
	    loop_add(broker->loop, &c->source, options->fd,
		     EPOLLIN | EPOLLRDHUP, connection_on_event) < 0)
		goto err_transport;

	c->listener = options->listener;
	take_limits(c);
	c->mounted = c->listener && listener_options(c->listener)->mount_point;
	c->tag = options->tag;
	c->last_heard = loop_now(broker->loop);
	c->max_packet = MQTT_REMAINING_LENGTH_MAX + MQTT_FIXED_HEADER_MAX;
	c->receive_maximum = UINT16_MAX;
	c->problem_information = true;
	gate_init(&c->gate);
	list_init(&c->dirty);
	list_init(&c->paused);
	list_init(&c->failing);
	list_append(&broker->connections, &c->link);
	broker->connection_count++;
	broker->count.sockets++;
	c->timer.fn = on_timer;
	loop_timer_set(broker->loop, &c->timer,
		       LIMIT_CONNECT_TIME - options->waited);
	return c;

err_transport:
	c->transport.fd = -1;
	c->transport.ssl = NULL;
	transport_close(&c->transport, broker->pool);
err_cookie:
	free(c->cookie_user);
err_free:
	free(c);
	return NULL;
}

void connection_free(struct connection *c)
{
	struct broker *broker = c->broker;

	loop_timer_cancel(broker->loop, &c->timer);
	loop_remove(broker->loop, &c->source);
	list_remove(&c->link);
	list_remove(&c->dirty);
	list_remove(&c->paused);
	list_remove(&c->failing);
	broker->connection_count--;
	if (c->listener)
		listener_released(c->listener);
	gate_clear(&c->gate);
	output_clear(broker->pool, &c->output);
	transport_close(&c->transport, broker->pool);
	connection_drop_input(c);
	login_end(c);
	scram_free(c->scram);
	alias_table_free(c->aliases);
	alias_out_free(c->aliases_out);
	rate_free(c->rate);
	free(c->publisher);
	free(c->answers);
	free(c->cookie_user);
	free(c);
}

const char *connection_name(const struct connection *c, char out[160])
{
	if (c->session)
		snprintf(out, 160, "%.96s (%s)", c->session->client_id,
			 c->address);
	else
		snprintf(out, 160, "(%s)", c->address);
	return out;
}

/* ---- output ------------------------------------------------------------- */

void connection_mark_dirty(struct connection *c)
{
	if (!list_linked(&c->dirty))
		list_append(&c->broker->dirty, &c->dirty);
}

int connection_send(struct connection *c, const void *bytes, size_t len)
{
	if (c->state >= CONNECTION_CLOSING)
		return 0;
	if (len > c->max_packet) { /* [MQTT-3.1.2-24] */
		connection_close_soon(c, MQTT_PACKET_TOO_LARGE,
				      "an answer larger than the client takes");
		return 0;
	}
	if (output_append(c->broker->pool, &c->output, bytes, len) < 0)
		return -ENOMEM;
	if (c->traced)
		trace_out(c, bytes, len);
	c->broker->count.packets_sent++;
	connection_mark_dirty(c);
	return 0;
}

void connection_flush(struct connection *c)
{
	struct broker *broker = c->broker;
	int r;

	list_remove(&c->dirty);
	do {
		r = transport_write(&c->transport, broker->pool, &c->output,
				    &broker->count.bytes_sent);
		if (r < 0 || c->state != CONNECTION_CONNECTED)
			break;
		if (c->session->outbox.queued || c->session->playing)
			delivery_pump(c->session);
	} while (c->output.len > 0);
	list_remove(&c->dirty);

	if (r < 0 && r != -EAGAIN) {
		output_clear(broker->pool, &c->output);
		c->peer_gone = true;
		connection_close(c, MQTT_SUCCESS, strerrordesc_np(-r));
		return;
	}
	if (c->state < CONNECTION_CLOSING)
		connection_update_events(c);
}

/* ---- timers and the end ------------------------------------------------- */

void connection_start_keep_alive(struct connection *c)
{
	loop_timer_cancel(c->broker->loop, &c->timer);
	if (c->keep_alive)
		loop_timer_set(c->broker->loop, &c->timer,
			       KEEP_ALIVE_MS(c->keep_alive));
}

static void on_timer(struct loop_timer *timer)
{
	struct connection *c = list_entry(timer, struct connection, timer);
	uint64_t silent = loop_now(c->broker->loop) - c->last_heard;
	uint64_t allowed = KEEP_ALIVE_MS(c->keep_alive);

	switch (c->state) {
	case CONNECTION_LINGERING:
		connection_free(c);
		return;
	case CONNECTION_CONNECTED:
		/* It is we who do not listen while the store is behind. */
		if (c->input_paused)
			silent = 0;
		if (silent >= allowed)
			connection_close(
				c, MQTT_KEEP_ALIVE_TIMEOUT,
				"nothing heard in 1.5 times the keep-alive");
		else
			loop_timer_set(c->broker->loop, &c->timer,
				       allowed - silent);
		return;
	case CONNECTION_OPEN:
		connection_close(c, MQTT_SUCCESS, "no CONNECT in time");
		return;
	case CONNECTION_EXCHANGING:
		connection_close(c, MQTT_SUCCESS, "no AUTH in time");
		return;
	case CONNECTION_AUTHENTICATING:
	case CONNECTION_ACCEPTING:
		/* The hasher and the store answer in their own time. */
		loop_timer_set(c->broker->loop, &c->timer, LIMIT_CONNECT_TIME);
		return;
	case CONNECTION_CLOSING:
		return;
	}
}

static void log_close(const struct connection *c, enum mqtt_reason reason,
		      const char *why)
{
	enum log_level level =
		reason == MQTT_SUCCESS ? LOG_LEVEL_INFO : LOG_LEVEL_WARN;
	char name[160];

	if (c->session && guard_noisy(c->broker->guard, c->session->client_id))
		level = LOG_LEVEL_DEBUG;
	log_line(level, "client", "%s: closed: %s%s%s",
		 connection_name(c, name), why,
		 reason == MQTT_SUCCESS ? "" : ": ",
		 reason == MQTT_SUCCESS ? "" : reason_name(reason));
}

void connection_close(struct connection *c, enum mqtt_reason reason,
		      const char *why)
{
	struct broker *broker = c->broker;
	struct session *session = c->session;

	if (c->state >= CONNECTION_CLOSING)
		return;

	log_close(c, reason, why);
	if (c->traced)
		trace_close(c, reason, why);
	if (session && reason != MQTT_SESSION_TAKEN_OVER && !broker->stopping)
		guard_disconnected(broker->guard, session->client_id,
				   c->address);
	if (c->state == CONNECTION_CONNECTED)
		reply_disconnect(c, reason, why);
	if (c->state == CONNECTION_AUTHENTICATING)
		hash_table_remove(&broker->by_serial, &c->login->by_serial);
	c->state = CONNECTION_CLOSING;
	gate_clear(&c->gate);
	list_remove(&c->paused);
	list_remove(&c->failing);
	list_remove(&c->link);
	list_append(&broker->doomed, &c->link);
	connection_update_events(c);
	c->session = NULL;
	if (session && session->connection == c)
		session_detach(session, !c->clean_disconnect);
}

void connection_close_soon(struct connection *c, enum mqtt_reason reason,
			   const char *why)
{
	if (c->state >= CONNECTION_CLOSING || list_linked(&c->failing))
		return;
	c->failure = why;
	c->failure_reason = reason;
	list_append(&c->broker->failing, &c->failing);
}

void connection_bury(struct connection *c)
{
	struct broker *broker = c->broker;

	transport_write(&c->transport, broker->pool, &c->output,
			&broker->count.bytes_sent);
	list_remove(&c->dirty);
	if (c->source.fd < 0 || c->peer_gone || broker->stopping) {
		connection_free(c);
		return;
	}
	/* Closing with unread input would reset the connection and could take
	 * our last packet with it. */
	transport_shutdown(&c->transport);
	c->state = CONNECTION_LINGERING;
	list_remove(&c->link);
	list_append(&broker->connections, &c->link);
	output_clear(broker->pool, &c->output);
	connection_drop_input(c);
	connection_update_events(c);
	loop_timer_set(broker->loop, &c->timer, LINGER_MS);
}

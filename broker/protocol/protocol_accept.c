#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "broker/base/clock.h"
#include "broker/base/log.h"
#include "broker/core.h"
#include "broker/guard.h"
#include "broker/limits.h"
#include "broker/origin.h"
#include "broker/peer/listener.h"
#include "broker/peer/mount.h"
#include "broker/protocol/protocol.h"
#include "broker/protocol/protocol_login.h"
#include "broker/protocol/reply.h"
#include "broker/protocol/scram.h"
#include "broker/routing/router.h"
#include "broker/session/backlog.h"
#include "broker/session/delivery.h"
#include "broker/session/legacy.h"
#include "broker/session/session.h"
#include "broker/session/will_row.h"
#include "broker/store.h"

/* A CONNACK with all our properties but an assigned identifier. */
#define CONNACK_SIZE 256

/* Response Information, as often as names fit into it. */
#define RESPONSE_SIZE (LIMIT_RESPONSE_INFORMATION + 2 * LIMIT_CLIENT_ID)

/* ---- CONNACK ------------------------------------------------------------ */

/* In a topic a name must be one level, and no wildcard. */
static bool is_level(const char *name)
{
	return name[0] && name[0] != '$' && !strpbrk(name, "/+#");
}

/* [MQTT-3.1.2-28] is the caller's. False if there is none for this client. */
static bool response_information(const struct connection *c,
				 char out[RESPONSE_SIZE])
{
	const char *at = c->broker->options.response_information;
	struct writer w = writer_of(out, RESPONSE_SIZE - 1);

	if (!at)
		return false;
	for (; *at; at++) {
		const char *name = NULL;

		if (at[0] == '%' && at[1] == 'u')
			name = c->session->user;
		else if (at[0] == '%' && at[1] == 'c')
			name = c->session->client_id;
		if (name && !is_level(name))
			return false;
		if (name)
			at++;
		writer_bytes(&w, name ? slice_str(name) : slice_of(at, 1));
	}
	out[w.len] = '\0';
	return !w.overflow;
}

/* response is where one may be put that p then borrows. */
static void connack_properties(const struct connection *c,
			       const struct mqtt_connect *packet,
			       struct mqtt_properties *p,
			       char response[RESPONSE_SIZE])
{
	const struct broker_options *limits = &c->broker->options;
	const struct session *s = c->session;

	p->receive_maximum = c->own_receive_maximum;
	properties_set(p, MQTT_PROP_RECEIVE_MAXIMUM);
	p->maximum_packet_size = c->own_max_packet;
	properties_set(p, MQTT_PROP_MAXIMUM_PACKET_SIZE);
	p->topic_alias_maximum = LIMIT_TOPIC_ALIASES;
	properties_set(p, MQTT_PROP_TOPIC_ALIAS_MAXIMUM);
	if (protocol_may_send(c, 2, false) != MQTT_SUCCESS) {
		p->maximum_qos = (uint8_t)(limits->refused_qos - 1);
		properties_set(p, MQTT_PROP_MAXIMUM_QOS);
	}
	if (protocol_may_send(c, 0, true) != MQTT_SUCCESS) {
		p->retain_available = 0;
		properties_set(p, MQTT_PROP_RETAIN_AVAILABLE);
	}
	if (c->keep_alive != packet->keep_alive) {
		p->server_keep_alive = c->keep_alive;
		properties_set(p, MQTT_PROP_SERVER_KEEP_ALIVE);
	}
	if (properties_has(&packet->properties,
			   MQTT_PROP_SESSION_EXPIRY_INTERVAL) &&
	    s->expiry != packet->properties.session_expiry_interval) {
		p->session_expiry_interval = s->expiry;
		properties_set(p, MQTT_PROP_SESSION_EXPIRY_INTERVAL);
	}
	if (packet->client_id.len == 0) {
		p->assigned_client_identifier = slice_str(s->client_id);
		properties_set(p, MQTT_PROP_ASSIGNED_CLIENT_IDENTIFIER);
	}
	if (properties_has(&packet->properties,
			   MQTT_PROP_REQUEST_RESPONSE_INFORMATION) &&
	    packet->properties.request_response_information &&
	    response_information(c, response)) {
		p->response_information = slice_str(response);
		properties_set(p, MQTT_PROP_RESPONSE_INFORMATION);
	}
	if (c->enhanced) { /* [MQTT-4.12.0-5] */
		p->authentication_method = slice_str(SCRAM_METHOD);
		p->authentication_data = scram_answer(c->scram);
		properties_set(p, MQTT_PROP_AUTHENTICATION_METHOD);
		properties_set(p, MQTT_PROP_AUTHENTICATION_DATA);
	}
}

void protocol_accepted(struct connection *c)
{
	c->state = CONNECTION_CONNECTED;
	connection_start_keep_alive(c);
	delivery_pump(c->session);
	if (c->input_paused)
		connection_resume(c);
}

/* The session is back, but not whole: its client and the log are told. */
static void tell_dropped(const struct connection *c, struct mqtt_properties *p,
			 char why[LIMIT_REASON_STRING])
{
	const uint32_t dropped = backlog_take_dropped(c->session);

	if (dropped == 0)
		return;
	(void)snprintf(why, LIMIT_REASON_STRING,
		       "%u messages found no room in the queue", dropped);
	log_warn("client", "%s: is back: %s", c->session->client_id, why);
	reply_say(c, p, why);
}

/* CONNACK leaves when what it promises is on disk. */
static void accept(struct connection *c, const struct mqtt_connect *packet,
		   bool session_present, uint64_t ticket)
{
	struct mqtt_connack connack = { .session_present = session_present };
	uint8_t bytes[CONNACK_SIZE + LIMIT_CLIENT_ID + RESPONSE_SIZE];
	struct writer w = writer_of(bytes, sizeof(bytes));
	char why[LIMIT_REASON_STRING];
	char response[RESPONSE_SIZE];
	char name[160];
	int r;

	if (c->version == MQTT_5_0)
		connack_properties(c, packet, &connack.properties, response);
	tell_dropped(c, &connack.properties, why);
	connack_encode(&w, c->version, &connack);
	if (reply_too_large(c, &w, &connack.properties))
		connack_encode(&w, c->version, &connack);
	if (w.len > c->max_packet) {
		connection_close(c, MQTT_PACKET_TOO_LARGE,
				 "CONNACK larger than the client takes");
		return;
	}
	log_line(guard_noisy(c->broker->guard, c->session->client_id)
			 ? LOG_LEVEL_DEBUG
			 : LOG_LEVEL_INFO,
		 "client", "%s: connected as %s%s%s%s, MQTT %s%s",
		 connection_name(c, name), c->session->user[0] ? "user " : "",
		 c->session->user[0] ? c->session->user : "anonymous",
		 c->enhanced ? " by SCRAM" : "",
		 c->transport.websocket ? " by WebSocket" : "",
		 c->version == MQTT_5_0	    ? "5.0"
		 : c->version == MQTT_3_1_1 ? "3.1.1"
					    : "3.1",
		 session_present ? ", session resumed" : "");

	c->state = CONNECTION_ACCEPTING;
	r = connection_send_gated(c, slice_of(w.data, w.len), ticket);
	if (r < 0)
		connection_close(c, MQTT_UNSPECIFIED_ERROR, "out of memory");
	else if (c->gate.count == 0)
		protocol_accepted(c);
	else
		connection_pause(c);
}

/* ---- the session -------------------------------------------------------- */

static uint32_t wanted_expiry(const struct connection *c,
			      const struct mqtt_connect *packet)
{
	const uint32_t most = c->broker->options.max_session_expiry;
	uint32_t expiry = 0;

	if (packet->version != MQTT_5_0)
		expiry = packet->clean_start ? 0 : STORE_EXPIRY_NEVER;
	else if (properties_has(&packet->properties,
				MQTT_PROP_SESSION_EXPIRY_INTERVAL))
		expiry = packet->properties.session_expiry_interval;
	return expiry > most ? most : expiry;
}

static struct message *will_message(const struct connection *c,
				    struct session *s,
				    const struct mqtt_connect *packet)
{
	const struct mqtt_will *will = &packet->will;
	uint8_t *properties = s->broker->encode_buffer;
	struct message_parts parts = {
		.topic = will->topic,
		.payload = will->payload,
		.qos = will->qos,
		.retain = will->retain,
		.expires = MESSAGE_NO_EXPIRY,
		.origin = s->origin,
	};
	struct message *m;

	if (c->mounted && mount_topic(c, &parts.topic) < 0)
		return NULL;
	if (packet->version == MQTT_5_0)
		parts.properties = slice_of(
			properties,
			properties_forward(will->properties.raw, properties));
	m = message_new(&parts);
	if (m)
		m->id = s->broker->next_message++;
	return m;
}

static int take_will(const struct connection *c, struct session *s,
		     const struct mqtt_connect *packet)
{
	const struct mqtt_properties *p = &packet->will.properties;

	message_unref(s->will);
	s->will = NULL;
	s->will_delay = 0;
	s->will_expires = false;
	if (!packet->has_will)
		return 0;
	if (properties_has(p, MQTT_PROP_WILL_DELAY_INTERVAL))
		s->will_delay = p->will_delay_interval;
	if (properties_has(p, MQTT_PROP_MESSAGE_EXPIRY_INTERVAL)) {
		s->will_expires = true;
		s->will_expiry = p->message_expiry_interval;
	}
	s->will = will_message(c, s, packet);
	return s->will ? 0 : -ENOMEM;
}

/* The client was connected before, maybe still is as far as we know. Returns the
 * session to go on with, or NULL if there is none (any more). */
static struct session *take_over(struct connection *c, struct session *old,
				 bool clean_start, const char *client_id)
{
	struct broker *broker = c->broker;

	if (old && old->connection) {
		if (!guard_noisy(broker->guard, client_id))
			log_info("client", "%s: taken over by %s, was at %s",
				 client_id, c->address,
				 old->connection->address);
		guard_taken_over(broker->guard, client_id, c->address,
				 old->connection->address);
		connection_close(old->connection, MQTT_SESSION_TAKEN_OVER,
				 "taken over by a new connection");
		old = session_find(broker, slice_str(client_id));
	}
	if (old && clean_start) {
		/* Its end is what a delayed will waited for [MQTT-3.1.2-8]. */
		router_publish_will(old);
		session_remove(old);
		old = NULL;
	}
	return old;
}

static int adopt(struct connection *c, struct session *s,
		 const struct mqtt_connect *packet)
{
	if (session_set_address(s, c->address) < 0)
		return -ENOMEM;
	s->version = packet->version;
	return take_will(c, s, packet);
}

static uint32_t longest_keep_alive(const struct connection *c)
{
	const uint32_t all = c->broker->options.max_keep_alive;
	const uint32_t own =
		c->listener ? listener_options(c->listener)->max_keep_alive : 0;

	return own && own < all ? own : all;
}

static void attach(struct connection *c, struct session *s,
		   const struct mqtt_connect *packet)
{
	const struct mqtt_properties *p = &packet->properties;
	const uint32_t most = longest_keep_alive(c);

	loop_timer_cancel(c->broker->loop, &s->timer);
	s->connection = c;
	c->session = s;
	s->since = clock_wall_ms();
	c->broker->attached_count++;
	if (c->broker->attached_most < c->broker->attached_count)
		c->broker->attached_most = c->broker->attached_count;
	c->broker->count.connects++;
	c->own_receive_maximum = (uint16_t)c->broker->options.receive_maximum;
	c->keep_alive = packet->keep_alive;
	/* A client that asks for none is given the most, if there is one. */
	if (most < LIMIT_KEEP_ALIVE &&
	    (c->keep_alive == 0 || c->keep_alive > most))
		c->keep_alive = (uint16_t)most;
	if (packet->version != MQTT_5_0)
		return;
	if (properties_has(p, MQTT_PROP_RECEIVE_MAXIMUM) &&
	    p->receive_maximum < c->receive_maximum)
		c->receive_maximum = p->receive_maximum;
	if (properties_has(p, MQTT_PROP_TOPIC_ALIAS_MAXIMUM))
		c->aliases_allowed =
			p->topic_alias_maximum < LIMIT_TOPIC_ALIASES_SENT
				? p->topic_alias_maximum
				: LIMIT_TOPIC_ALIASES_SENT;
}

void protocol_open_session(struct connection *c,
			   const struct mqtt_connect *packet, const char *user,
			   const char *client_id)
{
	const uint32_t expiry = wanted_expiry(c, packet);
	struct broker *broker = c->broker;
	struct session *s = session_find(broker, slice_str(client_id));
	enum mqtt_reason reason;
	uint64_t ticket = 0;
	bool present, same, forgets = false;

	if (packet->has_will) {
		reason = protocol_may_send(c, packet->will.qos,
					   packet->will.retain);
		if (reason != MQTT_SUCCESS) { /* [MQTT-3.2.2-12, -13] */
			protocol_refuse(c, reason,
					"the will is more than this hub takes");
			return;
		}
	}
	/* A session belongs to its user: nobody else may read what waits. */
	if (s && (s->local || !s->user || strcmp(s->user, user) != 0)) {
		protocol_refuse(c, MQTT_CLIENT_IDENTIFIER_NOT_VALID,
				"client identifier belongs to another user");
		return;
	}
	if (s && c->mounted && !packet->clean_start && !mount_holds(c, s)) {
		protocol_refuse(c, MQTT_CLIENT_IDENTIFIER_NOT_VALID,
				"the session is of another mount point");
		return;
	}
	if (s && packet->clean_start && session_durable(s))
		forgets = true;
	s = take_over(c, s, packet->clean_start, client_id);
	present = s != NULL;
	if (!s && broker->session_count >= broker->options.max_sessions) {
		protocol_refuse(c, MQTT_QUOTA_EXCEEDED, "too many sessions");
		return;
	}
	if (!s)
		s = session_new(broker, slice_str(client_id), user);
	if (!s) {
		protocol_refuse(c, MQTT_SERVER_UNAVAILABLE, "out of memory");
		return;
	}

	legacy_cancel(broker, s);
	same = present && s->expiry == expiry && s->version == packet->version;
	if (adopt(c, s, packet) < 0)
		goto err_memory;
	if (session_set_expiry(s, expiry) < 0)
		goto err_memory;
	if (!same && session_save(s) < 0)
		goto err_memory;
	/* Its row may be on its way, from now or from a moment ago; and what a
	 * clean start throws away must not come back. */
	if (session_durable(s) || forgets)
		ticket = broker_written(broker);
	will_row_save(s);
	attach(c, s, packet);
	accept(c, packet, present, ticket);
	return;

err_memory:
	if (present)
		will_row_save(s);
	else
		session_remove(s);
	protocol_refuse(c, MQTT_SERVER_UNAVAILABLE, "out of memory");
}

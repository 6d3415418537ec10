#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "broker/authenticator.h"
#include "broker/banned.h"
#include "broker/base/clock.h"
#include "broker/base/log.h"
#include "broker/base/tls.h"
#include "broker/core.h"
#include "broker/delivery.h"
#include "broker/guard.h"
#include "broker/limits.h"
#include "broker/listener.h"
#include "broker/protocol.h"
#include "broker/reply.h"
#include "broker/router.h"
#include "broker/session.h"
#include "broker/store.h"
#include "broker/wire/utf8.h"

/* A CONNACK with all our properties and an assigned identifier. */
#define CONNACK_SIZE 256

#define ASSIGNED_ID_SIZE 24

/* Refuse with CONNACK, then close. */
static void refuse(struct connection *c, enum mqtt_reason reason,
		   const char *why)
{
	c->broker->count.connects_refused++;
	reply_connack(c, reason, why);
	connection_close(c, reason, why);
}

static const struct listener_options *rules(const struct connection *c)
{
	static const struct listener_options adopted = { .name = "web" };

	return c->listener ? listener_options(c->listener) : &adopted;
}

/* ---- CONNACK ------------------------------------------------------------ */

static void connack_properties(const struct connection *c,
			       const struct mqtt_connect *packet,
			       struct mqtt_properties *p)
{
	const struct broker_options *limits = &c->broker->options;
	const struct session *s = c->session;

	p->receive_maximum = LIMIT_RECEIVE_MAXIMUM;
	properties_set(p, MQTT_PROP_RECEIVE_MAXIMUM);
	p->maximum_packet_size = limits->max_packet_size;
	properties_set(p, MQTT_PROP_MAXIMUM_PACKET_SIZE);
	p->topic_alias_maximum = LIMIT_TOPIC_ALIASES;
	properties_set(p, MQTT_PROP_TOPIC_ALIAS_MAXIMUM);
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
}

void protocol_accepted(struct connection *c)
{
	c->state = CONNECTION_CONNECTED;
	connection_start_keep_alive(c);
	delivery_pump(c->session);
	if (c->input_paused)
		connection_resume(c);
}

/* CONNACK leaves when what it promises is on disk. */
static void accept(struct connection *c, const struct mqtt_connect *packet,
		   bool session_present, uint64_t ticket)
{
	struct mqtt_connack connack = { .session_present = session_present };
	uint8_t bytes[CONNACK_SIZE + LIMIT_CLIENT_ID];
	struct writer w = writer_of(bytes, sizeof(bytes));
	char name[160];
	int r;

	if (c->version == MQTT_5_0)
		connack_properties(c, packet, &connack.properties);
	connack_encode(&w, c->version, &connack);
	if (w.len > c->max_packet) {
		connection_close(c, MQTT_PACKET_TOO_LARGE,
				 "CONNACK larger than the client takes");
		return;
	}
	log_line(guard_noisy(c->broker->guard, c->session->client_id)
			 ? LOG_LEVEL_DEBUG
			 : LOG_LEVEL_INFO,
		 "client", "%s: connected as %s%s%s, MQTT %s%s",
		 connection_name(c, name), c->session->user[0] ? "user " : "",
		 c->session->user[0] ? c->session->user : "anonymous",
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

static struct message *will_message(struct session *s,
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

	if (packet->version == MQTT_5_0)
		parts.properties = slice_of(
			properties,
			properties_forward(will->properties.raw, properties));
	m = message_new(&parts);
	if (m)
		m->id = s->broker->next_message++;
	return m;
}

static int take_will(struct session *s, const struct mqtt_connect *packet)
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
	s->will = will_message(s, packet);
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
	return take_will(s, packet);
}

static void attach(struct connection *c, struct session *s,
		   const struct mqtt_connect *packet)
{
	const struct mqtt_properties *p = &packet->properties;
	const uint32_t most = c->broker->options.max_keep_alive;

	loop_timer_cancel(c->broker->loop, &s->timer);
	s->connection = c;
	c->session = s;
	s->since = clock_wall_ms();
	c->broker->attached_count++;
	if (c->broker->attached_most < c->broker->attached_count)
		c->broker->attached_most = c->broker->attached_count;
	c->broker->count.connects++;
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
}

static void open_session(struct connection *c,
			 const struct mqtt_connect *packet, const char *user,
			 const char *client_id)
{
	const uint32_t expiry = wanted_expiry(c, packet);
	struct broker *broker = c->broker;
	struct session *s = session_find(broker, slice_str(client_id));
	uint64_t ticket = 0;
	bool present, same, forgets = false;

	/* A session belongs to its user: nobody else may read what waits. */
	if (s && (s->local || !s->user || strcmp(s->user, user) != 0)) {
		refuse(c, MQTT_CLIENT_IDENTIFIER_NOT_VALID,
		       "client identifier belongs to another user");
		return;
	}
	if (s && packet->clean_start && session_durable(s))
		forgets = true;
	s = take_over(c, s, packet->clean_start, client_id);
	present = s != NULL;
	if (!s && broker->session_count >= LIMIT_SESSIONS) {
		refuse(c, MQTT_QUOTA_EXCEEDED, "too many sessions");
		return;
	}
	if (!s)
		s = session_new(broker, slice_str(client_id), user);
	if (!s) {
		refuse(c, MQTT_SERVER_UNAVAILABLE, "out of memory");
		return;
	}

	same = present && s->expiry == expiry && s->version == packet->version;
	if (adopt(c, s, packet) < 0)
		goto err_memory;
	session_set_expiry(s, expiry);
	if (!same && session_save(s) < 0)
		goto err_memory;
	/* Its row may be on its way, from now or from a moment ago; and what a
	 * clean start throws away must not come back. */
	if (session_durable(s) || forgets)
		ticket = broker_written(broker);
	attach(c, s, packet);
	accept(c, packet, present, ticket);
	return;

err_memory:
	if (!present)
		session_remove(s);
	refuse(c, MQTT_SERVER_UNAVAILABLE, "out of memory");
}

/* ---- who is it? --------------------------------------------------------- */

static bool assign_id(char out[ASSIGNED_ID_SIZE])
{
	uint64_t random;

	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		return false;
	snprintf(out, ASSIGNED_ID_SIZE, "auto-%016llx",
		 (unsigned long long)random);
	return true;
}

static void let_in(struct connection *c, const struct mqtt_connect *packet,
		   const char *user)
{
	char id[LIMIT_CLIENT_ID + 1];
	size_t len = packet->client_id.len;
	char why[BANNED_SIZE];

	if (banned(c, packet->client_id, slice_str(user), why)) {
		refuse(c, MQTT_BANNED, why);
		return;
	}
	if (len > LIMIT_CLIENT_ID) {
		refuse(c, MQTT_CLIENT_IDENTIFIER_NOT_VALID,
		       "client identifier too long");
		return;
	}
	/* 3.1: at least one byte; 3.1.1: none only with Clean Session
	 * [MQTT-3.1.3-8]; 5.0: none is given one [MQTT-3.1.3-6]. */
	if (len == 0 &&
	    (packet->version == MQTT_3_1 ||
	     (packet->version == MQTT_3_1_1 && !packet->clean_start))) {
		refuse(c, MQTT_CLIENT_IDENTIFIER_NOT_VALID,
		       "no client identifier");
		return;
	}
	/* The local clients' names, which nobody may take away from them. */
	if (len > 0 && packet->client_id.data[0] == '$') {
		refuse(c, MQTT_CLIENT_IDENTIFIER_NOT_VALID,
		       "client identifier begins with $");
		return;
	}
	if (len == 0 && !assign_id(id)) {
		refuse(c, MQTT_SERVER_UNAVAILABLE, "no random numbers");
		return;
	}
	if (len > 0) {
		memcpy(id, packet->client_id.data, len);
		id[len] = '\0';
	}
	open_session(c, packet, user, id);
}

/* Hand the password to the hasher; the packet is kept until it answers. */
static void authenticate(struct connection *c,
			 const struct mqtt_connect *packet, struct slice body)
{
	struct broker *broker = c->broker;
	const struct access_user *user =
		access_find_user(broker->access, packet->username);
	bool known = user && user->enabled && user->password_hash[0];
	struct authenticator_request *request;
	char why[BANNED_SIZE];

	/* Before the hasher is put to work. */
	if (banned(c, packet->client_id, packet->username, why)) {
		refuse(c, MQTT_BANNED, why);
		return;
	}
	if (connection_begin_login(c, body) < 0) {
		refuse(c, MQTT_SERVER_UNAVAILABLE, "out of memory");
		return;
	}
	request = authenticator_request_new(
		AUTHENTICATOR_VERIFY, known ? user->password_hash : NULL,
		packet->has_password ? packet->password : slice_of("", 0));
	if (!request) {
		refuse(c, MQTT_BAD_USER_NAME_OR_PASSWORD,
		       "password cannot be checked");
		return;
	}
	request->reply = broker->auth_replies;
	request->token = c->serial;
	if (authenticator_submit(broker->options.authenticator, request) < 0) {
		authenticator_request_free(request);
		refuse(c, MQTT_SERVER_BUSY, "too many logins under way");
		return;
	}
	c->state = CONNECTION_AUTHENTICATING;
	hash_table_add(&broker->by_serial, &c->login->by_serial, c->serial);
	connection_pause(c);
}

static void log_bad_login(const struct connection *c,
			  const struct mqtt_connect *packet)
{
	log_warn("client", "%.*s (%s): user %.*s: wrong user name or password",
		 (int)packet->client_id.len,
		 (const char *)packet->client_id.data, c->address,
		 (int)packet->username.len,
		 (const char *)packet->username.data);
}

static bool may_log_in(const struct broker *broker,
		       const struct mqtt_connect *packet)
{
	const struct access_user *user =
		access_find_user(broker->access, packet->username);

	return user && user->enabled;
}

void protocol_auth_result(struct connection *c, bool right)
{
	struct mqtt_connect packet;
	char *user;

	hash_table_remove(&c->broker->by_serial, &c->login->by_serial);
	c->state = CONNECTION_OPEN;
	if (connect_decode(
		    slice_of(c->login->connect.data, c->login->connect.len),
		    &packet) != MQTT_SUCCESS) {
		refuse(c, MQTT_MALFORMED_PACKET, "malformed CONNECT");
		return;
	}
	/* The user may have been taken away while the hasher was at work. */
	if (!right || !may_log_in(c->broker, &packet)) {
		log_bad_login(c, &packet);
		guard_login_failed(c->broker->guard, c->address);
		refuse(c, MQTT_BAD_USER_NAME_OR_PASSWORD, "login refused");
		return;
	}
	user = strndup((const char *)packet.username.data, packet.username.len);
	if (!user) {
		refuse(c, MQTT_SERVER_UNAVAILABLE, "out of memory");
		return;
	}
	let_in(c, &packet, user);
	free(user);
	connection_end_login(c);
}

/* The user that the client's certificate names, if there is such a one. */
static bool certified(const struct connection *c,
		      char name[LIMIT_USER_NAME + 1])
{
	const struct access_user *user;

	if (!c->transport.ssl || !c->broker->access ||
	    !tls_client_name(c->transport.ssl, name, LIMIT_USER_NAME + 1))
		return false;
	user = access_find_user(c->broker->access, slice_str(name));
	return user && user->enabled;
}

static void identify(struct connection *c, const struct mqtt_connect *packet,
		     struct slice body)
{
	const struct listener_options *listener = rules(c);
	struct broker *broker = c->broker;
	char name[LIMIT_USER_NAME + 1];

	if (listener->user) {
		let_in(c, packet, listener->user);
	} else if (broker->closed) {
		refuse(c, MQTT_SERVER_UNAVAILABLE,
		       "this hub has not been claimed yet");
	} else if (listener->tls_user) {
		if (!certified(c, name))
			refuse(c, MQTT_NOT_AUTHORIZED,
			       "the certificate names no user of ours");
		else
			let_in(c, packet, name);
	} else if (c->cookie_user && !packet->has_password) {
		let_in(c, packet, c->cookie_user);
	} else if (packet->has_username && broker->access) {
		authenticate(c, packet, body);
	} else if (listener->anonymous || !broker->access) {
		let_in(c, packet, ACCESS_ANONYMOUS);
	} else {
		refuse(c, MQTT_NOT_AUTHORIZED, "no user name");
	}
}

/* What holds for every answer from here on, a refusal included. */
static void learn_wishes(struct connection *c,
			 const struct mqtt_connect *packet)
{
	const struct mqtt_properties *p = &packet->properties;

	if (properties_has(p, MQTT_PROP_MAXIMUM_PACKET_SIZE))
		c->max_packet = p->maximum_packet_size;
	c->problem_information =
		!properties_has(p, MQTT_PROP_REQUEST_PROBLEM_INFORMATION) ||
		p->request_problem_information;
}

void protocol_connect(struct connection *c, struct slice body)
{
	struct mqtt_connect packet;
	enum mqtt_reason reason = connect_decode(body, &packet);

	c->version = packet.version;
	if (reason != MQTT_SUCCESS) {
		refuse(c, reason,
		       (int)packet.version == 0 ? "foreign protocol"
						: "CONNECT refused");
		return;
	}
	learn_wishes(c, &packet);
	if (packet.version == MQTT_5_0 &&
	    properties_has(&packet.properties,
			   MQTT_PROP_AUTHENTICATION_METHOD)) {
		refuse(c, MQTT_BAD_AUTHENTICATION_METHOD,
		       "no enhanced authentication here");
		return;
	}
	identify(c, &packet, body);
}

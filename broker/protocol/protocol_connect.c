#include <stdio.h>
#include <sys/random.h>

#include "broker/admin/trace.h"
#include "broker/base/tls.h"
#include "broker/core.h"
#include "broker/limits.h"
#include "broker/peer/listener.h"
#include "broker/peer/moved.h"
#include "broker/protocol/banned.h"
#include "broker/protocol/protocol.h"
#include "broker/protocol/protocol_login.h"
#include "broker/protocol/reply.h"

#define ASSIGNED_ID_SIZE 24

void protocol_refuse(struct connection *c, enum mqtt_reason reason,
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

/* Is the listener for this user? */
static bool meant(const struct listener_options *l, const char *user)
{
	for (size_t i = 0; i < l->users.count; i++)
		if (strcmp(l->users.names[i], user) == 0)
			return true;
	return l->users.count == 0;
}

void protocol_let_in(struct connection *c, const struct mqtt_connect *packet,
		     const char *user)
{
	char id[LIMIT_CLIENT_ID + 1];
	size_t len = packet->client_id.len;
	char why[BANNED_SIZE];

	if (banned(c, packet->client_id, slice_str(user), why)) {
		protocol_refuse(c, MQTT_BANNED, why);
		return;
	}
	if (!meant(rules(c), user)) {
		protocol_refuse(c, MQTT_NOT_AUTHORIZED,
				"this listener is for other users");
		return;
	}
	if (len > LIMIT_CLIENT_ID) {
		protocol_refuse(c, MQTT_CLIENT_IDENTIFIER_NOT_VALID,
				"client identifier too long");
		return;
	}
	/* 3.1: at least one byte; 3.1.1: none only with Clean Session
	 * [MQTT-3.1.3-8]; 5.0: none is given one [MQTT-3.1.3-6]. */
	if (len == 0 &&
	    (packet->version == MQTT_3_1 ||
	     (packet->version == MQTT_3_1_1 && !packet->clean_start))) {
		protocol_refuse(c, MQTT_CLIENT_IDENTIFIER_NOT_VALID,
				"no client identifier");
		return;
	}
	/* The local clients' names, which nobody may take away from them. */
	if (len > 0 && packet->client_id.data[0] == '$') {
		protocol_refuse(c, MQTT_CLIENT_IDENTIFIER_NOT_VALID,
				"client identifier begins with $");
		return;
	}
	if (len == 0 && !assign_id(id)) {
		protocol_refuse(c, MQTT_SERVER_UNAVAILABLE,
				"no random numbers");
		return;
	}
	if (len > 0) {
		memcpy(id, packet->client_id.data, len);
		id[len] = '\0';
	}
	protocol_open_session(c, packet, user, id);
}

/* The user that the client's certificate names, if there is such a one. */
static bool certified(const struct connection *c, enum tls_user where,
		      char name[LIMIT_USER_NAME + 1])
{
	const struct access_user *user;

	if (!c->transport.ssl || !c->broker->access ||
	    !tls_client_name(c->transport.ssl, where, name,
			     LIMIT_USER_NAME + 1))
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
	enum mqtt_reason reason;

	if (moved(c, &reason)) {
		protocol_refuse(c, reason, "the house has another hub");
	} else if (broker->closed && !listener->user) {
		protocol_refuse(c, MQTT_SERVER_UNAVAILABLE,
				"this hub has not been claimed yet");
	} else if (properties_has(&packet->properties,
				  MQTT_PROP_AUTHENTICATION_METHOD)) {
		/* Where nobody is asked who he is, nobody can prove it. */
		if (listener->user || listener->tls_user)
			protocol_refuse(c, MQTT_BAD_AUTHENTICATION_METHOD,
					"no authentication method here");
		else
			protocol_begin_exchange(c, packet, body);
	} else if (listener->user) {
		protocol_let_in(c, packet, listener->user);
	} else if (listener->tls_user) {
		if (!certified(c, listener->tls_user, name))
			protocol_refuse(
				c, MQTT_NOT_AUTHORIZED,
				"the certificate names no user of ours");
		else
			protocol_let_in(c, packet, name);
	} else if (c->cookie_user && !packet->has_password) {
		protocol_let_in(c, packet, c->cookie_user);
	} else if (packet->has_username && broker->access) {
		protocol_ask_hasher(c, packet, body);
	} else if (listener->anonymous || !broker->access) {
		protocol_let_in(c, packet, ACCESS_ANONYMOUS);
	} else {
		protocol_refuse(c, MQTT_NOT_AUTHORIZED, "no user name");
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
		protocol_refuse(c, reason,
				(int)packet.version == 0 ? "foreign protocol"
							 : "CONNECT refused");
		return;
	}
	if (c->broker->trace)
		trace_connect(c, &packet);
	learn_wishes(c, &packet);
	identify(c, &packet, body);
}

#include <stdlib.h>

#include "broker/authenticator.h"
#include "broker/base/log.h"
#include "broker/core.h"
#include "broker/guard.h"
#include "broker/protocol/banned.h"
#include "broker/protocol/login.h"
#include "broker/protocol/protocol.h"
#include "broker/protocol/protocol_login.h"

/* Hand the password to the hasher; the packet is kept until it answers. */
void protocol_ask_hasher(struct connection *c,
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
		protocol_refuse(c, MQTT_BANNED, why);
		return;
	}
	if (login_begin(c, body) < 0) {
		protocol_refuse(c, MQTT_SERVER_UNAVAILABLE, "out of memory");
		return;
	}
	request = authenticator_request_new(
		AUTHENTICATOR_VERIFY, known ? user->password_hash : NULL,
		packet->has_password ? packet->password : slice_of("", 0));
	if (!request) {
		protocol_refuse(c, MQTT_BAD_USER_NAME_OR_PASSWORD,
				"password cannot be checked");
		return;
	}
	request->reply = broker->auth_replies;
	request->token = c->login->serial;
	if (authenticator_submit(broker->options.authenticator, request) < 0) {
		authenticator_request_free(request);
		protocol_refuse(c, MQTT_SERVER_BUSY,
				"too many logins under way");
		return;
	}
	c->state = CONNECTION_AUTHENTICATING;
	hash_table_add(&broker->by_serial, &c->login->by_serial,
		       c->login->serial);
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
		protocol_refuse(c, MQTT_MALFORMED_PACKET, "malformed CONNECT");
		return;
	}
	/* The user may have been taken away while the hasher was at work. */
	if (!right || !may_log_in(c->broker, &packet)) {
		log_bad_login(c, &packet);
		guard_login_failed(c->broker->guard, c->address);
		protocol_refuse(c, MQTT_BAD_USER_NAME_OR_PASSWORD,
				"login refused");
		return;
	}
	user = strndup((const char *)packet.username.data, packet.username.len);
	if (!user) {
		protocol_refuse(c, MQTT_SERVER_UNAVAILABLE, "out of memory");
		return;
	}
	protocol_let_in(c, &packet, user);
	free(user);
	login_end(c);
}

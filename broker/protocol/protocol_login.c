#include <stdlib.h>

#include "broker/authenticator.h"
#include "broker/base/log.h"
#include "broker/core.h"
#include "broker/guard.h"
#include "broker/protocol/banned.h"
#include "broker/protocol/login.h"
#include "broker/protocol/protocol.h"
#include "broker/protocol/protocol_login.h"

/* Here the right password is in plain for a moment: what a user from before needs
 * for SCRAM can be made now. One at a time, for it is slow, and a house whose
 * devices share a user comes back all at once. */
static void want_scram(struct broker *broker, const struct access_user *user,
		       struct slice name, struct authenticator_request *request)
{
	if (broker->making_scram || (user->scram && user->scram[0]) ||
	    name.len > LIMIT_USER_NAME)
		return;
	memcpy(request->user, name.data, name.len);
	request->wants_scram = true;
	broker->making_scram = true;
}

void protocol_auth_done(struct broker *broker,
			struct authenticator_request *request)
{
	if (request->wants_scram)
		broker->making_scram = false;
	if (request->result == 1 && request->scram[0])
		authenticator_hand_on(broker->options.authenticator, request);
	else
		authenticator_request_free(request);
}

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
	if (known)
		want_scram(broker, user, packet->username, request);
	request->reply = broker->auth_replies;
	request->token = c->login->serial;
	if (authenticator_submit(broker->options.authenticator, request) < 0) {
		protocol_auth_done(broker, request);
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

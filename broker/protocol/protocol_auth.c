/* Enhanced authentication (4.12): SCRAM-SHA-256, when connecting and, to prove
 * it once more, at any time later. */
#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <sys/random.h>

#include "broker/base/log.h"
#include "broker/core.h"
#include "broker/guard.h"
#include "broker/limits.h"
#include "broker/protocol/banned.h"
#include "broker/protocol/login.h"
#include "broker/protocol/protocol.h"
#include "broker/protocol/protocol_login.h"
#include "broker/protocol/reply.h"
#include "broker/protocol/scram.h"
#include "broker/session/session.h"

/* Random bytes of our nonce: 24 characters. */
#define NONCE_BYTES 18

static void end_exchange(struct connection *c)
{
	scram_free(c->scram);
	c->scram = NULL;
}

/* The exchange has failed, and the connection with it [MQTT-4.12.0-4, -4.12.1-2].
 * Who has no CONNACK yet gets one. */
static void fail(struct connection *c, enum mqtt_reason reason, const char *why)
{
	if (c->state == CONNECTION_CONNECTED)
		connection_close(c, reason, why);
	else
		protocol_refuse(c, reason, why);
}

static bool make_nonce(char out[SCRAM_OUR_NONCE_SIZE])
{
	uint8_t random[NONCE_BYTES];

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return false;
	EVP_EncodeBlock((unsigned char *)out, random, sizeof(random));
	return true;
}

/* The keys of the user, or those of nobody, which nobody can tell apart. */
static bool find_keys(const struct access *access, struct slice name,
		      struct scram_keys *keys, bool *known)
{
	const struct access_user *user = access_find_user(access, name);

	*known = user && user->enabled && scram_keys_parse(user->scram, keys);
	return *known ||
	       scram_keys_of_nobody(access_scram_secret(access), name, keys);
}

static void send_auth(struct connection *c, enum mqtt_reason reason,
		      struct slice data)
{
	if (reply_auth(c, reason, SCRAM_METHOD, data) < 0)
		fail(c, MQTT_SERVER_UNAVAILABLE, "out of memory");
}

/* client-first has come: the first one, or that of a re-authentication. */
static void challenge(struct connection *c, struct slice data)
{
	const struct access *access = c->broker->access;
	char nonce[SCRAM_OUR_NONCE_SIZE];
	struct scram_keys keys;
	bool known;
	int r = scram_first(data, &c->scram);

	if (r < 0) {
		if (r == -ENOMEM)
			fail(c, MQTT_SERVER_UNAVAILABLE, "out of memory");
		else
			fail(c, MQTT_NOT_AUTHORIZED,
			     "not a first message of SCRAM that is taken here");
		return;
	}
	/* 4.12.1: whoever proves it again is who it was. */
	if (c->state == CONNECTION_CONNECTED &&
	    !slice_equal(scram_user(c->scram), slice_str(c->session->user))) {
		fail(c, MQTT_NOT_AUTHORIZED, "this is another user");
		return;
	}
	if (!find_keys(access, scram_user(c->scram), &keys, &known) ||
	    !make_nonce(nonce)) {
		fail(c, MQTT_SERVER_UNAVAILABLE, "out of memory");
		return;
	}
	send_auth(c, MQTT_CONTINUE_AUTHENTICATION,
		  scram_challenge(c->scram, &keys, known, nonce));
}

static void log_bad_proof(const struct connection *c)
{
	const struct slice user = scram_user(c->scram);
	char name[160];

	log_warn("client",
		 "%s: user %.*s: wrong user name or password, or no SCRAM keys",
		 connection_name(c, name), (int)user.len,
		 (const char *)user.data);
}

/* client-final has come. Returns false after refusing it. */
static bool proven(struct connection *c, struct slice data)
{
	const struct access_user *user;
	struct slice answer;
	int r = scram_final(c->scram, data, &answer);

	if (r == -ENOMEM) {
		fail(c, MQTT_SERVER_UNAVAILABLE, "out of memory");
		return false;
	}
	/* The user may have been taken away since the challenge. */
	user = access_find_user(c->broker->access, scram_user(c->scram));
	if (r == 0 && user && user->enabled)
		return true;
	log_bad_proof(c);
	guard_login_failed(c->broker->guard, c->address);
	fail(c, MQTT_NOT_AUTHORIZED, "login refused");
	return false;
}

/* ---- when connecting ---------------------------------------------------- */

void protocol_begin_exchange(struct connection *c,
			     const struct mqtt_connect *packet,
			     struct slice body)
{
	const struct mqtt_properties *p = &packet->properties;

	if (!c->broker->access ||
	    !slice_equal(p->authentication_method, slice_str(SCRAM_METHOD))) {
		protocol_refuse(c, MQTT_BAD_AUTHENTICATION_METHOD,
				c->broker->access ? "only " SCRAM_METHOD
						  : "there are no users here");
		return;
	}
	/* It is kept while somebody unknown thinks about his answer. */
	if (body.len > LIMIT_CONNECT_USUAL) {
		protocol_refuse(c, MQTT_PACKET_TOO_LARGE,
				"CONNECT too large for an exchange");
		return;
	}
	if (login_begin(c, body) < 0) {
		protocol_refuse(c, MQTT_SERVER_UNAVAILABLE, "out of memory");
		return;
	}
	c->enhanced = true;
	c->state = CONNECTION_EXCHANGING;
	if (properties_has(p, MQTT_PROP_AUTHENTICATION_DATA))
		challenge(c, p->authentication_data);
	else /* The method begins with the client's message: ask for it. */
		send_auth(c, MQTT_CONTINUE_AUTHENTICATION, slice_of(NULL, 0));
}

/* The proof is right: go on with the CONNECT as it was. */
static void let_in(struct connection *c)
{
	const struct buffer *connect = &c->login->connect;
	struct mqtt_connect packet;
	char user[SCRAM_NAME_MAX + 1];
	char why[BANNED_SIZE];

	c->state = CONNECTION_OPEN;
	if (connect_decode(slice_of(connect->data, connect->len), &packet) !=
	    MQTT_SUCCESS) {
		protocol_refuse(c, MQTT_MALFORMED_PACKET, "malformed CONNECT");
		return;
	}
	(void)snprintf(user, sizeof(user), "%.*s",
		       (int)scram_user(c->scram).len,
		       (const char *)scram_user(c->scram).data);
	if (banned(c, packet.client_id, slice_str(user), why))
		protocol_refuse(c, MQTT_BANNED, why);
	else if (packet.has_username &&
		 !slice_equal(packet.username, slice_str(user)))
		protocol_refuse(c, MQTT_NOT_AUTHORIZED,
				"CONNECT names another user");
	else
		protocol_let_in(c, &packet, user);
	login_end(c);
	end_exchange(c);
}

/* ---- AUTH --------------------------------------------------------------- */

static void go_on(struct connection *c, struct slice data)
{
	if (!c->scram) {
		challenge(c, data);
		return;
	}
	if (!proven(c, data))
		return;
	if (c->state == CONNECTION_EXCHANGING) {
		let_in(c);
		return;
	}
	send_auth(c, MQTT_SUCCESS, scram_answer(c->scram));
	end_exchange(c);
}

void protocol_auth(struct connection *c, const struct frame *frame)
{
	struct mqtt_reason_packet packet = { .reason = MQTT_SUCCESS };
	enum mqtt_reason verdict = auth_decode(frame->body, &packet);
	const struct mqtt_properties *p = &packet.properties;
	const bool live = c->state == CONNECTION_CONNECTED;
	struct slice data = slice_of(NULL, 0);

	if (verdict != MQTT_SUCCESS) {
		fail(c, verdict, "malformed AUTH");
		return;
	}
	if (!c->enhanced) {
		fail(c, MQTT_PROTOCOL_ERROR,
		     "AUTH without an authentication method agreed on");
		return;
	}
	if (!properties_has(p, MQTT_PROP_AUTHENTICATION_METHOD) ||
	    !slice_equal(p->authentication_method, slice_str(SCRAM_METHOD))) {
		fail(c, MQTT_PROTOCOL_ERROR,
		     "AUTH with another method than CONNECT");
		return;
	}
	if (properties_has(p, MQTT_PROP_AUTHENTICATION_DATA))
		data = p->authentication_data;
	if (packet.reason == MQTT_REAUTHENTICATE && live && !c->scram)
		challenge(c, data); /* other packets go on meanwhile */
	else if (packet.reason == MQTT_CONTINUE_AUTHENTICATION &&
		 (c->scram || !live))
		go_on(c, data);
	else
		fail(c, MQTT_PROTOCOL_ERROR, "AUTH out of turn");
}

void protocol_exchange(struct connection *c, const struct frame *frame)
{
	if (frame->type == MQTT_AUTH)
		protocol_auth(c, frame);
	else if (frame->type == MQTT_DISCONNECT)
		connection_close(c, MQTT_SUCCESS, "left while logging in");
	else
		protocol_refuse(c, MQTT_PROTOCOL_ERROR,
				"a packet other than AUTH before CONNACK");
}

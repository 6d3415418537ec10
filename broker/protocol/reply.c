#include "broker/protocol/reply.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "broker/core.h"
#include "broker/limits.h"
#include "broker/wire/connect.h"
#include "broker/wire/publish.h"
#include "broker/wire/subscribe.h"

/* Fixed header, reason, properties' length, and the two strings. */
#define REPLY_SIZE (16 + 3 + LIMIT_REASON_STRING + 3 + LIMIT_SERVER_REFERENCE)

/* One message of a method. */
#define AUTH_SIZE 512

/* At most LIMIT_REASON_STRING bytes, and no torn character at the end. */
static struct slice cut(const char *why)
{
	size_t len = strnlen(why, LIMIT_REASON_STRING + 1);

	if (len > LIMIT_REASON_STRING) {
		len = LIMIT_REASON_STRING;
		while (len > 0 && ((unsigned char)why[len] & 0xc0) == 0x80)
			len--;
	}
	return slice_of(why, len);
}

void reply_say(const struct connection *c, struct mqtt_properties *p,
	       const char *why)
{
	if (c->version != MQTT_5_0 || !c->problem_information || !why || !*why)
		return;
	p->reason_string = cut(why);
	properties_set(p, MQTT_PROP_REASON_STRING);
}

/* Where to go instead (4.11). */
static void refer(const struct connection *c, enum mqtt_reason reason,
		  struct mqtt_properties *p)
{
	const char *reference = c->broker->options.server_reference;

	if (c->version != MQTT_5_0 || !reference ||
	    (reason != MQTT_SERVER_MOVED && reason != MQTT_USE_ANOTHER_SERVER))
		return;
	p->server_reference = slice_str(reference);
	properties_set(p, MQTT_PROP_SERVER_REFERENCE);
}

static bool leave_out(struct mqtt_properties *p, enum mqtt_property id)
{
	if (!properties_has(p, id))
		return false;
	p->present &= ~(UINT64_C(1) << id);
	return true;
}

/* What has been written is more than the client takes: the word goes, then the
 * reference, and the caller writes once more [MQTT-3.2.2-19, 3.4.2-2, 3.9.2-1,
 * 3.14.2-3 ...]. */
bool reply_too_large(const struct connection *c, struct writer *w,
		     struct mqtt_properties *p)
{
	if (w->len <= c->max_packet ||
	    (!leave_out(p, MQTT_PROP_REASON_STRING) &&
	     !leave_out(p, MQTT_PROP_SERVER_REFERENCE)))
		return false;
	w->len = 0;
	return true;
}

void reply_connack(struct connection *c, enum mqtt_reason reason,
		   const char *why)
{
	struct mqtt_connack packet = { .reason = reason };
	uint8_t bytes[REPLY_SIZE];
	struct writer w = writer_of(bytes, sizeof(bytes));

	if ((int)c->version == 0 ||
	    (c->version != MQTT_5_0 && (reason == MQTT_MALFORMED_PACKET ||
					reason == MQTT_PROTOCOL_ERROR)))
		return;
	reply_say(c, &packet.properties, why);
	refer(c, reason, &packet.properties);
	connack_encode(&w, c->version, &packet);
	while (reply_too_large(c, &w, &packet.properties))
		connack_encode(&w, c->version, &packet);
	connection_send(c, w.data, w.len);
}

void reply_disconnect(struct connection *c, enum mqtt_reason reason,
		      const char *why)
{
	struct mqtt_reason_packet packet = { .reason = reason };
	uint8_t bytes[REPLY_SIZE];
	struct writer w = writer_of(bytes, sizeof(bytes));

	if (c->version != MQTT_5_0 || reason < MQTT_UNSPECIFIED_ERROR)
		return;
	reply_say(c, &packet.properties, why);
	refer(c, reason, &packet.properties);
	disconnect_encode(&w, c->version, &packet);
	while (reply_too_large(c, &w, &packet.properties))
		disconnect_encode(&w, c->version, &packet);
	if (w.len <= c->max_packet)
		connection_send(c, w.data, w.len);
}

int reply_ack(struct connection *c, enum mqtt_packet_type type,
	      uint16_t packet_id, enum mqtt_reason reason, const char *why,
	      uint64_t ticket)
{
	struct mqtt_ack packet = { .packet_id = packet_id, .reason = reason };
	uint8_t bytes[REPLY_SIZE];
	struct writer w = writer_of(bytes, sizeof(bytes));

	reply_say(c, &packet.properties, why);
	if (!packet.properties.present)
		return connection_ack(c, type, packet_id, reason, ticket);
	ack_encode(&w, c->version, type, &packet);
	if (reply_too_large(c, &w, &packet.properties))
		return connection_ack(c, type, packet_id, reason, ticket);
	return connection_send_gated(c, slice_of(w.data, w.len), ticket);
}

int reply_auth(struct connection *c, enum mqtt_reason reason,
	       const char *method, struct slice data)
{
	struct mqtt_reason_packet packet = { .reason = reason };
	struct mqtt_properties *p = &packet.properties;
	uint8_t bytes[AUTH_SIZE];
	struct writer w = writer_of(bytes, sizeof(bytes));

	p->authentication_method = slice_str(method);
	properties_set(p, MQTT_PROP_AUTHENTICATION_METHOD);
	if (data.len > 0) {
		p->authentication_data = data;
		properties_set(p, MQTT_PROP_AUTHENTICATION_DATA);
	}
	auth_encode(&w, &packet);
	assert(!w.overflow);
	return connection_send(c, w.data, w.len);
}

int reply_suback(struct connection *c, enum mqtt_packet_type type,
		 uint16_t packet_id, struct slice reasons, const char *why,
		 uint64_t ticket)
{
	struct mqtt_suback packet = {
		.packet_id = packet_id,
		.reasons = reasons,
	};
	const size_t size = REPLY_SIZE + reasons.len;
	uint8_t *bytes = malloc(size);
	struct writer w;
	int r;

	if (!bytes)
		return -ENOMEM;
	w = writer_of(bytes, size);
	reply_say(c, &packet.properties, why);
	suback_encode(&w, c->version, type, &packet);
	if (reply_too_large(c, &w, &packet.properties))
		suback_encode(&w, c->version, type, &packet);
	r = connection_send_gated(c, slice_of(w.data, w.len), ticket);
	free(bytes);
	return r;
}

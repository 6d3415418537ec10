#include "broker/protocol/protocol.h"

#include <errno.h>
#include <stdio.h>

#include "broker/admin/trace.h"
#include "broker/base/log.h"
#include "broker/core.h"
#include "broker/limits.h"
#include "broker/peer/rate.h"
#include "broker/session/delivery.h"
#include "broker/session/session.h"
#include "broker/store.h"
#include "broker/wire/publish.h"

/* What the peer did wrong, with the packet it did it in, ends its connection. */
static void refuse(struct connection *c, enum mqtt_reason reason,
		   const struct frame *frame, const char *what)
{
	char why[96];

	snprintf(why, sizeof(why), "%s in %s", what,
		 framing_type_name(frame->type));
	connection_close(c, reason, why);
}

static void handle_pubrec(struct connection *c, const struct mqtt_ack *ack)
{
	enum mqtt_reason reason = delivery_pubrec(c->session, ack);
	const uint64_t ticket =
		session_durable(c->session) ? broker_written(c->broker) : 0;

	switch ((int)reason) {
	case MQTT_SUCCESS:
		if (ack->reason >= MQTT_UNSPECIFIED_ERROR)
			return;
		break;
	case MQTT_PACKET_IDENTIFIER_NOT_FOUND:
		break;
	default:
		connection_close(c, reason, "PUBREC out of place");
		return;
	}
	if (connection_ack(c, MQTT_PUBREL, ack->packet_id, reason, ticket) < 0)
		connection_close(c, MQTT_UNSPECIFIED_ERROR, "out of memory");
}

static void handle_pubrel(struct connection *c, const struct mqtt_ack *ack)
{
	struct session *s = c->session;
	struct store *store = c->broker->store;
	enum mqtt_reason reason = MQTT_SUCCESS;
	uint64_t ticket = 0;
	int r = 0;

	if (session_inbound_remove(s, ack->packet_id) < 0) {
		reason = MQTT_PACKET_IDENTIFIER_NOT_FOUND;
		ticket = session_durable(s) ? broker_written(c->broker) : 0;
	} else if (session_durable(s) && store) {
		/* A PUBCOMP that a cut makes forgotten would let the identifier
		 * swallow the next message under it. */
		r = store->ops->inbound_remove(store, s->id, ack->packet_id);
		if (r == 0)
			ticket = broker_ticket(c->broker);
		else /* its place in the bitmap is there */
			session_inbound_add(s, ack->packet_id);
	}
	if (r == 0)
		r = connection_ack(c, MQTT_PUBCOMP, ack->packet_id, reason,
				   ticket);
	if (r < 0)
		connection_close(c, MQTT_UNSPECIFIED_ERROR, "out of memory");
}

void protocol_ack(struct connection *c, const struct frame *frame)
{
	enum mqtt_reason reason;
	struct mqtt_ack ack;

	reason = ack_decode(c->version, frame->type, frame->body, &ack);
	if (reason != MQTT_SUCCESS) {
		refuse(c, reason, frame, "malformed");
		return;
	}

	switch ((int)frame->type) {
	case MQTT_PUBACK:
		reason = delivery_puback(c->session, ack.packet_id);
		break;
	case MQTT_PUBCOMP:
		reason = delivery_pubcomp(c->session, ack.packet_id);
		break;
	case MQTT_PUBREC:
		handle_pubrec(c, &ack);
		return;
	default:
		handle_pubrel(c, &ack);
		return;
	}
	/* An identifier that is not in use is late, not wrong: the message was
	 * given up, or acknowledged before. */
	if (reason == MQTT_PROTOCOL_ERROR)
		refuse(c, reason, frame, "identifier of another handshake");
}

void protocol_disconnect(struct connection *c, const struct frame *frame)
{
	struct mqtt_reason_packet packet;
	struct session *s = c->session;
	enum mqtt_reason reason;
	uint32_t expiry;

	reason = disconnect_decode(c->version, true, frame->body, &packet);
	if (reason != MQTT_SUCCESS) {
		refuse(c, reason, frame, "malformed");
		return;
	}
	if (c->version == MQTT_5_0 &&
	    properties_has(&packet.properties,
			   MQTT_PROP_SESSION_EXPIRY_INTERVAL)) {
		expiry = packet.properties.session_expiry_interval;
		if (expiry > c->broker->options.max_session_expiry)
			expiry = c->broker->options.max_session_expiry;
		if (s->expiry == 0 && expiry > 0) {
			/* 3.14.2.2.2 */
			refuse(c, MQTT_PROTOCOL_ERROR, frame,
			       "Session Expiry Interval raised from 0");
			return;
		}
		if (expiry != s->expiry &&
		    (session_set_expiry(s, expiry) < 0 || session_save(s) < 0))
			log_error("client",
				  "%s: out of memory: its expiry on disk stays "
				  "as it was",
				  s->client_id);
	}
	c->clean_disconnect = packet.reason == MQTT_SUCCESS;
	connection_close(c, MQTT_SUCCESS, "disconnected");
}

static void ping(struct connection *c)
{
	static const uint8_t pingresp[] = { MQTT_PINGRESP << 4, 0 };

	if (connection_send(c, pingresp, sizeof(pingresp)) < 0)
		connection_close(c, MQTT_UNSPECIFIED_ERROR, "out of memory");
}

static void dispatch(struct connection *c, const struct frame *frame)
{
	switch (frame->type) {
	case MQTT_PUBLISH:
		protocol_publish(c, frame);
		break;
	case MQTT_PUBACK:
	case MQTT_PUBREC:
	case MQTT_PUBREL:
	case MQTT_PUBCOMP:
		protocol_ack(c, frame);
		break;
	case MQTT_SUBSCRIBE:
		protocol_subscribe(c, frame);
		break;
	case MQTT_UNSUBSCRIBE:
		protocol_unsubscribe(c, frame);
		break;
	case MQTT_PINGREQ:
		ping(c);
		break;
	case MQTT_DISCONNECT:
		protocol_disconnect(c, frame);
		break;
	case MQTT_CONNECT:
		refuse(c, MQTT_PROTOCOL_ERROR, frame, "a second one");
		break;
	case MQTT_AUTH:
		protocol_auth(c, frame);
		break;
	case MQTT_CONNACK:
	case MQTT_SUBACK:
	case MQTT_UNSUBACK:
	case MQTT_PINGRESP:
		refuse(c, MQTT_PROTOCOL_ERROR, frame,
		       "a packet that only servers send");
		break;
	}
}

/* The store is behind, or too many acknowledgements wait: what this peer sends
 * stays in its socket. */
static bool must_wait(struct connection *c)
{
	struct store *store = c->broker->store;

	if (c->gate.count == 0 || !store)
		return false;
	if (c->gate.count < LIMIT_GATED / 2 && !store->ops->congested(store))
		return false;
	connection_pause(c);
	if (!list_linked(&c->paused))
		list_append(&c->broker->paused, &c->paused);
	return true;
}

/* Nobody may make us hold much before a CONNECT says who it is. */
static int next_packet(const struct connection *c, struct slice bytes,
		       struct frame *frame)
{
	const size_t max = c->own_max_packet;

	if (c->state == CONNECTION_OPEN)
		return framing_next(bytes.data, bytes.len, LIMIT_CONNECT_SIZE,
				    frame);
	if (c->state == CONNECTION_EXCHANGING)
		return framing_next(bytes.data, bytes.len, LIMIT_AUTH_SIZE,
				    frame);
	if (c->version == MQTT_3_1)
		return framing_next_3_1(bytes.data, bytes.len, max, frame);
	return framing_next(bytes.data, bytes.len, max, frame);
}

size_t protocol_input(struct connection *c, const uint8_t *data, size_t len)
{
	struct broker *broker = c->broker;
	struct frame frame;
	size_t used = 0;
	int r;

	while (used < len && c->state < CONNECTION_CLOSING &&
	       !c->input_paused && !must_wait(c) &&
	       !(broker->rated && rate_holds(c))) {
		const enum connection_state state = c->state;

		if (state == CONNECTION_OPEN &&
		    data[used] >> 4 != MQTT_CONNECT) {
			connection_close(c, MQTT_SUCCESS,
					 "first packet is not CONNECT");
			break;
		}
		r = next_packet(c, slice_of(data + used, len - used), &frame);
		if (r == 0)
			break;
		if (r < 0) {
			connection_close(c,
					 r == -EMSGSIZE ? MQTT_PACKET_TOO_LARGE
							: MQTT_MALFORMED_PACKET,
					 r == -EMSGSIZE ? "packet too large"
							: "bad fixed header");
			break;
		}
		c->last_heard = loop_now(broker->loop);
		if (c->traced && !c->again)
			trace_in(c, &frame);
		if (state == CONNECTION_CONNECTED)
			dispatch(c, &frame);
		else if (state == CONNECTION_OPEN)
			protocol_connect(c, frame.body);
		else
			protocol_exchange(c, &frame);
		c->again = c->held;
		c->held = false;
		if (c->again) /* it stays where it is */
			break;
		used += frame.size;
		broker->count.packets_received++;
		if (broker->rated)
			rate_take(c, frame.size, frame.type == MQTT_PUBLISH);
	}
	return used;
}

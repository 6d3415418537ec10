/* Acknowledgements, now or when the disk has what they promise: connection.h's. */
#include <errno.h>
#include <stdlib.h>

#include "broker/core.h"
#include "broker/message.h"
#include "broker/peer/connection.h"
#include "broker/protocol/protocol.h"
#include "broker/session/hold.h"

/* The client may send one more (4.9). */
static void answered(struct connection *c, enum mqtt_packet_type type,
		     enum mqtt_reason reason)
{
	const bool over =
		type == MQTT_PUBACK ||
		(type == MQTT_PUBCOMP && reason == MQTT_SUCCESS) ||
		(type == MQTT_PUBREC && reason >= MQTT_UNSPECIFIED_ERROR);

	if (over && c->publisher && c->publisher->unanswered > 0)
		c->publisher->unanswered--;
}

int connection_send_ack(struct connection *c, enum mqtt_packet_type type,
			uint16_t packet_id, enum mqtt_reason reason)
{
	uint8_t bytes[6] = {
		(uint8_t)(type << 4 | (type == MQTT_PUBREL ? 2 : 0)),
		2,
		(uint8_t)(packet_id >> 8),
		(uint8_t)packet_id,
		(uint8_t)reason,
	};

	answered(c, type, reason);
	/* Reason and length may be left out when all is well (3.4.2.1). */
	if (c->version != MQTT_5_0 || reason == MQTT_SUCCESS)
		return connection_send(c, bytes, 4);
	bytes[1] = 3;
	return connection_send(c, bytes, 5);
}

static int gate_in(struct connection *c, const struct gated *gated)
{
	int r = gate_push(&c->gate, gated);

	if (r < 0)
		return r;
	if (!list_linked(&c->gate.link))
		list_append(&c->broker->gated, &c->gate.link);
	return 0;
}

static bool gate_open(const struct connection *c, uint64_t ticket)
{
	return c->gate.count == 0 && ticket <= c->broker->committed;
}

int connection_ack(struct connection *c, enum mqtt_packet_type type,
		   uint16_t packet_id, enum mqtt_reason reason, uint64_t ticket)
{
	return connection_ack_held(c, type, packet_id, reason, ticket, NULL);
}

int connection_ack_held(struct connection *c, enum mqtt_packet_type type,
			uint16_t packet_id, enum mqtt_reason reason,
			uint64_t ticket, struct message **message)
{
	struct gated gated = {
		.ticket = ticket,
		.packet_id = packet_id,
		.type = (uint8_t)type,
		.reason = (uint8_t)reason,
	};
	int r;

	if (message && *message && !hold_over(*message, c->broker->committed))
		gated.message = *message;
	if (!gated.message && gate_open(c, ticket))
		return connection_send_ack(c, type, packet_id, reason);
	r = gate_in(c, &gated);
	if (r == 0 && gated.message)
		*message = NULL;
	return r;
}

/* An acknowledgement among them is a refusal with a word. */
static int send_whole(struct connection *c, struct slice packet)
{
	answered(c, packet.data[0] >> 4, MQTT_UNSPECIFIED_ERROR);
	return connection_send(c, packet.data, packet.len);
}

int connection_send_gated(struct connection *c, struct slice packet,
			  uint64_t ticket)
{
	struct gated gated = {
		.ticket = ticket,
		.packet_len = (uint32_t)packet.len,
	};
	int r;

	if (gate_open(c, ticket))
		return send_whole(c, packet);
	gated.packet = malloc(packet.len);
	if (!gated.packet)
		return -ENOMEM;
	memcpy(gated.packet, packet.data, packet.len);
	r = gate_in(c, &gated);
	if (r < 0)
		free(gated.packet);
	return r;
}

void connection_open_gate(struct connection *c)
{
	struct gated gated;
	bool connack;
	int r;

	while (gate_pop(&c->gate, c->broker->committed, &gated)) {
		connack = gated.packet && gated.packet[0] >> 4 == MQTT_CONNACK;
		if (gated.packet)
			r = send_whole(
				c, slice_of(gated.packet, gated.packet_len));
		else
			r = connection_send_ack(c, gated.type, gated.packet_id,
						gated.reason);
		free(gated.packet);
		if (r < 0) {
			connection_close(c, MQTT_UNSPECIFIED_ERROR,
					 "out of memory");
			return;
		}
		if (connack)
			protocol_accepted(c);
	}
	if (c->gate.count == 0)
		list_remove(&c->gate.link);
}

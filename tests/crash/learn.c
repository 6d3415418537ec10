#include "tests/crash/learn.h"

#include "broker/wire/connect.h"
#include "broker/wire/publish.h"

uint16_t learn_message_of(struct slice payload)
{
	unsigned int n = 0;

	if (payload.len < 6)
		return UINT16_MAX;
	for (size_t i = 0; i < 5; i++) {
		if (payload.data[i] < '0' || payload.data[i] > '9')
			return UINT16_MAX;
		n = n * 10 + payload.data[i] - '0';
	}
	return n < UINT16_MAX ? (uint16_t)n : UINT16_MAX;
}

static void wrong(struct model *m, unsigned int party, const char *what)
{
	model_wrong(m, what, party, 0);
}

static void on_connack(struct model *m, unsigned int party,
		       const struct frame *frame)
{
	struct mqtt_connack packet;

	if (connack_decode(m->parties[party].version, frame->body, &packet) !=
		    MQTT_SUCCESS ||
	    packet.reason != MQTT_SUCCESS) {
		wrong(m, party, "CONNECT is refused");
		return;
	}
	model_connack(m, party, packet.session_present);
}

static struct held *held_find(struct party *p, uint16_t packet_id)
{
	for (unsigned int i = 0; i < p->held_count; i++)
		if (p->held[i].packet_id == packet_id)
			return &p->held[i];
	return NULL;
}

/* Returns true when the message under this QoS 2 identifier is a new one. */
static bool hold(struct model *m, unsigned int party, uint16_t packet_id,
		 uint16_t message)
{
	struct party *p = &m->parties[party];
	const struct held *held = held_find(p, packet_id);

	if (held) {
		if (held->message != message)
			wrong(m, party, "an identifier in use is used again");
		return false;
	}
	if (p->held_count == MODEL_HELD)
		wrong(m, party, "more than a client can hold");
	else
		p->held[p->held_count++] = (struct held){
			.packet_id = packet_id,
			.message = message,
		};
	return true;
}

static bool on_publish(struct model *m, unsigned int party,
		       const struct frame *frame, struct reply *answer)
{
	struct mqtt_publish packet;
	uint16_t message;
	bool fresh = true;

	if (publish_decode(m->parties[party].version, frame->flags, frame->body,
			   &packet) != MQTT_SUCCESS) {
		wrong(m, party, "a malformed PUBLISH");
		return false;
	}
	message = packet.retain ? UINT16_MAX : learn_message_of(packet.payload);
	if (packet.qos == 2)
		fresh = hold(m, party, packet.packet_id, message);
	if (fresh && message != UINT16_MAX)
		model_came(m, party, message, packet.qos);
	*answer = (struct reply){
		.type = packet.qos == 1 ? MQTT_PUBACK : MQTT_PUBREC,
		.packet_id = packet.packet_id,
	};
	return packet.qos > 0;
}

static void on_pubrel(struct model *m, unsigned int party, uint16_t packet_id)
{
	struct party *p = &m->parties[party];
	struct held *held = held_find(p, packet_id);

	if (held)
		*held = p->held[--p->held_count];
	m->events++;
}

struct going *learn_going(struct party *p, uint16_t packet_id)
{
	for (unsigned int i = 0; i < p->going_count; i++)
		if (p->going[i].packet_id == packet_id)
			return &p->going[i];
	return NULL;
}

void learn_going_end(struct party *p, struct going *going)
{
	struct going *last = &p->going[--p->going_count];

	for (; going < last; going++)
		*going = going[1];
}

/* Acknowledgements leave in the order of what they answer. */
static bool is_next(const struct party *p, const struct going *going)
{
	for (const struct going *at = p->going; at < going; at++)
		if (!at->released && at->here)
			return false;
	return true;
}

/* Returns true when PUBREL is due. */
static bool on_taken(struct model *m, unsigned int party,
		     const struct mqtt_ack *ack, bool received)
{
	struct party *p = &m->parties[party];
	struct going *going = learn_going(p, ack->packet_id);

	if (!going || (m->sent[going->message].qos == 2) != received) {
		wrong(m, party, "an answer to no publish");
		return false;
	}
	if (ack->reason >= MQTT_UNSPECIFIED_ERROR) {
		wrong(m, party, "a publish is refused");
		return false;
	}
	if (!going->released && !is_next(p, going))
		wrong(m, party, "an acknowledgement overtakes another");
	model_taken(m, going->message);
	if (received)
		going->released = true;
	else
		learn_going_end(p, going);
	return received;
}

static void on_pubcomp(struct model *m, unsigned int party, uint16_t packet_id)
{
	struct party *p = &m->parties[party];
	struct going *going = learn_going(p, packet_id);

	if (going && going->released)
		learn_going_end(p, going);
	else
		wrong(m, party, "PUBCOMP for nothing");
	m->events++;
}

static bool on_ack(struct model *m, unsigned int party,
		   const struct frame *frame, struct reply *answer)
{
	struct mqtt_ack ack;

	if (ack_decode(m->parties[party].version, frame->type, frame->body,
		       &ack) != MQTT_SUCCESS) {
		wrong(m, party, "a malformed acknowledgement");
		return false;
	}
	answer->packet_id = ack.packet_id;
	if (frame->type == MQTT_PUBREL) {
		on_pubrel(m, party, ack.packet_id);
		answer->type = MQTT_PUBCOMP;
		return true;
	}
	if (frame->type == MQTT_PUBCOMP) {
		on_pubcomp(m, party, ack.packet_id);
		return false;
	}
	answer->type = MQTT_PUBREL;
	return on_taken(m, party, &ack, frame->type == MQTT_PUBREC);
}

bool learn(struct model *m, unsigned int party, const struct frame *frame,
	   struct reply *answer)
{
	switch ((int)frame->type) {
	case MQTT_CONNACK:
		on_connack(m, party, frame);
		return false;
	case MQTT_PUBLISH:
		return on_publish(m, party, frame, answer);
	case MQTT_PUBACK:
	case MQTT_PUBREC:
	case MQTT_PUBREL:
	case MQTT_PUBCOMP:
		return on_ack(m, party, frame, answer);
	case MQTT_SUBACK:
	case MQTT_UNSUBACK:
		model_answered(m, party);
		return false;
	case MQTT_PINGRESP:
		return false;
	default:
		wrong(m, party, "a packet that ends the connection");
		return false;
	}
}

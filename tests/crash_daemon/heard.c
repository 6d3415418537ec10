#include "tests/crash_daemon/heard.h"

#include "broker/wire/connect.h"
#include "broker/wire/publish.h"
#include "broker/wire/subscribe.h"
#include "tests/crash/learn.h"

unsigned int heard_connect(struct model *m, const struct frame *frame)
{
	struct mqtt_connect packet;
	unsigned int party;

	if (connect_decode(frame->body, &packet) != MQTT_SUCCESS ||
	    packet.client_id.len != 2 || packet.client_id.data[0] != 'c')
		return MODEL_CLIENTS;
	party = packet.client_id.data[1] - (unsigned int)'0';
	if (party >= MODEL_CLIENTS)
		return MODEL_CLIENTS;
	model_gone(m, party);
	model_connecting(m, party, packet.clean_start);
	return party;
}

static unsigned int topic_of(struct slice text, const char *const table[])
{
	for (unsigned int t = 0; t < MODEL_TOPICS; t++)
		if (slice_equal(text, slice_str(table[t])))
			return t;
	return MODEL_TOPICS;
}

static uint16_t message_of(struct heard *h, const struct model *m,
			   const struct mqtt_publish *packet,
			   const struct going *going)
{
	if (packet->payload.len)
		return learn_message_of(packet->payload);
	if (going && m->sent[going->message].empty)
		return going->message;
	return h->nameless < HEARD_NAMELESS
		       ? (uint16_t)(MODEL_MESSAGES - ++h->nameless)
		       : UINT16_MAX;
}

static void describe(struct model *m, unsigned int party, uint16_t message,
		     const struct mqtt_publish *packet)
{
	const struct mqtt_properties *properties = &packet->properties;
	struct sent *s = &m->sent[message];

	*s = (struct sent){
		.topic = (uint8_t)topic_of(packet->topic, model_topics),
		.from = (uint8_t)party,
		.qos = packet->qos,
		.retain = packet->retain,
		.empty = packet->payload.len == 0,
	};
	if (properties_has(properties, MQTT_PROP_MESSAGE_EXPIRY_INTERVAL))
		s->lifetime = properties->message_expiry_interval * 1000;
	if (!s->empty && message >= m->count)
		m->count = (uint16_t)(message + 1);
}

/*
 * It is sent over this connection, behind what has been before. What is left of an
 * earlier one follows: a client begins with that, in the order of then, which may
 * begin with what has been acknowledged without its knowing.
 */
static void put(struct model *m, unsigned int party, const struct going *entry)
{
	struct party *p = &m->parties[party];
	struct going *old = learn_going(p, entry->packet_id);
	unsigned int at;

	if (old)
		learn_going_end(p, old);
	if (p->going_count == MODEL_WINDOW) {
		model_wrong(m, "more under way than a client has", party,
			    entry->message);
		return;
	}
	at = p->going_count;
	while (at > 0 && !p->going[at - 1].here) {
		p->going[at] = p->going[at - 1];
		at--;
	}
	p->going[at] = *entry;
	p->going_count++;
}

static void on_publish(struct heard *h, struct model *m, unsigned int party,
		       const struct frame *frame)
{
	struct party *p = &m->parties[party];
	const struct going *going;
	struct mqtt_publish packet;
	uint16_t message;

	if (publish_decode(p->version, frame->flags, frame->body, &packet) !=
		    MQTT_SUCCESS ||
	    topic_of(packet.topic, model_topics) == MODEL_TOPICS) {
		model_wrong(m, "a client has lost its mind", party, 0);
		return;
	}
	going = packet.qos ? learn_going(p, packet.packet_id) : NULL;
	message = message_of(h, m, &packet, going);
	if (message >= MODEL_MESSAGES) {
		model_wrong(m, "more messages than the model can hold", party,
			    0);
		return;
	}
	if (!h->known[message])
		describe(m, party, message, &packet);
	if (packet.qos)
		put(m, party,
		    &(struct going){ .packet_id = packet.packet_id,
				     .message = message,
				     .here = true });
	model_publish(m, message, h->known[message]);
	h->known[message] = true;
}

static void on_subscribe(struct model *m, unsigned int party,
			 const struct frame *frame)
{
	const enum mqtt_version version = m->parties[party].version;
	const bool end = frame->type == MQTT_UNSUBSCRIBE;
	struct mqtt_subscription entry = { 0 };
	struct mqtt_subscribe packet;
	enum mqtt_reason reason;
	bool first = false;

	reason = end ? unsubscribe_decode(version, frame->body, &packet)
		     : subscribe_decode(version, frame->body, &packet);
	if (reason == MQTT_SUCCESS)
		first = end ? unsubscribe_next(&packet.entries, &entry.filter)
			    : subscribe_next(version, &packet.entries, &entry);
	if (!first || topic_of(entry.filter, model_filters) == MODEL_TOPICS) {
		model_wrong(m, "a client has lost its mind", party, 0);
		return;
	}
	model_asked(m, party, topic_of(entry.filter, model_filters),
		    end ? 1 : (uint8_t)(2 << entry.qos));
}

static void on_pubrel(struct model *m, unsigned int party,
		      const struct frame *frame)
{
	struct party *p = &m->parties[party];
	const struct going *going;
	struct mqtt_ack ack;

	if (ack_decode(p->version, frame->type, frame->body, &ack) !=
	    MQTT_SUCCESS) {
		model_wrong(m, "a client has lost its mind", party, 0);
		return;
	}
	/* PUBCOMP has left, and the client has not seen it. */
	going = learn_going(p, ack.packet_id);
	if (!going)
		put(m, party,
		    &(struct going){ .packet_id = ack.packet_id,
				     .released = true,
				     .here = true });
}

void heard_packet(struct heard *h, struct model *m, unsigned int party,
		  const struct frame *frame)
{
	switch ((int)frame->type) {
	case MQTT_PUBLISH:
		on_publish(h, m, party, frame);
		break;
	case MQTT_SUBSCRIBE:
	case MQTT_UNSUBSCRIBE:
		on_subscribe(m, party, frame);
		break;
	case MQTT_PUBREL:
		on_pubrel(m, party, frame);
		break;
	default:
		break;
	}
}

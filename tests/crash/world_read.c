#include "tests/crash/world_read.h"

#include "broker/wire/connect.h"
#include "broker/wire/publish.h"
#include "broker/wire/subscribe.h"

uint16_t world_message_of(struct slice payload)
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

static void send_reply(struct world *w, unsigned int party,
		       const struct reply *reply)
{
	const struct mqtt_ack ack = { .packet_id = reply->packet_id };
	uint8_t bytes[16];
	struct writer out = writer_of(bytes, sizeof(bytes));

	ack_encode(&out, w->model->parties[party].version, reply->type, &ack);
	world_send(w, party, &out);
}

/* Now, or when the client comes round to it; never out of order. */
static void answer(struct world *w, unsigned int party,
		   enum mqtt_packet_type type, uint16_t packet_id)
{
	const struct reply reply = { .type = type, .packet_id = packet_id };
	uint8_t *count = &w->reply_count[party];

	if (*count == WORLD_REPLIES)
		world_reply(w, party);
	if (*count == 0 && !rng_percent(w->rng, w->hold)) {
		send_reply(w, party, &reply);
		return;
	}
	w->replies[party][(*count)++] = reply;
}

void world_reply(struct world *w, unsigned int party)
{
	for (unsigned int i = 0; i < w->reply_count[party]; i++)
		send_reply(w, party, &w->replies[party][i]);
	w->reply_count[party] = 0;
}

static void wrong(struct world *w, unsigned int party, const char *what)
{
	model_wrong(w->model, what, party, 0);
}

static void on_connack(struct world *w, unsigned int party,
		       const struct frame *frame)
{
	struct party *p = &w->model->parties[party];
	struct mqtt_connack packet;

	if (connack_decode(p->version, frame->body, &packet) != MQTT_SUCCESS ||
	    packet.reason != MQTT_SUCCESS) {
		wrong(w, party, "CONNECT is refused");
		return;
	}
	model_connack(w->model, party, packet.session_present);
	for (unsigned int i = 0; i < p->going_count; i++) {
		const struct going going = p->going[i];

		if (going.released)
			send_reply(w, party,
				   &(struct reply){ MQTT_PUBREL,
						    going.packet_id });
		else
			world_send_publish(w, going.message, going.packet_id,
					   true);
	}
}

static struct held *held_find(struct party *p, uint16_t packet_id)
{
	for (unsigned int i = 0; i < p->held_count; i++)
		if (p->held[i].packet_id == packet_id)
			return &p->held[i];
	return NULL;
}

static void on_publish(struct world *w, unsigned int party,
		       const struct frame *frame)
{
	struct party *p = &w->model->parties[party];
	struct mqtt_publish packet;
	struct held *held;
	uint16_t message;
	bool fresh = true;

	if (publish_decode(p->version, frame->flags, frame->body, &packet) !=
	    MQTT_SUCCESS) {
		wrong(w, party, "a malformed PUBLISH");
		return;
	}
	message = packet.retain ? UINT16_MAX : world_message_of(packet.payload);
	if (packet.qos == 2) {
		held = held_find(p, packet.packet_id);
		fresh = !held;
		if (held && held->message != message)
			wrong(w, party, "an identifier in use is used again");
		if (!held && p->held_count == MODEL_HELD)
			wrong(w, party, "more than a client can hold");
		else if (!held)
			p->held[p->held_count++] = (struct held){
				.packet_id = packet.packet_id,
				.message = message,
			};
	}
	if (fresh && message != UINT16_MAX)
		model_came(w->model, party, message, packet.qos);
	if (packet.qos > 0)
		answer(w, party, packet.qos == 1 ? MQTT_PUBACK : MQTT_PUBREC,
		       packet.packet_id);
}

static void on_pubrel(struct world *w, unsigned int party, uint16_t packet_id)
{
	struct party *p = &w->model->parties[party];
	struct held *held = held_find(p, packet_id);

	if (held)
		*held = p->held[--p->held_count];
	w->model->events++;
	answer(w, party, MQTT_PUBCOMP, packet_id);
}

static struct going *going_find(struct party *p, uint16_t packet_id)
{
	for (unsigned int i = 0; i < p->going_count; i++)
		if (p->going[i].packet_id == packet_id)
			return &p->going[i];
	return NULL;
}

static void going_end(struct party *p, struct going *going)
{
	struct going *last = &p->going[--p->going_count];

	for (; going < last; going++)
		*going = going[1];
}

/* Acknowledgements leave in the order of what they answer. */
static bool is_next(const struct party *p, const struct going *going)
{
	for (const struct going *at = p->going; at < going; at++)
		if (!at->released)
			return false;
	return true;
}

static void on_taken(struct world *w, unsigned int party,
		     const struct mqtt_ack *ack, bool received)
{
	struct party *p = &w->model->parties[party];
	struct going *going = going_find(p, ack->packet_id);

	if (!going || (w->model->sent[going->message].qos == 2) != received) {
		wrong(w, party, "an answer to no publish");
		return;
	}
	if (ack->reason >= MQTT_UNSPECIFIED_ERROR) {
		wrong(w, party, "a publish is refused");
		return;
	}
	if (!going->released && !is_next(p, going))
		wrong(w, party, "an acknowledgement overtakes another");
	model_taken(w->model, going->message);
	if (received) {
		going->released = true;
		answer(w, party, MQTT_PUBREL, ack->packet_id);
	} else {
		going_end(p, going);
	}
}

static void on_ack(struct world *w, unsigned int party,
		   const struct frame *frame)
{
	struct party *p = &w->model->parties[party];
	struct going *going;
	struct mqtt_ack ack;

	if (ack_decode(p->version, frame->type, frame->body, &ack) !=
	    MQTT_SUCCESS) {
		wrong(w, party, "a malformed acknowledgement");
		return;
	}
	if (frame->type == MQTT_PUBREL) {
		on_pubrel(w, party, ack.packet_id);
		return;
	}
	if (frame->type != MQTT_PUBCOMP) {
		on_taken(w, party, &ack, frame->type == MQTT_PUBREC);
		return;
	}
	going = going_find(p, ack.packet_id);
	if (going && going->released)
		going_end(p, going);
	else
		wrong(w, party, "PUBCOMP for nothing");
	w->model->events++;
}

static void on_frame(struct world *w, unsigned int party,
		     const struct frame *frame)
{
	switch ((int)frame->type) {
	case MQTT_CONNACK:
		on_connack(w, party, frame);
		break;
	case MQTT_PUBLISH:
		on_publish(w, party, frame);
		break;
	case MQTT_PUBACK:
	case MQTT_PUBREC:
	case MQTT_PUBREL:
	case MQTT_PUBCOMP:
		on_ack(w, party, frame);
		break;
	case MQTT_SUBACK:
	case MQTT_UNSUBACK:
		model_answered(w->model, party);
		break;
	default:
		wrong(w, party, "a packet that ends the connection");
		break;
	}
}

bool world_read(struct world *w, unsigned int party)
{
	struct link *link = &w->links[party];
	struct frame frame;
	bool any = false;

	while (!w->model->wrong && link_next(link, &frame)) {
		world_trace(w, party, "<-", slice_of(link->in, frame.size));
		on_frame(w, party, &frame);
		link_drop(link, &frame);
		any = true;
	}
	if (link_ended(link))
		wrong(w, party, "the broker has closed the connection");
	return any;
}

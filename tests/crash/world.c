#include "tests/crash/world.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/wire/connect.h"
#include "broker/wire/publish.h"
#include "broker/wire/subscribe.h"
#include "tests/crash/trace.h"
#include "tests/crash/world_read.h"

void world_init(struct world *w, struct place place, struct rng *rng,
		struct model *model)
{
	w->place = place;
	w->rng = rng;
	w->model = model;
	w->hold = 0;
	w->lost = false;
	memset(w->reply_count, 0, sizeof(w->reply_count));
	memset(w->pings, 0, sizeof(w->pings));
	for (unsigned int i = 0; i < MODEL_CLIENTS; i++)
		link_init(&w->links[i]);
}

void world_send(struct world *w, unsigned int party, const struct writer *out)
{
	assert(!out->overflow);
	trace_packet(w->place.name, party, "->", slice_of(out->data, out->len));
	link_send(&w->links[party], &w->place, out->data, out->len);
}

static void client_name(unsigned int party, char out[8])
{
	(void)snprintf(out, 8, "c%u", party);
}

void world_connect(struct world *w, unsigned int party, bool clean)
{
	const struct party *p = &w->model->parties[party];
	struct mqtt_connect packet = { .version = p->version };
	uint8_t bytes[128];
	struct writer out = writer_of(bytes, sizeof(bytes));
	char name[8];
	int before;

	/* Of a session that may have ended it cannot know which one it would
	 * get, nor what its packet identifiers mean there. */
	if (p->version == MQTT_5_0 && p->may_have_session && !p->has_session)
		clean = true;
	packet.clean_start = clean;
	client_name(party, name);
	packet.client_id = slice_str(name);
	if (p->version == MQTT_5_0 && p->expiry) {
		properties_set(&packet.properties,
			       MQTT_PROP_SESSION_EXPIRY_INTERVAL);
		packet.properties.session_expiry_interval = p->expiry;
	}
	/* Over an old connection, too: that is taken over. */
	model_gone(w->model, party);
	model_connecting(w->model, party, clean);
	w->reply_count[party] = 0;
	w->pings[party] = 0;
	before = link_take(&w->links[party]);
	link_open(&w->links[party], &w->place);
	connect_encode(&out, &packet);
	world_send(w, party, &out);
	if (before >= 0)
		close(before);
}

void world_leave(struct world *w, unsigned int party, bool politely)
{
	const struct mqtt_reason_packet packet = { .reason = MQTT_SUCCESS };
	uint8_t bytes[16];
	struct writer out = writer_of(bytes, sizeof(bytes));

	if (politely) {
		disconnect_encode(&out, w->model->parties[party].version,
				  &packet);
		world_send(w, party, &out);
	}
	link_close(&w->links[party]);
	w->reply_count[party] = 0;
	w->place.turn(w->place.arg);
	model_gone(w->model, party);
}

void world_lose_all(struct world *w)
{
	for (unsigned int i = 0; i < MODEL_CLIENTS; i++) {
		link_close(&w->links[i]);
		w->reply_count[i] = 0;
		model_gone(w->model, i);
	}
}

/* The number of the message, and bytes behind it: few, or many pages. */
static size_t payload_of(uint16_t message, const struct sent *s, char *out,
			 size_t size)
{
	size_t len = 8 + message % 7;

	if (s->empty)
		return 0;
	if (message % 23 == 0)
		len = 3000;
	assert(len < size);
	memset(out, 'a' + message % 26, len);
	(void)snprintf(out, size, "%05u", message);
	out[5] = ' ';
	return len;
}

void world_send_publish(struct world *w, uint16_t message, uint16_t packet_id,
			bool again)
{
	const struct sent *s = &w->model->sent[message];
	const enum mqtt_version version = w->model->parties[s->from].version;
	struct mqtt_publish packet = {
		.topic = slice_str(model_topics[s->topic]),
		.packet_id = packet_id,
		.qos = s->qos,
		.dup = again,
		.retain = s->retain,
	};
	char payload[4096];
	uint8_t bytes[4200];
	struct writer out = writer_of(bytes, sizeof(bytes));

	packet.payload = slice_of(
		payload, payload_of(message, s, payload, sizeof(payload)));
	if (s->lifetime) {
		properties_set(&packet.properties,
			       MQTT_PROP_MESSAGE_EXPIRY_INTERVAL);
		packet.properties.message_expiry_interval = s->lifetime / 1000;
	}
	model_publish(w->model, message, again);
	publish_encode(&out, version, &packet);
	world_send(w, s->from, &out);
}

/* The lowest one that is free: it is used again as soon as may be. */
static uint16_t free_id(const struct party *p)
{
	for (uint16_t id = 1;; id++) {
		bool used = false;

		for (unsigned int i = 0; i < p->going_count; i++)
			used |= p->going[i].packet_id == id;
		if (!used)
			return id;
	}
}

void world_publish(struct world *w, uint16_t message)
{
	const struct sent *s = &w->model->sent[message];
	struct party *p = &w->model->parties[s->from];
	uint16_t id = 0;

	if (s->qos > 0) {
		id = free_id(p);
		p->going[p->going_count++] = (struct going){
			.packet_id = id,
			.message = message,
			.here = true,
		};
	}
	world_send_publish(w, message, id, false);
}

void world_subscribe(struct world *w, unsigned int party, unsigned int topic,
		     uint8_t bit)
{
	const struct mqtt_properties none = { 0 };
	const enum mqtt_version version = w->model->parties[party].version;
	const struct slice filter = slice_str(model_filters[topic]);
	const struct mqtt_subscription entry = {
		.filter = filter,
		.qos = bit == 8	  ? 2
		       : bit == 4 ? 1
				  : 0,
	};
	uint8_t bytes[128];
	struct writer out = writer_of(bytes, sizeof(bytes));

	model_asked(w->model, party, topic, bit);
	if (bit == 1)
		unsubscribe_encode(&out, version, 100, &filter, 1);
	else
		subscribe_encode(&out, version, 100, &none, &entry, 1);
	world_send(w, party, &out);
}

void world_ping(struct world *w, unsigned int party)
{
	uint8_t bytes[2];
	struct writer out = writer_of(bytes, sizeof(bytes));

	ping_encode(&out, MQTT_PINGREQ);
	w->pings[party]++;
	world_send(w, party, &out);
}

static void retained_frame(struct world *w, const struct frame *frame,
			   uint16_t seen[MODEL_TOPICS])
{
	struct mqtt_publish packet;

	if (frame->type != MQTT_PUBLISH)
		return;
	if (publish_decode(MQTT_3_1_1, frame->flags, frame->body, &packet) !=
		    MQTT_SUCCESS ||
	    !packet.retain) {
		model_wrong(w->model, "not a retained message", 0, 0);
		return;
	}
	for (unsigned int t = 0; t < MODEL_TOPICS; t++)
		if (slice_equal(packet.topic, slice_str(model_topics[t])))
			seen[t] = learn_message_of(packet.payload);
}

void world_look_at_retained(struct world *w)
{
	const struct mqtt_connect connect = {
		.version = MQTT_3_1_1,
		.clean_start = true,
		.client_id = slice_str("probe"),
	};
	const struct mqtt_properties none = { 0 };
	const struct mqtt_subscription all = { .filter = slice_str("#") };
	static struct link link;
	uint8_t bytes[128];
	struct writer out = writer_of(bytes, sizeof(bytes));
	uint16_t seen[MODEL_TOPICS];
	struct frame frame;

	memset(seen, 0xff, sizeof(seen));
	link_init(&link);
	link_open(&link, &w->place);
	connect_encode(&out, &connect);
	subscribe_encode(&out, MQTT_3_1_1, 1, &none, &all, 1);
	link_send(&link, &w->place, out.data, out.len);
	w->place.turn(w->place.arg);
	while (link_next(&link, &frame)) {
		retained_frame(w, &frame, seen);
		link_drop(&link, &frame);
	}
	link_close(&link);
	w->place.turn(w->place.arg);
	for (unsigned int t = 0; t < MODEL_TOPICS; t++)
		model_retained(w->model, t, seen[t]);
}

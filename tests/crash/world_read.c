#include "tests/crash/world_read.h"

#include "broker/wire/connect.h"
#include "broker/wire/publish.h"
#include "tests/crash/trace.h"

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
		   const struct reply *reply)
{
	uint8_t *count = &w->reply_count[party];

	if (*count == WORLD_REPLIES)
		world_reply(w, party);
	if (*count == 0 && !rng_percent(w->rng, w->hold)) {
		send_reply(w, party, reply);
		return;
	}
	w->replies[party][(*count)++] = *reply;
}

void world_reply(struct world *w, unsigned int party)
{
	for (unsigned int i = 0; i < w->reply_count[party]; i++)
		send_reply(w, party, &w->replies[party][i]);
	w->reply_count[party] = 0;
}

/* Where the last connection left off. */
static void go_on(struct world *w, unsigned int party)
{
	struct party *p = &w->model->parties[party];

	for (unsigned int i = 0; i < p->going_count; i++) {
		const struct going going = p->going[i];
		const struct reply pubrel = { MQTT_PUBREL, going.packet_id };

		p->going[i].here = true;
		if (going.released)
			send_reply(w, party, &pubrel);
		else
			world_send_publish(w, going.message, going.packet_id,
					   true);
	}
}

static void on_frame(struct world *w, unsigned int party,
		     const struct frame *frame)
{
	struct reply reply;

	if (frame->type == MQTT_PINGRESP && w->pings[party])
		w->pings[party]--;
	else if (learn(w->model, party, frame, &reply))
		answer(w, party, &reply);
	else if (frame->type == MQTT_CONNACK && !w->model->wrong)
		go_on(w, party);
}

bool world_read(struct world *w, unsigned int party)
{
	struct link *link = &w->links[party];
	struct frame frame;
	bool any = false;

	while (!w->model->wrong && link_next(link, &frame)) {
		trace_packet(w->place.name, party, "<-",
			     slice_of(link->in, frame.size));
		on_frame(w, party, &frame);
		link_drop(link, &frame);
		any = true;
	}
	if (link_ended(link)) {
		w->lost = true;
		model_wrong(w->model, "the broker has closed the connection",
			    party, 0);
	}
	return any;
}

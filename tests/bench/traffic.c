/*
 * Publishers that never have more than a window of messages under way, and
 * subscribers that check every one of them.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/histogram.h"
#include "tests/bench/load.h"
#include "tests/bench/peer.h"
#include "tests/bench/sequence.h"

#define IDLE_NS 100000000ull
/* After the run, messages may take this long without one coming. */
#define DRAIN_NS (10 * 1000000000ull)

struct publisher {
	struct peer peer;
	uint8_t *packet; /* of the current topic, made once */
	size_t packet_len, id_at, stamp_at;
	uint64_t sent; /* the next sequence number */
	uint64_t complete; /* all below have come to every subscriber */
	unsigned int *missing; /* ring: subscribers a message has not come to */
	unsigned int unacked;
	uint16_t next_ack; /* identifiers are acknowledged in order */
	bool waits; /* no credit */
};

struct subscriber {
	struct peer peer;
	struct sequence *from; /* one for each publisher */
	struct load_state *state;
};

struct load_state {
	const struct load_options *o;
	struct publisher *publishers;
	struct subscriber *subscribers;
	struct peer *others; /* hold filters that nothing matches, or nothing */
	unsigned int other_count;
	struct histogram latency;
	unsigned int outstanding; /* for one publisher */
	unsigned int fan; /* receivers of a message */
	uint64_t delivered, corrupt, misrouted, ack_order, failed;
};

static struct load_state state;

static void topic_of(const struct publisher *p, char *out, size_t size)
{
	unsigned int per = state.o->filters / 2 / state.o->subscribers;

	if (state.o->shape == LOAD_WILD)
		snprintf(out, size, "w/%u/d%" PRIu64 "/state",
			 p->peer.index * per + (unsigned int)(p->sent % per),
			 p->sent % 3);
	else if (state.o->topics > 1)
		snprintf(out, size, "bench/%u/%u", p->peer.index,
			 (unsigned int)(p->sent % state.o->topics));
	else
		snprintf(out, size, "bench/%u/state", p->peer.index);
}

static void make_packet(struct publisher *p)
{
	char topic[64];

	topic_of(p, topic, sizeof(topic));
	p->packet_len =
		packet_publish(p->packet, peer_net.level, topic, state.o->qos,
			       false, state.o->size, &p->id_at, &p->stamp_at);
	if (state.o->json)
		packet_make_json(p->packet + p->stamp_at, state.o->size);
}

static void publish_one(struct publisher *p)
{
	struct stamp stamp = { p->peer.index, p->sent, peer_net.now };
	uint16_t id = (uint16_t)(p->sent % UINT16_MAX + 1);
	uint8_t *at;

	if (state.o->shape == LOAD_WILD || state.o->topics > 1)
		make_packet(p);
	at = peer_put(&p->peer, p->packet_len);
	memcpy(at, p->packet, p->packet_len);
	if (state.o->json)
		packet_stamp_json(at + p->stamp_at, &stamp);
	else
		packet_stamp(at + p->stamp_at, &stamp);
	if (p->id_at) {
		at[p->id_at] = (uint8_t)(id >> 8);
		at[p->id_at + 1] = (uint8_t)id;
		p->unacked++;
	}
	p->missing[p->sent % state.outstanding] = state.fan;
	p->sent++;
}

static bool may_send(const struct publisher *p)
{
	return p->sent - p->complete < state.outstanding &&
	       p->unacked < state.o->window && !p->peer.writable_wanted;
}

static void on_ack(struct publisher *p, uint16_t id, bool last)
{
	uint16_t expected = p->next_ack;

	if (!last)
		return;
	if (id != expected)
		state.ack_order++;
	p->next_ack = expected == UINT16_MAX ? 1 : (uint16_t)(expected + 1);
	p->unacked--;
}

static void publisher_packet(struct peer *peer, uint8_t header,
			     const uint8_t *body, size_t len)
{
	struct publisher *p = peer->owner;
	uint16_t id = len >= 2 ? (uint16_t)(body[0] << 8 | body[1]) : 0;

	/* 0x10: nobody was subscribed, which is a fault here all the same. */
	if (header >> 4 != PACKET_CONNACK && len > 2 && body[2])
		state.failed++;
	switch (header >> 4) {
	case PACKET_PUBACK:
	case PACKET_PUBCOMP:
		on_ack(p, id, true);
		break;
	case PACKET_PUBREC:
		peer_ack(peer, PACKET_PUBREL, id);
		break;
	default:
		break;
	}
}

static void delivered(struct subscriber *s, const struct stamp *stamp)
{
	struct publisher *p = &state.publishers[stamp->publisher];

	if (!sequence_see(&s->from[stamp->publisher], stamp->sequence))
		return;
	if (stamp->sequence < p->complete || stamp->sequence >= p->sent) {
		state.corrupt++;
		return;
	}
	state.delivered++;
	histogram_add(&state.latency, peer_net.now - stamp->time);
	p->missing[stamp->sequence % state.outstanding]--;
	while (p->complete < p->sent &&
	       !p->missing[p->complete % state.outstanding])
		p->complete++;
}

static bool read_stamp(struct stamp *stamp, const struct publish *publish)
{
	return state.o->json ? packet_read_stamp_json(stamp, publish->payload,
						      publish->payload_len)
			     : packet_read_stamp(stamp, publish->payload,
						 publish->payload_len);
}

static void subscriber_publish(struct subscriber *s, uint8_t header,
			       const uint8_t *body, size_t len)
{
	struct publish publish;
	struct stamp stamp;

	if (!packet_read_publish(&publish, s->peer.level, header, body, len) ||
	    !read_stamp(&stamp, &publish) ||
	    publish.payload_len != state.o->size ||
	    publish.qos != state.o->qos ||
	    stamp.publisher >= state.o->publishers) {
		state.corrupt++;
		return;
	}
	if (state.fan == 1 && state.o->subscribers > 1 &&
	    stamp.publisher != s->peer.index)
		state.misrouted++;
	if (publish.qos)
		peer_ack(&s->peer,
			 publish.qos == 1 ? PACKET_PUBACK : PACKET_PUBREC,
			 publish.id);
	delivered(s, &stamp);
}

static void subscriber_packet(struct peer *peer, uint8_t header,
			      const uint8_t *body, size_t len)
{
	if (header >> 4 == PACKET_PUBLISH)
		subscriber_publish(peer->owner, header, body, len);
	else if (header >> 4 == PACKET_PUBREL && len >= 2)
		peer_ack(peer, PACKET_PUBCOMP,
			 (uint16_t)(body[0] << 8 | body[1]));
}

static void *allocate(size_t count, size_t size)
{
	void *p = calloc(count ? count : 1, size);

	if (!p)
		die("out of memory");
	return p;
}

static void open_publishers(void)
{
	const struct load_options *o = state.o;
	char id[32];

	for (unsigned int i = 0; i < o->publishers; i++) {
		struct publisher *p = &state.publishers[i];

		p->peer.index = i;
		p->peer.owner = p;
		p->peer.packet = publisher_packet;
		p->next_ack = 1;
		p->missing = allocate(state.outstanding, sizeof(*p->missing));
		p->packet = allocate(1, PACKET_SPACE + 64 + o->size);
		make_packet(p);
		snprintf(id, sizeof(id), "bench-pub-%u", i);
		peer_open(&p->peer, id, true);
		while (!p->peer.connected)
			peer_turn(IDLE_NS);
	}
}

static unsigned int subscribe(struct subscriber *s)
{
	unsigned int per = state.o->filters / 2 / state.o->subscribers;
	unsigned int first = s->peer.index * per;
	char filter[64];

	if (state.o->shape != LOAD_WILD) {
		if (state.o->shape == LOAD_PAIRS)
			snprintf(filter, sizeof(filter), "bench/%u/%s",
				 s->peer.index,
				 state.o->topics > 1 ? "+" : "state");
		else if (state.o->predicates)
			/* Every message has 50 there. */
			snprintf(filter, sizeof(filter),
				 "$match/v>-%u/bench/+/state",
				 s->peer.index % state.o->predicates);
		else
			snprintf(filter, sizeof(filter), "bench/+/state");
		peer_subscribe(&s->peer, filter, state.o->qos);
		return 1;
	}
	for (unsigned int i = first; i < first + per; i++) {
		snprintf(filter, sizeof(filter), "w/%u/+/state", i);
		peer_subscribe(&s->peer, filter, state.o->qos);
	}
	return per;
}

static void open_subscribers(void)
{
	char id[32];
	unsigned int filters;

	for (unsigned int i = 0; i < state.o->subscribers; i++) {
		struct subscriber *s = &state.subscribers[i];

		s->peer.index = i;
		s->peer.owner = s;
		s->peer.packet = subscriber_packet;
		s->from = allocate(state.o->publishers, sizeof(*s->from));
		snprintf(id, sizeof(id), "bench-sub-%u", i);
		peer_open(&s->peer, id, !state.o->durable);
		while (!s->peer.connected)
			peer_turn(IDLE_NS);
		filters = subscribe(s);
		peer_await_subscribed(&s->peer, filters);
	}
}

/* In the way, but never met: others, and half of the filters of LOAD_WILD. */
static void open_others(void)
{
	unsigned int filters = state.o->others, per = 500, done = 0;
	char text[64];

	if (state.o->shape == LOAD_WILD)
		filters += state.o->filters / 2;
	state.other_count = (filters + per - 1) / per + state.o->bystanders;
	state.others = allocate(state.other_count, sizeof(*state.others));
	for (unsigned int i = 0; i < state.other_count; i++) {
		struct peer *peer = &state.others[i];
		unsigned int k;

		peer->index = i;
		snprintf(text, sizeof(text), "bench-other-%u", i);
		peer_open(peer, text, true);
		peer_await_connected(peer, 1);
		for (k = 0; k < per && done < filters; k++, done++) {
			snprintf(text, sizeof(text), "+/%u/+/event/#", done);
			peer_subscribe(peer, text, 0);
		}
		peer_await_subscribed(peer, k);
	}
}

/* Everyone who has credit sends a burst; returns whether anybody still has. */
static bool send_bursts(void)
{
	bool more = false;

	for (unsigned int i = 0; i < state.o->publishers; i++) {
		struct publisher *p = &state.publishers[i];

		for (unsigned int k = 0; k < state.o->burst && may_send(p); k++)
			publish_one(p);
		more = more || may_send(p);
	}
	return more;
}

/* At a rate, publishers take turns; a message that is late is sent at once. */
static uint64_t send_at_rate(uint64_t start, uint64_t *turn)
{
	uint64_t gap = 1000000000ull / state.o->rate;

	while (start + *turn * gap <= peer_net.now) {
		struct publisher *p =
			&state.publishers[*turn % state.o->publishers];

		if (may_send(p))
			publish_one(p);
		++*turn;
	}
	return start + *turn * gap - peer_net.now;
}

static void run_until(uint64_t end)
{
	uint64_t start = peer_net.now, turn = 0, wait;

	while (peer_net.now < end) {
		if (state.o->rate)
			wait = send_at_rate(start, &turn);
		else
			wait = send_bursts() ? 0 : IDLE_NS;
		peer_turn(wait);
	}
}

static bool all_complete(void)
{
	for (unsigned int i = 0; i < state.o->publishers; i++) {
		if (state.publishers[i].complete < state.publishers[i].sent ||
		    state.publishers[i].unacked)
			return false;
	}
	return true;
}

static void drain(void)
{
	uint64_t before = state.delivered, since = peer_net.now;

	while (!all_complete() && peer_net.now - since < DRAIN_NS) {
		peer_turn(IDLE_NS);
		if (state.delivered != before) {
			before = state.delivered;
			since = peer_net.now;
		}
	}
	/* What came twice would come now. */
	since = peer_net.now;
	while (peer_net.now - since < IDLE_NS)
		peer_turn(IDLE_NS);
}

struct faults {
	uint64_t lost, duplicated, reordered, unacked;
};

static struct faults faults(void)
{
	struct faults f = { 0 };

	for (unsigned int i = 0; i < state.o->publishers; i++) {
		struct publisher *p = &state.publishers[i];

		f.unacked += p->unacked;
		for (unsigned int k = 0; k < state.o->subscribers; k++) {
			struct sequence *s = &state.subscribers[k].from[i];

			f.duplicated += s->duplicates;
			f.reordered += s->reordered;
			if (state.fan > 1 || state.o->subscribers == 1 ||
			    k == i)
				f.lost += sequence_missing(s, p->sent);
		}
	}
	return f;
}

/* Bytes of a message that had to be kept, from the first one to the last. */
static double written_each(uint64_t bytes)
{
	return state.o->durable && state.delivered
		       ? (double)bytes / (double)state.delivered
		       : 0;
}

static int report(uint64_t count, uint64_t time, uint64_t cpu, uint64_t own,
		  uint64_t written)
{
	struct faults f = faults();
	uint64_t bad = f.lost + f.duplicated + f.reordered + f.unacked +
		       state.corrupt + state.misrouted + state.ack_order +
		       state.failed;
	double n = count ? (double)count : 1;

	printf("{\"messages\": %" PRIu64 ", \"per_second\": %.0f, "
	       "\"cpu_us\": %.3f, \"load_cpu_us\": %.3f, \"busy\": %.3f, "
	       "\"p50_us\": %.1f, \"p99_us\": %.1f, \"p999_us\": %.1f, "
	       "\"written\": %.2f, ",
	       count, n * 1e9 / (double)time, (double)cpu / n / 1000,
	       (double)own / n / 1000, (double)cpu / (double)time,
	       (double)histogram_quantile(&state.latency, 0.5) / 1000,
	       (double)histogram_quantile(&state.latency, 0.99) / 1000,
	       (double)histogram_quantile(&state.latency, 0.999) / 1000,
	       written_each(written));
	printf("\"lost\": %" PRIu64 ", \"duplicated\": %" PRIu64
	       ", \"reordered\": %" PRIu64 ", \"corrupt\": %" PRIu64
	       ", \"misrouted\": %" PRIu64 ", \"unacknowledged\": %" PRIu64
	       ", \"ack_order\": %" PRIu64 ", \"failed\": %" PRIu64
	       ", \"faults\": %" PRIu64 "}\n",
	       f.lost, f.duplicated, f.reordered, state.corrupt,
	       state.misrouted, f.unacked, state.ack_order, state.failed, bad);
	return bad || !count ? 1 : 0;
}

static void close_all(void)
{
	for (unsigned int i = 0; i < state.o->publishers; i++) {
		peer_close(&state.publishers[i].peer);
		free(state.publishers[i].missing);
		free(state.publishers[i].packet);
	}
	for (unsigned int i = 0; i < state.o->subscribers; i++) {
		peer_close(&state.subscribers[i].peer);
		free(state.subscribers[i].from);
	}
	for (unsigned int i = 0; i < state.other_count; i++)
		peer_close(&state.others[i]);
	free(state.publishers);
	free(state.subscribers);
	free(state.others);
}

/* The broker is left as it was. */
static void end_sessions(void)
{
	char id[32];

	for (unsigned int i = 0; i < state.o->subscribers; i++) {
		struct peer peer = { .index = i };

		snprintf(id, sizeof(id), "bench-sub-%u", i);
		peer_open(&peer, id, true);
		peer_await_connected(&peer, 1);
		peer_close(&peer);
	}
}

int load_traffic(const struct load_options *options)
{
	struct load_options self = { .pid = 0 };
	uint64_t start, cpu, own, before, written = 0;
	int r;

	state.o = options;
	state.fan = options->shape == LOAD_FAN_OUT ? options->subscribers : 1;
	state.outstanding = options->outstanding / options->publishers;
	if (!state.outstanding || state.outstanding > SEQUENCE_SPAN)
		die("outstanding messages of a publisher: 1 to %d",
		    SEQUENCE_SPAN);
	state.publishers =
		allocate(options->publishers, sizeof(*state.publishers));
	state.subscribers =
		allocate(options->subscribers, sizeof(*state.subscribers));
	open_subscribers();
	open_others();
	open_publishers();

	if (options->durable)
		written = load_settled(options);
	run_until(peer_net.now + options->warm_ms * 1000000ull);
	histogram_reset(&state.latency);
	before = state.delivered;
	start = peer_net.now;
	cpu = load_cpu(options);
	own = load_cpu(&self);
	run_until(start + options->run_ms * 1000000ull);
	cpu = load_cpu(options) - cpu;
	own = load_cpu(&self) - own;
	before = state.delivered - before;
	start = peer_net.now - start;

	drain();
	if (options->durable)
		written = load_settled(options) - written;
	r = report(before, start, cpu, own, written);
	close_all();
	if (options->durable)
		end_sessions();
	return r;
}

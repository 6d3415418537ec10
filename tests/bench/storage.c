/*
 * Loads about what a broker keeps: retained messages, queues of absent clients,
 * subscriptions, connections.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/bench/load.h"
#include "tests/bench/peer.h"
#include "tests/bench/sequence.h"

/* Handshakes under way at a time while connections are made. */
#define OPENING 200
#define REPLAYS 5

/* Everything a subscriber here may see wrong. */
struct receiver {
	struct peer peer;
	struct sequence sequence;
	unsigned int got;
	unsigned int corrupt;
	unsigned int size;
	/* Retained messages are wanted, which come in any order: how often each
	 * has come, and how many there are. */
	uint8_t *seen;
	unsigned int count;
};

static unsigned int acked, refused;

static void on_acked(struct peer *peer, uint8_t header, const uint8_t *body,
		     size_t len)
{
	(void)peer;
	if (header >> 4 != PACKET_PUBACK)
		return;
	acked++;
	/* 0x10: no subscribers, which is right for what is only retained. */
	if (len > 2 && body[2] && body[2] != 0x10)
		refused++;
}

static bool see_retained(struct receiver *r, uint64_t number)
{
	if (number >= r->count || r->seen[number]) {
		r->corrupt++;
		return false;
	}
	r->seen[number] = 1;
	return true;
}

static void on_message(struct peer *peer, uint8_t header, const uint8_t *body,
		       size_t len)
{
	struct receiver *r = peer->owner;
	struct publish publish;
	struct stamp stamp;

	if (header >> 4 != PACKET_PUBLISH)
		return;
	if (!packet_read_publish(&publish, peer->level, header, body, len)) {
		r->corrupt++;
		return;
	}
	if (publish.qos == 1)
		peer_ack(peer, PACKET_PUBACK, publish.id);
	/* The broker's own topics match '#' too. */
	if (!packet_read_stamp(&stamp, publish.payload, publish.payload_len))
		return;
	if (publish.payload_len != r->size || publish.retain != !!r->seen)
		r->corrupt++;
	if (r->seen ? see_retained(r, stamp.sequence)
		    : sequence_see(&r->sequence, stamp.sequence))
		r->got++;
}

static void publish(struct peer *peer, const struct load_options *o,
		    const char *topic, uint64_t number, bool retain)
{
	struct stamp stamp = { 0, number, peer_net.now };
	size_t room = PACKET_SPACE + 64 + o->size, id_at, stamp_at, len;
	uint8_t *at = peer_put(peer, room);
	uint16_t id = (uint16_t)(number % UINT16_MAX + 1);

	len = packet_publish(at, peer->level, topic, 1, retain, o->size, &id_at,
			     &stamp_at);
	at[id_at] = (uint8_t)(id >> 8);
	at[id_at + 1] = (uint8_t)id;
	packet_stamp(at + stamp_at, &stamp);
	peer_unput(peer, room - len);
}

/* Send messages 0 to count - 1 at QoS 1, a window at a time. The topic's number
 * is the message's modulo topics; its sequence number counts within it. */
static void publish_all(const struct load_options *o, const char *format,
			unsigned int topics, bool retain)
{
	struct peer peer = { .packet = on_acked };
	unsigned int sent = 0;
	char topic[64];

	acked = refused = 0;
	peer_open(&peer, "bench-pub", true);
	peer_await_connected(&peer, 1);
	while (acked < o->count) {
		unsigned int before = acked;

		for (unsigned int k = 0; k < o->burst && sent < o->count &&
					 sent - acked < o->window;
		     k++, sent++) {
			snprintf(topic, sizeof(topic), "%s/%u", format,
				 sent % topics);
			publish(&peer, o, topic, retain ? sent : sent / topics,
				retain);
		}
		if (acked == before)
			peer_await(&acked, before + 1, "PUBACK");
	}
	if (refused)
		die("%u of %u messages refused", refused, o->count);
	peer_close(&peer);
}

static void print_rate(const char *what, unsigned int count, uint64_t time,
		       uint64_t cpu, unsigned int faults)
{
	printf("{\"load\": \"%s\", \"messages\": %u, \"ms\": %.2f, "
	       "\"per_second\": %.0f, \"cpu_us\": %.3f, \"faults\": %u}\n",
	       what, count, (double)time / 1e6,
	       (double)count * 1e9 / (double)time,
	       (double)cpu / (double)count / 1000, faults);
	fflush(stdout);
}

static unsigned int replay(const struct load_options *o)
{
	struct receiver r = { .size = o->size, .count = o->count };
	uint64_t start, cpu;

	r.seen = calloc(o->count, 1);
	if (!r.seen)
		die("out of memory");
	r.peer.owner = &r;
	r.peer.packet = on_message;
	peer_open(&r.peer, "bench-replay", true);
	peer_await_connected(&r.peer, 1);
	cpu = load_cpu(o);
	start = peer_net.now;
	peer_subscribe(&r.peer, "#", o->qos);
	peer_await(&r.got, o->count, "retained messages");
	print_rate("replay", o->count, peer_net.now - start, load_cpu(o) - cpu,
		   r.corrupt);
	peer_close(&r.peer);
	free(r.seen);
	return r.corrupt;
}

/* An empty retained message clears the topic: leave the broker as it was. */
static void clear_retained(const struct load_options *o)
{
	struct peer peer = { .packet = on_acked };
	char topic[64];

	acked = refused = 0;
	peer_open(&peer, "bench-clear", true);
	peer_await_connected(&peer, 1);
	for (unsigned int i = 0; i < o->count; i++) {
		size_t room = PACKET_SPACE + 64, id_at, stamp_at, len;
		uint8_t *at = peer_put(&peer, room + STAMP_SIZE);

		snprintf(topic, sizeof(topic), "bench/retained/%u", i);
		len = packet_publish(at, peer.level, topic, 1, true, STAMP_SIZE,
				     &id_at, &stamp_at);
		at[1] = (uint8_t)(at[1] - STAMP_SIZE); /* no payload */
		peer_unput(&peer, room + STAMP_SIZE - (len - STAMP_SIZE));
		peer_await(&acked, i + 1 > o->window ? i + 1 - o->window : 0,
			   "PUBACK");
	}
	peer_await(&acked, o->count, "PUBACK");
	peer_close(&peer);
}

int load_retained(const struct load_options *o)
{
	uint64_t start, cpu;
	unsigned int faults = 0;

	load_pause("empty", 0);
	cpu = load_cpu(o);
	start = peer_net.now = peer_clock();
	publish_all(o, "bench/retained", o->count, true);
	print_rate("store", o->count, peer_net.now - start, load_cpu(o) - cpu,
		   0);
	load_pause("retained", o->count);
	for (unsigned int i = 0; i < REPLAYS; i++)
		faults += replay(o);
	clear_retained(o);
	return faults ? 1 : 0;
}

static struct receiver *open_sessions(const struct load_options *o, bool clean)
{
	struct receiver *r = calloc(o->sessions, sizeof(*r));
	char id[32];

	if (!r)
		die("out of memory");
	for (unsigned int i = 0; i < o->sessions; i++) {
		r[i].size = o->size;
		r[i].peer.index = i;
		r[i].peer.owner = &r[i];
		r[i].peer.packet = on_message;
		snprintf(id, sizeof(id), "bench-session-%u", i);
		peer_open(&r[i].peer, id, clean);
		while (!r[i].peer.connected)
			peer_turn(100000000);
	}
	return r;
}

static void close_sessions(const struct load_options *o, struct receiver *r)
{
	for (unsigned int i = 0; i < o->sessions; i++)
		peer_close(&r[i].peer);
	free(r);
}

static unsigned int drain(const struct load_options *o)
{
	struct receiver *r;
	uint64_t cpu = load_cpu(o), start;
	unsigned int faults = 0, each = o->count / o->sessions;

	start = peer_net.now = peer_clock();
	r = open_sessions(o, false);
	for (unsigned int i = 0; i < o->sessions; i++) {
		peer_await(&r[i].got, each, "queued messages");
		faults += r[i].corrupt + !r[i].peer.session_present +
			  (unsigned int)(r[i].sequence.duplicates +
					 r[i].sequence.reordered);
	}
	print_rate("drain", o->count, peer_net.now - start, load_cpu(o) - cpu,
		   faults);
	close_sessions(o, r);
	close_sessions(o, open_sessions(o, true));
	return faults;
}

int load_queue(const struct load_options *o)
{
	struct receiver *r = open_sessions(o, false);
	uint64_t start, cpu;
	char filter[64];

	if (o->count % o->sessions)
		die("the count must be a multiple of the sessions");
	for (unsigned int i = 0; i < o->sessions; i++) {
		snprintf(filter, sizeof(filter), "bench/queue/%u", i);
		peer_subscribe(&r[i].peer, filter, 1);
		peer_await_subscribed(&r[i].peer, 1);
	}
	close_sessions(o, r);

	load_pause("empty", 0);
	cpu = load_cpu(o);
	start = peer_net.now = peer_clock();
	publish_all(o, "bench/queue", o->sessions, false);
	print_rate("queue", o->count, peer_net.now - start, load_cpu(o) - cpu,
		   0);
	load_pause("queued", o->count);
	return drain(o) ? 1 : 0;
}

static struct peer *open_many(const struct load_options *o, const char *name)
{
	struct peer *peers = calloc(o->count, sizeof(*peers));
	char id[32];

	if (!peers)
		die("out of memory");
	for (unsigned int i = 0; i < o->count; i++) {
		peers[i].index = i;
		snprintf(id, sizeof(id), "%s-%u", name, i);
		peer_open(&peers[i], id, true);
		if (i >= OPENING)
			peer_await_connected(&peers[i - OPENING], 1);
	}
	peer_await_connected(peers, o->count);
	return peers;
}

int load_idle(const struct load_options *o)
{
	struct peer *peers;
	char filter[64];

	load_pause("empty", 0);
	peers = open_many(o, "bench-idle");
	for (unsigned int i = 0; o->subscribe && i < o->count; i++) {
		snprintf(filter, sizeof(filter), "bench/idle/%u", i);
		peer_subscribe(&peers[i], filter, 0);
		peer_await_subscribed(&peers[i], 1);
	}
	load_pause("idle", o->count);
	for (unsigned int i = 0; i < o->count; i++)
		peer_close(&peers[i]);
	free(peers);
	return 0;
}

int load_filters(const struct load_options *o)
{
	struct receiver *r = open_sessions(o, true);
	unsigned int each = o->count / o->sessions;
	char filter[64];

	load_pause("empty", 0);
	for (unsigned int i = 0; i < each * o->sessions; i++) {
		struct peer *peer = &r[i % o->sessions].peer;

		snprintf(filter, sizeof(filter), "home/room%u/+/state", i);
		peer_subscribe(peer, filter, 0);
		peer_await_subscribed(peer, i / o->sessions);
	}
	for (unsigned int i = 0; i < o->sessions; i++)
		peer_await_subscribed(&r[i].peer, each);
	load_pause("filters", each * o->sessions);
	close_sessions(o, r);
	return 0;
}

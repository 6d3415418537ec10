/*
 * Many publishers, each with a durable session that is not connected: whatever is
 * acknowledged must be kept. Then the sessions come and fetch it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/bench/histogram.h"
#include "tests/bench/load.h"
#include "tests/bench/peer.h"
#include "tests/bench/sequence.h"

#define IDLE_NS 100000000ull

struct pair {
	struct peer publisher, session;
	char topic[32];
	uint64_t sent, acked;
	uint64_t *times; /* of what is not acknowledged: ring of window */
	struct sequence sequence;
};

static struct {
	const struct load_options *o;
	struct pair *pairs;
	struct histogram wait;
	unsigned int sent, acked, drained; /* the last: of the pairs */
	uint64_t refused, disorder, corrupt;
} all;

static uint16_t id_of(uint64_t number)
{
	return (uint16_t)(number % UINT16_MAX + 1);
}

static void on_ack(struct peer *peer, uint8_t header, const uint8_t *body,
		   size_t len)
{
	struct pair *p = peer->owner;

	if (header >> 4 != PACKET_PUBACK || len < 2)
		return;
	if ((uint16_t)(body[0] << 8 | body[1]) != id_of(p->acked))
		all.disorder++;
	if (len > 2 && body[2])
		all.refused++;
	histogram_add(&all.wait,
		      peer_net.now - p->times[p->acked % all.o->window]);
	p->acked++;
	all.acked++;
}

static void on_message(struct peer *peer, uint8_t header, const uint8_t *body,
		       size_t len)
{
	struct pair *p = peer->owner;
	struct publish publish;
	struct stamp stamp;

	if (header >> 4 != PACKET_PUBLISH)
		return;
	if (!packet_read_publish(&publish, peer->level, header, body, len) ||
	    !packet_read_stamp(&stamp, publish.payload, publish.payload_len) ||
	    publish.payload_len != all.o->size || publish.qos != 1 ||
	    stamp.publisher != peer->index) {
		all.corrupt++;
		return;
	}
	peer_ack(peer, PACKET_PUBACK, publish.id);
	if (!sequence_see(&p->sequence, stamp.sequence))
		return;
	if (p->sequence.received == p->acked)
		all.drained++;
}

static void publish_one(struct pair *p)
{
	struct stamp stamp = { p->publisher.index, p->sent, peer_net.now };
	size_t room = PACKET_SPACE + sizeof(p->topic) + all.o->size;
	uint8_t *at = peer_put(&p->publisher, room);
	uint16_t id = id_of(p->sent);
	size_t id_at, stamp_at, len;

	len = packet_publish(at, peer_net.level, p->topic, 1, false,
			     all.o->size, &id_at, &stamp_at);
	at[id_at] = (uint8_t)(id >> 8);
	at[id_at + 1] = (uint8_t)id;
	packet_stamp(at + stamp_at, &stamp);
	peer_unput(&p->publisher, room - len);
	p->times[p->sent++ % all.o->window] = peer_net.now;
	all.sent++;
}

static void open_session(struct pair *p, bool clean)
{
	char id[32];

	p->session = (struct peer){ .index = p->publisher.index,
				    .owner = p,
				    .packet = on_message };
	snprintf(id, sizeof(id), "bench-offline-%u", p->session.index);
	peer_open(&p->session, id, clean);
	peer_await_connected(&p->session, 1);
}

static void open_pairs(void)
{
	const struct load_options *o = all.o;
	char id[32];

	all.pairs = calloc(o->publishers, sizeof(*all.pairs));
	for (unsigned int i = 0; i < o->publishers; i++) {
		struct pair *p = &all.pairs[i];

		p->publisher.index = i;
		p->publisher.owner = p;
		p->publisher.packet = on_ack;
		p->times = calloc(o->window, sizeof(*p->times));
		if (!p->times)
			die("out of memory");
		snprintf(p->topic, sizeof(p->topic), "bench/offline/%u", i);
		open_session(p, false);
		peer_subscribe(&p->session, p->topic, 1);
		peer_await_subscribed(&p->session, 1);
		peer_close(&p->session);
		snprintf(id, sizeof(id), "bench-pub-%u", i);
		peer_open(&p->publisher, id, true);
		peer_await_connected(&p->publisher, 1);
	}
}

/* Returns whether a publisher could send more at once. */
static bool send_bursts(void)
{
	const struct load_options *o = all.o;
	bool more = false;

	for (unsigned int i = 0; i < o->publishers; i++) {
		struct pair *p = &all.pairs[i];

		for (unsigned int k = 0;
		     k < o->burst && p->sent - p->acked < o->window; k++)
			publish_one(p);
		more |= p->sent - p->acked < o->window;
	}
	return more;
}

static void run_until(uint64_t end)
{
	while (peer_net.now < end)
		peer_turn(send_bursts() ? 0 : IDLE_NS);
}

static void drain(void)
{
	for (unsigned int i = 0; i < all.o->publishers; i++)
		open_session(&all.pairs[i], false);
	peer_await(&all.drained, all.o->publishers, "queued messages");
}

static void close_pairs(void)
{
	for (unsigned int i = 0; i < all.o->publishers; i++) {
		struct pair *p = &all.pairs[i];

		peer_close(&p->session);
		open_session(p, true);
		peer_close(&p->session);
		peer_close(&p->publisher);
		free(p->times);
	}
	free(all.pairs);
}

static int report(uint64_t count, uint64_t time, uint64_t cpu, uint64_t stored,
		  uint64_t fetched)
{
	uint64_t faults = all.refused + all.disorder + all.corrupt;
	/* A card that counts less than was kept counts wrong; one that is
	 * written to by a signal may not have been yet. */
	bool missed = all.o->card >= 0 && !all.o->save &&
		      stored < all.acked * all.o->size;
	double n = all.acked ? (double)all.acked : 1;

	for (unsigned int i = 0; i < all.o->publishers; i++) {
		struct pair *p = &all.pairs[i];

		faults += p->sequence.duplicates + p->sequence.reordered +
			  sequence_missing(&p->sequence, p->acked);
	}
	printf("{\"messages\": %" PRIu64 ", \"per_second\": %.0f, "
	       "\"cpu_us\": %.3f, \"p50_us\": %.1f, \"p99_us\": %.1f, "
	       "\"written\": %.1f, \"written_fetched\": %.1f, ",
	       count, (double)count * 1e9 / (double)time,
	       (double)cpu / (count ? (double)count : 1) / 1000,
	       (double)histogram_quantile(&all.wait, 0.5) / 1000,
	       (double)histogram_quantile(&all.wait, 0.99) / 1000,
	       (double)stored / n, (double)fetched / n);
	printf("\"refused\": %" PRIu64 ", \"disorder\": %" PRIu64
	       ", \"corrupt\": %" PRIu64 ", \"faults\": %" PRIu64 "}\n",
	       all.refused, all.disorder, all.corrupt, faults + missed);
	return faults || missed || !count ? 1 : 0;
}

int load_offline(const struct load_options *options)
{
	uint64_t start, time, cpu, count, empty, stored, fetched;
	int r;

	all.o = options;
	open_pairs();
	empty = load_settled(options);
	run_until(peer_net.now + options->warm_ms * 1000000ull);
	histogram_reset(&all.wait);
	count = all.acked;
	cpu = load_cpu(options);
	start = peer_net.now;
	run_until(start + options->run_ms * 1000000ull);
	cpu = load_cpu(options) - cpu;
	count = all.acked - count;
	time = peer_net.now - start;

	peer_await(&all.acked, all.sent, "PUBACK");
	stored = load_settled(options);
	drain();
	fetched = load_settled(options);
	r = report(count, time, cpu, stored - empty, fetched - stored);
	close_pairs();
	return r;
}

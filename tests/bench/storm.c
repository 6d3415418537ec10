/*
 * A connect storm: a number of clients connect, wait for CONNACK, disconnect and
 * connect again.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/bench/load.h"
#include "tests/bench/peer.h"

static uint64_t connects;
static unsigned int *closed, closed_count;

static void on_packet(struct peer *peer, uint8_t header, const uint8_t *body,
		      size_t len)
{
	(void)body;
	(void)len;
	if (header >> 4 != PACKET_CONNACK)
		return;
	connects++;
	peer_close(peer);
	closed[closed_count++] = peer->index;
}

static void storm_until(struct peer *peers, uint64_t end)
{
	char id[32];

	while (peer_net.now < end) {
		while (closed_count) {
			struct peer *peer = &peers[closed[--closed_count]];

			snprintf(id, sizeof(id), "bench-storm-%u", peer->index);
			peer_open(peer, id, true);
		}
		peer_turn(100000000);
	}
}

int load_storm(const struct load_options *o)
{
	struct peer *peers = calloc(o->publishers, sizeof(*peers));
	uint64_t cpu, start, before;

	closed = calloc(o->publishers, sizeof(*closed));
	if (!peers || !closed)
		die("out of memory");
	for (unsigned int i = 0; i < o->publishers; i++) {
		peers[i].index = i;
		peers[i].channel.fd = -1;
		peers[i].packet = on_packet;
		closed[closed_count++] = i;
	}
	storm_until(peers, peer_net.now + o->warm_ms * 1000000ull);
	before = connects;
	start = peer_net.now;
	cpu = load_cpu(o);
	storm_until(peers, start + o->run_ms * 1000000ull);
	cpu = load_cpu(o) - cpu;
	start = peer_net.now - start;
	before = connects - before;
	printf("{\"messages\": %" PRIu64 ", \"per_second\": %.0f, "
	       "\"cpu_us\": %.3f, \"busy\": %.3f, \"faults\": 0}\n",
	       before, (double)before * 1e9 / (double)start,
	       (double)cpu / (double)(before ? before : 1) / 1000,
	       (double)cpu / (double)start);
	for (unsigned int i = 0; i < o->publishers; i++) {
		if (peers[i].channel.fd >= 0)
			peer_close(&peers[i]);
	}
	free(peers);
	free(closed);
	return before ? 0 : 1;
}

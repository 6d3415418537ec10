/*
 * A broker, a store in memory, a clock and four peers without sockets: what an
 * input of fuzz_protocol acts on.
 */
#ifndef TESTS_FUZZ_WORLD_H
#define TESTS_FUZZ_WORLD_H

#include "broker/core.h"
#include "broker/wire/framing.h"
#include "tests/broker/sim_store.h"

#define WORLD_PEERS 4

/* The last peer speaks WebSocket. */
#define WORLD_WEBSOCKET 3

struct world {
	struct sim_store *store;
	struct broker *broker;
	bool with_store;
	bool with_access;
	struct local_client *local;
	uint64_t last_tag;
	bool faulty; /* the store has failed: memory and disk may differ */
	struct {
		uint64_t tag; /* of its connection */
		enum mqtt_version version; /* of its last CONNECT */
	} peers[WORLD_PEERS];
};

void world_open(struct world *world, bool with_store, bool with_access);
/* Everybody goes, all sessions run out: nothing may be left. */
void world_close(struct world *world);

void world_turn(struct world *world);
void world_advance(uint64_t seconds);
/* The plug is pulled and put in again. */
void world_restart(struct world *world);
/* A new table of the same rules. */
void world_swap_access(struct world *world);
/* The hasher answers the oldest question, or all are forgotten. */
void world_answer_login(struct world *world, bool right);

/* A client inside the process asks for something, or goes. */
void world_local(struct world *world, uint8_t what);

/* Bytes as they come from the peer's socket, which is opened if need be. */
void world_feed(struct world *world, unsigned int peer, struct slice bytes);
/* A packet: in a frame if the peer speaks WebSocket. */
void world_send(struct world *world, unsigned int peer, struct slice packet);
void world_hang_up(struct world *world, unsigned int peer);

#endif

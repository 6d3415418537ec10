/*
 * A broker and its clients: what each sends, and how it takes what it is sent.
 */
#ifndef TESTS_CRASH_WORLD_H
#define TESTS_CRASH_WORLD_H

#include "tests/crash/learn.h"
#include "tests/crash/link.h"
#include "tests/crash/model.h"
#include "tests/crash/rng.h"

#define WORLD_REPLIES 64

struct world {
	struct place place;
	struct rng *rng;
	struct model *model;
	/* So many of hundred answers a client keeps back until world_reply(). */
	unsigned int hold;
	struct link links[MODEL_CLIENTS];
	struct reply replies[MODEL_CLIENTS][WORLD_REPLIES];
	uint8_t reply_count[MODEL_CLIENTS];
	bool lost; /* the broker has closed a connection */
	unsigned int pings[MODEL_CLIENTS]; /* not answered */
};

void world_init(struct world *w, struct place place, struct rng *rng,
		struct model *model);

void world_connect(struct world *w, unsigned int party, bool clean);
/* politely: with DISCONNECT. */
void world_leave(struct world *w, unsigned int party, bool politely);
/* The broker is gone: every connection with it. */
void world_lose_all(struct world *w);

/* A message of the model, added by the caller, is sent. */
void world_publish(struct world *w, uint16_t message);
/* bit as in struct party: 1 unsubscribes, else 1 << (QoS + 1). */
void world_subscribe(struct world *w, unsigned int party, unsigned int topic,
		     uint8_t bit);
void world_ping(struct world *w, unsigned int party);
void world_reply(struct world *w, unsigned int party);
/* Take what has come. true: something had. */
bool world_read(struct world *w, unsigned int party);

/* A client of no model sees what is retained. */
void world_look_at_retained(struct world *w);

#endif

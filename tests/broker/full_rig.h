/*
 * A broker whose queues are soon full, and clients that fill one.
 */
#ifndef TESTS_FULL_RIG_H
#define TESTS_FULL_RIG_H

#include "broker/core.h"
#include "tests/broker/sim_peer.h"

/* Messages in a queue here. */
#define FULL 4

struct full_rig {
	struct broker *broker;
	struct sim_store *store;
};

struct broker *full_rig_make(struct sim_store *store,
			     enum full_queue full_queue);
/* For setup and teardown of a test: *state is the rig. */
int full_rig_start(void **state, enum full_queue full_queue);
int full_rig_teardown(void **state);

struct session *full_rig_session(struct full_rig *rig, const char *id);
/* What answers a PUBLISH. */
enum mqtt_packet_type full_rig_answer(uint8_t qos);
/* Published to "t" and acknowledged, and for QoS 2 finished. */
void full_rig_publish(struct sim_peer *pub, const char *payload, uint8_t qos);
/* "ghost" subscribes to "t", goes away, and has no room any more for what pub
 * publishes: it has 0 1 2 3. */
void full_rig_leave(struct full_rig *rig, struct sim_peer *pub);
/* It comes back and gets exactly what was acknowledged, from the first on. */
struct sim_peer *full_rig_come_back(struct full_rig *rig, int first, int count,
				    uint8_t qos);
/* "slow" takes one message of "t" at a time. */
struct sim_peer *full_rig_lagging(struct broker *broker, bool clean);
/* One under way to it, and a full queue behind it. */
void full_rig_fill(struct sim_peer *pub);

#endif

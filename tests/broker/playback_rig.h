/*
 * A broker with a history in memory, and who subscribes to it: what is published on
 * t and elsewhere are numbers that count up.
 */
#ifndef TESTS_PLAYBACK_RIG_H
#define TESTS_PLAYBACK_RIG_H

#include "tests/broker/sim_history.h"
#include "tests/broker/sim_peer.h"

#define PAGE 4
#define T0 INT64_C(1795251600000) /* sim_clock's, less an hour */

struct rig {
	struct sim_store *store;
	struct sim_history *history;
	struct broker *broker;
	struct sim_peer *pub;
};

/* access is taken; rig_setup() is without. */
int rig_setup_with(void **state, struct access *access);
int rig_setup(void **state);
/* Everybody's own is closed: nothing of a replay may be left. */
int rig_teardown(void **state);

/* Another one on the same store and history. */
struct broker *rig_new_broker(struct rig *rig, struct access *access);

/* Somebody to whom rules may be applied, and anybody of 5.0. */
struct sim_peer *rig_anyone(struct broker *broker, const char *id);
struct sim_peer *rig_client(const struct rig *rig, const char *id);

void rig_publish(const struct rig *rig, const char *topic, unsigned int n,
		 uint8_t qos);
/* from .. to - 1 on t, stored a second apart. */
void rig_store(const struct rig *rig, unsigned int from, unsigned int to);
/* The next packet is n on the topic; at QoS 1 it is acknowledged. */
void rig_receive(struct sim_peer *peer, const char *topic, unsigned int n,
		 uint8_t qos);
/* from .. to - 1 on t. */
void rig_receive_all(struct sim_peer *peer, unsigned int from, unsigned int to,
		     uint8_t qos);

/* Client a has got the first of three pages of ten messages, the next one is asked
 * for, and the tenth, counted from 0, is published and waits. */
struct sim_peer *rig_half_way(struct rig *rig, bool durable, uint8_t qos);

#endif

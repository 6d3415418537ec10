/*
 * What a client learns from a packet that has come, by the model: promises, and
 * promises broken.
 */
#ifndef TESTS_CRASH_LEARN_H
#define TESTS_CRASH_LEARN_H

#include "broker/base/slice.h"
#include "tests/crash/model.h"

/* How a client answers. */
struct reply {
	enum mqtt_packet_type type;
	uint16_t packet_id;
};

/* Returns true, and how, if the packet is to be answered. */
bool learn(struct model *m, unsigned int party, const struct frame *frame,
	   struct reply *answer);

/* The number in a payload; UINT16_MAX if it has none. */
uint16_t learn_message_of(struct slice payload);

/* The publish under way with this identifier, or NULL. */
struct going *learn_going(struct party *p, uint16_t packet_id);
/* It has come to its end. */
void learn_going_end(struct party *p, struct going *going);

#endif

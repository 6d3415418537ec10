/*
 * What a broker has heard from a client, for the model of who watches the line:
 * what it has not read, nobody has said.
 *
 * The client on the other side knows at most as much as has been sent to it. What
 * it does shows that it has missed something: a PUBLISH or PUBREL that comes again
 * though its acknowledgement has left.
 */
#ifndef TESTS_CRASH_DAEMON_HEARD_H
#define TESTS_CRASH_DAEMON_HEARD_H

#include "tests/crash/model.h"

/* Messages that clear a retained value have no number to know them by: they get
 * one from here on, downwards from MODEL_MESSAGES. */
#define HEARD_NAMELESS 100

struct heard {
	bool known[MODEL_MESSAGES]; /* has been heard before */
	uint16_t nameless; /* how many */
};

/* The client a connection is of, by its CONNECT; MODEL_CLIENTS: none of ours. */
unsigned int heard_connect(struct model *m, const struct frame *frame);

/* Any other packet. */
void heard_packet(struct heard *h, struct model *m, unsigned int party,
		  const struct frame *frame);

#endif

/*
 * What world.c and world_read.c share.
 */
#ifndef TESTS_CRASH_WORLD_READ_H
#define TESTS_CRASH_WORLD_READ_H

#include "broker/base/slice.h"
#include "broker/wire/writer.h"
#include "tests/crash/world.h"

void world_send(struct world *w, unsigned int party, const struct writer *out);
void world_send_publish(struct world *w, uint16_t message, uint16_t packet_id,
			bool again);

#endif

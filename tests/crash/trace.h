/*
 * Packets on the standard error, if CRASH_LOG is in the environment.
 */
#ifndef TESTS_CRASH_TRACE_H
#define TESTS_CRASH_TRACE_H

#include "broker/base/slice.h"

/* way: "->" to the broker, "<-" from it. */
void trace_packet(const char *where, unsigned int party, const char *way,
		  struct slice packet);

#endif

#include "tests/broker/sim_clock.h"

#include "broker/base/clock.h"
#include "tests/broker/sim_peer.h"

static uint64_t now_ns;

static uint64_t monotonic(void)
{
	return now_ns;
}

static int64_t wall(void)
{
	return INT64_C(1795251600000) + (int64_t)(now_ns / 1000000);
}

void sim_clock_start(void)
{
	now_ns = UINT64_C(3600) * 1000000000;
	clock_set_source(monotonic, wall);
}

void sim_clock_stop(void)
{
	clock_set_source(NULL, NULL);
}

void sim_clock_advance(struct broker *broker, uint64_t ms)
{
	now_ns += ms * 1000000;
	sim_run(broker);
}

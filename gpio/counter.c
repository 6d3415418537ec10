#include "gpio/counter.h"

#define HOUR_NS 3600e9

void counter_init(struct counter *counter, uint64_t count, bool on)
{
	*counter = (struct counter){ .count = count, .on = on };
}

uint64_t counter_edge(struct counter *counter, bool on, uint64_t time_ns,
		      uint32_t lost)
{
	uint64_t edges = (uint64_t)lost + 1;
	/* In turn, the last one leads to on. */
	uint64_t pulses = on ? (edges + 1) / 2 : edges / 2;

	counter->lost += lost;
	counter->count += pulses;
	counter->on = on;
	if (pulses == 0)
		return 0;
	/* With those that were lost the time between is shared. */
	if (counter->last_ns && time_ns > counter->last_ns)
		counter->gap_ns = (time_ns - counter->last_ns) / pulses;
	counter->last_ns = time_ns;
	return pulses;
}

double counter_rate(const struct counter *counter, uint64_t now_ns)
{
	uint64_t gap = counter->gap_ns;

	if (gap == 0)
		return 0;
	if (now_ns > counter->last_ns && now_ns - counter->last_ns > gap)
		gap = now_ns - counter->last_ns;
	return HOUR_NS / (double)gap;
}

/*
 * Latencies in nanoseconds, kept with an error below 1/64 in constant memory.
 */
#ifndef BENCH_HISTOGRAM_H
#define BENCH_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_STEPS 64 /* per power of two */

struct histogram {
	uint64_t total;
	uint64_t count[64 * HISTOGRAM_STEPS];
};

void histogram_reset(struct histogram *histogram);
void histogram_add(struct histogram *histogram, uint64_t value);
/* The smallest recorded value (rounded as above) that fraction of all values do
 * not exceed; 0 when nothing was recorded. */
uint64_t histogram_quantile(const struct histogram *histogram, double fraction);

#endif

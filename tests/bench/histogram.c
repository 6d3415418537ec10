#include "tests/bench/histogram.h"

#include <string.h>

void histogram_reset(struct histogram *histogram)
{
	memset(histogram, 0, sizeof(*histogram));
}

/* Values below HISTOGRAM_STEPS have a bucket each; above, the highest bit
 * chooses a row and the six bits below it the step. */
static unsigned int bucket(uint64_t value)
{
	unsigned int shift;

	if (value < HISTOGRAM_STEPS)
		return (unsigned int)value;
	shift = 63 - 6 - (unsigned int)__builtin_clzll(value);
	return (shift + 1) * HISTOGRAM_STEPS +
	       (unsigned int)(value >> shift) % HISTOGRAM_STEPS;
}

static uint64_t bucket_value(unsigned int index)
{
	unsigned int row = index / HISTOGRAM_STEPS;
	uint64_t step = index % HISTOGRAM_STEPS;

	return row ? (HISTOGRAM_STEPS + step) << (row - 1) : step;
}

void histogram_add(struct histogram *histogram, uint64_t value)
{
	histogram->count[bucket(value)]++;
	histogram->total++;
}

uint64_t histogram_quantile(const struct histogram *histogram, double fraction)
{
	double wanted = fraction * (double)histogram->total;
	uint64_t seen = 0;

	for (unsigned int i = 0; i < 64 * HISTOGRAM_STEPS; i++) {
		seen += histogram->count[i];
		if (histogram->count[i] && (double)seen >= wanted)
			return bucket_value(i);
	}
	return 0;
}

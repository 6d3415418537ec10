/*
 * What one subscriber has seen of one publisher's numbers 0, 1, 2, ...: counts
 * what came twice, out of order, and what never came. Exact as long as fewer
 * than SEQUENCE_SPAN messages are under way at a time.
 */
#ifndef BENCH_SEQUENCE_H
#define BENCH_SEQUENCE_H

#include <stdbool.h>
#include <stdint.h>

#define SEQUENCE_SPAN 4096

struct sequence {
	uint64_t next; /* the number that must come now */
	uint64_t received; /* different ones */
	uint64_t duplicates;
	uint64_t reordered; /* came after a later one */
	uint64_t seen[SEQUENCE_SPAN / 64]; /* of the last numbers below next */
};

/* Returns true if number had not been seen before. */
static inline bool sequence_see(struct sequence *s, uint64_t number);
/* How many of the numbers 0 to sent - 1 are missing. */
static inline uint64_t sequence_missing(const struct sequence *s, uint64_t sent)
{
	return sent > s->received ? sent - s->received : 0;
}

static inline void sequence_mark(struct sequence *s, uint64_t number, bool seen)
{
	uint64_t bit = (uint64_t)1 << number % 64;
	uint64_t *word = &s->seen[number % SEQUENCE_SPAN / 64];

	*word = seen ? *word | bit : *word & ~bit;
}

static inline bool sequence_see(struct sequence *s, uint64_t number)
{
	if (number >= s->next) {
		for (; s->next < number; s->next++)
			sequence_mark(s, s->next, false);
		sequence_mark(s, number, true);
		s->next = number + 1;
		s->received++;
		return true;
	}
	if (s->next - number > SEQUENCE_SPAN ||
	    s->seen[number % SEQUENCE_SPAN / 64] >> number % 64 & 1) {
		s->duplicates++;
		return false;
	}
	sequence_mark(s, number, true);
	s->reordered++;
	s->received++;
	return true;
}

#endif

/* Numbers that a seed makes: splitmix64. */
#ifndef TESTS_GPIO_BAD_DICE_H
#define TESTS_GPIO_BAD_DICE_H

#include <stddef.h>
#include <stdint.h>

static inline uint64_t dice_next(uint64_t *state)
{
	uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* 0..n-1 */
static inline size_t dice_roll(uint64_t *state, size_t n)
{
	return (size_t)(dice_next(state) % n);
}

#endif

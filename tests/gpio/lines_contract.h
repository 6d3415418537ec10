/*
 * What every backend of gpio/lines.h must do. One source of tests, run against
 * the simulated board and against the kernel, so that the one is proven to
 * behave like the other. A rig brings a chip like a Raspberry Pi 4's, with
 * GPIO2 held by "i2c-1", and the world outside of it.
 */
#ifndef TESTS_GPIO_LINES_CONTRACT_H
#define TESTS_GPIO_LINES_CONTRACT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gpio/lines.h"

struct rig {
	struct lines *lines;
	/* Pull the wire of an input up (1) or down (0). */
	void (*pull)(struct rig *rig, unsigned int offset, int level);
	/* The electrical level on the wire. */
	bool (*level)(struct rig *rig, unsigned int offset);
	/* Label of a chip besides, with two free lines at least; NULL: none. */
	const char *second;
};

/* The group's *state is a struct rig. */
extern const struct CMUnitTest lines_contract[];
extern const size_t lines_contract_count;

#endif

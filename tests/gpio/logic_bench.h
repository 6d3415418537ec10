/*
 * A bench with three outputs for the tests of logic.h. test_logic_property.c tries
 * what nobody thought of.
 */
#ifndef TESTS_GPIO_LOGIC_BENCH_H
#define TESTS_GPIO_LOGIC_BENCH_H

#include "gpio/logic.h"

struct bench {
	struct logic logic;
	struct logic_rules rules[3]; /* set before they are added */
	bool broken[LOGIC_OUTPUTS_MAX]; /* cannot be written */
	uint64_t now;
	struct logic_verdict last; /* answer or refusal */
	uint32_t tokens;
};

extern struct bench bench;

/* For cmocka: empty, and the hub is there. */
int bench_setup(void **state);

/* Do what is due, and take the answers. */
void bench_run(void);
void bench_add(unsigned int output, bool reads_on, bool told,
	       const struct logic_memory *memory);
/* Outputs with the rules set, off, and past what a start forbids. */
void bench_begin(void);
/* Let time pass, waking up when logic asks for it. */
void bench_pass(uint64_t ms);

/* What became of it, also in bench.last. */
enum logic_result bench_order_for(unsigned int output, enum logic_verb verb,
				  uint64_t on_time, uint64_t lease);
enum logic_result bench_order(unsigned int output, enum logic_verb verb);

bool bench_on(unsigned int output);

#endif

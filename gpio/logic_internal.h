/* What the parts of logic.h share: logic.c (orders), logic_rules.c (what holds
 * them up), logic_act.c (what is to be done now). */
#ifndef GPIO_LOGIC_INTERNAL_H
#define GPIO_LOGIC_INTERNAL_H

#include "gpio/logic.h"

/* logic_rules.c: from when on a rule is kept; 0 if it does not bind. */

uint64_t logic_rule_max_on(const struct logic_output *o);
uint64_t logic_rule_min_on(const struct logic_output *o);
uint64_t logic_rule_min_off(const struct logic_output *o);
uint64_t logic_rule_cycles(const struct logic_output *o);
/* The dead time of its group; UINT64_MAX while another of it is on. */
uint64_t logic_rule_interlock(const struct logic *logic, unsigned int output);

/* Are the two interlocked? */
bool logic_locked_out(const struct logic *logic, unsigned int a,
		      unsigned int b);

/* logic.c */

/* Not to be given up, and nobody waits for an answer. */
void logic_want_for_safety(struct logic_output *o, bool on);

/* What is wanted of this output is no more; tell who asked. */
void logic_settle(struct logic *logic, unsigned int output,
		  enum logic_result result);
/* The hub has been gone for too long by then; UINT64_MAX: never, or done. */
uint64_t logic_failsafe_at(const struct logic *logic,
			   const struct logic_output *o);

#endif

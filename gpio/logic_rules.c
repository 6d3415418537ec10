#include "gpio/logic_internal.h"

bool logic_locked_out(const struct logic *logic, unsigned int a, unsigned int b)
{
	return a != b && logic->output[a].used && logic->output[b].used &&
	       logic->output[a].rules.group &&
	       logic->output[a].rules.group == logic->output[b].rules.group;
}

uint64_t logic_rule_max_on(const struct logic_output *o)
{
	return o->now.on && o->rules.max_on_ms
		       ? o->now.since + o->rules.max_on_ms
		       : UINT64_MAX;
}

uint64_t logic_rule_min_on(const struct logic_output *o)
{
	return o->now.on ? o->now.since + o->rules.min_on_ms : 0;
}

uint64_t logic_rule_min_off(const struct logic_output *o)
{
	return o->now.on || !o->rules.min_off_ms
		       ? 0
		       : o->now.since + o->rules.min_off_ms;
}

/* An hour after the start that is 'cycles' back. */
uint64_t logic_rule_cycles(const struct logic_output *o)
{
	const struct logic_memory *m = &o->now;

	if (m->on || !o->rules.cycles || m->started < o->rules.cycles)
		return 0;
	return m->starts[(m->started - o->rules.cycles) % LOGIC_CYCLES_MAX] +
	       LOGIC_HOUR_MS;
}

/* The longest dead time that anybody of the group asks for. */
static uint32_t dead_time(const struct logic *logic, unsigned int output)
{
	uint32_t dead = logic->output[output].rules.dead_ms;

	for (unsigned int i = 0; i < logic->top; i++)
		if (logic_locked_out(logic, output, i) &&
		    logic->output[i].rules.dead_ms > dead)
			dead = logic->output[i].rules.dead_ms;
	return dead;
}

uint64_t logic_rule_interlock(const struct logic *logic, unsigned int output)
{
	uint64_t from = 0;
	uint32_t dead;

	if (!logic->output[output].rules.group)
		return 0;
	dead = dead_time(logic, output);
	for (unsigned int i = 0; i < logic->top; i++) {
		const struct logic_memory *other = &logic->output[i].now;
		const struct logic_want *want = &logic->output[i].want;

		if (!logic_locked_out(logic, output, i))
			continue;
		/* One that has yet to be made safe may be on. */
		if (other->on || (want->any && !want->on && want->safety))
			return UINT64_MAX;
		if (other->since + dead > from)
			from = other->since + dead;
	}
	return from;
}

#include <assert.h>
#include <string.h>

#include "gpio/logic_internal.h"

void logic_init(struct logic *logic, uint64_t now)
{
	*logic = (struct logic){ .hub_lost_at = now };
}

static void tell(struct logic *logic, const struct logic_verdict *verdict)
{
	assert(logic->answers < LOGIC_ANSWERS_MAX);
	logic->answer[logic->answers++] = *verdict;
}

bool logic_answer(struct logic *logic, struct logic_verdict *answer)
{
	if (logic->answers == 0)
		return false;
	*answer = logic->answer[0];
	logic->answers--;
	memmove(logic->answer, logic->answer + 1,
		logic->answers * sizeof(logic->answer[0]));
	return true;
}

void logic_settle(struct logic *logic, unsigned int output,
		  enum logic_result result)
{
	struct logic_output *o = &logic->output[output];

	if (o->want.any && !o->want.answered)
		tell(logic, &(struct logic_verdict){ .result = result,
						     .output = output,
						     .token = o->want.token });
	o->want = (struct logic_want){ 0 };
	o->now.starting = false;
	o->retry_at = 0;
}

/* ---- in use ------------------------------------------------------------- */

static void record_start(struct logic_memory *m, uint64_t now)
{
	m->starts[m->started++ % LOGIC_CYCLES_MAX] = now;
}

void logic_want_for_safety(struct logic_output *o, bool on)
{
	o->want = (struct logic_want){
		.any = true,
		.on = on,
		.safety = true,
		.answered = true,
	};
}

/* It may not be on without anybody knowing since when. */
static bool is_timed(const struct logic_rules *rules)
{
	return rules->max_on_ms || rules->auto_off_ms ||
	       rules->command_timeout_ms;
}

/* As an order without times of its own. */
static void want_at_boot(struct logic_output *o, bool on)
{
	logic_want_for_safety(o, on);
	o->now.starting = true;
	o->want.on_time_ms = o->rules.auto_off_ms;
	o->want.lease_ms = o->rules.command_timeout_ms;
}

static void want_boot_value(struct logic_output *o)
{
	switch (o->rules.boot) {
	case LOGIC_BOOT_OFF:
		want_at_boot(o, false);
		break;
	case LOGIC_BOOT_ON:
		want_at_boot(o, true);
		break;
	case LOGIC_BOOT_RESTORE:
		want_at_boot(o, o->now.told);
		break;
	case LOGIC_BOOT_AS_READ:
		break;
	}
}

/* The board has been started: what is on the line is nobody's will. */
static void boot(struct logic_output *o, bool told, uint64_t now)
{
	o->now.since = now;
	o->now.told = told;
	want_boot_value(o);
	if (!o->now.on)
		return;
	record_start(&o->now, now);
	if (o->rules.boot == LOGIC_BOOT_AS_READ && is_timed(&o->rules))
		logic_want_for_safety(o, false);
}

/* The process has been started anew, the board has not. */
static void resume(struct logic_output *o, bool on, uint64_t now)
{
	struct logic_memory *m = &o->now;
	bool starting = m->starting;

	m->starting = false;
	if (m->on == on) {
		if (starting)
			want_boot_value(o);
		return;
	}
	m->on = on;
	m->since = now;
	m->off_at = 0;
	m->lease_at = 0;
	if (!on)
		return;
	record_start(m, now);
	if (is_timed(&o->rules))
		logic_want_for_safety(o, false);
}

void logic_add(struct logic *logic, unsigned int output,
	       const struct logic_rules *rules, struct logic_start start,
	       uint64_t now)
{
	struct logic_output *o = &logic->output[output];

	assert(output < LOGIC_OUTPUTS_MAX && !o->used);
	assert(rules->cycles <= LOGIC_CYCLES_MAX);

	*o = (struct logic_output){ .used = true, .rules = *rules };
	if (logic->top <= output)
		logic->top = output + 1;
	if (start.memory) {
		o->now = *start.memory;
		resume(o, start.on, now);
	} else {
		o->now.on = start.on;
		boot(o, start.told, now);
	}
}

void logic_remove(struct logic *logic, unsigned int output)
{
	assert(output < LOGIC_OUTPUTS_MAX);
	logic_settle(logic, output, LOGIC_SUPERSEDED);
	logic->output[output] = (struct logic_output){ 0 };
	while (logic->top > 0 && !logic->output[logic->top - 1].used)
		logic->top--;
}

void logic_set_rules(struct logic *logic, unsigned int output,
		     const struct logic_rules *rules)
{
	assert(output < LOGIC_OUTPUTS_MAX && logic->output[output].used);
	assert(rules->cycles <= LOGIC_CYCLES_MAX);
	logic->output[output].rules = *rules;
}

const struct logic_memory *logic_remember(const struct logic *logic,
					  unsigned int output)
{
	assert(output < LOGIC_OUTPUTS_MAX && logic->output[output].used);
	return &logic->output[output].now;
}

/* ---- orders ------------------------------------------------------------- */

static bool wanted(const struct logic_output *o, enum logic_verb verb)
{
	switch (verb) {
	case LOGIC_OFF:
		return false;
	case LOGIC_ON:
		return true;
	case LOGIC_TOGGLE:
		return !(o->want.any ? o->want.on : o->now.on);
	}
	assert(false);
	return false;
}

static bool must_wait(struct logic_verdict *verdict, enum logic_result why,
		      uint64_t until, uint64_t now)
{
	if (until <= now)
		return false;
	verdict->result = why;
	verdict->wait_ms = until - now;
	return true;
}

/* May the one that is on make way? */
static bool makes_way(const struct logic_output *other, uint64_t now,
		      struct logic_verdict *verdict)
{
	if ((other->now.on && other->rules.locked) ||
	    (other->want.any && other->want.on && other->want.safety)) {
		verdict->result = LOGIC_INTERLOCK;
		return false;
	}
	return !must_wait(verdict, LOGIC_INTERLOCK, logic_rule_min_on(other),
			  now);
}

static void judge_on(const struct logic *logic, const struct logic_output *o,
		     uint64_t now, struct logic_verdict *verdict)
{
	if (logic_rule_max_on(o) <= now) {
		verdict->result = LOGIC_MAX_ON;
		return;
	}
	if (must_wait(verdict, LOGIC_MIN_OFF, logic_rule_min_off(o), now) ||
	    must_wait(verdict, LOGIC_CYCLES, logic_rule_cycles(o), now))
		return;
	for (unsigned int i = 0; i < logic->top; i++) {
		if (!logic_locked_out(logic, verdict->output, i))
			continue;
		verdict->other = i;
		if (!makes_way(&logic->output[i], now, verdict))
			return;
	}
}

/* Those interlocked with it go off, or give up going on. */
static void displace(struct logic *logic, unsigned int output, bool safety)
{
	for (unsigned int i = 0; i < logic->top; i++) {
		struct logic_output *other = &logic->output[i];

		if (!logic_locked_out(logic, output, i))
			continue;
		if (other->want.any && other->want.on)
			logic_settle(logic, i, LOGIC_SUPERSEDED);
		other->now.told = false;
		if (!other->now.on)
			continue;
		/* One that must go off anyway must still. */
		if (other->want.any) {
			other->want.safety |= safety;
			continue;
		}
		logic_want_for_safety(other, false);
		other->want.safety = safety;
	}
}

static void accept_order(struct logic *logic, unsigned int output,
			 const struct logic_command *command, bool on,
			 uint32_t token)
{
	struct logic_output *o = &logic->output[output];
	/* To order off what must go off takes nothing of that. */
	bool must_off = !on && o->want.any && !o->want.on && o->want.safety;

	logic_settle(logic, output, LOGIC_SUPERSEDED);
	if (on)
		displace(logic, output, false);
	o->now.told = on;
	o->want = (struct logic_want){
		.any = true,
		.on = on,
		.safety = must_off,
		.token = token,
		.on_time_ms = command->on_time_ms ? command->on_time_ms
						  : o->rules.auto_off_ms,
		.lease_ms = command->lease_ms ? command->lease_ms
					      : o->rules.command_timeout_ms,
	};
}

struct logic_verdict logic_order(struct logic *logic, unsigned int output,
				 const struct logic_command *command,
				 uint32_t token, uint64_t now)
{
	struct logic_verdict verdict = { LOGIC_ACCEPTED, output, output, 0,
					 token };
	const struct logic_output *o;
	bool on;

	verdict.result = LOGIC_NO_OUTPUT;
	if (output >= LOGIC_OUTPUTS_MAX || !logic->output[output].used)
		return verdict;
	o = &logic->output[output];
	on = wanted(o, command->verb);
	verdict.result = LOGIC_ACCEPTED;
	if (command->on_time_ms > LOGIC_TIME_MAX_MS ||
	    command->lease_ms > LOGIC_TIME_MAX_MS)
		verdict.result = LOGIC_TOO_LONG;
	else if (o->rules.locked)
		verdict.result = LOGIC_LOCKED;
	else if (on)
		judge_on(logic, o, now, &verdict);
	else
		must_wait(&verdict, LOGIC_MIN_ON, logic_rule_min_on(o), now);
	if (verdict.result == LOGIC_ACCEPTED)
		accept_order(logic, output, command, on, token);
	return verdict;
}

/* ---- safety ------------------------------------------------------------- */

void logic_make_safe(struct logic *logic, unsigned int output)
{
	struct logic_output *o;

	assert(output < LOGIC_OUTPUTS_MAX);
	o = &logic->output[output];
	if (!o->used || o->rules.safe == LOGIC_SAFE_HOLD)
		return;
	logic_settle(logic, output, LOGIC_SUPERSEDED);
	if (o->rules.safe == LOGIC_SAFE_ON)
		displace(logic, output, true);
	logic_want_for_safety(o, o->rules.safe == LOGIC_SAFE_ON);
}

void logic_hub(struct logic *logic, bool there, uint64_t now)
{
	if (logic->hub == there)
		return;
	logic->hub = there;
	logic->hub_lost_at = now;
	for (unsigned int i = 0; i < logic->top; i++)
		logic->output[i].failed_safe = false;
}

uint64_t logic_failsafe_at(const struct logic *logic,
			   const struct logic_output *o)
{
	if (logic->hub || o->failed_safe || !o->rules.failsafe_ms)
		return UINT64_MAX;
	return logic->hub_lost_at + o->rules.failsafe_ms;
}

#include <assert.h>

#include "gpio/logic_internal.h"

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* When it may go on. One that is on already is only written again. */
static uint64_t may_go_on(const struct logic *logic, unsigned int output)
{
	const struct logic_output *o = &logic->output[output];

	if (o->now.on)
		return 0;
	return later(logic_rule_interlock(logic, output),
		     logic_rule_min_off(o));
}

/*
 * The times that an order has set hold until another is done, not until it is
 * given: what becomes of it is not known, and they must not be lost. While it is
 * tried they wait.
 */

/* When nobody has renewed the lease. */
static uint64_t lease_over(const struct logic_output *o)
{
	return o->now.lease_at && !o->want.any ? o->now.lease_at : UINT64_MAX;
}

/* When its time is up, by an order or by the rule. */
static uint64_t time_up(const struct logic_output *o)
{
	uint64_t at = logic_rule_max_on(o);

	if (o->now.on && o->now.off_at && !(o->want.any && o->want.on))
		at = earlier(at, later(o->now.off_at, logic_rule_min_on(o)));
	return at;
}

static void must_go_off(struct logic *logic, unsigned int output)
{
	struct logic_output *o = &logic->output[output];

	if (o->want.any && o->want.on)
		logic_settle(logic, output, LOGIC_SUPERSEDED);
	if (!o->want.any)
		o->want = (struct logic_want){ .any = true, .answered = true };
	o->want.safety = true;
	o->now.told = false;
}

static bool shares_its_turn(const struct logic *logic, unsigned int output)
{
	for (unsigned int i = 0; i < logic->top; i++)
		if (logic_locked_out(logic, output, i) &&
		    logic->output[i].now.on)
			return true;
	return false;
}

/* What time and safety ask for by now becomes wanted. */
static void tick(struct logic *logic, unsigned int output, uint64_t now)
{
	struct logic_output *o = &logic->output[output];

	if (lease_over(o) <= now) {
		o->now.told = o->rules.safe == LOGIC_SAFE_ON;
		if (o->rules.safe == LOGIC_SAFE_HOLD)
			o->now.lease_at = 0;
		logic_make_safe(logic, output);
	}
	if (logic_failsafe_at(logic, o) <= now) {
		o->failed_safe = true;
		logic_make_safe(logic, output);
	}
	if (time_up(o) <= now || (o->now.on && shares_its_turn(logic, output)))
		must_go_off(logic, output);
}

/* Of a group another is on, and stays so. */
static bool turn_is_taken(const struct logic *logic, unsigned int output)
{
	for (unsigned int i = 0; i < logic->top; i++) {
		const struct logic_output *other = &logic->output[i];

		if (logic_locked_out(logic, output, i) && other->now.on &&
		    (!other->want.any || other->want.on))
			return true;
	}
	return false;
}

/* What is to go on for the start of the board waits for min_off and dead times,
 * but not for a turn that is another's: some day it would go on all by itself. */
static void give_up_turn(struct logic *logic, unsigned int output)
{
	struct logic_output *o = &logic->output[output];

	if (!o->want.any || !o->want.on || !o->want.safety || o->now.on ||
	    !turn_is_taken(logic, output))
		return;
	logic_settle(logic, output, LOGIC_SUPERSEDED);
	o->now.told = false;
}

static bool first_wanted(const struct logic *logic, bool on, uint64_t now,
			 struct logic_action *action)
{
	for (unsigned int i = 0; i < logic->top; i++) {
		const struct logic_output *o = &logic->output[i];

		if (!o->used || !o->want.any || o->want.on != on ||
		    o->retry_at > now || (on && may_go_on(logic, i) > now))
			continue;
		*action = (struct logic_action){ .output = i, .on = on };
		return true;
	}
	return false;
}

bool logic_act(struct logic *logic, uint64_t now, struct logic_action *action)
{
	for (unsigned int i = 0; i < logic->top; i++)
		if (logic->output[i].used)
			tick(logic, i, now);
	for (unsigned int i = 0; i < logic->top; i++)
		if (logic->output[i].used)
			give_up_turn(logic, i);
	return first_wanted(logic, false, now, action) ||
	       first_wanted(logic, true, now, action);
}

void logic_done(struct logic *logic, const struct logic_action *action, bool on,
		uint64_t now)
{
	struct logic_output *o = &logic->output[action->output];
	struct logic_memory *m = &o->now;
	const struct logic_want want = o->want;

	assert(o->used);
	if (m->on != on) {
		m->on = on;
		m->since = now;
		if (on)
			m->starts[m->started++ % LOGIC_CYCLES_MAX] = now;
	}
	if (on != action->on) {
		/* Written, but something stronger holds the wire. */
		logic_failed(logic, action, now);
		return;
	}
	/* A newer order without a time ends an older one's. */
	m->off_at = on && want.on_time_ms ? now + want.on_time_ms : 0;
	m->lease_at = want.lease_ms ? now + want.lease_ms : 0;
	logic_settle(logic, action->output, LOGIC_APPLIED);
}

/* One that should have made way did not: those who wait for it get nowhere. */
static void disappoint(struct logic *logic, unsigned int output)
{
	for (unsigned int i = 0; i < logic->top; i++) {
		struct logic_want *want = &logic->output[i].want;

		if (logic_locked_out(logic, output, i) && want->any &&
		    want->on && !want->safety)
			logic_settle(logic, i, LOGIC_INTERLOCK);
	}
}

void logic_failed(struct logic *logic, const struct logic_action *action,
		  uint64_t now)
{
	struct logic_output *o = &logic->output[action->output];
	struct logic_want want = o->want;
	bool starting = o->now.starting;

	assert(o->used);
	logic_settle(logic, action->output, LOGIC_FAULT);
	if (!action->on)
		disappoint(logic, action->output);
	if (!want.safety && !action->on)
		return;
	if (!want.safety) {
		/* It may be driven on all the same: nobody may believe that it
		 * is off before that has been written. */
		logic_want_for_safety(o, false);
		return;
	}
	if (!want.answered) {
		/* An order that has failed sets no times. */
		want.answered = true;
		want.on_time_ms = 0;
		want.lease_ms = 0;
	}
	o->want = want;
	o->now.starting = starting;
	o->retry_at = now + LOGIC_RETRY_MS;
}

static uint64_t next_of(const struct logic *logic, unsigned int output)
{
	const struct logic_output *o = &logic->output[output];
	uint64_t next = logic_failsafe_at(logic, o);
	uint64_t from;

	next = earlier(next, lease_over(o));
	if (!o->want.any || o->want.on)
		next = earlier(next, time_up(o));
	if (!o->want.any)
		return next;
	from = o->want.on ? may_go_on(logic, output) : 0;
	return earlier(next, later(o->retry_at, from));
}

uint64_t logic_next(const struct logic *logic, uint64_t now)
{
	uint64_t next = UINT64_MAX;

	for (unsigned int i = 0; i < logic->top; i++)
		if (logic->output[i].used)
			next = earlier(next, next_of(logic, i));
	return next < now ? now : next;
}

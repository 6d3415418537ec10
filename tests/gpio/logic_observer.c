#include "tests/gpio/logic_observer.h"

struct observer observer;

enum why {
	UNEXPLAINED,
	BY_ORDER,
	FOR_ITS_GROUP,
	TIME_IS_UP,
	OWED,
};

static bool interlocked(unsigned int a, unsigned int b)
{
	const struct logic_rules *x = &observer.output[a].rules;
	const struct logic_rules *y = &observer.output[b].rules;

	return a != b && x->group && x->group == y->group;
}

/* The longest that anybody of the group asks for. */
static uint32_t dead_time(unsigned int i)
{
	uint32_t dead = observer.output[i].rules.dead_ms;

	for (unsigned int k = 0; k < OUTPUTS; k++)
		if (interlocked(i, k) &&
		    observer.output[k].rules.dead_ms > dead)
			dead = observer.output[k].rules.dead_ms;
	return dead;
}

static bool another_is_on(unsigned int i)
{
	for (unsigned int k = 0; k < OUTPUTS; k++)
		if (interlocked(i, k) && observer.output[k].on)
			return true;
	return false;
}

/* ---- what is owed ------------------------------------------------------- */

static void owe(struct observed *o, bool on)
{
	o->debt = (struct debt){ .any = true, .on = on };
}

/* Those that give way to one of their group. */
static void give_way(unsigned int i)
{
	for (unsigned int k = 0; k < OUTPUTS; k++) {
		struct observed *other = &observer.output[k];

		if (!interlocked(i, k))
			continue;
		other->told = false;
		other->gives_way = true;
		if (other->debt.on)
			other->debt = (struct debt){ 0 };
	}
}

void observer_make_safe(unsigned int i)
{
	struct observed *o = &observer.output[i];

	if (o->rules.safe == LOGIC_SAFE_HOLD)
		return;
	owe(o, o->rules.safe == LOGIC_SAFE_ON);
	if (!o->debt.on)
		return;
	give_way(i);
	for (unsigned int k = 0; k < OUTPUTS; k++)
		if (interlocked(i, k) && observer.output[k].on)
			owe(&observer.output[k], false);
}

/* It may not be on without anybody knowing since when. */
static bool may_not_be_on_for_ever(const struct logic_rules *rules)
{
	return rules->max_on_ms || rules->auto_off_ms ||
	       rules->command_timeout_ms;
}

static void begin_on(struct observed *o)
{
	o->starts[o->started++ % LOGIC_CYCLES_MAX] = observer.now;
}

void observer_boot(unsigned int i, bool reads_on)
{
	struct observed *o = &observer.output[i];
	const struct logic_rules *rules = &o->rules;

	*o = (struct observed){
		.rules = *rules,
		.on = reads_on,
		/* A start counts as going off. */
		.since = observer.now,
		.known_since = observer.now,
		.told = o->kept.told,
	};
	if (reads_on)
		begin_on(o);
	if (rules->boot != LOGIC_BOOT_AS_READ) {
		o->debt = (struct debt){ .any = true, .boot = true };
		o->debt.on = rules->boot == LOGIC_BOOT_ON ||
			     (rules->boot == LOGIC_BOOT_RESTORE && o->told);
	} else if (reads_on && may_not_be_on_for_ever(rules)) {
		owe(o, false);
	}
}

void observer_safe_tool(unsigned int i)
{
	struct observed *o = &observer.output[i];
	bool on = o->rules.safe == LOGIC_SAFE_ON;

	if (o->rules.safe == LOGIC_SAFE_HOLD || o->on == on)
		return;
	o->on = on;
	o->since = observer.now;
	if (on)
		begin_on(o);
}

void observer_resume(unsigned int i)
{
	struct observed *o = &observer.output[i];

	o->waiting = false;
	o->gives_way = false;
	o->failed_safe = false;
	o->told = o->kept.told;
	o->debt = (struct debt){ 0 };
	o->leased_until = 0;
	o->on_until = 0;
	if (o->kept.on == o->on) {
		o->debt = o->kept.debt;
		o->leased_until = o->kept.leased_until;
		o->on_until = o->kept.on_until;
		return;
	}
	o->known_since = observer.now;
	if (o->on && may_not_be_on_for_ever(&o->rules)) {
		owe(o, false);
	}
}

/* Of other debts there is another way back: a lease is kept, and the hub's absence
 * counts from the start. */
void observer_save(void)
{
	for (unsigned int i = 0; i < OUTPUTS; i++) {
		struct observed *o = &observer.output[i];

		o->kept = (struct kept){
			.on = o->on,
			.told = o->told,
			.leased_until = o->leased_until,
			.on_until = o->on_until,
		};
		if (o->debt.boot)
			o->kept.debt = o->debt;
	}
}

/* ---- orders ------------------------------------------------------------- */

void observer_order(unsigned int i, const struct logic_command *command,
		    bool on)
{
	struct observed *o = &observer.output[i];

	must(!o->rules.locked, "a locked one takes an order", i);
	for (unsigned int k = 0; on && k < OUTPUTS; k++)
		must(!observer.sound || !interlocked(i, k) ||
			     !observer.output[k].debt.on,
		     "it takes the turn of one that must go on", i);
	/* To order off what must go off changes nothing of that. */
	if (on || o->debt.on)
		o->debt = (struct debt){ 0 };
	o->debt.boot = false;
	o->told = on;
	if (on)
		give_way(i);
	o->gives_way = false;
	o->waiting = true;
	o->asked = on;
	o->lease = command->lease_ms ? command->lease_ms
				     : o->rules.command_timeout_ms;
	o->on_time = command->on_time_ms ? command->on_time_ms
					 : o->rules.auto_off_ms;
}

void observer_answer(unsigned int i, bool applied)
{
	struct observed *o = &observer.output[i];

	must(o->waiting, "an answer nobody waits for", i);
	o->waiting = false;
	if (!applied)
		return;
	must(o->on == o->asked, "applied, and it is not", i);
	o->leased_until = o->lease ? observer.now + o->lease : 0;
	o->on_until = o->on && o->on_time ? observer.now + o->on_time : 0;
}

/* ---- what falls due ----------------------------------------------------- */

/* As the process knows it: what is on is not on for longer than it thinks, for
 * one that nobody knows since when it is on goes off. */
static bool max_on_is_over(const struct observed *o)
{
	return o->on && o->rules.max_on_ms &&
	       observer.now - o->known_since >= o->rules.max_on_ms;
}

static bool time_is_up(const struct observed *o)
{
	if (max_on_is_over(o))
		return true;
	return o->on && o->on_until && observer.now >= o->on_until &&
	       observer.now - o->known_since >= o->rules.min_on_ms &&
	       !(o->debt.any ? o->debt.on : o->waiting && o->asked);
}

static void lease_due(unsigned int i)
{
	struct observed *o = &observer.output[i];

	/* While an order or a debt is tried, it waits. */
	if (!o->leased_until || observer.now < o->leased_until || o->waiting ||
	    o->debt.any)
		return;
	o->told = o->rules.safe == LOGIC_SAFE_ON;
	if (o->rules.safe == LOGIC_SAFE_HOLD)
		o->leased_until = 0;
	observer_make_safe(i);
}

static void failsafe_due(unsigned int i)
{
	struct observed *o = &observer.output[i];

	if (observer.hub || o->failed_safe || !o->rules.failsafe_ms ||
	    observer.now - observer.hub_lost < o->rules.failsafe_ms)
		return;
	o->failed_safe = true;
	observer_make_safe(i);
}

void observer_due(void)
{
	for (unsigned int i = 0; i < OUTPUTS; i++) {
		struct observed *o = &observer.output[i];

		lease_due(i);
		failsafe_due(i);
		if (time_is_up(o))
			o->told = false;
		if (max_on_is_over(o) && o->debt.on)
			o->debt = (struct debt){ 0 };
		if (o->on && another_is_on(i)) {
			o->told = false;
			if (!o->debt.any || o->debt.on)
				owe(o, false);
		}
	}
}

/* ---- the line ----------------------------------------------------------- */

static enum why why(unsigned int i, bool on)
{
	const struct observed *o = &observer.output[i];

	if (o->debt.any && o->debt.on == on)
		return OWED;
	if (!on && time_is_up(o))
		return TIME_IS_UP;
	if (o->waiting && o->asked == on)
		return BY_ORDER;
	return !on && o->gives_way ? FOR_ITS_GROUP : UNEXPLAINED;
}

static void goes_on(unsigned int i, enum why because)
{
	const struct observed *o = &observer.output[i];
	const struct logic_rules *rules = &o->rules;

	must(observer.now - o->since >= rules->min_off_ms, "min_off is broken",
	     i);
	for (unsigned int k = 0; k < OUTPUTS; k++) {
		const struct observed *other = &observer.output[k];

		if (!interlocked(i, k))
			continue;
		must(!other->on, "two of a group are on", i);
		must(observer.now - other->since >= dead_time(i),
		     "dead time is broken", i);
	}
	if (rules->cycles && because == BY_ORDER && o->started >= rules->cycles)
		must(observer.now - o->starts[(o->started - rules->cycles) %
					      LOGIC_CYCLES_MAX] >=
			     LOGIC_HOUR_MS,
		     "it starts too often", i);
}

static void moves(unsigned int i, bool on)
{
	const struct observed *o = &observer.output[i];
	enum why because = observer.sound ? why(i, on) : OWED;

	must(because != UNEXPLAINED, "it moves by itself", i);
	must(because == OWED || because == TIME_IS_UP || !o->rules.locked,
	     "a locked one moves", i);
	if (on)
		goes_on(i, because);
	else if (because == BY_ORDER || because == FOR_ITS_GROUP)
		must(observer.now - o->since >= o->rules.min_on_ms,
		     "min_on is broken", i);
}

void observer_write(unsigned int i, bool on)
{
	struct observed *o = &observer.output[i];

	if (o->on != on) {
		moves(i, on);
		o->on = on;
		o->since = observer.now;
		o->known_since = observer.now;
		if (on)
			begin_on(o);
	}
	/* An order's lease and time come with its answer, those of a start
	 * are the rules'. */
	o->leased_until = 0;
	o->on_until = 0;
	if (!o->debt.any || o->debt.on != on)
		return;
	if (o->debt.boot && o->rules.command_timeout_ms)
		o->leased_until = observer.now + o->rules.command_timeout_ms;
	if (o->debt.boot && on && o->rules.auto_off_ms)
		o->on_until = observer.now + o->rules.auto_off_ms;
	o->debt = (struct debt){ 0 };
}

void observer_write_failed(unsigned int i, bool on)
{
	struct observed *o = &observer.output[i];

	o->excused = observer.now + LOGIC_RETRY_MS;
	if (!on && !o->debt.any && time_is_up(o))
		owe(o, false);
	/* It may be on all the same. */
	if (on && !o->debt.any) {
		owe(o, false);
		o->excused = observer.now;
	}
}

/* ---- at rest ------------------------------------------------------------ */

static bool may_go_on(unsigned int i)
{
	const struct observed *o = &observer.output[i];

	if (observer.now < o->excused ||
	    observer.now - o->known_since < o->rules.min_off_ms)
		return false;
	for (unsigned int k = 0; k < OUTPUTS; k++) {
		const struct observed *other = &observer.output[k];

		if (interlocked(i, k) &&
		    (other->on || observer.now < other->excused ||
		     observer.now - other->known_since < dead_time(i)))
			return false;
	}
	return true;
}

static bool turn_is_taken(unsigned int i)
{
	for (unsigned int k = 0; k < OUTPUTS; k++) {
		const struct observed *other = &observer.output[k];

		if (interlocked(i, k) && other->on && !time_is_up(other) &&
		    (!other->debt.any || other->debt.on))
			return true;
	}
	return false;
}

static void observe_debt(unsigned int i)
{
	struct observed *o = &observer.output[i];

	if (!o->debt.any || !observer.sound)
		return;
	/* The interlock is stronger: who comes late has lost its turn. */
	if (o->debt.on && turn_is_taken(i)) {
		o->debt = (struct debt){ 0 };
		o->told = false;
	} else if (o->debt.on) {
		must(!may_go_on(i),
		     o->debt.boot ? "its boot value, on, did not come"
				  : "its safe value, on, did not come",
		     i);
	} else {
		must(observer.now < o->excused,
		     o->debt.boot ? "its boot value, off, did not come"
				  : "what must be off was not driven off",
		     i);
	}
}

static void observe_times(unsigned int i)
{
	const struct observed *o = &observer.output[i];

	if (!o->on || observer.now < o->excused)
		return;
	must(!o->rules.max_on_ms ||
		     observer.now - o->since < o->rules.max_on_ms,
	     "max_on is broken", i);
	must(!time_is_up(o), "it is on for longer than was ordered", i);
}

void observer_rest(void)
{
	for (unsigned int i = 0; i < OUTPUTS; i++) {
		struct observed *o = &observer.output[i];

		o->gives_way = false;
		must(!o->on || !another_is_on(i) || observer.now < o->excused,
		     "two of a group stay on", i);
		observe_times(i);
		observe_debt(i);
	}
}

/*
 * Random orders, times, faults, crashes and restarts against logic.h, judged by
 * an observer that sees nothing but the lines and the clock: at no instant are
 * two of an interlock group on, no dead time is shorter, no output is on for
 * longer or off for shorter than its rule, and none starts more often.
 *
 * test_logic_property [STEPS [SEED]]; a failure prints the seed and the step.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "gpio/logic.h"

#define OUTPUTS 5u
#define HISTORY 4096u
#define STEPS_DEFAULT UINT64_C(10000000)
/* Steps of one board before the next, with other rules. */
#define STEPS_OF_A_BOARD 2000u

struct wire {
	bool on;
	uint64_t since;
	uint64_t excused; /* until then: it did not obey */
	uint64_t starts[LOGIC_CYCLES_MAX];
	uint64_t started;
};

static struct {
	uint64_t seed, random, step, now;
	struct logic logic;
	struct logic_rules rules[OUTPUTS];
	struct logic_memory memory[OUTPUTS]; /* on "disk" */
	bool told[OUTPUTS];
	struct wire wire[OUTPUTS];
	uint64_t hub_lost;
	bool hub;
	bool waiting[OUTPUTS]; /* for an answer */
	uint32_t token[OUTPUTS];
	/* Of the order waited for, and when the last one's ends. */
	uint64_t lease[OUTPUTS];
	uint64_t leased_until[OUTPUTS]; /* 0: never */
	uint64_t on_time[OUTPUTS];
	uint64_t on_until[OUTPUTS]; /* 0: for ever */
	uint32_t next_token;
	uint64_t applied, refused, failed, crashes,
		boots; /* what was covered */
} w;

static uint64_t draw(uint64_t below)
{
	w.random ^= w.random << 13;
	w.random ^= w.random >> 7;
	w.random ^= w.random << 17;
	return w.random % below;
}

__attribute__((noreturn)) static void broken(const char *what, unsigned int i)
{
	printf("seed %" PRIu64 " step %" PRIu64 " at %" PRIu64
	       ": output %u: %s\n",
	       w.seed, w.step, w.now, i, what);
	printf("0 passed, 1 failed\n");
	exit(1);
}

static void must(bool holds, const char *what, unsigned int i)
{
	if (!holds)
		broken(what, i);
}

/* ---- the observer ------------------------------------------------------- */

static bool interlocked(unsigned int a, unsigned int b)
{
	return a != b && w.rules[a].group &&
	       w.rules[a].group == w.rules[b].group;
}

static void observe_start(unsigned int i)
{
	const struct logic_rules *rules = &w.rules[i];
	struct wire *wire = &w.wire[i];

	must(w.now - wire->since >= rules->min_off_ms, "min_off is broken", i);
	for (unsigned int k = 0; k < OUTPUTS; k++) {
		uint32_t dead = rules->dead_ms > w.rules[k].dead_ms
					? rules->dead_ms
					: w.rules[k].dead_ms;

		if (!interlocked(i, k))
			continue;
		must(!w.wire[k].on, "two of a group are on", i);
		must(w.now - w.wire[k].since >= dead, "dead time is broken", i);
	}
}

static void observe_write(unsigned int i, bool on, const struct logic_want *why)
{
	struct wire *wire = &w.wire[i];

	if (wire->on == on)
		return;
	must(why->safety || !w.rules[i].locked, "a locked one moves", i);
	if (on) {
		observe_start(i);
		if (w.rules[i].cycles && !why->safety &&
		    wire->started >= w.rules[i].cycles)
			must(w.now - wire->starts[(wire->started -
						   w.rules[i].cycles) %
						  LOGIC_CYCLES_MAX] >=
				     LOGIC_HOUR_MS,
			     "it starts too often", i);
		wire->starts[wire->started++ % LOGIC_CYCLES_MAX] = w.now;
	} else if (!why->safety) {
		must(w.now - wire->since >= w.rules[i].min_on_ms,
		     "min_on is broken", i);
	}
	wire->on = on;
	wire->since = w.now;
}

static void observe_lease(unsigned int i)
{
	if (w.rules[i].safe == LOGIC_SAFE_OFF && w.leased_until[i])
		must(!w.wire[i].on || w.now < w.leased_until[i] ||
			     w.now < w.wire[i].excused,
		     "a lease has run out for nothing", i);
}

/* Where "on" is safe, that may come in between; and who has crashed takes min_on
 * to begin anew. */
static void observe_on_time(unsigned int i)
{
	const struct wire *wire = &w.wire[i];
	const uint64_t since = w.logic.output[i].now.since;

	if (w.rules[i].safe != LOGIC_SAFE_ON && w.on_until[i])
		must(!wire->on || w.now < w.on_until[i] ||
			     w.now < wire->excused ||
			     w.now - since < w.rules[i].min_on_ms,
		     "it is on for longer than was ordered", i);
}

/* After all that was due has been done. */
static void observe_rest(void)
{
	for (unsigned int i = 0; i < OUTPUTS; i++) {
		const struct logic_rules *rules = &w.rules[i];

		must(!w.wire[i].on || !rules->max_on_ms ||
			     w.now < w.wire[i].excused ||
			     w.now - w.wire[i].since < rules->max_on_ms,
		     "max_on is broken", i);
		must(w.wire[i].on == w.logic.output[i].now.on,
		     "what is believed is not on the line", i);
		observe_lease(i);
		observe_on_time(i);
		if (w.hub || !rules->failsafe_ms ||
		    w.now - w.hub_lost != rules->failsafe_ms)
			continue;
		if (rules->safe == LOGIC_SAFE_OFF)
			must(!w.wire[i].on, "the fail-safe did not come", i);
	}
}

/* ---- the process -------------------------------------------------------- */

static void take_answers(void)
{
	struct logic_verdict answer;

	while (logic_answer(&w.logic, &answer)) {
		unsigned int i = answer.output;

		must(answer.result != LOGIC_ACCEPTED, "no answer", i);
		must(w.waiting[i] && w.token[i] == answer.token,
		     "an answer nobody waits for", i);
		w.waiting[i] = false;
		if (answer.result != LOGIC_APPLIED)
			continue;
		w.applied++;
		w.leased_until[i] = w.lease[i] ? w.now + w.lease[i] : 0;
		if (w.wire[i].on && w.on_time[i])
			w.on_until[i] = w.now + w.on_time[i];
	}
}

static void drive(const struct logic_action *action, bool may_fail)
{
	unsigned int i = action->output;
	struct logic_want why = w.logic.output[i].want;

	if (may_fail && draw(50) == 0) {
		w.failed++;
		w.wire[i].excused = w.now + LOGIC_RETRY_MS;
		logic_failed(&w.logic, action, w.now);
		return;
	}
	observe_write(i, action->on, &why);
	logic_done(&w.logic, action, action->on, w.now);
	/* An order's lease and time come with its answer. */
	w.leased_until[i] = 0;
	w.on_until[i] = 0;
	w.told[i] = w.logic.output[i].now.told;
}

static void run(bool may_fail)
{
	struct logic_action action;

	while (logic_act(&w.logic, w.now, &action)) {
		drive(&action, may_fail);
		take_answers();
	}
	take_answers();
}

static void save(void)
{
	for (unsigned int i = 0; i < OUTPUTS; i++)
		w.memory[i] = *logic_remember(&w.logic, i);
}

/* Until then, or to what is due before, whichever is first. */
static void pass(uint64_t until)
{
	while (w.now < until) {
		uint64_t next = logic_next(&w.logic, w.now);

		w.now = next < until ? (next > w.now ? next : w.now) : until;
		run(false);
		observe_rest();
		must(logic_next(&w.logic, w.now) > w.now, "it is due for ever",
		     0);
	}
}

static void start_process(bool memory)
{
	logic_init(&w.logic, w.now);
	w.hub = false;
	w.hub_lost = w.now;
	for (unsigned int i = 0; i < OUTPUTS; i++) {
		struct logic_start start = {
			.on = w.wire[i].on,
			.told = w.told[i],
			.memory = memory ? &w.memory[i] : NULL,
		};

		logic_add(&w.logic, i, &w.rules[i], start, w.now);
		w.waiting[i] = false;
		/* It may have died before it remembered. */
		w.leased_until[i] = 0;
		w.on_until[i] = 0;
	}
	run(false);
	save();
	observe_rest();
}

/* ---- what happens ------------------------------------------------------- */

static void new_rules(unsigned int i)
{
	static const uint64_t times[] = { 0, 0, 20, 100, 1000, 30000 };
	struct logic_rules *rules = &w.rules[i];

	*rules = (struct logic_rules){
		.safe = (enum logic_safe)draw(3),
		.boot = (enum logic_boot)draw(4),
		.group = (uint8_t)draw(3),
		.locked = draw(20) == 0,
		.cycles = draw(3) ? 0 : (uint8_t)(1 + draw(5)),
		.dead_ms = (uint32_t)times[draw(5)],
		.min_on_ms = times[draw(6)],
		.min_off_ms = times[draw(6)],
		.auto_off_ms = times[draw(6)],
		.command_timeout_ms = times[draw(6)],
		.failsafe_ms = times[draw(6)],
	};
	/* What pins.c would refuse. */
	rules->max_on_ms = draw(2) ? rules->min_on_ms + 1 + times[draw(6)] : 0;
	if ((rules->max_on_ms || rules->group) && rules->safe == LOGIC_SAFE_ON)
		rules->safe = LOGIC_SAFE_OFF;
	if (rules->group && rules->boot == LOGIC_BOOT_ON)
		rules->boot = LOGIC_BOOT_RESTORE;
}

static void board_starts(void)
{
	w.boots++;
	for (unsigned int i = 0; i < OUTPUTS; i++) {
		if (w.wire[i].on)
			w.wire[i].since = w.now;
		w.wire[i].on = false;
		/* Starts are counted from the board's on. */
		w.wire[i].started = 0;
	}
	start_process(false);
}

static void new_board(void)
{
	w.now += 1 + draw(1000);
	for (unsigned int i = 0; i < OUTPUTS; i++) {
		new_rules(i);
		w.wire[i] = (struct wire){ .since = w.now };
		w.told[i] = draw(2);
	}
	board_starts();
}

static void ask(void)
{
	static const uint64_t times[] = { 0, 0, 1, 50, 500, 5000 };
	unsigned int i = (unsigned int)draw(OUTPUTS);
	struct logic_command command = {
		.verb = (enum logic_verb)draw(3),
		.on_time_ms = times[draw(6)],
		.lease_ms = times[draw(6)],
	};
	uint32_t token = ++w.next_token;
	struct logic_verdict verdict =
		logic_order(&w.logic, i, &command, token, w.now);

	take_answers();
	if (verdict.result == LOGIC_ACCEPTED) {
		must(!w.waiting[i], "an order got no answer", i);
		w.waiting[i] = true;
		w.token[i] = token;
		w.lease[i] = command.lease_ms ? command.lease_ms
					      : w.rules[i].command_timeout_ms;
		w.on_time[i] = command.on_time_ms ? command.on_time_ms
						  : w.rules[i].auto_off_ms;
	} else {
		w.refused++;
	}
}

static void order(void)
{
	ask();
	run(true);
	save();
}

/* The process dies between writing a line and remembering that it did; its
 * lines stay, time goes on, and nobody enforces anything until it is back. */
static void crash(void)
{
	struct logic_action action;

	w.crashes++;
	ask();
	if (logic_act(&w.logic, w.now, &action))
		drive(&action, false);
	w.now += draw(4) ? draw(100) : draw(20000);
	start_process(true);
}

static void step(void)
{
	switch (draw(16)) {
	case 0:
		crash();
		break;
	case 1:
		if (draw(8) == 0)
			board_starts();
		break;
	case 2:
		w.hub = !w.hub;
		w.hub_lost = w.now;
		logic_hub(&w.logic, w.hub, w.now);
		break;
	case 3:
		/* The process is late: two things are due at once. */
		w.now += draw(2000);
		order();
		break;
	case 4:
	case 5:
		pass(w.now + draw(draw(8) ? 200 : 40000));
		save();
		break;
	default:
		order();
		break;
	}
}

int main(int argc, char **argv)
{
	uint64_t steps = argc > 1 ? strtoull(argv[1], NULL, 10) : STEPS_DEFAULT;

	w.seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	w.random = w.seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
	for (w.step = 0; w.step < steps; w.step++) {
		if (w.step % STEPS_OF_A_BOARD == 0)
			new_board();
		step();
	}
	printf("%" PRIu64 " steps: %" PRIu64 " orders applied, %" PRIu64
	       " refused, %" PRIu64 " faults, %" PRIu64 " crashes, %" PRIu64
	       " starts of the board\n",
	       steps, w.applied, w.refused, w.failed, w.crashes, w.boots);
	return 0;
}

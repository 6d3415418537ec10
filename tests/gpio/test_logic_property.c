/*
 * Random orders, times, sick lines, crashes, stops and starts against logic.h,
 * before an observer (logic_observer.h) that knows the rules.
 *
 * test_logic_property [STEPS [SEED]]; a failure prints the seed and the step.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/gpio/logic_observer.h"

#define STEPS_DEFAULT UINT64_C(10000000)
/* Steps of one board before the next, with other rules. */
#define STEPS_OF_A_BOARD 2000u
/* More writes than one moment can have. */
#define WRITES_MAX 1000u

static struct {
	uint64_t seed, random, step;
	struct logic logic;
	struct logic_memory memory[OUTPUTS]; /* on "disk" */
	uint64_t sick[OUTPUTS]; /* until then its line does not obey */
	uint32_t token[OUTPUTS];
	uint32_t next_token;
	uint64_t applied, refused, failed, crashes, stops,
		boots; /* what was covered */
} w;

static uint64_t draw(uint64_t below)
{
	w.random ^= w.random << 13;
	w.random ^= w.random >> 7;
	w.random ^= w.random << 17;
	return w.random % below;
}

void observer_broken(const char *what, unsigned int i)
{
	printf("seed %" PRIu64 " step %" PRIu64 " at %" PRIu64
	       ": output %u: %s\n",
	       w.seed, w.step, observer.now, i, what);
	printf("0 passed, 1 failed\n");
	exit(1);
}

/* ---- the process -------------------------------------------------------- */

static void take_answers(void)
{
	struct logic_verdict answer;

	while (logic_answer(&w.logic, &answer)) {
		unsigned int i = answer.output;

		must(answer.result != LOGIC_ACCEPTED, "no answer", i);
		must(w.token[i] == answer.token, "another's answer", i);
		observer_answer(i, answer.result == LOGIC_APPLIED);
		w.applied += answer.result == LOGIC_APPLIED;
	}
}

/* A line falls sick for a moment, or for a while. */
static bool obeys(unsigned int i, bool may_fail)
{
	if (observer.now < w.sick[i])
		return false;
	if (!may_fail || draw(50))
		return true;
	w.sick[i] = observer.now + (draw(2) ? draw(5000) : 0);
	return false;
}

static void drive(const struct logic_action *action, bool may_fail)
{
	unsigned int i = action->output;

	if (!obeys(i, may_fail)) {
		w.failed++;
		observer_write_failed(i, action->on);
		logic_failed(&w.logic, action, observer.now);
		return;
	}
	observer_write(i, action->on);
	logic_done(&w.logic, action, action->on, observer.now);
}

static void run(bool may_fail)
{
	struct logic_action action;
	unsigned int writes = 0;

	for (;;) {
		observer_due();
		if (!logic_act(&w.logic, observer.now, &action))
			break;
		must(writes++ < WRITES_MAX, "it does not come to rest",
		     action.output);
		drive(&action, may_fail);
		take_answers();
	}
	take_answers();
	for (unsigned int i = 0; i < OUTPUTS; i++)
		must(observer.output[i].on == w.logic.output[i].now.on,
		     "what is believed is not on the line", i);
	observer_rest();
}

static void save(void)
{
	observer_save();
	for (unsigned int i = 0; i < OUTPUTS; i++)
		w.memory[i] = *logic_remember(&w.logic, i);
}

/* Until then, or to what is due before, whichever is first. */
static void pass(uint64_t until)
{
	while (observer.now < until) {
		uint64_t next = logic_next(&w.logic, observer.now);

		if (next > observer.now)
			observer.now = next < until ? next : until;
		run(false);
		must(logic_next(&w.logic, observer.now) > observer.now,
		     "it is due for ever", 0);
	}
}

static void start_process(bool memory)
{
	logic_init(&w.logic, observer.now);
	observer.hub = false;
	observer.hub_lost = observer.now;
	for (unsigned int i = 0; i < OUTPUTS; i++) {
		const struct observed *o = &observer.output[i];
		struct logic_start start = {
			.on = o->on,
			.told = w.memory[i].told,
			.memory = memory ? &w.memory[i] : NULL,
		};

		if (memory)
			observer_resume(i);
		logic_add(&w.logic, i, &o->rules, start, observer.now);
	}
	run(false);
	save();
}

/* ---- what happens ------------------------------------------------------- */

static void new_rules(unsigned int i)
{
	static const uint64_t times[] = { 0, 0, 20, 100, 1000, 30000 };
	struct logic_rules *rules = &observer.output[i].rules;

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
	rules->max_on_ms = draw(2) ? rules->min_on_ms + 1 + times[draw(6)] : 0;
	/* What pins.c would refuse. Should it come all the same, the interlock
	 * and max_on are stronger; but two that must both be on would take turns
	 * for ever. */
	if (!observer.sound && i == 0)
		return;
	if ((rules->max_on_ms || rules->group) && rules->safe == LOGIC_SAFE_ON)
		rules->safe = LOGIC_SAFE_OFF;
	if (rules->group && rules->boot == LOGIC_BOOT_ON)
		rules->boot = LOGIC_BOOT_RESTORE;
}

/* What lines are without anybody driving them is up to pulls and firmware. */
static void board_starts(void)
{
	w.boots++;
	for (unsigned int i = 0; i < OUTPUTS; i++)
		observer_boot(i, draw(4) == 0);
	start_process(false);
}

static void new_board(void)
{
	observer.now += 1 + draw(1000);
	observer.sound = draw(8);
	for (unsigned int i = 0; i < OUTPUTS; i++) {
		new_rules(i);
		w.memory[i].told = draw(2);
		observer.output[i].kept.told = w.memory[i].told;
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
		logic_order(&w.logic, i, &command, token, observer.now);

	take_answers();
	if (verdict.result != LOGIC_ACCEPTED) {
		w.refused++;
		return;
	}
	must(!observer.output[i].waiting, "an order got no answer", i);
	w.token[i] = token;
	observer_order(i, &command,
		       command.verb == LOGIC_TOGGLE ? w.logic.output[i].want.on
						    : command.verb == LOGIC_ON);
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
	observer_due();
	if (logic_act(&w.logic, observer.now, &action))
		drive(&action, false);
	observer.now += draw(4) ? draw(100) : draw(20000);
	start_process(true);
}

/* It dies with nothing on its mind, and systemd has its lines made safe. That one
 * is not on for too long by this, pins.c sees to: max_on is not for safe = on. */
static void killed(void)
{
	if (!observer.sound)
		return;
	w.crashes++;
	save();
	for (unsigned int i = 0; i < OUTPUTS; i++)
		observer_safe_tool(i);
	observer.now += draw(20000);
	start_process(true);
}

/* It stops in order, and is started again. */
static void stop(void)
{
	w.stops++;
	for (unsigned int i = 0; i < OUTPUTS; i++) {
		logic_make_safe(&w.logic, i);
		observer_make_safe(i);
	}
	run(true);
	save();
	observer.now += draw(20000);
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
		else if (draw(8) == 0)
			stop();
		else if (draw(8) == 0)
			killed();
		break;
	case 2:
		observer.hub = !observer.hub;
		observer.hub_lost = observer.now;
		for (unsigned int i = 0; i < OUTPUTS; i++)
			observer.output[i].failed_safe = false;
		logic_hub(&w.logic, observer.hub, observer.now);
		break;
	case 3:
		/* The process is late: two things are due at once. */
		observer.now += draw(2000);
		order();
		break;
	case 4:
	case 5:
		pass(observer.now + draw(draw(8) ? 200 : 40000));
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
	       " stops, %" PRIu64 " starts of the board\n",
	       steps, w.applied, w.refused, w.failed, w.crashes, w.stops,
	       w.boots);
	return 0;
}

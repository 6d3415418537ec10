/* The simulated board: what is done to its lines from outside, on
 * $hearth/gpio/NODE/sim. A real one has none of it. */
#include <errno.h>
#include <stdlib.h>

#include "broker/base/log.h"
#include "gpio/lines_sim.h"
#include "gpio/node_internal.h"

struct node_sim {
	struct node *node;
	struct loop_timer timer;
	struct sim_play play[PIN_LINE_MAX + 1];
};

static void play(struct node_sim *sim);

static void on_timer(struct loop_timer *timer)
{
	play(list_entry(timer, struct node_sim, timer));
}

/* Do what is due, and come back for the next. */
static void play(struct node_sim *sim)
{
	struct node *node = sim->node;
	uint64_t now = loop_now(node->loop);
	uint64_t next = UINT64_MAX;

	for (unsigned int i = 0; i < node->lines->count; i++) {
		struct sim_play *at = &sim->play[i];
		uint32_t ms = at->scenario ? sim_play_pass(at, now) : 0;

		/* It has become an output: not ours to say. */
		if (ms > 0 && lines_sim_press(node->lines, i, ms) != 0)
			sim_play_begin(at, SIM_PLAY_NOTHING, now);
		if (at->scenario && at->due < next)
			next = at->due;
	}
	if (next != UINT64_MAX)
		loop_timer_set(node->loop, &sim->timer, next - now);
	else
		loop_timer_cancel(node->loop, &sim->timer);
}

/* Returns 0, -EINVAL (no such line), -EPERM (an output) or -ENOMEM. */
static int begin(struct node *node, unsigned int line,
		 enum sim_scenario scenario)
{
	int r = lines_sim_connect(node->lines, line, -1);

	if (r)
		return r;
	if (!node->sim) {
		node->sim = calloc(1, sizeof(*node->sim));
		if (!node->sim)
			return -ENOMEM;
		node->sim->node = node;
		node->sim->timer.fn = on_timer;
	}
	sim_play_begin(&node->sim->play[line], scenario, loop_now(node->loop));
	play(node->sim);
	return 0;
}

static int obey(struct node *node, const struct topics_sim *sim)
{
	struct lines *chip = lines_chip(node->lines, sim->chip);
	int r = -EINVAL;

	if (!chip)
		return -ENODEV;
	switch (sim->what) {
	case TOPICS_SIM_LEVEL:
		return lines_sim_connect(chip, sim->line, sim->level);
	case TOPICS_SIM_PRESS:
		return lines_sim_press(chip, sim->line, sim->press_ms);
	case TOPICS_SIM_SCENARIO:
		if (chip != node->lines)
			return -EOPNOTSUPP;
		r = begin(node, sim->line, sim->scenario);
		break;
	case TOPICS_SIM_FAULT:
		r = lines_sim_set_fault(chip, sim->line, sim->fault);
		break;
	}
	/* Whoever looks at the board sees what it has. */
	if (!r)
		node_say_report(node);
	return r;
}

static const char *why(int error)
{
	switch (error) {
	case -EPERM:
		return "this line is an output";
	case -EBUSY:
		return "this line is in use, so no other can take it";
	case -EINVAL:
		return "there is no such line";
	case -ENODEV:
		return "there is no such chip";
	case -EOPNOTSUPP:
		return "scenarios play at the header's lines only";
	default:
		return "out of memory";
	}
}

void node_sim_heard(struct node *node, const struct client_message *message)
{
	struct topics_sim sim;
	const char *reason = NULL;
	int r;

	if (!lines_are_simulated(node->lines))
		reason = "these lines are real";
	else if (message->retain)
		reason = "a retained click is old";
	else if (!topics_parse_sim(message->payload, &sim, &reason)) {
		r = obey(node, &sim);
		if (r)
			reason = why(r);
	}
	if (reason)
		node_say_error(node, message->topic, message->payload, reason);
}

int node_sim_put(const struct node *node, struct lines *chip,
		 unsigned int offset, json_t *line)
{
	const char *scenario = NULL;
	const char *fault;
	int bad;

	if (!lines_are_simulated(node->lines))
		return 0;
	if (node->sim && chip == node->lines)
		scenario = sim_play_name(node->sim->play[offset].scenario);
	fault = lines_sim_fault_name(lines_sim_get_fault(chip, offset));
	bad = json_object_set_new(line, "scenario",
				  scenario ? json_string(scenario)
					   : json_null());
	bad |= json_object_set_new(line, "fault",
				   fault ? json_string(fault) : json_null());
	return bad;
}

void node_sim_free(struct node *node)
{
	if (!node->sim)
		return;
	loop_timer_cancel(node->loop, &node->sim->timer);
	free(node->sim);
	node->sim = NULL;
}

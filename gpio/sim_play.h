/*
 * What happens at a line of a simulated board by itself, over and over, for trying
 * things out without a board:
 *
 *	door          every half a minute it is open for five seconds
 *	noisy_button  pressed every five seconds, with contacts that chatter first
 *	flow_meter    water runs for ten seconds, four pulses each, then none
 *
 * Pure: it reads no clock and presses nothing; times are milliseconds.
 */
#ifndef GPIO_SIM_PLAY_H
#define GPIO_SIM_PLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum sim_scenario {
	SIM_PLAY_NOTHING,
	SIM_PLAY_DOOR,
	SIM_PLAY_NOISY_BUTTON,
	SIM_PLAY_FLOW_METER,
};

struct sim_play {
	enum sim_scenario scenario;
	size_t step;
	uint32_t times; /* of the step, so far */
	uint64_t due; /* of its next time; UINT64_MAX: nothing comes */
};

/* False: there is none of this name. */
bool sim_play_find(const char *name, enum sim_scenario *out);
/* NULL for SIM_PLAY_NOTHING. */
const char *sim_play_name(enum sim_scenario scenario);

void sim_play_begin(struct sim_play *play, enum sim_scenario scenario,
		    uint64_t now);
/* How long to press now; 0: nothing is due. What was slept through is left out. */
uint32_t sim_play_pass(struct sim_play *play, uint64_t now);

#endif

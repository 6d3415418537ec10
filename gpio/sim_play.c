#include "gpio/sim_play.h"

#include <string.h>

/* Wait so long, press so long; so many times before the next step. The first comes
 * after the last. */
struct step {
	uint32_t wait_ms;
	uint32_t press_ms;
	uint32_t times; /* 0: this is the end */
};

static const struct step door[] = {
	{ 1000, 5000, 1 },
	{ 29000, 5000, 1000000 },
	{ 0 },
};

/* Contacts meet, part and meet again before they rest. */
static const struct step noisy_button[] = {
	{ 4500, 1, 1 },
	{ 4, 2, 2 },
	{ 4, 250, 1 },
	{ 0 },
};

static const struct step flow_meter[] = {
	{ 10000, 50, 1 },
	{ 250, 50, 39 },
	{ 0 },
};

static const struct {
	const char *name;
	const struct step *steps;
} scenarios[] = {
	[SIM_PLAY_NOTHING] = { "", NULL },
	[SIM_PLAY_DOOR] = { "door", door },
	[SIM_PLAY_NOISY_BUTTON] = { "noisy_button", noisy_button },
	[SIM_PLAY_FLOW_METER] = { "flow_meter", flow_meter },
};

bool sim_play_find(const char *name, enum sim_scenario *out)
{
	for (size_t i = SIM_PLAY_DOOR;
	     i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
		if (strcmp(scenarios[i].name, name) == 0) {
			*out = (enum sim_scenario)i;
			return true;
		}
	}
	return false;
}

const char *sim_play_name(enum sim_scenario scenario)
{
	return scenario == SIM_PLAY_NOTHING ? NULL : scenarios[scenario].name;
}

void sim_play_begin(struct sim_play *play, enum sim_scenario scenario,
		    uint64_t now)
{
	const struct step *steps = scenarios[scenario].steps;

	*play = (struct sim_play){
		.scenario = scenario,
		.due = steps ? now + steps[0].wait_ms : UINT64_MAX,
	};
}

uint32_t sim_play_pass(struct sim_play *play, uint64_t now)
{
	const struct step *steps = scenarios[play->scenario].steps;
	uint32_t press;

	if (now < play->due)
		return 0;
	press = steps[play->step].press_ms;
	if (++play->times == steps[play->step].times) {
		play->times = 0;
		play->step++;
		if (!steps[play->step].times)
			play->step = 0;
	}
	play->due = now + press + steps[play->step].wait_ms;
	return press;
}

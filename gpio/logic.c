#include "gpio/logic.h"

#include <assert.h>
#include <errno.h>

void logic_init(struct logic *logic)
{
	*logic = (struct logic){ 0 };
}

void logic_add(struct logic *logic, unsigned int output, enum logic_safe safe,
	       bool on)
{
	assert(output < LOGIC_OUTPUTS_MAX && !logic->output[output].used);

	logic->output[output] = (struct logic_output){
		.used = true,
		.safe = safe,
		.on = on,
	};
}

void logic_remove(struct logic *logic, unsigned int output)
{
	assert(output < LOGIC_OUTPUTS_MAX);
	logic->output[output] = (struct logic_output){ 0 };
}

void logic_set_safe(struct logic *logic, unsigned int output,
		    enum logic_safe safe)
{
	assert(output < LOGIC_OUTPUTS_MAX && logic->output[output].used);
	logic->output[output].safe = safe;
}

static bool wanted(const struct logic_output *output, enum logic_verb verb)
{
	switch (verb) {
	case LOGIC_OFF:
		return false;
	case LOGIC_ON:
		return true;
	case LOGIC_TOGGLE:
		return !output->on;
	}
	assert(false);
	return false;
}

int logic_command(const struct logic *logic, unsigned int output,
		  const struct logic_command *command,
		  struct logic_action *action)
{
	if (output >= LOGIC_OUTPUTS_MAX || !logic->output[output].used)
		return -ENOENT;
	if (command->on_time_ms > LOGIC_ON_TIME_MAX_MS)
		return -ERANGE;

	*action = (struct logic_action){
		.output = output,
		.on = wanted(&logic->output[output], command->verb),
		.on_time_ms = command->on_time_ms,
	};
	return 0;
}

void logic_done(struct logic *logic, const struct logic_action *action, bool on,
		uint64_t now)
{
	struct logic_output *output = &logic->output[action->output];

	assert(output->used);
	output->on = on;
	if (on != action->on) {
		/* Written, but something stronger holds the wire. */
		logic_failed(logic, action, now);
		return;
	}
	/* A newer command without a time ends an older one's. */
	output->off_at =
		on && action->on_time_ms ? now + action->on_time_ms : 0;
}

void logic_failed(struct logic *logic, const struct logic_action *action,
		  uint64_t now)
{
	struct logic_output *output = &logic->output[action->output];

	assert(output->used);
	if (output->off_at && output->off_at <= now)
		output->off_at = now + LOGIC_RETRY_MS;
}

bool logic_due(const struct logic *logic, uint64_t now,
	       struct logic_action *action)
{
	for (unsigned int i = 0; i < LOGIC_OUTPUTS_MAX; i++) {
		const struct logic_output *output = &logic->output[i];

		if (!output->used || !output->off_at || output->off_at > now)
			continue;
		*action = (struct logic_action){ .output = i, .on = false };
		return true;
	}
	return false;
}

uint64_t logic_next(const struct logic *logic)
{
	uint64_t next = UINT64_MAX;

	for (unsigned int i = 0; i < LOGIC_OUTPUTS_MAX; i++) {
		const struct logic_output *output = &logic->output[i];

		if (output->used && output->off_at && output->off_at < next)
			next = output->off_at;
	}
	return next;
}

bool logic_make_safe(const struct logic *logic, unsigned int output,
		     struct logic_action *action)
{
	const struct logic_output *of;

	assert(output < LOGIC_OUTPUTS_MAX);
	of = &logic->output[output];
	if (!of->used || of->safe == LOGIC_SAFE_HOLD)
		return false;

	*action = (struct logic_action){
		.output = output,
		.on = of->safe == LOGIC_SAFE_ON,
	};
	return true;
}

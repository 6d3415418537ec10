/* topics_parse_sim() of topics.h: what a simulated board is told. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "gpio/lines_sim.h"
#include "gpio/topics.h"

static bool whole_number(json_t *value, json_int_t min, json_int_t max)
{
	return json_is_integer(value) && json_integer_value(value) >= min &&
	       json_integer_value(value) <= max;
}

static const char *take_level(json_t *value, struct topics_sim *out)
{
	if (!json_is_null(value) && !whole_number(value, 0, 1))
		return "level must be 0, 1 or null";
	out->level =
		json_is_integer(value) ? (int)json_integer_value(value) : -1;
	return NULL;
}

static const char *take_press(json_t *value, struct topics_sim *out)
{
	if (!whole_number(value, 1, LINES_SIM_PRESS_MAX))
		return "press_ms must be from 1 to 60000";
	out->press_ms = (uint32_t)json_integer_value(value);
	return NULL;
}

static const char *take_scenario(json_t *value, struct topics_sim *out)
{
	if (json_is_null(value)) {
		out->scenario = SIM_PLAY_NOTHING;
		return NULL;
	}
	if (!json_is_string(value) ||
	    !sim_play_find(json_string_value(value), &out->scenario))
		return "scenario must be door, noisy_button, flow_meter or "
		       "null";
	return NULL;
}

static const char *take_fault(json_t *value, struct topics_sim *out)
{
	if (json_is_null(value)) {
		out->fault = LINES_SIM_WORKS;
		return NULL;
	}
	if (!json_is_string(value) ||
	    !lines_sim_fault_find(json_string_value(value), &out->fault))
		return "fault must be busy, io_error, lost_events, bounce or "
		       "null";
	return NULL;
}

static const struct {
	const char *key;
	enum topics_sim_what what;
	const char *(*take)(json_t *value, struct topics_sim *out);
} members[] = {
	{ "level", TOPICS_SIM_LEVEL, take_level },
	{ "press_ms", TOPICS_SIM_PRESS, take_press },
	{ "scenario", TOPICS_SIM_SCENARIO, take_scenario },
	{ "fault", TOPICS_SIM_FAULT, take_fault },
};

static const char *take_chip(json_t *value, struct topics_sim *out)
{
	const char *label = json_string_value(value);

	if (!value || json_is_null(value))
		return NULL;
	if (!label || json_string_length(value) >= sizeof(out->chip))
		return "chip must be a chip's label";
	(void)snprintf(out->chip, sizeof(out->chip), "%s", label);
	return NULL;
}

static const char *take(json_t *document, struct topics_sim *out)
{
	const char *wrong = take_chip(json_object_get(document, "chip"), out);
	json_t *line = json_object_get(document, "line");
	json_t *found = NULL;
	size_t which = 0;

	if (wrong)
		return wrong;
	if (!whole_number(line, 0, 65535))
		return "line must be a whole number";
	out->line = (unsigned int)json_integer_value(line);
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		json_t *value = json_object_get(document, members[i].key);

		if (!value)
			continue;
		if (found)
			return "one thing at a time";
		found = value;
		which = i;
	}
	if (!found)
		return "level, press_ms, scenario or fault must be there";
	out->what = members[which].what;
	return members[which].take(found, out);
}

int topics_parse_sim(struct slice payload, struct topics_sim *out,
		     const char **reason)
{
	json_t *document = NULL;

	*out = (struct topics_sim){ .level = -1 };
	if (payload.len <= COMMAND_MAX)
		document = json_loadb((const char *)payload.data, payload.len,
				      JSON_REJECT_DUPLICATES, NULL);
	if (!document) {
		*reason = "not valid JSON";
		return -EINVAL;
	}
	*reason = take(document, out);
	json_decref(document);
	return *reason ? -EINVAL : 0;
}

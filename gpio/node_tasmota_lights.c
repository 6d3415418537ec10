/* What is said to the lights of a device with Tasmota. */
#include <string.h>

#include "gpio/node_tasmota.h"
#include "gpio/words.h"

/* The only one; or that of this number. */
static struct node_device *light_for(const struct tasmota_heard *heard,
				     unsigned int index)
{
	struct node *node = heard->t->base.node;
	const struct device *light = NULL;
	struct discovery_things things;

	node_things(node, &things);
	if (tasmota_lights(&things, &light) == 1)
		return node_tasmota_device(node, light);
	return node_light_named(node,
				slice_str(tasmota_name(&heard->t->numbers,
						       TASMOTA_RELAYS, index)));
}

void node_tasmota_switch_light(const struct tasmota_heard *heard,
			       struct node_device *device,
			       struct slice argument)
{
	struct node_tasmota *t = heard->t;
	const struct light_wish none = { 0 };
	unsigned int said = t->said;
	enum logic_verb verb;

	if (argument.len > 0) {
		if (!tasmota_parse_power(argument, &verb)) {
			node_tasmota_refuse(heard, "must be ON, OFF or TOGGLE");
			return;
		}
		node_light_order(device, verb, &none, "Tasmota");
	}
	if (t->said == said)
		node_tasmota_say_light(t, device);
}

static void light_on(const struct tasmota_heard *heard,
		     struct node_device *device, struct light_wish *wish,
		     unsigned int percent)
{
	struct node_tasmota *t = heard->t;
	unsigned int said = t->said;

	wish->any_transition = t->any_fade;
	wish->transition_ms = t->fade ? t->speed * 500 : 0;
	if (percent)
		wish->brightness = light_of_percent(percent);
	node_light_order(device, percent ? LOGIC_ON : LOGIC_OFF, wish,
			 "Tasmota");
	if (t->said == said)
		node_tasmota_say_light(t, device);
}

static void dim(const struct tasmota_heard *heard, struct node_device *device,
		struct slice argument)
{
	struct light_wish wish = { 0 };
	unsigned int percent;

	if (!tasmota_parse_percent(argument,
				   light_percent(device->light.brightness),
				   &percent))
		node_tasmota_refuse(heard, "must be from 0 to 100, + or -");
	else
		light_on(heard, device, &wish, percent);
}

/* Color2 changes the colour, not how bright it is. */
static void color(const struct tasmota_heard *heard, struct node_device *device,
		  const struct tasmota_command *command)
{
	struct light_wish wish = { .any_color = true };
	unsigned int percent = light_percent(device->light.brightness);
	uint8_t most;

	if (!words_color(command->argument, device->colors, wish.color)) {
		node_tasmota_refuse(heard,
				    "must be a colour, 255,128,0 or FF8000");
		return;
	}
	most = tasmota_full_color(wish.color);
	if (command->index != 2)
		percent = most ? light_percent(most) : 0;
	wish.any_color = most;
	light_on(heard, device, &wish, percent);
}

/* HSBColor1 is the hue alone, 2 the saturation, 3 the brightness. */
static bool parse_hsb(const struct tasmota_command *command,
		      unsigned int hsb[3])
{
	static const unsigned int max[] = { 360, 100, 100 };
	unsigned int i = command->index - 1;

	if (memchr(command->argument.data, ',', command->argument.len))
		return tasmota_parse_hsb(command->argument, hsb);
	return command->index >= 1 && command->index <= 3 &&
	       words_number(command->argument, max[i], &hsb[i]);
}

static void hsb_color(const struct tasmota_heard *heard,
		      struct node_device *device,
		      const struct tasmota_command *command)
{
	struct light_wish wish = { .any_color = true };
	unsigned int hsb[3];

	tasmota_to_hs(device->light.color, &hsb[0], &hsb[1]);
	hsb[2] = light_percent(device->light.brightness);
	if (device->colors < 3 || !parse_hsb(command, hsb)) {
		node_tasmota_refuse(heard,
				    "must be hue, saturation and brightness");
		return;
	}
	tasmota_from_hs(hsb[0], hsb[1], wish.color);
	light_on(heard, device, &wish, hsb[2]);
}

static void white(const struct tasmota_heard *heard, struct node_device *device,
		  struct slice argument)
{
	struct light_wish wish = {
		.any_color = true,
		.color = { 0, 0, 0, LIGHT_FULL },
	};
	unsigned int percent;

	if (device->colors < 4 || !words_number(argument, 100, &percent))
		node_tasmota_refuse(
			heard, "must be from 0 to 100, of a light with white");
	else
		light_on(heard, device, &wish, percent);
}

void node_tasmota_light_command(const struct tasmota_heard *heard,
				const struct tasmota_command *command)
{
	bool by_number = command->verb == TASMOTA_CHANNEL ||
			 command->verb == TASMOTA_DIMMER;
	struct node_device *device =
		light_for(heard, by_number ? command->index : 0);

	if (!device || !device->channels)
		node_tasmota_refuse(heard, "there is no such light");
	else if (command->argument.len == 0)
		node_tasmota_say_light(heard->t, device);
	else if (by_number)
		dim(heard, device, command->argument);
	else if (command->verb == TASMOTA_COLOR)
		color(heard, device, command);
	else if (command->verb == TASMOTA_HSBCOLOR)
		hsb_color(heard, device, command);
	else
		white(heard, device, command->argument);
}

void node_tasmota_fade(const struct tasmota_heard *heard,
		       const struct tasmota_command *command)
{
	struct node_tasmota *t = heard->t;
	enum logic_verb verb;

	if (command->argument.len > 0) {
		if (!tasmota_parse_power(command->argument, &verb)) {
			node_tasmota_refuse(heard, "must be ON, OFF or TOGGLE");
			return;
		}
		t->fade = verb == LOGIC_TOGGLE ? !t->fade : verb == LOGIC_ON;
		t->any_fade = true;
	}
	node_tasmota_stat_json(
		t, "RESULT", json_pack("{ss}", "Fade", topics_state(t->fade)));
}

void node_tasmota_speed(const struct tasmota_heard *heard,
			const struct tasmota_command *command)
{
	struct node_tasmota *t = heard->t;
	unsigned int value;

	if (command->argument.len > 0) {
		if (!words_number(command->argument, TASMOTA_SPEED_MAX,
				  &value) ||
		    value < 1) {
			node_tasmota_refuse(
				heard, "must be from 1 to 40 half seconds");
			return;
		}
		t->speed = value;
	}
	node_tasmota_stat_json(t, "RESULT",
			       json_pack("{si}", "Speed", (int)t->speed));
}

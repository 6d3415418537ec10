/* What is said to a device with Tasmota, carried out as any other order. */
#include <stdio.h>
#include <string.h>

#include "gpio/node_tasmota.h"
#include "gpio/words.h"

struct node_device *node_tasmota_device(struct node *node,
					const struct device *device)
{
	for (size_t i = 0; i < DEVICES_MAX; i++)
		if (node->devices.device[i].used &&
		    &node->devices.device[i].device == device)
			return &node->devices.device[i];
	return NULL;
}

void node_tasmota_refuse(const struct tasmota_heard *heard, const char *reason)
{
	struct node_tasmota *t = heard->t;

	node_say_error(t->base.node, heard->message->topic,
		       heard->message->payload, reason);
	node_tasmota_stat(t, "RESULT", TASMOTA_ANSWER_ERROR);
}

/* ---- who is meant ------------------------------------------------------- */

static struct node_pin *output_for(const struct tasmota_heard *heard,
				   const char *name)
{
	struct node_pin *pin =
		node_pins_find(heard->t->base.node, slice_str(name));

	return pin && pin->pin.direction == LINE_OUTPUT ? pin : NULL;
}

/* ---- outputs ------------------------------------------------------------ */

static void switch_output(const struct tasmota_heard *heard,
			  struct node_pin *pin, struct slice argument)
{
	struct node_tasmota *t = heard->t;
	unsigned int said = t->said;
	enum logic_verb verb;

	if (!pin->request) {
		node_tasmota_refuse(heard, "its line could not be had");
		return;
	}
	if (argument.len > 0) {
		if (!tasmota_parse_power(argument, &verb)) {
			node_tasmota_refuse(heard, "must be ON, OFF or TOGGLE");
			return;
		}
		node_order_locally(t->base.node, pin, verb, "Tasmota");
	}
	/* Asked for, or not what was wanted: as it is. */
	if (t->said == said)
		node_tasmota_say_output(t, pin);
}

/* False: there is none of this number. */
static bool power_one(const struct tasmota_heard *heard, unsigned int number,
		      struct slice argument)
{
	const char *name =
		tasmota_name(&heard->t->numbers, TASMOTA_RELAYS, number);
	struct node_device *light =
		node_light_named(heard->t->base.node, slice_str(name));
	struct node_pin *pin = output_for(heard, name);

	if (light)
		node_tasmota_switch_light(heard, light, argument);
	else if (pin)
		switch_output(heard, pin, argument);
	return light || pin;
}

static bool drives_cover(const struct tasmota_heard *heard, const char *name)
{
	const struct node_device *devices = heard->t->base.node->devices.device;

	for (size_t i = 0; i < DEVICES_MAX; i++)
		if (devices[i].used && devices[i].device.kind == DEVICE_COVER &&
		    (strcmp(devices[i].device.up, name) == 0 ||
		     strcmp(devices[i].device.down, name) == 0))
			return true;
	return false;
}

/* POWER0 is all of them, but for shutters. */
static void power(const struct tasmota_heard *heard,
		  const struct tasmota_command *command)
{
	if (command->index > 0) {
		if (!power_one(heard, command->index, command->argument))
			node_tasmota_refuse(heard, "there is no such relay");
		return;
	}
	for (unsigned int n = 1; n <= TASMOTA_NUMBERS_MAX; n++) {
		const char *name =
			tasmota_name(&heard->t->numbers, TASMOTA_RELAYS, n);

		if (name[0] && !drives_cover(heard, name))
			(void)power_one(heard, n, command->argument);
	}
}

/* ---- covers ------------------------------------------------------------- */

static struct node_device *shutter_for(const struct tasmota_heard *heard,
				       unsigned int number)
{
	struct discovery_things things;
	const struct device *device;

	node_things(heard->t->base.node, &things);
	device = number ? tasmota_shutter(&heard->t->numbers, &things, number)
			: NULL;
	return device ? node_tasmota_device(heard->t->base.node, device) : NULL;
}

static void shutter(const struct tasmota_heard *heard,
		    const struct tasmota_command *command)
{
	struct node_device *device = shutter_for(heard, command->index);
	bool asked = command->verb == TASMOTA_SHUTTER_POSITION &&
		     command->argument.len == 0;
	unsigned int said = heard->t->said;
	unsigned int position = 0;

	if (!device) {
		node_tasmota_refuse(heard, "there is no such shutter");
		return;
	}
	if (command->verb == TASMOTA_SHUTTER_OPEN)
		position = 100;
	else if (command->verb == TASMOTA_SHUTTER_POSITION && !asked &&
		 !words_number(command->argument, 100, &position)) {
		node_tasmota_refuse(heard, "must be from 0 to 100");
		return;
	}
	if (!asked)
		node_cover_order(device, command->verb == TASMOTA_SHUTTER_STOP,
				 position, "Tasmota");
	if (heard->t->said == said)
		node_tasmota_say_cover(heard->t, device);
}

/* ---- questions ---------------------------------------------------------- */

static bool say_status(struct node_tasmota *t, unsigned int n)
{
	char leaf[24] = "STATUS";
	bool known;
	json_t *answer = node_tasmota_status(t, n, &known);

	if (!known)
		return false;
	if (n > 0)
		(void)snprintf(leaf, sizeof(leaf), "STATUS%u", n);
	node_tasmota_stat_json(t, leaf, answer);
	return true;
}

/* Without a number it is the first, with 0 all of them. */
static void status(const struct tasmota_heard *heard,
		   const struct tasmota_command *command)
{
	unsigned int n = 0;

	if (command->argument.len > 0 &&
	    !words_number(command->argument, 99, &n)) {
		node_tasmota_refuse(heard, "must be a number");
		return;
	}
	if (command->argument.len == 0) {
		(void)say_status(heard->t, 0);
	} else if (n > 0) {
		if (!say_status(heard->t, n))
			node_tasmota_refuse(heard, "there is no such status");
	} else {
		for (n = 0; n <= 11; n++)
			(void)say_status(heard->t, n);
	}
}

/* ---- all ---------------------------------------------------------------- */

static void obey(const struct tasmota_heard *heard,
		 const struct tasmota_command *command);

static void backlog(const struct tasmota_heard *heard, struct slice list)
{
	struct tasmota_heard inner = *heard;
	struct tasmota_command command;
	unsigned int count = 0;

	inner.in_backlog = true;
	while (tasmota_backlog_next(&list, &command)) {
		/* That is said between the others, and is nothing here. */
		if (command.verb == TASMOTA_NODELAY)
			continue;
		if (count++ == TASMOTA_BACKLOG_MAX) {
			node_tasmota_refuse(heard, "too many commands");
			return;
		}
		obey(&inner, &command);
	}
}

static void obey(const struct tasmota_heard *heard,
		 const struct tasmota_command *command)
{
	switch (command->verb) {
	case TASMOTA_POWER:
		power(heard, command);
		return;
	case TASMOTA_DIMMER:
	case TASMOTA_COLOR:
	case TASMOTA_HSBCOLOR:
	case TASMOTA_WHITE:
	case TASMOTA_CHANNEL:
		node_tasmota_light_command(heard, command);
		return;
	case TASMOTA_FADE:
		node_tasmota_fade(heard, command);
		return;
	case TASMOTA_SPEED:
		node_tasmota_speed(heard, command);
		return;
	case TASMOTA_SHUTTER_OPEN:
	case TASMOTA_SHUTTER_CLOSE:
	case TASMOTA_SHUTTER_STOP:
	case TASMOTA_SHUTTER_POSITION:
		shutter(heard, command);
		return;
	case TASMOTA_STATE:
		node_tasmota_stat_json(heard->t, "RESULT",
				       node_tasmota_state(heard->t));
		return;
	case TASMOTA_STATUS:
		status(heard, command);
		return;
	case TASMOTA_NODELAY:
		return;
	case TASMOTA_BACKLOG:
		if (!heard->in_backlog) {
			backlog(heard, command->argument);
			return;
		}
		break;
	case TASMOTA_UNKNOWN:
		break;
	}
	node_say_error(heard->t->base.node, heard->message->topic,
		       heard->message->payload, "is not known here");
	node_tasmota_stat(heard->t, "RESULT", TASMOTA_ANSWER_UNKNOWN);
}

void node_tasmota_heard(struct node_dialect *dialect,
			const struct client_message *message)
{
	struct tasmota_heard heard = { .t = tasmota_of(dialect),
				       .message = message };
	struct node *node = dialect->node;
	struct tasmota_command command;
	struct slice name;

	if (node->stopping ||
	    !tasmota_is_command(node->name, message->topic, &name))
		return;
	/* Empty ones, too, are commands here: ShutterOpen. */
	if (!node_command_is_new(node, message))
		return;
	if (message->payload.len > COMMAND_MAX) {
		node_tasmota_refuse(&heard, "too long");
		return;
	}
	command = tasmota_command(name, message->payload);
	obey(&heard, &command);
}

#include "gpio/node_tasmota.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/base/json_text.h"
#include "broker/base/log.h"

static void publish(struct node_tasmota *t, const char *prefix,
		    const char *leaf, const char *text, bool retain)
{
	char topic[TASMOTA_TOPIC_SIZE];

	node_dialect_publish(
		&t->base,
		tasmota_topic(topic, prefix, t->base.node->name, leaf), text,
		retain);
}

static void publish_found(struct node_tasmota *t, const char *leaf,
			  const char *text)
{
	char topic[TASMOTA_TOPIC_SIZE];

	node_dialect_publish(
		&t->base,
		tasmota_discovery_topic(topic, t->base.node->name, leaf), text,
		true);
}

static void no_memory(void)
{
	log_error("Tasmota", "something was not said: out of memory");
}

void node_tasmota_stat(struct node_tasmota *t, const char *leaf,
		       const char *text)
{
	t->said++;
	publish(t, "stat", leaf, text, false);
}

static char *text_of(json_t *object)
{
	char *text = object ? json_text(object, JSON_COMPACT) : NULL;

	json_decref(object);
	if (!text)
		no_memory();
	return text;
}

void node_tasmota_stat_json(struct node_tasmota *t, const char *leaf,
			    json_t *object)
{
	char *text = text_of(object);

	if (text)
		node_tasmota_stat(t, leaf, text);
	free(text);
}

/* ---- as it stands ------------------------------------------------------- */

static void say_power(struct node_tasmota *t, const char *name, bool on)
{
	unsigned int number = tasmota_number(&t->numbers, TASMOTA_RELAYS, name);
	char leaf[16];

	(void)snprintf(leaf, sizeof(leaf), "POWER%u", number);
	if (number)
		node_tasmota_stat(t, leaf, topics_state(on));
}

void node_tasmota_say_output(struct node_tasmota *t, const struct node_pin *pin)
{
	const bool on = node_pin_on(pin);
	unsigned int number =
		tasmota_number(&t->numbers, TASMOTA_RELAYS, pin->pin.name);
	char text[48];

	if (!number || !pin->request)
		return;
	(void)snprintf(text, sizeof(text), "{\"POWER%u\":\"%s\"}", number,
		       topics_state(on));
	node_tasmota_stat(t, "RESULT", text);
	say_power(t, pin->pin.name, on);
}

void node_tasmota_say_light(struct node_tasmota *t,
			    const struct node_device *device)
{
	if (!device->channels)
		return;
	node_tasmota_stat_json(t, "RESULT", node_tasmota_light(t, device));
	say_power(t, device->device.name, device->light.on);
}

void node_tasmota_say_cover(struct node_tasmota *t,
			    const struct node_device *device)
{
	node_tasmota_stat_json(t, "RESULT", node_tasmota_cover(t, device));
}

static void say_tele(struct node_tasmota *t)
{
	char *state = text_of(node_tasmota_state(t));
	char *sensors = text_of(node_tasmota_sensors(t, false));

	if (state)
		publish(t, "tele", "STATE", state, false);
	if (sensors)
		publish(t, "tele", "SENSOR", sensors, false);
	free(sensors);
	free(state);
}

/* ---- what there is ------------------------------------------------------ */

static void number_all(struct node_tasmota *t,
		       const struct discovery_things *things)
{
	const char *directory = t->base.node->state_directory;
	int r;

	if (!tasmota_numbers_assign(&t->numbers, things) || !directory)
		return;
	r = tasmota_numbers_save(directory, &t->numbers);
	if (r)
		log_error(directory, TASMOTA_NUMBERS_FILE " not written: %s",
			  strerrordesc_np(-r));
}

static void say_found(struct node_tasmota *t)
{
	struct discovery_things things;
	char *config;
	char *sensors;

	node_things(t->base.node, &things);
	number_all(t, &things);
	config = tasmota_config(t->base.node->name, &things, &t->numbers);
	sensors = tasmota_sensors(node_tasmota_sensors(t, true));
	if (config)
		publish_found(t, "config", config);
	if (sensors)
		publish_found(t, "sensors", sensors);
	if (!config || !sensors)
		no_memory();
	free(sensors);
	free(config);
}

static void say(struct node_dialect *dialect)
{
	struct node_tasmota *t = tasmota_of(dialect);

	publish(t, "tele", "LWT", "Online", true);
	say_found(t);
	say_tele(t);
}

/* ---- what happens ------------------------------------------------------- */

static void say_action(struct node_tasmota *t, const char *what,
		       const char *action)
{
	json_t *object = json_pack("{s{ss}}", what, "Action", action);

	node_tasmota_stat_json(t, "RESULT", object);
}

void node_tasmota_say_pin(struct node *node, const struct node_pin *pin)
{
	struct node_tasmota *t;

	if (!node_dialect_there(node->tasmota) || !pin->request)
		return;
	t = tasmota_of(node->tasmota);
	if (pin->pin.direction == LINE_OUTPUT)
		node_tasmota_say_output(t, pin);
	else if (tasmota_kind(&pin->pin) == TASMOTA_SWITCHES)
		say_action(t, pin->pin.name, topics_state(node_pin_on(pin)));
}

void node_tasmota_say_event(struct node *node, const struct node_pin *pin,
			    const char *type)
{
	static const struct {
		const char *type;
		const char *action;
	} actions[] = {
		{ "single", "SINGLE" },
		{ "double", "DOUBLE" },
		{ "triple", "TRIPLE" },
		{ "long", "HOLD" },
	};
	struct node_tasmota *t;
	char button[16];

	if (!node_dialect_there(node->tasmota))
		return;
	t = tasmota_of(node->tasmota);
	(void)snprintf(
		button, sizeof(button), "Button%u",
		tasmota_number(&t->numbers, TASMOTA_BUTTONS, pin->pin.name));
	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
		if (strcmp(actions[i].type, type) == 0)
			say_action(t, button, actions[i].action);
}

/* Sensors have their time. */
void node_tasmota_say_device(struct node *node,
			     const struct node_device *device)
{
	if (!node_dialect_there(node->tasmota))
		return;
	if (device->device.kind == DEVICE_COVER)
		node_tasmota_say_cover(tasmota_of(node->tasmota), device);
	else if (device->device.kind == DEVICE_LIGHT)
		node_tasmota_say_light(tasmota_of(node->tasmota), device);
}

/* ---- beginning and ending ----------------------------------------------- */

static bool spoken(const struct node *node)
{
	return node->dialects.tasmota;
}

static const char *will(const struct node *node,
			char topic[NODE_DIALECT_TOPIC_SIZE])
{
	static_assert(TASMOTA_TOPIC_SIZE <= NODE_DIALECT_TOPIC_SIZE,
		      "no room for a topic");

	(void)tasmota_topic(topic, "tele", node->name, "LWT");
	return "Offline";
}

static void on_period(struct loop_timer *timer)
{
	struct node_tasmota *t = list_entry(timer, struct node_tasmota, period);

	loop_timer_set(t->base.node->loop, timer, NODE_TASMOTA_PERIOD_MS);
	if (node_dialect_there(&t->base) && !t->base.node->stopping)
		say_tele(t);
}

static void recall(struct node_tasmota *t)
{
	const char *directory = t->base.node->state_directory;
	int r = directory ? tasmota_numbers_load(directory, &t->numbers)
			  : -ENOENT;

	if (r && r != -ENOENT)
		log_error(directory,
			  TASMOTA_NUMBERS_FILE
			  " is not used, relays are numbered anew: %s",
			  r == -EINVAL ? "damaged" : strerrordesc_np(-r));
}

static int begin(struct node_dialect *dialect)
{
	struct node_tasmota *t = tasmota_of(dialect);
	struct node *node = dialect->node;
	char filter[TASMOTA_TOPIC_SIZE];
	int r = client_subscribe(dialect->client,
				 tasmota_topic(filter, "cmnd", node->name, "+"),
				 1);

	if (!r)
		r = client_subscribe(dialect->client, TASMOTA_GROUP "+", 1);
	if (r)
		return r;
	recall(t);
	t->since = loop_now(node->loop);
	t->speed = 1;
	t->period.fn = on_period;
	loop_timer_set(node->loop, &t->period, NODE_TASMOTA_PERIOD_MS);
	return 0;
}

static void stop(struct node_dialect *dialect)
{
	publish(tasmota_of(dialect), "tele", "LWT", "Offline", true);
}

static void leave(struct node_dialect *dialect)
{
	struct node_tasmota *t = tasmota_of(dialect);

	publish_found(t, "config", "");
	publish_found(t, "sensors", "");
	publish(t, "tele", "LWT", "", true);
}

static void end(struct node_dialect *dialect)
{
	loop_timer_cancel(dialect->node->loop, &tasmota_of(dialect)->period);
}

const struct node_dialect_ops node_tasmota_ops = {
	.name = "Tasmota",
	.suffix = "-tasmota",
	.size = sizeof(struct node_tasmota),
	.spoken = spoken,
	.will = will,
	.begin = begin,
	.say = say,
	.stop = stop,
	.leave = leave,
	.message = node_tasmota_heard,
	.end = end,
};

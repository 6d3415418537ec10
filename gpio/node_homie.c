/*
 * A node as a Homie device: homie.h has the words.
 *
 * What is retained below the device's topics and has no place there any more, is
 * taken away: the connection hears its own topics when it begins.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/base/clock.h"
#include "broker/base/log.h"
#include "gpio/node_homie.h"

struct node_homie {
	struct node_dialect base;
	json_int_t version; /* the last description's */
};

static struct node_homie *homie_of(struct node_dialect *dialect)
{
	return list_entry(dialect, struct node_homie, base);
}

/* ---- what is said ------------------------------------------------------- */

static void publish_leaf(struct node_dialect *homie, const char *leaf,
			 const char *text)
{
	char topic[HOMIE_TOPIC_SIZE];

	node_dialect_publish(homie, homie_topic(topic, homie->node->name, leaf),
			     text, true);
}

void node_homie_put(struct node_dialect *homie, const char *name,
		    enum homie_property property, const char *text)
{
	char topic[HOMIE_TOPIC_SIZE];

	node_dialect_publish(
		homie,
		homie_value_topic(topic, homie->node->name, name, property),
		text, homie_is_retained(property));
}

void node_homie_put_target(struct node_dialect *homie, const char *name,
			   enum homie_property property, const char *text)
{
	char topic[HOMIE_TOPIC_SIZE];

	node_dialect_publish(
		homie,
		homie_target_topic(topic, homie->node->name, name, property),
		text, true);
}

static void value_text(const struct node_pin *pin, enum homie_property which,
		       char out[40])
{
	double count = (double)pin->counter.count;

	out[0] = '\0';
	if (which == HOMIE_STATE)
		(void)snprintf(out, 40, "%s",
			       node_pin_on(pin) ? "true" : "false");
	else if (which == HOMIE_COUNT)
		(void)snprintf(out, 40, "%llu",
			       (unsigned long long)pin->counter.count);
	else if (which == HOMIE_VALUE)
		(void)snprintf(out, 40, "%.6g", count / pin->pin.per_unit);
}

/* Of a line that we do not have nothing is known. */
static void say_values(struct node_dialect *homie, const struct node_pin *pin)
{
	const struct homie_thing thing = { .pin = &pin->pin };
	enum homie_property has[HOMIE_PROPERTIES_MAX];
	size_t count = homie_properties(&thing, has);
	char text[40];

	for (size_t i = 0; i < count; i++) {
		if (!homie_is_retained(has[i]))
			continue;
		value_text(pin, has[i], text);
		node_homie_put(homie, pin->pin.name, has[i],
			       pin->request ? text : "");
	}
}

static void say_description(struct node_homie *homie)
{
	const struct node *node = homie->base.node;
	struct discovery_things things;
	json_int_t now = clock_wall_ms();
	char *text;

	node_things(node, &things);
	homie->version = now > homie->version ? now : homie->version + 1;
	text = homie_description(node->name, &things, homie->version);
	if (!text) {
		log_error("Homie", "not told what there is: out of memory");
		return;
	}
	publish_leaf(&homie->base, "$description", text);
	free(text);
}

static void say(struct node_dialect *homie)
{
	struct node *node = homie->node;

	publish_leaf(homie, "$state", "init");
	say_description(homie_of(homie));
	for (size_t i = 0; i < PINS_MAX; i++)
		if (node->pins[i].used)
			say_values(homie, &node->pins[i]);
	for (size_t i = 0; i < DEVICES_MAX; i++)
		if (node->devices.device[i].used)
			node_homie_say_device(node, &node->devices.device[i]);
	publish_leaf(homie, "$state", "ready");
}

void node_homie_say_pin(struct node *node, const struct node_pin *pin)
{
	if (node_dialect_there(node->homie))
		say_values(node->homie, pin);
}

void node_homie_say_event(struct node *node, const struct node_pin *pin,
			  const char *type)
{
	if (node_dialect_there(node->homie))
		node_homie_put(node->homie, pin->pin.name, HOMIE_EVENT, type);
}

static void take_away(struct node_dialect *homie,
		      const struct homie_thing *thing, const char *name)
{
	enum homie_property has[HOMIE_PROPERTIES_MAX];
	size_t count = homie_properties(thing, has);

	for (size_t i = 0; i < count; i++) {
		if (homie_is_retained(has[i]))
			node_homie_put(homie, name, has[i], "");
		if (has[i] == HOMIE_POSITION)
			node_homie_put_target(homie, name, has[i], "");
	}
}

void node_homie_say_left(struct node *node, const struct pin *pin)
{
	const struct homie_thing thing = { .pin = pin };

	if (node_dialect_there(node->homie))
		take_away(node->homie, &thing, pin->name);
}

void node_homie_say_device_left(struct node *node, const struct device *device)
{
	const struct homie_thing thing = { .device = device };

	if (node_dialect_there(node->homie))
		take_away(node->homie, &thing, device->name);
}

/* ---- what is heard ------------------------------------------------------ */

static struct node_pin *find_pin(struct node *node, struct slice id)
{
	for (size_t i = 0; i < PINS_MAX; i++)
		if (node->pins[i].used && homie_is(node->pins[i].pin.name, id))
			return &node->pins[i];
	return NULL;
}

static struct node_device *find_device(struct node *node, struct slice id)
{
	for (size_t i = 0; i < DEVICES_MAX; i++) {
		struct node_device *device = &node->devices.device[i];

		if (device->used && homie_is(device->device.name, id))
			return device;
	}
	return NULL;
}

/* NULL: done, or refused. */
static const char *set_pin(struct node *node, struct node_pin *pin,
			   struct slice payload)
{
	bool on = slice_equal(payload, slice_str("true"));

	if (!on && !slice_equal(payload, slice_str("false")))
		return "must be true or false";
	if (!pin->request)
		return "there is no such output";
	node_order_locally(node, pin, on ? LOGIC_ON : LOGIC_OFF, "Homie");
	return NULL;
}

/* What an earlier life said, of what is there no more. */
static void take_stale_away(struct node_dialect *homie,
			    const struct client_message *message)
{
	char topic[HOMIE_TOPIC_SIZE];

	if (!message->retain || message->payload.len == 0 ||
	    message->topic.len >= sizeof(topic))
		return;
	memcpy(topic, message->topic.data, message->topic.len);
	topic[message->topic.len] = '\0';
	node_dialect_publish(homie, topic, "", true);
}

static void on_message(struct node_dialect *homie,
		       const struct client_message *message)
{
	struct node *node = homie->node;
	struct slice id, name;
	struct node_device *device;
	struct node_pin *pin;
	struct homie_thing thing;
	enum homie_property property;
	const char *reason = "there is nothing to set";
	bool set, known;

	if (!homie_parse(node->name, message->topic, &id, &name, &set))
		return;
	pin = find_pin(node, id);
	device = find_device(node, id);
	thing = (struct homie_thing){
		.pin = pin ? &pin->pin : NULL,
		.device = device && !pin ? &device->device : NULL,
	};
	known = (pin || device) &&
		homie_property_named(&thing, name, &property);
	if (!set) {
		if (!known)
			take_stale_away(homie, message);
		return;
	}
	if (!node_command_counts(node, message) || node->stopping)
		return;
	if (known && homie_is_settable(&thing, property))
		reason = pin ? set_pin(node, pin, message->payload)
			     : node_homie_set(device, property,
					      message->payload);
	if (reason)
		node_say_error(node, message->topic, message->payload, reason);
}

/* ---- beginning and ending ----------------------------------------------- */

static bool spoken(const struct node *node)
{
	return node->dialects.homie;
}

static const char *will(const struct node *node,
			char topic[NODE_DIALECT_TOPIC_SIZE])
{
	(void)homie_topic(topic, node->name, "$state");
	return "lost";
}

static int begin(struct node_dialect *homie)
{
	char filter[HOMIE_TOPIC_SIZE];

	return client_subscribe(homie->client,
				homie_topic(filter, homie->node->name, "#"), 1);
}

static void stop(struct node_dialect *homie)
{
	publish_leaf(homie, "$state", "disconnected");
}

static void leave(struct node_dialect *homie)
{
	struct node *node = homie->node;
	struct discovery_things things;

	node_things(node, &things);
	for (size_t i = 0; i < things.pins; i++) {
		const struct homie_thing thing = { .pin = things.pin[i] };

		take_away(homie, &thing, thing.pin->name);
	}
	for (size_t i = 0; i < things.devices; i++) {
		const struct homie_thing thing = { .device = things.device[i] };

		take_away(homie, &thing, thing.device->name);
	}
	publish_leaf(homie, "$description", "");
	publish_leaf(homie, "$state", "");
}

const struct node_dialect_ops node_homie_ops = {
	.name = "Homie",
	.suffix = "-homie",
	.size = sizeof(struct node_homie),
	.spoken = spoken,
	.will = will,
	.begin = begin,
	.say = say,
	.stop = stop,
	.leave = leave,
	.message = on_message,
};

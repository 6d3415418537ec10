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
#include "gpio/homie.h"
#include "gpio/node_internal.h"

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
	enum homie_property has[HOMIE_PROPERTIES_MAX];
	size_t count = homie_properties(&pin->pin, has);
	char topic[HOMIE_TOPIC_SIZE];
	char text[40];

	for (size_t i = 0; i < count; i++) {
		if (has[i] == HOMIE_EVENT)
			continue;
		value_text(pin, has[i], text);
		node_dialect_publish(homie,
				     homie_value_topic(topic, homie->node->name,
						       &pin->pin, has[i]),
				     pin->request ? text : "", true);
	}
}

static void say_description(struct node_homie *homie)
{
	const struct node *node = homie->base.node;
	const struct pin *pins[PINS_MAX];
	json_int_t now = clock_wall_ms();
	size_t count = 0;
	char *text;

	for (size_t i = 0; i < PINS_MAX; i++)
		if (node->pins[i].used)
			pins[count++] = &node->pins[i].pin;
	homie->version = now > homie->version ? now : homie->version + 1;
	text = homie_description(node->name, pins, count, homie->version);
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
	char topic[HOMIE_TOPIC_SIZE];

	if (node_dialect_there(node->homie))
		node_dialect_publish(node->homie,
				     homie_value_topic(topic, node->name,
						       &pin->pin, HOMIE_EVENT),
				     type, false);
}

static void take_away(struct node_dialect *homie, const struct pin *pin)
{
	enum homie_property has[HOMIE_PROPERTIES_MAX];
	size_t count = homie_properties(pin, has);
	char topic[HOMIE_TOPIC_SIZE];

	for (size_t i = 0; i < count; i++)
		if (has[i] != HOMIE_EVENT)
			node_dialect_publish(
				homie,
				homie_value_topic(topic, homie->node->name, pin,
						  has[i]),
				"", true);
}

void node_homie_say_left(struct node *node, const struct pin *pin)
{
	if (node_dialect_there(node->homie))
		take_away(node->homie, pin);
}

/* ---- what is heard ------------------------------------------------------ */

static struct node_pin *find(struct node *node, struct slice id)
{
	for (size_t i = 0; i < PINS_MAX; i++)
		if (node->pins[i].used && homie_is(&node->pins[i].pin, id))
			return &node->pins[i];
	return NULL;
}

static bool has_property(const struct pin *pin, struct slice property)
{
	enum homie_property has[HOMIE_PROPERTIES_MAX];
	size_t count = homie_properties(pin, has);

	for (size_t i = 0; i < count; i++)
		if (slice_equal(property,
				slice_str(homie_property_name(has[i]))))
			return true;
	return false;
}

static void on_set(struct node *node, const struct client_message *message,
		   struct node_pin *pin)
{
	bool on = slice_equal(message->payload, slice_str("true"));

	if (!node_command_counts(node, message))
		return;
	if (!on && !slice_equal(message->payload, slice_str("false")))
		node_say_error(node, message->topic, message->payload,
			       "must be true or false");
	else if (!pin || pin->pin.direction != LINE_OUTPUT || !pin->request)
		node_say_error(node, message->topic, message->payload,
			       "there is no such output");
	else if (!node->stopping)
		node_order_locally(node, pin, on ? LOGIC_ON : LOGIC_OFF,
				   "Homie");
}

/* What an earlier life said, of what is there no more. */
static void on_value(struct node_dialect *homie,
		     const struct client_message *message,
		     const struct node_pin *pin, struct slice property)
{
	char topic[HOMIE_TOPIC_SIZE];

	if (!message->retain || message->payload.len == 0 ||
	    (pin && has_property(&pin->pin, property)) ||
	    message->topic.len >= sizeof(topic))
		return;
	memcpy(topic, message->topic.data, message->topic.len);
	topic[message->topic.len] = '\0';
	node_dialect_publish(homie, topic, "", true);
}

static void on_message(struct node_dialect *homie,
		       const struct client_message *message)
{
	struct slice id;
	struct slice property;
	struct node_pin *pin;
	bool set;

	if (!homie_parse(homie->node->name, message->topic, &id, &property,
			 &set))
		return;
	pin = find(homie->node, id);
	if (!set)
		on_value(homie, message, pin, property);
	else
		on_set(homie->node, message, pin);
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

	for (size_t i = 0; i < PINS_MAX; i++)
		if (node->pins[i].used)
			take_away(homie, &node->pins[i].pin);
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

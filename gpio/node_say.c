/* What a node says to the hub, of its pins and of what went wrong. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/base/log.h"
#include "gpio/node_internal.h"

/* A hub whose disk is full refuses what it would have to keep; what holds it must
 * be told all the same. From time to time a state, which is said again, asks
 * whether it takes them again. */
static uint8_t qos_for(struct node *node, bool retain)
{
	const uint64_t now = loop_now(node->loop);

	if (!node->lightly)
		return 1;
	if (!retain || now < node->ask_at)
		return 0;
	node->ask_at = now + NODE_ASK_AGAIN_MS;
	node->asking = true;

	return 1;
}

bool node_say(struct node *node, const char *topic, const char *payload,
	      bool retain)
{
	int r;

	/* What holds is said when it comes. What is only now is said where
	 * somebody hears it: a dialect's connection may have come before, and
	 * what is refused there is to be told. */
	if (!client_connected(node->client))
		return !retain && node_dialects_tell(node, topic, payload);
	r = client_publish(node->client, slice_str(topic), slice_str(payload),
			   qos_for(node, retain), retain, 0);
	if (!r)
		return true;
	/* The hub takes no message so large; it would be no smaller later. */
	if (r == -EMSGSIZE) {
		log_error(topic,
			  "not published: %zu bytes are too many for "
			  "the hub",
			  strlen(payload));
		return true;
	}
	if (!node->behind)
		log_error(topic, "not published: %s; what holds is said later",
			  strerrordesc_np(-r));
	node->behind = true;
	return false;
}

bool node_pin_is_light(const struct pin *pin)
{
	return pin->direction == LINE_OUTPUT && pin->kind == PIN_LIGHT;
}

static const char *kind_of(const struct pin *pin)
{
	return pin->direction == LINE_OUTPUT ? "out" : "in";
}

/* Of a line that we do not have nothing is known, so nothing is said. */
void node_say_state(struct node *node, struct node_pin *pin)
{
	char topic[TOPICS_SIZE];
	bool on;

	node_say_usable(node, pin, false);
	/* It has a count instead. */
	if (pin->request && pin->pin.kind == PIN_COUNTER) {
		node_input_say(pin);
		return;
	}
	node_dialects_say_pin(node, pin);
	if (!pin->request) {
		node_say_gone(node, &pin->pin);
		return;
	}

	on = node_pin_on(pin);
	node_say(node,
		 topics_pin(topic, node->name, kind_of(&pin->pin),
			    pin->pin.name, ""),
		 topics_state(on), true);
	if (node_pin_is_light(&pin->pin))
		node_say(node,
			 topics_pin(topic, node->name, "light", pin->pin.name,
				    ""),
			 on ? "{\"state\":\"ON\"}" : "{\"state\":\"OFF\"}",
			 true);
}

void node_say_usable(struct node *node, struct node_pin *pin, bool again)
{
	char topic[TOPICS_SIZE];
	enum node_said now =
		pin->request && !pin->fault[0] ? SAID_ONLINE : SAID_OFFLINE;

	if (pin->said == now && !again)
		return;
	pin->said = now;
	node_say(node,
		 topics_pin(topic, node->name, kind_of(&pin->pin),
			    pin->pin.name, "/status"),
		 now == SAID_ONLINE ? "online" : "offline", true);
}

void node_say_left(struct node *node, struct node_pin *pin)
{
	char topic[TOPICS_SIZE];

	node_dialects_say_left(node, &pin->pin);
	node_say_gone(node, &pin->pin);
	node_take_away(node, topics_pin(topic, node->name, kind_of(&pin->pin),
					pin->pin.name, "/status"));
	pin->said = SAID_NOTHING;
}

static void take_away(struct node *node, const char *kind, const char *name,
		      const char *suffix)
{
	char topic[TOPICS_SIZE];

	node_take_away(node, topics_pin(topic, node->name, kind, name, suffix));
}

void node_say_gone(struct node *node, const struct pin *pin)
{
	take_away(node, kind_of(pin), pin->name, "");
	if (node_pin_is_light(pin))
		take_away(node, "light", pin->name, "");
	if (pin->kind == PIN_COUNTER) {
		take_away(node, "in", pin->name, "/count");
		take_away(node, "in", pin->name, "/rate");
	}
	if (pin->per_unit > 0)
		take_away(node, "sensor", pin->name, "");
}

void node_say_event(const struct node_pin *pin, const char *type)
{
	char topic[TOPICS_SIZE];
	char text[48];

	node_dialects_say_event(pin->node, pin, type);
	(void)snprintf(text, sizeof(text), "{\"event_type\":\"%s\"}", type);
	node_say(pin->node,
		 topics_pin(topic, pin->node->name, "in", pin->pin.name,
			    "/event"),
		 text, false);
}

void node_say_value(struct node *node, const char *kind, const char *name,
		    const char *suffix, const char *value)
{
	char topic[TOPICS_SIZE];

	(void)topics_pin(topic, node->name, kind, name, suffix);
	/* Without a hub, or one that lags: the next one will do. */
	(void)client_publish(node->client, slice_str(topic), slice_str(value),
			     0, true, 0);
}

void node_say_error(struct node *node, struct slice topic, struct slice payload,
		    const char *reason)
{
	char where[TOPICS_SIZE];
	char *text = topics_error(topic, payload, reason, ++node->error_count);

	log_warn("hub", "%.*s: %s", (int)(topic.len < 200 ? topic.len : 200),
		 (const char *)topic.data, reason);
	if (text)
		node_say(node, topics_node(where, node->name, "error"), text,
			 false);
	free(text);
}

void node_say_trouble(struct node *node, const char *input, const char *reason)
{
	char topic[TOPICS_SIZE];

	node_say_error(
		node, slice_str(topics_pin(topic, node->name, "in", input, "")),
		slice_str(""), reason);
}

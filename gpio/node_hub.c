#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/base/log.h"
#include "gpio/node_internal.h"
#include "gpio/state.h"

/* The output that a command names, or NULL and why there is none. */
static struct node_pin *output_for(struct node *node, enum topics_kind kind,
				   struct slice name, char reason[REASON_SIZE])
{
	struct node_pin *pin = node_pins_find(node, name);

	if (!pin || pin->pin.direction != LINE_OUTPUT ||
	    (kind == TOPIC_LIGHT_SET && !node_pin_is_light(&pin->pin))) {
		(void)snprintf(reason, REASON_SIZE, "there is no such %s",
			       kind == TOPIC_LIGHT_SET ? "light" : "output");
		return NULL;
	}
	if (!pin->request) {
		node_pin_why(pin, reason);
		return NULL;
	}
	return pin;
}

static void on_command(struct node *node, const struct client_message *message,
		       enum topics_kind kind, struct slice name)
{
	struct topics_command command = { 0 };
	char why[REASON_SIZE] = "";
	const char *reason = why;
	struct node_pin *pin;

	if (!node_command_counts(node, message))
		return;
	if (topics_parse_command(message->payload, &command, &reason) ||
	    !(pin = output_for(node, kind, name, why)))
		node_refuse(node, message, reason, command.id);
	else if (node->stopping)
		node_say_result(node, message->topic, "the node is stopping",
				false, command.id);
	else
		node_order(node, pin, &command, message->topic);
	topics_command_free(&command);
}

/* A meter's reading, to begin with. */
static void on_count(struct node *node, const struct client_message *message,
		     struct slice name)
{
	struct node_pin *pin = node_pins_find(node, name);
	uint64_t count;

	if (!node_command_counts(node, message))
		return;
	if (!topics_parse_count(message->payload, &count))
		node_say_error(node, message->topic, message->payload,
			       "must be a whole number of pulses");
	else if (!pin || !pin->request || !node_input_set_count(pin, count))
		node_say_error(node, message->topic, message->payload,
			       "there is no such counter");
	else
		log_info(pin->pin.name, "set to %llu",
			 (unsigned long long)count);
}

static void log_errors(const struct pin_errors *errors)
{
	for (size_t i = 0; i < errors->count; i++) {
		const struct pin_error *e = &errors->error[i];

		log_error("configuration", "%s%s%s: %s", e->pin,
			  e->pin[0] && e->field[0] ? " " : "", e->field,
			  e->message);
	}
}

static void on_config(struct node *node, struct slice payload)
{
	static struct pins pins; /* Large, and only this thread's. */
	int r;

	if (node->stopping || payload.len == 0)
		return;

	node->errors.count = 0;
	r = pins_parse(payload, &pins, &node->errors);
	node->revision = pins.revision;
	if (!r)
		r = pins_check(&pins, node->lines, &node->errors);
	if (r) {
		log_errors(&node->errors);
	} else {
		node_discovery_apply(node, &pins.dialects);
		node_dialects_apply(node);
		node_pins_apply(node, &pins);
		node_discovery_say(node);
		node_dialects_say(node);
		r = node->state_directory
			    ? state_save(node->state_directory, &pins)
			    : 0;
		if (r)
			log_error(node->state_directory,
				  STATE_FILE " not written: %s",
				  strerrordesc_np(-r));
		log_info("configuration", "%zu pins", pins.count);
	}
	node_say_report(node);
}

static void on_message(void *arg, const struct client_message *message)
{
	struct node *node = arg;
	struct slice name;
	enum topics_kind kind = topics_parse(node->name, message->topic, &name);

	if (kind == TOPIC_OTHER && node_discovery_heard(node, message))
		return;
	switch (kind) {
	case TOPIC_CONFIG:
		on_config(node, message->payload);
		return;
	case TOPIC_SIM:
		node_sim_heard(node, message);
		return;
	case TOPIC_LIGHT_SET:
		if (node_light_named(node, name)) {
			node_light_command(node_light_named(node, name),
					   message);
			return;
		}
		on_command(node, message, kind, name);
		return;
	case TOPIC_OUT_SET:
		on_command(node, message, kind, name);
		return;
	case TOPIC_COUNT_SET:
		on_count(node, message, name);
		return;
	case TOPIC_COVER_SET:
		node_cover_command(node, message, name);
		return;
	case TOPIC_OTHER:
		return;
	}
}

static void say_everything(struct node *node)
{
	char topic[TOPICS_SIZE];

	node_gone_say(node);
	node_say(node, topics_node(topic, node->name, "status"), "online",
		 true);
	for (size_t i = 0; i < PINS_MAX; i++) {
		struct node_pin *pin = &node->pins[i];

		if (!pin->used)
			continue;
		node_say_usable(node, pin, true);
		if (pin->request && pin->pin.direction == LINE_INPUT)
			node_input_say(pin);
		else
			node_say_state(node, pin);
	}
	node_devices_say(node);
	node_discovery_say(node);
	node_say_report(node);
}

static void on_connected(void *arg, bool session_present)
{
	struct node *node = arg;

	(void)session_present;
	log_info("hub", "connected");
	node->hub_missed[0] = '\0';
	logic_hub(&node->logic, true, loop_now(node->loop));
	node_lights_hub(node, true, loop_now(node->loop));
	say_everything(node);
	node_run(node);
}

/* It cannot keep it: all that holds again, so that it is known at least. */
static void say_lightly(struct node *node)
{
	const bool again = node->lightly && !node->asking;

	if (!node->lightly)
		log_warn("hub", "cannot keep what we publish; it is only told");
	node->lightly = true;
	node->asking = false;
	node->ask_at = loop_now(node->loop) + NODE_ASK_AGAIN_MS;
	/* Of the others that were under way at the time it was said already. */
	if (!again && !node->stopping) {
		say_everything(node);
		node_dialects_say(node);
	}
}

/* What had no room was lost, the newest first: the hub's last word of a pin may
 * be an old one. */
static void on_acknowledged(void *arg, uint64_t token, enum mqtt_reason reason)
{
	struct node *node = arg;

	(void)token;
	if (reason == MQTT_QUOTA_EXCEEDED) {
		say_lightly(node);
	} else if (reason >= MQTT_UNSPECIFIED_ERROR) {
		log_warn("hub", "refuses what we publish: %s",
			 reason_name(reason));
	} else if (node->asking) {
		node->lightly = false;
		node->asking = false;
		log_info("hub", "keeps what we publish again");
	}
	if (!node->behind || node->stopping || client_pending(node->client) > 0)
		return;
	node->behind = false;
	say_everything(node);
}

static void on_disconnected(void *arg, bool was_connected, const char *why)
{
	struct node *node = arg;

	if (node->stopping)
		return;
	if (was_connected)
		log_warn("hub", "gone: %s; pins stay as they are", why);
	else if (strncmp(node->hub_missed, why, REASON_SIZE - 1) != 0)
		log_warn("hub", "not there: %s; trying on", why);
	else
		log_debug("hub", "not there: %s", why);
	(void)snprintf(node->hub_missed, sizeof(node->hub_missed), "%s", why);
	/* Gone since it was heard last, not since that was noticed. */
	logic_hub(&node->logic, false, client_heard(node->client));
	node_lights_hub(node, false, client_heard(node->client));
	node_run(node);
}

void node_hub_expect(struct node *node)
{
	uint64_t shortest = 0;

	for (size_t i = 0; i < PINS_MAX; i++) {
		const struct node_pin *pin = &node->pins[i];
		uint64_t t = pin->pin.rules.failsafe_ms;

		if (pin->used && pin->pin.direction == LINE_OUTPUT && t &&
		    (!shortest || t < shortest))
			shortest = t;
	}
	client_set_patience(node->client, shortest);
}

static void on_subscribed(void *arg, struct slice filter,
			  enum mqtt_reason reason)
{
	(void)arg;
	if (reason >= MQTT_UNSPECIFIED_ERROR)
		log_error("hub", "refuses us %.*s: %s", (int)filter.len,
			  (const char *)filter.data, reason_name(reason));
}

static void on_stopped(void *arg)
{
	struct node *node = arg;

	node->client_stopped = true;
	node_goodbye_said(node);
}

const struct client_callbacks node_hub_callbacks = {
	.connected = on_connected,
	.disconnected = on_disconnected,
	.message = on_message,
	.acknowledged = on_acknowledged,
	.subscribed = on_subscribed,
	.stopped = on_stopped,
};

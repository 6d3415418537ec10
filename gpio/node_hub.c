#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/base/log.h"
#include "gpio/lines_sim.h"
#include "gpio/node_internal.h"
#include "gpio/state.h"

void node_say(struct node *node, const char *topic, const char *payload,
	      bool retain)
{
	int r;

	if (!client_connected(node->client))
		return;
	r = client_publish(node->client, slice_str(topic), slice_str(payload),
			   1, retain, 0);
	if (!r)
		return;
	if (!node->behind)
		log_error(topic, "not published: %s; what holds is said later",
			  strerrordesc_np(-r));
	node->behind = true;
}

static bool is_light(const struct pin *pin)
{
	return pin->direction == LINE_OUTPUT && pin->kind == PIN_LIGHT;
}

static const char *kind_of(const struct pin *pin)
{
	return pin->direction == LINE_OUTPUT ? "out" : "in";
}

/* Of a line that we do not have nothing is known, so nothing is said. */
void node_say_state(struct node *node, const struct node_pin *pin)
{
	char topic[TOPICS_SIZE];
	bool on;

	if (!pin->request) {
		node_say_gone(node, &pin->pin);
		return;
	}

	on = node_pin_on(pin);
	node_say(node,
		 topics_pin(topic, node->name, kind_of(&pin->pin),
			    pin->pin.name, ""),
		 topics_state(on), true);
	if (is_light(&pin->pin))
		node_say(node,
			 topics_pin(topic, node->name, "light", pin->pin.name,
				    ""),
			 on ? "{\"state\":\"ON\"}" : "{\"state\":\"OFF\"}",
			 true);
}

void node_say_gone(struct node *node, const struct pin *pin)
{
	char topic[TOPICS_SIZE];

	node_say(node,
		 topics_pin(topic, node->name, kind_of(pin), pin->name, ""), "",
		 true);
	if (is_light(pin))
		node_say(node,
			 topics_pin(topic, node->name, "light", pin->name, ""),
			 "", true);
}

void node_say_event(struct node *node, const struct node_pin *pin)
{
	char topic[TOPICS_SIZE];

	node_say(node,
		 topics_pin(topic, node->name, "in", pin->pin.name, "/event"),
		 pin->on ? "{\"event_type\":\"pressed\"}"
			 : "{\"event_type\":\"released\"}",
		 false);
}

static void say_error(struct node *node, const struct client_message *message,
		      const char *reason)
{
	char topic[TOPICS_SIZE];
	char *text = topics_error(message->topic, message->payload, reason);

	log_warn("hub", "%.*s: %s",
		 (int)(message->topic.len < 200 ? message->topic.len : 200),
		 (const char *)message->topic.data, reason);
	if (text)
		node_say(node, topics_node(topic, node->name, "error"), text,
			 false);
	free(text);
}

/* The output that a command names, or NULL and why there is none. */
static struct node_pin *output_for(struct node *node, enum topics_kind kind,
				   struct slice name, char reason[REASON_SIZE])
{
	struct node_pin *pin = node_pins_find(node, name);

	if (!pin || pin->pin.direction != LINE_OUTPUT ||
	    (kind == TOPIC_LIGHT_SET && !is_light(&pin->pin))) {
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

	/* Somebody takes a retained command away. */
	if (message->payload.len == 0)
		return;
	if (message->retain) {
		say_error(node, message,
			  "a retained command is old and not obeyed");
		return;
	}
	if (topics_parse_command(message->payload, &command, &reason) ||
	    !(pin = output_for(node, kind, name, why))) {
		say_error(node, message, reason);
		node_say_result(node, message->topic, reason, false,
				command.id);
	} else if (node->stopping) {
		node_say_result(node, message->topic, "the node is stopping",
				false, command.id);
	} else {
		node_order(node, pin, &command, message->topic);
	}
	topics_command_free(&command);
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
		node_pins_apply(node, &pins);
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

static int click(struct node *node, const struct topics_sim *sim)
{
	if (sim->press_ms)
		return lines_sim_press(node->lines, sim->line, sim->press_ms);
	return lines_sim_connect(node->lines, sim->line, sim->level);
}

static void on_sim(struct node *node, const struct client_message *message)
{
	struct topics_sim sim;
	const char *reason;
	int r;

	if (!lines_are_simulated(node->lines)) {
		say_error(node, message, "these lines are real");
		return;
	}
	if (message->retain) {
		say_error(node, message, "a retained click is old");
		return;
	}
	if (topics_parse_sim(message->payload, &sim, &reason)) {
		say_error(node, message, reason);
		return;
	}
	r = click(node, &sim);
	if (r)
		say_error(node, message,
			  r == -EPERM ? "this line is an output"
				      : "there is no such line");
}

static void on_message(void *arg, const struct client_message *message)
{
	struct node *node = arg;
	struct slice name;
	enum topics_kind kind = topics_parse(node->name, message->topic, &name);

	switch (kind) {
	case TOPIC_CONFIG:
		on_config(node, message->payload);
		return;
	case TOPIC_SIM:
		on_sim(node, message);
		return;
	case TOPIC_OUT_SET:
	case TOPIC_LIGHT_SET:
		on_command(node, message, kind, name);
		return;
	case TOPIC_OTHER:
		return;
	}
}

static void say_everything(struct node *node)
{
	char topic[TOPICS_SIZE];

	node_say(node, topics_node(topic, node->name, "status"), "online",
		 true);
	for (size_t i = 0; i < PINS_MAX; i++)
		if (node->pins[i].used)
			node_say_state(node, &node->pins[i]);
	node_say_report(node);
}

static void on_connected(void *arg, bool session_present)
{
	struct node *node = arg;

	(void)session_present;
	log_info("hub", "connected");
	node->hub_missed = false;
	logic_hub(&node->logic, true, loop_now(node->loop));
	say_everything(node);
	node_run(node);
}

/* What had no room was lost, the newest first: the hub's last word of a pin may
 * be an old one. */
static void on_acknowledged(void *arg, uint64_t token, enum mqtt_reason reason)
{
	struct node *node = arg;

	(void)token;
	if (reason >= MQTT_UNSPECIFIED_ERROR)
		log_warn("hub", "refuses what we publish: %s",
			 reason_name(reason));
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
	else if (!node->hub_missed)
		log_warn("hub", "not there: %s; trying on", why);
	else
		log_debug("hub", "not there: %s", why);
	node->hub_missed = true;
	logic_hub(&node->logic, false, loop_now(node->loop));
	node_run(node);
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
	node_goodbye_said(arg);
}

const struct client_callbacks node_hub_callbacks = {
	.connected = on_connected,
	.disconnected = on_disconnected,
	.message = on_message,
	.acknowledged = on_acknowledged,
	.subscribed = on_subscribed,
	.stopped = on_stopped,
};

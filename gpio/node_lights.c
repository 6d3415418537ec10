/* Lights that can be dimmed: whether they are on is decided by a logic.h of their
 * own, by their place among the devices; how bright, by light.h. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/base/log.h"
#include "gpio/light_command.h"
#include "gpio/node_internal.h"

/* LEDs can have a single step. */
#define READ_BACK_NEAR 0.51

static unsigned int number_of(const struct node_device *device)
{
	return (unsigned int)(device - device->node->devices.device);
}

static bool is_light(const struct node_device *device)
{
	return device->used && device->device.kind == DEVICE_LIGHT;
}

struct node_device *node_light_named(struct node *node, struct slice name)
{
	for (size_t i = 0; i < DEVICES_MAX; i++) {
		struct node_device *device = &node->devices.device[i];

		if (is_light(device) &&
		    slice_equal(slice_str(device->device.name), name))
			return device;
	}
	return NULL;
}

void node_light_say(const struct node_device *device)
{
	struct node *node = device->node;
	char topic[TOPICS_SIZE];
	char *text;

	if (!device->channels)
		return;
	text = light_state_text(&device->light);
	if (text)
		node_say(node,
			 topics_pin(topic, node->name, "light",
				    device->device.name, ""),
			 text, true);
	free(text);
	node_dialects_say_device(node, device);
}

/* ---- channels ----------------------------------------------------------- */

static void close_all(struct node_device *device)
{
	for (unsigned int i = 0; i < device->channels; i++)
		channel_close(device->channel[i]);
	device->channels = 0;
}

static int open_all(struct node_device *device)
{
	const struct device *d = &device->device;
	const struct channel_options options = {
		.frequency = d->frequency,
		.inverted = d->inverted,
	};
	struct channel_name names[CHANNEL_NAMES_MAX];
	unsigned int count = channel_names_split(d->outputs, names);
	double duty[LIGHT_CHANNELS_MAX];
	int r = 0;

	for (unsigned int i = 0; i < count && !r; i++) {
		r = channel_open(device->node->sysfs, &names[i], &options,
				 &device->channel[i]);
		if (r)
			break;
		device->channels++;
		r = channel_get(device->channel[i], &duty[i]);
	}
	if (r)
		close_all(device);
	else
		light_init(&device->light, count, d->gamma,
			   (uint32_t)d->transition_ms, duty);
	return r;
}

/* Write what it is to be now. Returns 0 or a negative errno. */
static int step(struct node_device *device)
{
	struct node *node = device->node;
	double duty[LIGHT_CHANNELS_MAX];
	bool more = light_duty(&device->light, loop_now(node->loop), duty);
	int r = 0;

	for (unsigned int i = 0; i < device->channels; i++) {
		int one = channel_set(device->channel[i], duty[i]);

		r = r ? r : one;
	}
	if (more && !r)
		loop_timer_set(node->loop, &device->timer, LIGHT_STEP_MS);
	else
		loop_timer_cancel(node->loop, &device->timer);
	return r;
}

/* Said once, until it is another reason or none. */
static void faulty(struct node_device *device, int error)
{
	if (device->light_error == error)
		return;
	device->light_error = error;
	if (error)
		log_error(device->device.name, "cannot be driven: %s",
			  strerrordesc_np(-error));
	else
		log_info(device->device.name, "can be driven again");
	node_say_report(device->node);
}

/* ---- doing -------------------------------------------------------------- */

static const char *reason_of(const struct node_device *device,
			     const struct logic_verdict *verdict)
{
	switch (verdict->result) {
	case LOGIC_APPLIED:
	case LOGIC_ACCEPTED:
		return NULL;
	case LOGIC_TOO_LONG:
		return "the time is too long";
	case LOGIC_LOCKED:
		return "it is locked";
	case LOGIC_MAX_ON:
		return "it has been on for as long as it may";
	case LOGIC_SUPERSEDED:
		return "something newer came first";
	case LOGIC_FAULT:
		return device->light_error
			       ? strerrordesc_np(-device->light_error)
			       : "it could not be driven";
	case LOGIC_NO_OUTPUT:
	case LOGIC_MIN_ON:
	case LOGIC_MIN_OFF:
	case LOGIC_CYCLES:
	case LOGIC_INTERLOCK:
		break;
	}
	return "its rules do not let it";
}

static void answer(struct node *node, const struct logic_verdict *verdict)
{
	struct node_device *device = &node->devices.device[verdict->output];
	struct node_order *order = &device->order;

	if (!order->waits || order->token != verdict->token)
		return;
	if (order->topic)
		node_say_result(node, slice_str(order->topic),
				reason_of(device, verdict), device->light.on,
				order->id);
	node_forget(order);
}

static void answer_all(struct node *node)
{
	struct logic_verdict verdict;

	while (logic_answer(node->devices.lights, &verdict))
		answer(node, &verdict);
}

/* Has it taken what was written? A driver rounds. */
static int read_back(const struct node_device *device)
{
	double wanted[LIGHT_CHANNELS_MAX];
	double is;
	int r = 0;

	(void)light_duty(&device->light, loop_now(device->node->loop), wanted);
	for (unsigned int i = 0; i < device->channels && !r; i++) {
		r = channel_get(device->channel[i], &is);
		if (!r && fabs(is - wanted[i]) > READ_BACK_NEAR)
			r = -EIO;
	}
	return r;
}

/* Safety waits for no transition. */
static void drive(struct node *node, const struct logic_action *action)
{
	struct logic *logic = node->devices.lights;
	struct node_device *device = &node->devices.device[action->output];
	const struct light before = device->light;
	uint64_t now = loop_now(node->loop);
	bool at_once =
		logic->output[action->output].want.safety || node->stopping;
	int r;

	light_switch(&device->light, action->on, at_once ? NULL : &device->wish,
		     now);
	device->wish = (struct light_wish){ 0 };
	r = step(device);
	if (!r)
		r = read_back(device);
	faulty(device, r);
	if (r) {
		/* What is said of it stays what is known. */
		device->light = before;
		logic_failed(logic, action, now);
		return;
	}
	logic_done(logic, action, action->on, now);
	node_light_say(device);
}

static void on_logic_timer(struct loop_timer *timer)
{
	node_lights_run(list_entry(timer, struct node, devices.logic_timer));
}

void node_lights_run(struct node *node)
{
	struct logic *logic = node->devices.lights;
	struct logic_action action;
	uint64_t next, now;

	if (!logic)
		return;
	while (logic_act(logic, loop_now(node->loop), &action)) {
		drive(node, &action);
		answer_all(node);
	}
	answer_all(node);

	now = loop_now(node->loop);
	next = logic_next(logic, now);
	node->devices.logic_timer.fn = on_logic_timer;
	if (next == UINT64_MAX)
		loop_timer_cancel(node->loop, &node->devices.logic_timer);
	else
		loop_timer_set(node->loop, &node->devices.logic_timer,
			       next - now);
}

void node_lights_hub(struct node *node, bool there, uint64_t when)
{
	if (!node->devices.lights || node->stopping)
		return;
	logic_hub(node->devices.lights, there, when);
	node_lights_run(node);
}

void node_lights_safe(struct node *node)
{
	if (!node->devices.lights)
		return;
	for (unsigned int i = 0; i < DEVICES_MAX; i++)
		if (node->devices.lights->output[i].used)
			logic_make_safe(node->devices.lights, i);
	node_lights_run(node);
	loop_timer_cancel(node->loop, &node->devices.logic_timer);
}

/* ---- commands ----------------------------------------------------------- */

static const char *cannot(const struct node_device *device)
{
	if (device->node->stopping)
		return "the node is stopping";
	if (!device->channels)
		return strerrordesc_np(-device->light_error);
	return NULL;
}

static void obey(struct node_device *device,
		 const struct topics_command *command,
		 const struct light_wish *wish, struct slice topic)
{
	struct node *node = device->node;
	struct light_wish before = device->wish;
	struct logic_verdict verdict;

	device->wish = *wish;
	verdict = logic_order(node->devices.lights, number_of(device),
			      &command->logic, ++node->tokens,
			      loop_now(node->loop));
	/* Those it takes the place of. */
	answer_all(node);
	if (verdict.result != LOGIC_ACCEPTED) {
		const char *reason = reason_of(device, &verdict);

		device->wish = before;
		log_warn(device->device.name, "refused: %s", reason);
		node_say_result(node, topic, reason, false, command->id);
		return;
	}
	node_forget(&device->order);
	device->order = (struct node_order){
		.waits = true,
		.token = verdict.token,
		.topic = strndup((const char *)topic.data, topic.len),
		.id = json_incref(command->id),
	};
	node_lights_run(node);
}

void node_light_command(struct node_device *device,
			const struct client_message *message)
{
	struct node *node = device->node;
	struct topics_command command = { 0 };
	struct light_wish wish;
	const char *reason = NULL;

	if (!node_command_counts(node, message))
		return;
	if (!light_command_parse(message->payload, device->colors, &command,
				 &wish, &reason))
		reason = cannot(device);
	if (reason)
		node_refuse(node, message, reason, command.id);
	else
		obey(device, &command, &wish, message->topic);
	topics_command_free(&command);
}

void node_light_order(struct node_device *device, enum logic_verb verb,
		      const struct light_wish *wish, const char *who)
{
	struct node *node = device->node;
	const struct topics_command command = { .logic = { .verb = verb } };
	const char *reason = cannot(device);
	char topic[TOPICS_SIZE];

	(void)topics_pin(topic, node->name, "light", device->device.name,
			 "/set");
	if (!reason) {
		obey(device, &command, wish, slice_str(topic));
		return;
	}
	log_warn(device->device.name, "refused to %s: %s", who, reason);
	node_say_result(node, slice_str(topic), reason, false, NULL);
}

/* ---- beginning and ending ----------------------------------------------- */

static int make_logic(struct node *node)
{
	if (node->devices.lights)
		return 0;
	node->devices.lights = malloc(sizeof(*node->devices.lights));
	if (!node->devices.lights)
		return -ENOMEM;
	logic_init(node->devices.lights, loop_now(node->loop));
	if (client_connected(node->client))
		logic_hub(node->devices.lights, true, loop_now(node->loop));
	return 0;
}

/* A restart of the process alone leaves it as it is, as outputs. */
static void begin_driving(struct node_device *device)
{
	struct node *node = device->node;
	const struct logic_memory memory = {
		.on = device->light.on,
		.told = device->light.on,
		.since = loop_now(node->loop),
	};
	const struct logic_start start = {
		.on = device->light.on,
		.told = device->light.on,
		.memory =
			node->memory.same_boot || device->live ? &memory : NULL,
	};

	logic_add(node->devices.lights, number_of(device),
		  &device->device.rules, start, loop_now(node->loop));
}

static int try(struct node_device *device)
{
	int r = make_logic(device->node);

	if (!r)
		r = open_all(device);
	faulty(device, r);
	if (r)
		return r;
	begin_driving(device);
	node_light_say(device);
	node_lights_run(device->node);
	return 0;
}

/* Either a step is due, or it could not be had and is tried again. */
static void on_timer(struct loop_timer *timer)
{
	struct node_device *device =
		list_entry(timer, struct node_device, timer);
	int r;

	if (device->channels) {
		r = step(device);
		faulty(device, r);
		if (r)
			loop_timer_set(device->node->loop, timer,
				       NODE_RETRY_MS);
	} else if (try(device)) {
		loop_timer_set(device->node->loop, timer, NODE_RETRY_MS);
	}
}

void node_light_begin(struct node_device *device)
{
	struct channel_name names[CHANNEL_NAMES_MAX];

	device->colors = channel_names_split(device->device.outputs, names);
	device->timer.fn = on_timer;
	if (try(device))
		loop_timer_set(device->node->loop, &device->timer,
			       NODE_RETRY_MS);
}

/* It keeps what it has: who goes on with it reads it. */
void node_light_let_go(struct node_device *device)
{
	if (device->channels)
		logic_remove(device->node->devices.lights, number_of(device));
	close_all(device);
	node_forget(&device->order);
}

void node_light_end(struct node_device *device)
{
	struct node *node = device->node;
	char topic[TOPICS_SIZE];

	if (device->channels) {
		logic_make_safe(node->devices.lights, number_of(device));
		node_lights_run(node);
	}
	node_light_let_go(device);
	node_take_away(node, topics_pin(topic, node->name, "light",
					device->device.name, ""));
	node_dialects_say_device_left(node, &device->device);
}

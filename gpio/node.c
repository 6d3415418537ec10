#include "gpio/node.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/base/log.h"
#include "gpio/held.h"
#include "gpio/node_internal.h"
#include "gpio/state.h"

/* A hub on the same machine is back soon. One elsewhere makes a handshake for
 * each of its boards when it is back. */
#define HUB_RETRY_MIN_MS 100
#define HUB_RETRY_MAX_MS 2000
#define HUB_RETRY_FAR_MS 10000

static void on_logic_timer(struct loop_timer *timer)
{
	node_run(list_entry(timer, struct node, logic_timer));
}

static void on_retry_timer(struct loop_timer *timer)
{
	struct node *node = list_entry(timer, struct node, retry_timer);

	if (node_pins_retry(node))
		node_say_report(node);
	if (node_pins_missing(node))
		loop_timer_set(node->loop, timer, NODE_RETRY_MS);
}

static int subscribe(struct node *node)
{
	char topic[TOPICS_SIZE];
	int r;

	/* The configuration last: commands to new pins are heard by then. */
	r = client_subscribe(node->client,
			     topics_pin(topic, node->name, "out", "+", "/set"),
			     1);
	if (!r)
		r = client_subscribe(
			node->client,
			topics_pin(topic, node->name, "light", "+", "/set"), 1);
	if (!r)
		r = client_subscribe(
			node->client,
			topics_pin(topic, node->name, "cover", "+", "/set"), 1);
	if (!r)
		r = client_subscribe(
			node->client,
			topics_pin(topic, node->name, "in", "+", "/count/set"),
			1);
	if (!r)
		r = client_subscribe(node->client,
				     topics_hub(topic, node->name, "sim"), 1);
	if (!r)
		r = client_subscribe(node->client,
				     topics_hub(topic, node->name, "config"),
				     1);
	return r;
}

int node_client_new(struct node *node, const char *suffix,
		    const struct client_will *will,
		    const struct client_callbacks *callbacks, void *arg,
		    struct client **out)
{
	const bool far = strncmp(node->hub, "unix:", 5) != 0;
	char client_id[NODE_NAME_MAX + sizeof("hearth-gpiod-") + 16];
	struct client_options o = {
		.address = node->hub,
		.tls = node->tls,
		.version = MQTT_5_0,
		.client_id = client_id,
		.username = node->user,
		.password = node->password,
		/* What was commanded while we were away is old. */
		.clean_start = true,
		.keep_alive = NODE_KEEP_ALIVE,
		.will = will,
		.retry_min_ms = HUB_RETRY_MIN_MS,
		.retry_max_ms = far ? HUB_RETRY_FAR_MS : HUB_RETRY_MAX_MS,
	};

	(void)snprintf(client_id, sizeof(client_id), "hearth-gpiod-%s%s",
		       node->name, suffix);
	return client_new(node->loop, &o, callbacks, arg, out);
}

static int make_client(struct node *node)
{
	char topic[TOPICS_SIZE];
	const struct client_will will = {
		.topic = topics_node(topic, node->name, "status"),
		.payload = "offline",
		.qos = 1,
		.retain = true,
	};

	return node_client_new(node, "", &will, &node_hub_callbacks, node,
			       &node->client);
}

/* NULL for NULL. Returns 0 or -ENOMEM. */
static int copy(const char *text, char **out)
{
	*out = text ? strdup(text) : NULL;
	return text && !*out ? -ENOMEM : 0;
}

/* On error some may have been copied. */
static int copy_options(struct node *node, const struct node_options *options)
{
	int r;

	assert(options->hub);
	r = copy(options->hub, &node->hub);
	if (!r)
		r = copy(options->user, &node->user);
	if (!r)
		r = copy(options->password, &node->password);
	if (!r)
		r = copy(options->state_directory, &node->state_directory);
	if (!r)
		r = copy(options->sysfs ? options->sysfs : "/sys",
			 &node->sysfs);
	return r;
}

static void free_options(struct node *node)
{
	free(node->sysfs);
	free(node->state_directory);
	if (node->password)
		explicit_bzero(node->password, strlen(node->password));
	free(node->password);
	free(node->user);
	free(node->hub);
}

int node_new(struct loop *loop, struct lines *lines,
	     const struct node_options *options, struct node **out)
{
	struct node *node;
	int r;

	if (!topics_node_valid(options->name))
		return -EINVAL;
	node = calloc(1, sizeof(*node));
	if (!node)
		return -ENOMEM;

	node->loop = loop;
	node->lines = lines;
	node->tls = options->tls;
	node->revision = -1;
	(void)snprintf(node->name, sizeof(node->name), "%s", options->name);
	logic_init(&node->logic, loop_now(loop));
	node->logic_timer.fn = on_logic_timer;
	node->retry_timer.fn = on_retry_timer;
	r = copy_options(node, options);
	if (r)
		goto err_options;
	r = make_client(node);
	if (r)
		goto err_options;
	r = subscribe(node);
	if (r)
		goto err_client;
	*out = node;
	return 0;

err_client:
	client_free(node->client);
err_options:
	free_options(node);
	free(node);
	return r;
}

void node_free(struct node *node)
{
	if (!node)
		return;

	loop_timer_cancel(node->loop, &node->logic_timer);
	loop_timer_cancel(node->loop, &node->retry_timer);
	loop_timer_cancel(node->loop, &node->goodbye_timer);
	node_devices_stop(node);
	/* What is to stay held, stays so. */
	node->stopping = true;
	node_pins_release(node);
	node_inputs_keep(node);
	node_discovery_free(node);
	node_gone_free(node);
	node_dialects_free(node);
	node_sim_free(node);
	client_free(node->client);
	free(node->memory_text);
	node_devices_free(node);
	free_options(node);
	free(node);
}

static void recall(struct node *node)
{
	int r = memory_load(node->state_directory, &node->memory);

	if (r && r != -ENOENT)
		log_warn(node->state_directory, MEMORY_FILE " is not used: %s",
			 r == -EINVAL ? "damaged" : strerrordesc_np(-r));
	node_covers_recall(node);
	r = tallies_load(node->state_directory, &node->tallies);
	if (r && r != -ENOENT)
		log_error(node->state_directory,
			  TALLIES_FILE " is not used, counts begin at 0: %s",
			  r == -EINVAL ? "damaged" : strerrordesc_np(-r));
}

static void apply_kept(struct node *node)
{
	static struct pins pins; /* Large, and only this thread's. */
	int r = state_load(node->state_directory, &pins, &node->errors);

	if (!r)
		r = pins_check_kept(&pins, node->lines, &node->errors);
	held_take(node->lines, r ? NULL : &pins);
	if (r == -ENOENT)
		return;
	if (r) {
		log_error(node->state_directory, STATE_FILE " is not used: %s",
			  node->errors.count ? node->errors.error[0].message
					     : strerrordesc_np(-r));
		return;
	}
	node->revision = pins.revision;
	node_discovery_apply(node, &pins.dialects);
	node_dialects_apply(node);
	node_pins_apply(node, &pins);
	log_info(node->state_directory, "%zu pins from " STATE_FILE,
		 pins.count);
}

void node_start(struct node *node)
{
	if (node->state_directory) {
		recall(node);
		apply_kept(node);
	} else {
		held_take(node->lines, NULL);
	}
	client_start(node->client);
}

static void finish(struct node *node)
{
	void (*done)(void *arg) = node->done;

	loop_timer_cancel(node->loop, &node->goodbye_timer);
	node->done = NULL;
	if (done)
		done(node->done_arg);
}

static void on_goodbye_timer(struct loop_timer *timer)
{
	struct node *node = list_entry(timer, struct node, goodbye_timer);

	finish(node);
}

void node_goodbye_said(struct node *node)
{
	/* Not at once: this may be inside of node_stop(). */
	if (node->done && node->client_stopped && node_dialects_idle(node))
		loop_timer_set(node->loop, &node->goodbye_timer, 0);
}

static void make_all_safe(struct node *node)
{
	node_lights_safe(node);
	for (unsigned int i = 0; i < PINS_MAX; i++)
		logic_make_safe(&node->logic, i);
	node_run(node);
	for (unsigned int i = 0; i < PINS_MAX; i++) {
		const struct logic_output *o = &node->logic.output[i];

		if (o->used && o->want.any)
			log_error(node->pins[i].pin.name, "is not safe: %s",
				  node->pins[i].fault[0]
					  ? node->pins[i].fault
					  : "its rules do not let it yet");
	}
}

void node_stop(struct node *node, void (*done)(void *arg), void *arg)
{
	char topic[TOPICS_SIZE];

	if (node->stopping)
		return;
	node->stopping = true;
	node->done = done;
	node->done_arg = arg;
	node->goodbye_timer.fn = on_goodbye_timer;

	make_all_safe(node);
	loop_timer_cancel(node->loop, &node->logic_timer);
	loop_timer_cancel(node->loop, &node->retry_timer);
	node_pins_deafen(node);
	node_devices_stop(node);
	node_inputs_keep(node);

	node_say(node, topics_node(topic, node->name, "status"), "offline",
		 true);
	loop_timer_set(node->loop, &node->goodbye_timer, NODE_GOODBYE_MS);
	client_stop(node->client);
	node_dialects_stop(node);
}

bool node_state(const struct node *node, const char *pin, bool *on)
{
	for (size_t i = 0; i < PINS_MAX; i++) {
		const struct node_pin *at = &node->pins[i];

		if (!at->used || !at->request || strcmp(at->pin.name, pin) != 0)
			continue;
		*on = node_pin_on(at);
		return true;
	}
	return false;
}

/* Telling Home Assistant what there is: when we come, when it comes, when the
 * pins change. discovery.h has the words. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "broker/base/log.h"
#include "gpio/board.h"
#include "gpio/discovery.h"
#include "gpio/lines_sim.h"
#include "gpio/node_internal.h"

static bool spoken(const struct node *node)
{
	return node->dialects.homeassistant[0] != '\0';
}

static void no_memory(void)
{
	log_error("Home Assistant", "not told what there is: out of memory");
}

static const char *topic_of(const struct node *node,
			    char topic[DISCOVERY_TOPIC_SIZE])
{
	return discovery_topic(topic, node->dialects.homeassistant, node->name);
}

/* ---- what is said ------------------------------------------------------- */

void node_things(const struct node *node, struct discovery_things *out)
{
	const struct node_device *devices = node->devices.device;

	*out = (struct discovery_things){ 0 };
	for (size_t i = 0; i < PINS_MAX; i++)
		if (node->pins[i].used)
			out->pin[out->pins++] = &node->pins[i].pin;
	for (size_t i = 0; i < DEVICES_MAX; i++)
		if (devices[i].used)
			out->device[out->devices++] = &devices[i].device;
}

static json_t *components_of(struct node *node, const struct discovery_box *box)
{
	struct discovery_things things;

	node_things(node, &things);
	return discovery_components(box, &things);
}

/* Returns 0; -ENOMEM or, what is said again by itself, -ENOBUFS. */
static int say_document(struct node *node, const struct discovery_box *box,
			json_t *components, json_t *gone)
{
	char topic[DISCOVERY_TOPIC_SIZE];
	char *text = discovery_document(box, components, gone);
	int r;

	if (!text)
		return -ENOMEM;
	r = node_say(node, topic_of(node, topic), text, true) ? 0 : -ENOBUFS;
	free(text);
	return r;
}

/* First with what has gone, as what takes it away; then without it. */
static int say_components(struct node *node, const struct discovery_box *box,
			  json_t *components)
{
	json_t *names = discovery_names(components);
	json_t *gone = discovery_gone(node->discovered, components);
	int r = names && gone ? 0 : -ENOMEM;

	if (!r && json_object_size(gone) > 0)
		r = say_document(node, box, components, gone);
	if (!r)
		r = say_document(node, box, components, NULL);
	json_decref(gone);
	if (r) {
		json_decref(names);
		return r;
	}
	json_decref(node->discovered);
	node->discovered = names;
	return 0;
}

void node_discovery_say(struct node *node)
{
	char model[80];
	struct discovery_box box = { .node = node->name, .model = model };
	json_t *components;

	/* Without a hub nothing is told, and nothing forgotten. */
	if (!spoken(node) || node->stopping || !client_connected(node->client))
		return;
	if (lines_are_simulated(node->lines))
		box.model = "simulated board";
	else if (board_model("/sys", model, sizeof(model)))
		box.model = NULL;
	components = components_of(node, &box);
	if (!components || say_components(node, &box, components) == -ENOMEM)
		no_memory();
	json_decref(components);
}

/* ---- which -------------------------------------------------------------- */

static void subscribe(struct node *node)
{
	char topic[DISCOVERY_TOPIC_SIZE];
	const char *prefix = node->dialects.homeassistant;
	int r;

	r = client_subscribe(node->client, discovery_birth(topic, prefix), 1);
	/* Before anything is published there: what an earlier life said. */
	if (!r)
		r = client_subscribe(node->client,
				     discovery_topic(topic, prefix, node->name),
				     1);
	if (r)
		log_error("Home Assistant", "its start will not be noticed: %s",
			  strerrordesc_np(-r));
}

void node_discovery_apply(struct node *node, const struct pin_dialects *to)
{
	char topic[DISCOVERY_TOPIC_SIZE];
	bool same =
		strcmp(node->dialects.homeassistant, to->homeassistant) == 0;

	if (!same && spoken(node)) {
		/* Without a document there is no device. */
		node_take_away(node, topic_of(node, topic));
		json_decref(node->discovered);
		node->discovered = NULL;
		loop_timer_cancel(node->loop, &node->birth_timer);
	}
	node->dialects = *to;
	if (!same && spoken(node))
		subscribe(node);
}

void node_discovery_free(struct node *node)
{
	loop_timer_cancel(node->loop, &node->birth_timer);
	json_decref(node->discovered);
	node->discovered = NULL;
}

/* ---- what is heard ------------------------------------------------------ */

static void on_birth_timer(struct loop_timer *timer)
{
	node_discovery_say(list_entry(timer, struct node, birth_timer));
}

/* Home Assistant has started, and asks everybody. */
static void on_birth(struct node *node, const struct client_message *message)
{
	uint32_t random = 0;

	/* A retained one was before we came, and we have just told all. */
	if (message->retain ||
	    !slice_equal(message->payload, slice_str("online")))
		return;
	/* Without randomness: at once. */
	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) < 0)
		random = 0;
	node->birth_timer.fn = on_birth_timer;
	loop_timer_set(node->loop, &node->birth_timer,
		       random % DISCOVERY_JITTER_MS);
}

/* What we have said in an earlier life, of which gpio.state knows nothing. */
static void on_document(struct node *node, const struct client_message *message)
{
	json_t *before;
	size_t count;

	if (!message->retain || message->payload.len == 0)
		return;
	before = node->discovered ? json_copy(node->discovered) : json_object();
	count = json_object_size(before);
	if (!before || discovery_read(message->payload, before)) {
		json_decref(before);
		no_memory();
		return;
	}
	json_decref(node->discovered);
	node->discovered = before;
	if (json_object_size(before) > count)
		node_discovery_say(node);
}

bool node_discovery_heard(struct node *node,
			  const struct client_message *message)
{
	char topic[DISCOVERY_TOPIC_SIZE];
	const char *prefix = node->dialects.homeassistant;

	if (!spoken(node))
		return false;
	if (slice_equal(message->topic,
			slice_str(discovery_birth(topic, prefix))))
		on_birth(node, message);
	else if (slice_equal(
			 message->topic,
			 slice_str(discovery_topic(topic, prefix, node->name))))
		on_document(node, message);
	else
		return false;
	return true;
}

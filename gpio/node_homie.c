/*
 * A node as a Homie device: homie.h has the words. It has a connection of its own,
 * because it has a will of its own.
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
	struct node *node;
	struct client *client;
	struct loop_timer timer; /* ends it, out of its own callback */
	bool leaving; /* for good: the configuration speaks no Homie */
	bool stopped;
	json_int_t version; /* the last description's */
};

/* ---- what is said ------------------------------------------------------- */

static void publish(struct node_homie *homie, const char *topic,
		    const char *text, bool retain)
{
	int r = client_publish(homie->client, slice_str(topic), slice_str(text),
			       1, retain, 0);

	if (r)
		log_error(topic, "not published: %s", strerrordesc_np(-r));
}

static void publish_leaf(struct node_homie *homie, const char *leaf,
			 const char *text)
{
	char topic[HOMIE_TOPIC_SIZE];

	publish(homie, homie_topic(topic, homie->node->name, leaf), text, true);
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
static void say_values(struct node_homie *homie, const struct node_pin *pin)
{
	enum homie_property has[HOMIE_PROPERTIES_MAX];
	size_t count = homie_properties(&pin->pin, has);
	char topic[HOMIE_TOPIC_SIZE];
	char text[40];

	for (size_t i = 0; i < count; i++) {
		if (has[i] == HOMIE_EVENT)
			continue;
		value_text(pin, has[i], text);
		publish(homie,
			homie_value_topic(topic, homie->node->name, &pin->pin,
					  has[i]),
			pin->request ? text : "", true);
	}
}

static void say_description(struct node_homie *homie)
{
	const struct node *node = homie->node;
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
	publish_leaf(homie, "$description", text);
	free(text);
}

static void say_everything(struct node_homie *homie)
{
	struct node *node = homie->node;

	publish_leaf(homie, "$state", "init");
	say_description(homie);
	for (size_t i = 0; i < PINS_MAX; i++)
		if (node->pins[i].used)
			say_values(homie, &node->pins[i]);
	publish_leaf(homie, "$state", "ready");
}

static bool is_there(const struct node *node)
{
	return node->homie && !node->homie->leaving &&
	       client_connected(node->homie->client);
}

void node_homie_say_pin(struct node *node, const struct node_pin *pin)
{
	if (is_there(node))
		say_values(node->homie, pin);
}

void node_homie_say_event(struct node *node, const struct node_pin *pin,
			  const char *type)
{
	char topic[HOMIE_TOPIC_SIZE];

	if (is_there(node))
		publish(node->homie,
			homie_value_topic(topic, node->name, &pin->pin,
					  HOMIE_EVENT),
			type, false);
}

static void take_away(struct node_homie *homie, const struct pin *pin)
{
	enum homie_property has[HOMIE_PROPERTIES_MAX];
	size_t count = homie_properties(pin, has);
	char topic[HOMIE_TOPIC_SIZE];

	for (size_t i = 0; i < count; i++)
		if (has[i] != HOMIE_EVENT)
			publish(homie,
				homie_value_topic(topic, homie->node->name, pin,
						  has[i]),
				"", true);
}

void node_homie_say_left(struct node *node, const struct pin *pin)
{
	if (is_there(node))
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

	if (message->retain)
		node_say_error(node, message->topic, message->payload,
			       "a retained command is old and not obeyed");
	else if (!on && !slice_equal(message->payload, slice_str("false")))
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
static void on_value(struct node_homie *homie,
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
	publish(homie, topic, "", true);
}

static void on_message(void *arg, const struct client_message *message)
{
	struct node_homie *homie = arg;
	struct slice id;
	struct slice property;
	struct node_pin *pin;
	bool set;

	if (homie->leaving || !homie_parse(homie->node->name, message->topic,
					   &id, &property, &set))
		return;
	pin = find(homie->node, id);
	if (!set)
		on_value(homie, message, pin, property);
	else if (message->payload.len > 0)
		on_set(homie->node, message, pin);
}

static void on_connected(void *arg, bool session_present)
{
	struct node_homie *homie = arg;

	(void)session_present;
	if (!homie->leaving && !homie->node->stopping)
		say_everything(homie);
}

static void on_disconnected(void *arg, bool was_connected, const char *why)
{
	struct node_homie *homie = arg;

	/* The node's own connection says it louder. */
	if (was_connected && !homie->node->stopping)
		log_debug("Homie", "the hub is gone: %s", why);
}

/* ---- beginning and ending ----------------------------------------------- */

static void on_timer(struct loop_timer *timer)
{
	struct node_homie *homie = list_entry(timer, struct node_homie, timer);

	node_homie_free(homie->node);
}

static void on_stopped(void *arg)
{
	struct node_homie *homie = arg;

	homie->stopped = true;
	/* Not at once: this is the client's own callback. */
	if (homie->node->stopping)
		node_goodbye_said(homie->node);
	else
		loop_timer_set(homie->node->loop, &homie->timer, 0);
}

static const struct client_callbacks callbacks = {
	.connected = on_connected,
	.disconnected = on_disconnected,
	.message = on_message,
	.stopped = on_stopped,
};

static int connect_client(struct node_homie *homie)
{
	char topic[HOMIE_TOPIC_SIZE];
	char filter[HOMIE_TOPIC_SIZE];
	const struct client_will will = {
		.topic = homie_topic(topic, homie->node->name, "$state"),
		.payload = "lost",
		.qos = 1,
		.retain = true,
	};
	int r = node_client_new(homie->node, "-homie", &will, &callbacks, homie,
				&homie->client);

	if (r)
		return r;
	r = client_subscribe(homie->client,
			     homie_topic(filter, homie->node->name, "#"), 1);
	if (r)
		client_free(homie->client);
	return r;
}

static void begin(struct node *node)
{
	struct node_homie *homie = calloc(1, sizeof(*homie));
	int r = -ENOMEM;

	if (homie) {
		homie->node = node;
		homie->timer.fn = on_timer;
		r = connect_client(homie);
	}
	if (r) {
		log_error("Homie", "is not spoken: %s", strerrordesc_np(-r));
		free(homie);
		return;
	}
	node->homie = homie;
	client_start(homie->client);
}

/* Nothing is left of it, and then it goes. */
static void leave(struct node_homie *homie)
{
	struct node *node = homie->node;

	homie->leaving = true;
	for (size_t i = 0; i < PINS_MAX; i++)
		if (node->pins[i].used)
			take_away(homie, &node->pins[i].pin);
	publish_leaf(homie, "$description", "");
	publish_leaf(homie, "$state", "");
	client_stop(homie->client);
}

void node_homie_apply(struct node *node, bool spoken)
{
	if (node->homie && !node->homie->leaving && !spoken)
		leave(node->homie);
	/* One that is just leaving: it will be back with the next
	 * configuration. */
	else if (!node->homie && spoken)
		begin(node);
}

void node_homie_say(struct node *node)
{
	if (is_there(node) && !node->stopping)
		say_everything(node->homie);
}

void node_homie_stop(struct node *node)
{
	if (!node->homie || node->homie->leaving)
		return;
	if (client_connected(node->homie->client))
		publish_leaf(node->homie, "$state", "disconnected");
	client_stop(node->homie->client);
}

bool node_homie_idle(const struct node *node)
{
	return !node->homie || node->homie->stopped;
}

void node_homie_free(struct node *node)
{
	if (!node->homie)
		return;
	loop_timer_cancel(node->loop, &node->homie->timer);
	client_free(node->homie->client);
	free(node->homie);
	node->homie = NULL;
}

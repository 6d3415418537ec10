#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "broker/base/log.h"
#include "gpio/node_internal.h"

/* Edges taken in one go. */
#define EVENTS_AT_ONCE 32

static unsigned int number_of(const struct node_pin *pin)
{
	return (unsigned int)(pin - pin->node->pins);
}

bool node_pin_on(const struct node_pin *pin)
{
	if (pin->pin.direction == LINE_OUTPUT)
		return pin->node->logic.output[number_of(pin)].on;
	return pin->on;
}

struct node_pin *node_pins_find(struct node *node, struct slice name)
{
	for (size_t i = 0; i < PINS_MAX; i++)
		if (node->pins[i].used &&
		    slice_equal(slice_str(node->pins[i].pin.name), name))
			return &node->pins[i];
	return NULL;
}

void node_pin_why(const struct node_pin *pin, char reason[REASON_SIZE])
{
	struct line_info info = { 0 };

	if (pin->error == -EBUSY &&
	    lines_info(pin->node->lines, pin->pin.line, &info) == 0 &&
	    info.consumer[0])
		(void)snprintf(reason, REASON_SIZE, "line %u is used by %s",
			       pin->pin.line, info.consumer);
	else
		(void)snprintf(reason, REASON_SIZE, "line %u cannot be had: %s",
			       pin->pin.line, strerrordesc_np(-pin->error));
}

/* Lose the line, as it is. */
static void let_go(struct node_pin *pin)
{
	if (!pin->request)
		return;

	if (pin->pin.direction == LINE_OUTPUT)
		logic_remove(&pin->node->logic, number_of(pin));
	else
		loop_remove(pin->node->loop, &pin->source);
	pin->source.fd = -1;
	lines_release(pin->request);
	pin->request = NULL;
}

/* An input's line that fails is asked for again later. */
static void input_failed(struct node_pin *pin, int error)
{
	log_error(pin->pin.name, "cannot be read: %s", strerrordesc_np(-error));
	pin->error = error;
	let_go(pin);
	node_say_gone(pin->node, &pin->pin);
	loop_timer_set(pin->node->loop, &pin->node->retry_timer, NODE_RETRY_MS);
}

static void input_is(struct node_pin *pin, bool on)
{
	if (pin->on == on)
		return;
	pin->on = on;
	node_say_state(pin->node, pin);
	node_say_event(pin->node, pin);
}

/* Returns 0 or the error of the line. */
static int read_level(struct node_pin *pin)
{
	uint64_t values;
	int r = lines_get(pin->request, &values);

	if (!r)
		input_is(pin, values & 1);
	return r;
}

static void on_edge(struct loop_source *source, uint32_t mask)
{
	struct node_pin *pin = list_entry(source, struct node_pin, source);
	struct line_event events[EVENTS_AT_ONCE];
	bool lost = false;
	int n;

	(void)mask;
	n = lines_read(pin->request, events, EVENTS_AT_ONCE);
	for (int i = 0; i < n; i++) {
		lost |= events[i].seqno != pin->seqno + 1;
		pin->seqno = events[i].seqno;
		input_is(pin, events[i].active);
	}
	if (lost) {
		log_warn(pin->pin.name, "edges were lost: they came too fast");
		n = read_level(pin);
	}
	if (n < 0)
		input_failed(pin, n);
}

static struct line_config line_config_of(const struct pin *pin)
{
	return (struct line_config){
		.offset = pin->line,
		.direction = pin->direction,
		.bias = pin->bias,
		.active_low = pin->active_low,
		.debounce_us = pin->debounce_ms * 1000,
		.initial = pin->safe == LOGIC_SAFE_ON,
		.keep = true,
	};
}

/* The line is ours: what is on it? */
static int begin_using(struct node_pin *pin)
{
	uint64_t values;
	int r = lines_get(pin->request, &values);

	if (r)
		return r;
	if (pin->pin.direction == LINE_OUTPUT) {
		logic_add(&pin->node->logic, number_of(pin), pin->pin.safe,
			  values & 1);
		return 0;
	}
	pin->on = values & 1;
	pin->seqno = 0;
	return loop_add(pin->node->loop, &pin->source, pin->request->fd,
			EPOLLIN, on_edge);
}

/* Returns true if the line is ours now. Says why not once for each reason. */
static bool take_line(struct node_pin *pin)
{
	struct line_config config = line_config_of(&pin->pin);
	char consumer[LINES_NAME_SIZE];
	char why[REASON_SIZE];
	int before = pin->error;

	(void)snprintf(consumer, sizeof(consumer), "hearth:%.24s",
		       pin->pin.name);
	pin->error = lines_request(pin->node->lines, consumer, &config, 1,
				   &pin->request);
	if (!pin->error) {
		pin->error = begin_using(pin);
		if (pin->error) {
			lines_release(pin->request);
			pin->request = NULL;
		}
	}
	if (!pin->error)
		return true;

	pin->request = NULL;
	if (pin->error != before) {
		node_pin_why(pin, why);
		log_error(pin->pin.name, "%s", why);
	}
	return false;
}

/* A pin leaves: its output is made safe, its topics are taken away. */
static void remove_pin(struct node_pin *pin)
{
	struct logic_action action;
	char reason[REASON_SIZE];

	if (pin->request &&
	    logic_make_safe(&pin->node->logic, number_of(pin), &action) &&
	    node_pins_execute(pin->node, &action, reason))
		log_error(pin->pin.name, "left, but not safe: %s", reason);
	let_go(pin);
	node_say_gone(pin->node, &pin->pin);
	pin->used = false;
}

/* The same line under new words. */
static void reword_pin(struct node_pin *pin, const struct pin *to)
{
	bool topics_change = strcmp(pin->pin.name, to->name) != 0 ||
			     pin->pin.kind != to->kind;

	if (topics_change)
		node_say_gone(pin->node, &pin->pin);
	pin->pin = *to;
	if (pin->request && to->direction == LINE_OUTPUT)
		logic_set_safe(&pin->node->logic, number_of(pin), to->safe);
	if (topics_change)
		node_say_state(pin->node, pin);
}

static struct node_pin *free_place(struct node *node)
{
	size_t i = 0;

	while (node->pins[i].used)
		i++;
	/* There are as many places as a configuration has pins, and those
	 * that left are gone. */
	assert(i < PINS_MAX);
	return &node->pins[i];
}

/* The pin in use that goes on as this one, or NULL. */
static struct node_pin *predecessor(struct node *node, const struct pin *to,
				    bool by_name, const bool kept[PINS_MAX])
{
	for (size_t k = 0; k < PINS_MAX; k++) {
		struct node_pin *pin = &node->pins[k];

		if (pin->used && !kept[k] && pin_same_line(&pin->pin, to) &&
		    (!by_name || strcmp(pin->pin.name, to->name) == 0))
			return pin;
	}
	return NULL;
}

/* Who goes on: first by name and line, then by line alone (a new name). The
 * others leave. */
static void match(struct node *node, const struct pins *pins,
		  bool matched[PINS_MAX])
{
	bool kept[PINS_MAX] = { false };

	for (size_t i = 0; i < 2 * pins->count; i++) {
		size_t n = i % pins->count;
		struct node_pin *pin;

		if (matched[n])
			continue;
		pin = predecessor(node, &pins->pin[n], i < pins->count, kept);
		if (!pin)
			continue;
		reword_pin(pin, &pins->pin[n]);
		matched[n] = true;
		kept[number_of(pin)] = true;
	}
	for (size_t k = 0; k < PINS_MAX; k++)
		if (node->pins[k].used && !kept[k])
			remove_pin(&node->pins[k]);
}

void node_pins_apply(struct node *node, const struct pins *pins)
{
	bool matched[PINS_MAX] = { false };

	/* All that leave first: a line may change its pin. */
	match(node, pins, matched);
	for (size_t i = 0; i < pins->count; i++) {
		struct node_pin *pin;

		if (matched[i])
			continue;
		pin = free_place(node);
		*pin = (struct node_pin){
			.used = true,
			.node = node,
			.pin = pins->pin[i],
			.source.fd = -1,
		};
		(void)take_line(pin);
		node_say_state(node, pin);
	}
	node_set_logic_timer(node);
	if (node_pins_missing(node))
		loop_timer_set(node->loop, &node->retry_timer, NODE_RETRY_MS);
}

bool node_pins_missing(const struct node *node)
{
	for (size_t i = 0; i < PINS_MAX; i++)
		if (node->pins[i].used && !node->pins[i].request)
			return true;
	return false;
}

bool node_pins_retry(struct node *node)
{
	bool any = false;

	for (size_t i = 0; i < PINS_MAX; i++) {
		struct node_pin *pin = &node->pins[i];

		if (!pin->used || pin->request || !take_line(pin))
			continue;
		log_info(pin->pin.name, "line %u is ours now", pin->pin.line);
		node_say_state(node, pin);
		any = true;
	}
	return any;
}

void node_pins_deafen(struct node *node)
{
	for (size_t i = 0; i < PINS_MAX; i++)
		if (node->pins[i].used)
			loop_remove(node->loop, &node->pins[i].source);
}

void node_pins_release(struct node *node)
{
	for (size_t i = 0; i < PINS_MAX; i++)
		if (node->pins[i].used)
			let_go(&node->pins[i]);
}

/* Returns 0 and what is on the line after writing, or a negative errno. */
static int write_and_read(struct node_pin *pin, bool on, bool *now)
{
	uint64_t values;
	int r = lines_set(pin->request, 1, on);

	if (!r)
		r = lines_get(pin->request, &values);
	if (!r)
		*now = values & 1;
	return r;
}

int node_pins_execute(struct node *node, const struct logic_action *action,
		      char reason[REASON_SIZE])
{
	struct node_pin *pin = &node->pins[action->output];
	uint64_t now = loop_now(node->loop);
	bool on;
	int r = write_and_read(pin, action->on, &on);

	if (r) {
		logic_failed(&node->logic, action, now);
		(void)snprintf(reason, REASON_SIZE,
			       "line %u cannot be written: %s", pin->pin.line,
			       strerrordesc_np(-r));
	} else {
		logic_done(&node->logic, action, on, now);
		node_say_state(node, pin);
	}
	if (!r && on != action->on) {
		r = -EIO;
		(void)snprintf(reason, REASON_SIZE,
			       "line %u was driven %s but reads %s",
			       pin->pin.line, topics_state(action->on),
			       topics_state(on));
	}
	node_set_logic_timer(node);
	return r ? -EIO : 0;
}

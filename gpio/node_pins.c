#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "broker/base/clock.h"
#include "broker/base/log.h"
#include "gpio/node_internal.h"

static unsigned int number_of(const struct node_pin *pin)
{
	return (unsigned int)(pin - pin->node->pins);
}

bool node_pin_on(const struct node_pin *pin)
{
	if (pin->pin.direction == LINE_OUTPUT)
		return pin->node->logic.output[number_of(pin)].now.on;
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

static struct lines *chip_of(const struct node_pin *pin)
{
	return lines_chip(pin->node->lines, pin->pin.chip);
}

void node_pin_why(const struct node_pin *pin, char reason[REASON_SIZE])
{
	struct lines *chip = chip_of(pin);
	struct line_info info = { 0 };

	if (!chip)
		(void)snprintf(reason, REASON_SIZE, "the chip %s is not here",
			       pin->pin.chip);
	else if (pin->error == -EBUSY &&
		 lines_info(chip, pin->pin.line, &info) == 0 &&
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

	if (pin->pin.direction == LINE_OUTPUT) {
		memory_keep(&pin->node->memory, pin->pin.chip, pin->pin.line,
			    logic_remember(&pin->node->logic, number_of(pin)));
		logic_remove(&pin->node->logic, number_of(pin));
	} else {
		node_input_end(pin);
	}
	pin->source.fd = -1;
	node_held_drop(pin);
	lines_release(pin->request);
	pin->request = NULL;
}

void node_pin_failed(struct node_pin *pin, int error)
{
	log_error(pin->pin.name, "cannot be read: %s", strerrordesc_np(-error));
	pin->error = error;
	let_go(pin);
	node_say_state(pin->node, pin);
	loop_timer_set(pin->node->loop, &pin->node->retry_timer, NODE_RETRY_MS);
}

static struct line_config line_config_of(const struct pin *pin)
{
	return (struct line_config){
		.offset = pin->line,
		.direction = pin->direction,
		.bias = pin->bias,
		.active_low = pin->active_low,
		.debounce_us = pin->debounce_ms * 1000,
		.initial = pin->rules.safe == LOGIC_SAFE_ON,
		.keep = true,
	};
}

static void begin_driving(struct node_pin *pin, bool on)
{
	const struct memory *memory = &pin->node->memory;
	const struct memory_entry *e =
		memory_of(memory, pin->pin.chip, pin->pin.line);
	struct logic_start start = {
		.on = on,
		.told = e && e->memory.told,
		.memory =
			e && (memory->same_boot || e->live) ? &e->memory : NULL,
	};

	logic_add(&pin->node->logic, number_of(pin), &pin->pin.rules, start,
		  loop_now(pin->node->loop));
	/* Its meaning has changed under it, as its polarity does. */
	if (e && e->live)
		logic_make_safe(&pin->node->logic, number_of(pin));
}

/* The line is ours: what is on it? */
static int begin_using(struct node_pin *pin)
{
	uint64_t values;
	int r = lines_get(pin->request, &values);

	if (r)
		return r;
	if (pin->pin.direction == LINE_OUTPUT) {
		begin_driving(pin, values & 1);
		return 0;
	}
	return node_input_begin(pin, values & 1);
}

/* Returns true if the line is ours now. Says why not once for each reason. */
static bool take_line(struct node_pin *pin)
{
	struct line_config config = line_config_of(&pin->pin);
	struct lines *chip = chip_of(pin);
	char consumer[LINES_NAME_SIZE];
	char why[REASON_SIZE];
	int before = pin->error;

	(void)snprintf(consumer, sizeof(consumer), "hearth:%.24s",
		       pin->pin.name);
	pin->error =
		chip ? lines_request(chip, consumer, &config, 1, &pin->request)
		     : -ENODEV;
	if (!pin->error) {
		pin->error = begin_using(pin);
		if (pin->error) {
			lines_release(pin->request);
			pin->request = NULL;
		}
	}
	if (!pin->error) {
		node_held_update(pin);
		return true;
	}

	pin->request = NULL;
	if (pin->error != before) {
		node_pin_why(pin, why);
		log_error(pin->pin.name, "%s", why);
	}
	return false;
}

/* All outputs that leave are made safe while their groups are still whole. */
static void make_leavers_safe(struct node *node, const bool kept[PINS_MAX])
{
	for (unsigned int k = 0; k < PINS_MAX; k++)
		if (node->pins[k].used && !kept[k])
			logic_make_safe(&node->logic, k);
	node_run(node);
}

/* A pin leaves: its topics are taken away. */
static void remove_pin(struct node_pin *pin)
{
	if (pin->fault[0])
		log_error(pin->pin.name, "left, but is not safe");
	let_go(pin);
	node_answer(pin->node);
	node_say_left(pin->node, pin);
	pin->used = false;
}

/* The same line under new words. */
static void reword_pin(struct node_pin *pin, const struct pin *to)
{
	bool topics_change = strcmp(pin->pin.name, to->name) != 0 ||
			     pin->pin.kind != to->kind ||
			     (pin->pin.per_unit > 0) != (to->per_unit > 0);
	bool begin = to->direction == LINE_INPUT && pin->request &&
		     pin->pin.kind != to->kind;

	if (topics_change)
		node_say_left(pin->node, pin);
	pin->pin = *to;
	node_held_update(pin);
	if (pin->request && to->direction == LINE_OUTPUT)
		logic_set_rules(&pin->node->logic, number_of(pin), &to->rules);
	else if (pin->request)
		node_input_reword(pin, begin);
	/* A count means something else in another unit. */
	if (topics_change || to->kind == PIN_COUNTER)
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

/* Who goes on as which of the new pins: first by name and line, then by line
 * alone (a new name). */
static void match(struct node *node, const struct pins *pins,
		  struct node_pin *matched[PINS_MAX], bool kept[PINS_MAX])
{
	for (int by_name = 1; by_name >= 0; by_name--) {
		for (size_t i = 0; i < pins->count; i++) {
			if (matched[i])
				continue;
			matched[i] =
				predecessor(node, &pins->pin[i], by_name, kept);
			if (matched[i])
				kept[number_of(matched[i])] = true;
		}
	}
}

static void add_pin(struct node *node, const struct pin *to)
{
	struct node_pin *pin = free_place(node);

	*pin = (struct node_pin){
		.used = true,
		.node = node,
		.pin = *to,
		.source.fd = -1,
	};
	(void)take_line(pin);
	node_say_state(node, pin);
}

void node_pins_apply(struct node *node, const struct pins *pins)
{
	struct node_pin *matched[PINS_MAX] = { NULL };
	bool kept[PINS_MAX] = { false };

	match(node, pins, matched, kept);
	/* All that leave first: a line may change its pin. Then the rules of
	 * all that stay, so that no interlock is half an old one. */
	make_leavers_safe(node, kept);
	for (size_t k = 0; k < PINS_MAX; k++)
		if (node->pins[k].used && !kept[k])
			remove_pin(&node->pins[k]);
	for (size_t i = 0; i < pins->count; i++)
		if (matched[i])
			reword_pin(matched[i], &pins->pin[i]);
	for (size_t i = 0; i < pins->count; i++)
		if (!matched[i])
			add_pin(node, &pins->pin[i]);
	node_hub_expect(node);
	node_run(node);
	node_inputs_follow(node);
	node_devices_apply(node, pins);
	if (node_pins_missing(node))
		loop_timer_set(node->loop, &node->retry_timer, NODE_RETRY_MS);
}

const struct node_pin *node_pins_unheld(const struct node *node,
					const struct node_pin *pin)
{
	for (size_t i = 0; i < PINS_MAX; i++) {
		const struct node_pin *other = &node->pins[i];

		if (other != pin && other->used && !other->request &&
		    pin->pin.rules.group &&
		    other->pin.rules.group == pin->pin.rules.group)
			return other;
	}
	return NULL;
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
	node_run(node);
	if (any)
		node_inputs_follow(node);
	return any;
}

void node_pins_deafen(struct node *node)
{
	for (size_t i = 0; i < PINS_MAX; i++)
		if (node->pins[i].used &&
		    node->pins[i].pin.direction == LINE_INPUT &&
		    node->pins[i].request)
			node_input_end(&node->pins[i]);
}

void node_pins_release(struct node *node)
{
	for (size_t i = 0; i < PINS_MAX; i++) {
		if (!node->pins[i].used)
			continue;
		let_go(&node->pins[i]);
		node_forget(&node->pins[i].order);
	}
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

/* Said once, not at each try. */
static void faulty(struct node_pin *pin, const char *reason)
{
	if (strcmp(pin->fault, reason) == 0)
		return;
	(void)snprintf(pin->fault, REASON_SIZE, "%s", reason);
	log_error(pin->pin.name, "%s", reason);
}

void node_pins_drive(struct node *node, const struct logic_action *action)
{
	struct node_pin *pin = &node->pins[action->output];
	uint64_t now = loop_now(node->loop);
	char reason[REASON_SIZE] = "";
	bool on;
	int r = write_and_read(pin, action->on, &on);

	if (r)
		(void)snprintf(reason, REASON_SIZE,
			       "line %u cannot be written: %s", pin->pin.line,
			       strerrordesc_np(-r));
	else if (on != action->on)
		(void)snprintf(reason, REASON_SIZE,
			       "line %u was driven %s but reads %s",
			       pin->pin.line, topics_state(action->on),
			       topics_state(on));
	if (reason[0])
		faulty(pin, reason);
	else
		pin->fault[0] = '\0';
	if (r) {
		logic_failed(&node->logic, action, now);
		node_say_usable(node, pin, false);
		return;
	}
	/* Neither may a dead time be shorter for the part of a millisecond, nor
	 * for how long the write took. */
	if (!on)
		now = clock_ms() + 1;
	logic_done(&node->logic, action, on, now);
	node_say_state(node, pin);
}

void node_pins_remember(const struct node *node, struct memory *out)
{
	out->count = 0;
	for (unsigned int i = 0; i < PINS_MAX; i++) {
		const struct node_pin *pin = &node->pins[i];
		struct memory_entry *entry = &out->entry[out->count];
		const struct logic_memory *m;

		if (!pin->used || !pin->request ||
		    pin->pin.direction != LINE_OUTPUT)
			continue;
		m = logic_remember(&node->logic, i);
		if (memory_counts(&pin->pin.rules) || m->starting ||
		    m->off_at || m->lease_at)
			entry->memory = *m;
		else if (memory_wanted(&pin->pin.rules))
			entry->memory = (struct logic_memory){ 0 };
		else
			continue;
		entry->line = pin->pin.line;
		(void)snprintf(entry->chip, sizeof(entry->chip), "%s",
			       pin->pin.chip);
		out->count++;
	}
}

/* What inputs do: say their level, what was clicked, what was counted, and switch
 * the outputs bound to them. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/base/clock.h"
#include "broker/base/log.h"
#include "gpio/node_internal.h"

/* Edges taken in one go, and how often before others have their turn: more than
 * the kernel keeps. */
#define EVENTS_AT_ONCE 32
#define BUFFERS_AT_ONCE 8

#define NS_PER_MS 1000000u

static struct node_pin *target_of(const struct node_pin *pin)
{
	if (pin->pin.mode == PIN_DETACHED)
		return NULL;
	return node_pins_find(pin->node, slice_str(pin->pin.target));
}

/* ---- outputs bound to it ------------------------------------------------ */

static void switch_target(struct node_pin *pin, enum logic_verb verb)
{
	struct node_pin *target = target_of(pin);

	/* The configuration has been checked, but its line may be missing. */
	if (target && target->request && !pin->node->stopping)
		node_order_locally(pin->node, target, verb, pin->pin.name);
}

static void obey(struct node_pin *pin)
{
	switch (pin->pin.mode) {
	case PIN_DETACHED:
		return;
	case PIN_FOLLOW:
		switch_target(pin, pin->on ? LOGIC_ON : LOGIC_OFF);
		return;
	case PIN_TOGGLE:
		switch_target(pin, LOGIC_TOGGLE);
		return;
	case PIN_MOMENTARY:
		if (pin->on)
			switch_target(pin, LOGIC_TOGGLE);
		return;
	}
}

void node_inputs_follow(struct node *node)
{
	for (size_t i = 0; i < PINS_MAX; i++) {
		struct node_pin *pin = &node->pins[i];
		const struct node_pin *target;

		if (!pin->used || !pin->request ||
		    pin->pin.direction != LINE_INPUT ||
		    pin->pin.mode != PIN_FOLLOW)
			continue;
		target = target_of(pin);
		if (target && target->request && node_pin_on(target) != pin->on)
			obey(pin);
	}
}

/* ---- clicks ------------------------------------------------------------- */

static void on_click(enum click click, void *arg)
{
	node_say_event(arg, click_text(click));
}

static void wait_for_clicks(struct node_pin *pin)
{
	uint64_t now = loop_now(pin->node->loop);

	if (pin->clicks.due == UINT64_MAX)
		loop_timer_cancel(pin->node->loop, &pin->timer);
	else
		loop_timer_set(pin->node->loop, &pin->timer,
			       pin->clicks.due > now ? pin->clicks.due - now
						     : 0);
}

/* ---- counting ----------------------------------------------------------- */

static void say_count(struct node_pin *pin)
{
	const struct pin *p = &pin->pin;
	double rate = counter_rate(&pin->counter, clock_ns());
	char text[40];

	(void)snprintf(text, sizeof(text), "%llu",
		       (unsigned long long)pin->counter.count);
	node_say_value(pin->node, "in", p->name, "/count", text);
	if (p->per_unit > 0) {
		(void)snprintf(text, sizeof(text), "%.6g",
			       (double)pin->counter.count / p->per_unit);
		node_say_value(pin->node, "sensor", p->name, "", text);
		rate /= p->per_unit;
	}
	(void)snprintf(text, sizeof(text), "%.4g", rate);
	node_say_value(pin->node, "in", p->name, "/rate", text);
	node_dialects_say_pin(pin->node, pin);
	pin->said_count = pin->counter.count;
	pin->said_rate = rate;
}

void node_input_say(struct node_pin *pin)
{
	if (pin->pin.kind == PIN_COUNTER)
		say_count(pin);
	else
		node_say_state(pin->node, pin);
}

/* As often as the configuration says, and only what has changed; a rate falls
 * for as long as nothing comes, until it is next to nothing. */
static void on_interval(struct node_pin *pin)
{
	double rate = counter_rate(&pin->counter, clock_ns());

	if (pin->pin.per_unit > 0)
		rate /= pin->pin.per_unit;
	if (pin->counter.count != pin->said_count ||
	    fabs(rate - pin->said_rate) > 0.05 * pin->said_rate)
		say_count(pin);
	loop_timer_set(pin->node->loop, &pin->timer, pin->pin.interval_ms);
}

static void keep_counts(struct node *node)
{
	int r;

	for (size_t i = 0; i < PINS_MAX; i++) {
		const struct node_pin *pin = &node->pins[i];

		if (pin->used && pin->request && pin->pin.kind == PIN_COUNTER)
			tallies_put(&node->tallies, pin->pin.name,
				    pin->counter.count);
	}
	node->counted = false;
	if (!node->state_directory)
		return;
	r = tallies_save(node->state_directory, &node->tallies);
	if (r)
		log_error(node->state_directory,
			  TALLIES_FILE " not written: %s", strerrordesc_np(-r));
}

static void on_keep_timer(struct loop_timer *timer)
{
	keep_counts(list_entry(timer, struct node, keep_timer));
}

void node_inputs_keep(struct node *node)
{
	loop_timer_cancel(node->loop, &node->keep_timer);
	if (node->counted)
		keep_counts(node);
}

static void counted(struct node *node)
{
	if (node->counted)
		return;
	node->counted = true;
	node->keep_timer.fn = on_keep_timer;
	loop_timer_set(node->loop, &node->keep_timer, TALLIES_KEEP_MS);
}

bool node_input_set_count(struct node_pin *pin, uint64_t count)
{
	if (pin->pin.kind != PIN_COUNTER || count > TALLY_MAX)
		return false;
	pin->counter.count = count;
	counted(pin->node);
	say_count(pin);
	return true;
}

/* ---- edges -------------------------------------------------------------- */

/* lost: edges before this one. */
static void input_edge(struct node_pin *pin, bool on, uint64_t time_ns,
		       uint32_t lost)
{
	bool changed = pin->on != on;

	pin->on = on;
	if (pin->pin.kind == PIN_COUNTER) {
		if (counter_edge(&pin->counter, on, time_ns, lost))
			counted(pin->node);
		return;
	}
	if (!changed)
		return;
	node_say_state(pin->node, pin);
	if (pin->pin.kind == PIN_BUTTON) {
		clicks_edge(&pin->clicks, on, time_ns / NS_PER_MS, on_click,
			    pin);
		wait_for_clicks(pin);
	}
	obey(pin);
}

/* Edges were lost, the newest among them: what is it now? Returns 0 or the error
 * of the line. */
static int read_level(struct node_pin *pin)
{
	uint64_t values;
	int r = lines_get(pin->request, &values);

	if (!r && pin->on != (values & 1))
		input_edge(pin, values & 1, clock_ns(), 0);
	return r;
}

static void say_lost(struct node_pin *pin, uint32_t lost)
{
	char reason[REASON_SIZE];

	pin->lost += lost;
	(void)snprintf(reason, REASON_SIZE,
		       "%u edges came too fast and were lost, %llu so far%s",
		       lost, (unsigned long long)pin->lost,
		       pin->pin.kind == PIN_COUNTER ? "; they are counted"
						    : "");
	node_say_trouble(pin->node, pin->pin.name, reason);
}

/* Returns how many edges were taken, or the error of the line. */
static int take_edges(struct node_pin *pin, uint32_t *lost)
{
	struct line_event events[EVENTS_AT_ONCE];
	int n = lines_read(pin->request, events, EVENTS_AT_ONCE);

	for (int i = 0; i < n; i++) {
		uint32_t missing = events[i].seqno - pin->seqno - 1;

		pin->seqno = events[i].seqno;
		*lost += missing;
		input_edge(pin, events[i].active, events[i].time_ns, missing);
	}
	return n;
}

static void on_edge(struct loop_source *source, uint32_t mask)
{
	struct node_pin *pin = list_entry(source, struct node_pin, source);
	uint32_t lost = 0;
	int n = EVENTS_AT_ONCE;

	(void)mask;
	for (int i = 0; i < BUFFERS_AT_ONCE && n == EVENTS_AT_ONCE; i++)
		n = take_edges(pin, &lost);
	if (lost > 0)
		say_lost(pin, lost);
	/* A counter would count an edge twice that comes just now. */
	if (lost > 0 && n >= 0 && pin->pin.kind != PIN_COUNTER)
		n = read_level(pin);
	if (n < 0)
		node_pin_failed(pin, n);
}

static void on_timer(struct loop_timer *timer)
{
	struct node_pin *pin = list_entry(timer, struct node_pin, timer);

	if (pin->pin.kind == PIN_COUNTER) {
		on_interval(pin);
		return;
	}
	/* What has happened before this time comes before it. */
	on_edge(&pin->source, 0);
	if (!pin->request)
		return;
	clicks_pass(&pin->clicks, loop_now(pin->node->loop), on_click, pin);
	wait_for_clicks(pin);
}

/* ---- beginning and ending ----------------------------------------------- */

/* What follows from its kind. */
static void begin(struct node_pin *pin)
{
	struct node *node = pin->node;

	loop_timer_cancel(node->loop, &pin->timer);
	clicks_init(&pin->clicks, &pin->pin.clicks, pin->on);
	if (pin->pin.kind != PIN_COUNTER)
		return;
	counter_init(&pin->counter, tallies_of(&node->tallies, pin->pin.name),
		     pin->on);
	loop_timer_set(node->loop, &pin->timer, pin->pin.interval_ms);
}

void node_input_reword(struct node_pin *pin, bool new_kind)
{
	if (new_kind)
		begin(pin);
	else
		pin->clicks.times = pin->pin.clicks;
}

int node_input_begin(struct node_pin *pin, bool on)
{
	pin->on = on;
	pin->seqno = 0;
	pin->timer.fn = on_timer;
	begin(pin);
	return loop_add(pin->node->loop, &pin->source, pin->request->fd,
			EPOLLIN, on_edge);
}

void node_input_end(struct node_pin *pin)
{
	if (pin->pin.kind == PIN_COUNTER)
		tallies_put(&pin->node->tallies, pin->pin.name,
			    pin->counter.count);
	loop_timer_cancel(pin->node->loop, &pin->timer);
	loop_remove(pin->node->loop, &pin->source);
}

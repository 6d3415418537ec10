#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/base/log.h"
#include "gpio/file.h"
#include "gpio/node_internal.h"

void node_say_result(struct node *node, struct slice set_topic,
		     const char *reason, bool on, json_t *id)
{
	static const char set[] = "set";
	char topic[2 * TOPICS_SIZE];
	size_t base = set_topic.len - (sizeof(set) - 1);
	char *text;

	/* Longer than any of ours: only the error is told. */
	if (base + sizeof("result") > sizeof(topic))
		return;
	text = topics_result(reason, on, id);
	if (!text)
		return;
	(void)snprintf(topic, sizeof(topic), "%.*sresult", (int)base,
		       (const char *)set_topic.data);
	node_say(node, topic, text, false);
	free(text);
}

/* ---- in words ----------------------------------------------------------- */

static const char *name_of(const struct node *node, unsigned int output)
{
	return node->pins[output].pin.name;
}

static void interlock_reason(const struct node *node,
			     const struct logic_verdict *verdict,
			     char out[REASON_SIZE])
{
	if (verdict->wait_ms)
		(void)snprintf(out, REASON_SIZE,
			       "%s must stay on for another %.1f s",
			       name_of(node, verdict->other),
			       (double)verdict->wait_ms / 1000);
	else if (verdict->other != verdict->output)
		(void)snprintf(out, REASON_SIZE, "%s may not be switched off",
			       name_of(node, verdict->other));
	else
		(void)snprintf(out, REASON_SIZE,
			       "what is interlocked with it did not go off");
}

static void reason_of(const struct node *node,
		      const struct logic_verdict *verdict,
		      char out[REASON_SIZE])
{
	double wait = (double)verdict->wait_ms / 1000;

	switch (verdict->result) {
	case LOGIC_APPLIED:
	case LOGIC_ACCEPTED:
		out[0] = '\0';
		return;
	case LOGIC_NO_OUTPUT:
		(void)snprintf(out, REASON_SIZE, "there is no such output");
		return;
	case LOGIC_TOO_LONG:
		(void)snprintf(out, REASON_SIZE, "the time is too long");
		return;
	case LOGIC_LOCKED:
		(void)snprintf(out, REASON_SIZE, "it is locked");
		return;
	case LOGIC_MIN_ON:
		(void)snprintf(out, REASON_SIZE,
			       "it must stay on for another %.1f s", wait);
		return;
	case LOGIC_MIN_OFF:
		(void)snprintf(out, REASON_SIZE,
			       "it must stay off for another %.1f s", wait);
		return;
	case LOGIC_MAX_ON:
		(void)snprintf(out, REASON_SIZE,
			       "it has been on for as long as it may");
		return;
	case LOGIC_CYCLES:
		(void)snprintf(out, REASON_SIZE,
			       "it was started too often; again in %.0f s",
			       wait);
		return;
	case LOGIC_INTERLOCK:
		interlock_reason(node, verdict, out);
		return;
	case LOGIC_SUPERSEDED:
		(void)snprintf(out, REASON_SIZE, "something newer came first");
		return;
	case LOGIC_FAULT:
		(void)snprintf(out, REASON_SIZE, "%s",
			       node->pins[verdict->output].fault);
		return;
	}
}

/* ---- answers ------------------------------------------------------------ */

void node_forget(struct node_order *order)
{
	free(order->topic);
	json_decref(order->id);
	*order = (struct node_order){ 0 };
}

static void answer(struct node *node, const struct logic_verdict *verdict)
{
	struct node_pin *pin = &node->pins[verdict->output];
	struct node_order *order = &pin->order;
	char reason[REASON_SIZE];

	if (verdict->result != LOGIC_APPLIED)
		node_covers_failed(node, verdict->token);
	if (!order->waits || order->token != verdict->token)
		return;
	reason_of(node, verdict, reason);
	if (order->topic)
		node_say_result(node, slice_str(order->topic),
				reason[0] ? reason : NULL, node_pin_on(pin),
				order->id);
	node_forget(order);
}

void node_answer(struct node *node)
{
	struct logic_verdict verdict;

	while (logic_answer(&node->logic, &verdict))
		answer(node, &verdict);
}

void node_order(struct node *node, struct node_pin *pin,
		const struct topics_command *command, struct slice topic)
{
	unsigned int output = (unsigned int)(pin - node->pins);
	const struct node_pin *unheld = node_pins_unheld(node, pin);
	struct logic_verdict verdict;
	char reason[REASON_SIZE];

	if (unheld && command->logic.verb != LOGIC_OFF) {
		(void)snprintf(reason, REASON_SIZE,
			       "nobody knows if %s is on: it has no line",
			       unheld->pin.name);
		log_warn(pin->pin.name, "refused: %s", reason);
		node_say_result(node, topic, reason, false, command->id);
		return;
	}
	verdict = logic_order(&node->logic, output, &command->logic,
			      ++node->tokens, loop_now(node->loop));

	/* Those it takes the place of. */
	node_answer(node);
	if (verdict.result != LOGIC_ACCEPTED) {
		node_covers_failed(node, node->tokens);
		reason_of(node, &verdict, reason);
		log_warn(pin->pin.name, "refused: %s", reason);
		node_say_result(node, topic, reason, false, command->id);
		return;
	}
	pin->order = (struct node_order){
		.waits = true,
		.token = verdict.token,
		.topic = strndup((const char *)topic.data, topic.len),
		.id = json_incref(command->id),
	};
	node_run(node);
}

void node_order_locally(struct node *node, struct node_pin *pin,
			enum logic_verb verb, const char *who)
{
	const struct logic_command command = { .verb = verb };

	node_order_by(node, pin, &command, who);
}

void node_order_by(struct node *node, struct node_pin *pin,
		   const struct logic_command *command, const char *who)
{
	const struct node_pin *unheld = node_pins_unheld(node, pin);
	struct logic_verdict verdict = { 0 };
	char topic[TOPICS_SIZE];
	char reason[REASON_SIZE];

	if (unheld && command->verb != LOGIC_OFF) {
		(void)snprintf(reason, REASON_SIZE,
			       "nobody knows if %s is on: it has no line",
			       unheld->pin.name);
	} else {
		verdict = logic_order(&node->logic,
				      (unsigned int)(pin - node->pins), command,
				      ++node->tokens, loop_now(node->loop));
		node_answer(node);
		if (verdict.result == LOGIC_ACCEPTED) {
			node_run(node);
			return;
		}
		node_covers_failed(node, node->tokens);
		reason_of(node, &verdict, reason);
	}
	log_warn(pin->pin.name, "refused to %s: %s", who, reason);
	(void)topics_pin(topic, node->name, "out", pin->pin.name, "/set");
	node_say_result(node, slice_str(topic), reason, false, NULL);
}

/* ---- doing -------------------------------------------------------------- */

static void keep_memory(struct node *node)
{
	static struct memory memory; /* Large, and only this thread's. */
	char *text;
	int r;

	if (!node->state_directory)
		return;
	node_pins_remember(node, &memory);
	if (memory.count == 0 && !node->memory_text)
		return;
	text = memory_text(&memory);
	if (text && node->memory_text && strcmp(text, node->memory_text) == 0) {
		free(text);
		return;
	}
	r = text ? file_replace(node->state_directory, MEMORY_FILE,
				slice_str(text), false)
		 : -ENOMEM;
	if (r)
		log_error(node->state_directory, MEMORY_FILE " not written: %s",
			  strerrordesc_np(-r));
	free(node->memory_text);
	node->memory_text = text;
}

void node_run(struct node *node)
{
	struct logic_action action;
	uint64_t next, now;

	while (logic_act(&node->logic, loop_now(node->loop), &action)) {
		node_pins_drive(node, &action);
		node_covers_moved(node);
		node_answer(node);
	}
	node_answer(node);
	node_covers_moved(node);
	keep_memory(node);

	now = loop_now(node->loop);
	next = logic_next(&node->logic, now);
	if (next == UINT64_MAX)
		loop_timer_cancel(node->loop, &node->logic_timer);
	else
		loop_timer_set(node->loop, &node->logic_timer, next - now);
}

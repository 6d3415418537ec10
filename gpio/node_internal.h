/* What the parts of a node share: node.c (start, stop, timers), node_pins.c
 * (lines), node_inputs.c, node_orders.c (outputs), node_hub.c (what is heard),
 * node_say.c (what is said), node_report.c, node_discovery.c (what Home Assistant
 * is told). */
#ifndef GPIO_NODE_INTERNAL_H
#define GPIO_NODE_INTERNAL_H

#include "broker/base/loop.h"
#include "broker/client/client.h"
#include "gpio/clicks.h"
#include "gpio/counter.h"
#include "gpio/logic.h"
#include "gpio/memory.h"
#include "gpio/node.h"
#include "gpio/node_devices.h"
#include "gpio/node_dialect.h"
#include "gpio/node_order.h"
#include "gpio/pins.h"
#include "gpio/tallies.h"
#include "gpio/topics.h"

/* Bytes of a reason in words. */
#define REASON_SIZE 160

/* A hub that can keep nothing is asked this often whether it can again. */
#define NODE_ASK_AGAIN_MS 10000

/* Topics to be taken away that are remembered while the hub takes nothing: those of all
 * pins and devices, some times over. */
#define NODE_GONE_MAX 1000u

/* What was last said on .../status of a pin. */
enum node_said {
	SAID_NOTHING,
	SAID_OFFLINE,
	SAID_ONLINE,
};

/* A pin in use. Its place in the array is its number in logic.h. */
struct node_pin {
	bool used;
	struct pin pin;
	struct node *node;
	struct line_request *request; /* NULL: the line could not be had */
	int error; /* why not */
	bool held; /* when we end, too */
	enum node_said said;
	struct loop_source source; /* inputs */
	bool on; /* inputs; outputs are in logic */
	uint32_t seqno; /* of the last edge */
	uint64_t lost; /* edges that came too fast */
	struct loop_timer timer; /* of buttons and counters */
	struct clicks clicks; /* buttons */
	struct counter counter; /* counters, and what was last said of them: */
	uint64_t said_count;
	double said_rate;
	struct node_order order; /* outputs */
	char fault[REASON_SIZE]; /* outputs: why it does not obey; "" it does */
};

struct node {
	struct loop *loop;
	struct lines *lines;
	struct client *client;
	char name[NODE_NAME_MAX + 1];
	struct pin_dialects dialects; /* of the configuration in force */
	char *state_directory; /* NULL: none */
	char *sysfs;

	struct logic logic;
	uint32_t tokens; /* the last order's */
	struct memory memory; /* what was, when the process started */
	char *memory_text; /* what was kept last; NULL: nothing yet */
	struct tallies tallies; /* counts of pins that are not in use too */
	uint64_t error_count; /* said on .../error since the start */
	struct node_pin pins[PINS_MAX];
	struct node_devices devices;
	json_int_t revision; /* of the configuration last looked at; -1 */
	struct pin_errors errors; /* of that configuration */
	json_t *discovered; /* names and platforms told to Home Assistant; NULL:
			     * none */
	struct loop_timer birth_timer;
	json_t *gone; /* topics still to be taken away; NULL: none */
	struct node_sim *sim; /* NULL: nothing plays */
	struct node_dialect *homie; /* NULL: not spoken */
	struct node_dialect *tasmota;
	char *hub; /* its address */
	const struct client_tls *tls;
	char *user; /* NULL: none */
	char *password; /* NULL: none */

	char hub_missed[REASON_SIZE]; /* why, said already; "": it is there */
	bool behind; /* the hub did not read: it is told again what is so */
	bool lightly; /* the hub can keep nothing: it is told at QoS 0 */
	bool asking; /* by a message at QoS 1 that is under way */
	uint64_t ask_at; /* when to ask again */
	bool stopping;
	bool counted; /* since the counts were kept */
	bool client_stopped; /* it has said goodbye */
	void (*done)(void *arg);
	void *done_arg;
	struct loop_timer logic_timer;
	struct loop_timer retry_timer;
	struct loop_timer goodbye_timer;
	struct loop_timer keep_timer; /* counts */
};

/* node_pins.c */

/* Go from the pins in use to these, which have been checked. Lines of pins that
 * stay as they are, are not touched. */
void node_pins_apply(struct node *node, const struct pins *pins);
/* Ask again for lines that could not be had. True if one came. */
bool node_pins_retry(struct node *node);
bool node_pins_missing(const struct node *node);
/* One interlocked with this whose line could not be had: nobody knows if it is
 * on. NULL: none. */
const struct node_pin *node_pins_unheld(const struct node *node,
					const struct node_pin *pin);
/* No more events. */
void node_pins_deafen(struct node *node);
void node_pins_release(struct node *node);
struct node_pin *node_pins_find(struct node *node, struct slice name);
bool node_pin_on(const struct node_pin *pin);
/* An input's line that fails is let go, and asked for again later. */
void node_pin_failed(struct node_pin *pin, int error);
/* Why a pin without its line has none. */
void node_pin_why(const struct node_pin *pin, char reason[REASON_SIZE]);
/* Write, read back, tell logic, publish. */
void node_pins_drive(struct node *node, const struct logic_action *action);
/* For what a restart has to know: as logic_remember(), of outputs that have
 * rules for it. */
void node_pins_remember(const struct node *node, struct memory *out);

/* node_held.c */

/* The line was had, or what is wanted of it changed. */
void node_held_update(struct node_pin *pin);
/* It is let go. */
void node_held_drop(struct node_pin *pin);

/* node_inputs.c */

/* The line is ours and reads so. Returns 0 or a negative errno. */
int node_input_begin(struct node_pin *pin, bool on);
/* It has other words now; new_kind: and is another kind of input. */
void node_input_reword(struct node_pin *pin, bool new_kind);
/* No more edges. */
void node_input_end(struct node_pin *pin);
/* Outputs that follow an input are made to, after a start or a new line. */
void node_inputs_follow(struct node *node);
/* Everything as it stands, to a hub that may not know it. */
void node_input_say(struct node_pin *pin);
/* False: it does not count, or not so far. */
bool node_input_set_count(struct node_pin *pin, uint64_t count);
/* Write the counts down now, if there are new ones. */
void node_inputs_keep(struct node *node);

/* node_orders.c */

/* Do all that logic wants done by now, answer who asked for it, keep what must
 * be known after a restart, and come back when more is due. */
void node_run(struct node *node);
/* Tell those whose orders are settled. */
void node_answer(struct node *node);
/* This order is not answered any more. */
void node_forget(struct node_order *order);
/* A command on topic, which ends in /set: judged, done, answered. */
void node_order(struct node *node, struct node_pin *pin,
		const struct topics_command *command, struct slice topic);
/* An order of an input here, by name. A refusal is logged, and said on the
 * output's .../result. */
void node_order_locally(struct node *node, struct node_pin *pin,
			enum logic_verb verb, const char *who);
/* The same with times. */
void node_order_by(struct node *node, struct node_pin *pin,
		   const struct logic_command *command, const char *who);
/* On .../result, beside the .../set that asked. reason NULL: applied. */
void node_say_result(struct node *node, struct slice topic, const char *reason,
		     bool on, json_t *id);

/* node_commands.c */

/* False: a retained command is old, which is said on .../error. */
bool node_command_is_new(struct node *node,
			 const struct client_message *message);
/* The same, and it is a command at all: an empty one is somebody taking a retained
 * one away. */
bool node_command_counts(struct node *node,
			 const struct client_message *message);
/* What was asked for is not done: on .../error, and on .../result with the
 * command's id, which may be NULL. */
void node_refuse(struct node *node, const struct client_message *message,
		 const char *reason, json_t *id);

/* node_hub.c */

extern const struct client_callbacks node_hub_callbacks;

/* Notice a silent hub in time for the outputs there are now. */
void node_hub_expect(struct node *node);

/* node_say.c */

/* Publish, if the hub is there; it is told everything that is retained when it
 * comes. What is not goes by a dialect's connection if only that is there. False:
 * none is, or there was no room. */
bool node_say(struct node *node, const char *topic, const char *payload,
	      bool retain);
void node_say_state(struct node *node, struct node_pin *pin);
/* Whether the pin can be used, where it changes what was said; again: also if
 * not. */
void node_say_usable(struct node *node, struct node_pin *pin, bool again);
/* Take away what was said of this pin's state. */
void node_say_gone(struct node *node, const struct pin *pin);
/* All that was said of it. */
void node_say_left(struct node *node, struct node_pin *pin);
/* What happened at an input: {"event_type":"..."}. */
void node_say_event(const struct node_pin *pin, const char *type);
/* A reading: at QoS 0, the next one comes soon. */
void node_say_value(struct node *node, const char *kind, const char *name,
		    const char *suffix, const char *value);
/* On .../error: what came on topic could not be understood, or what topic says is
 * not the whole truth. */
void node_say_error(struct node *node, struct slice topic, struct slice payload,
		    const char *reason);
/* The same of an input. */
void node_say_trouble(struct node *node, const char *input, const char *reason);
bool node_pin_is_light(const struct pin *pin);

/* node_gone.c */

/* What is retained on topic is taken away, now or as soon as it can be. */
void node_take_away(struct node *node, const char *topic);
/* What could not be until now. Before what holds is said anew. */
void node_gone_say(struct node *node);
void node_gone_free(struct node *node);

/* node_report.c */

/* As topics.h has it; NULL: out of memory. Freed by the caller. */
char *node_report(struct node *node);
void node_say_report(struct node *node);
/* One of its errors; NULL: out of memory. */
json_t *node_error_json(const char *pin, const char *field,
			const char *message);

/* node_sim.c */

/* What happens to a simulated board from outside. */
void node_sim_heard(struct node *node, const struct client_message *message);
/* What plays at the line, and what ails it, if it is simulated. Not 0: out of
 * memory. */
int node_sim_put(const struct node *node, struct lines *chip,
		 unsigned int offset, json_t *line);
void node_sim_free(struct node *node);

/* node_dialects.c: those that are spoken hear of it. */

/* Go to what the configuration in force has (node->dialects). */
void node_dialects_apply(struct node *node);
/* Everything, after the pins have changed. */
void node_dialects_say(struct node *node);
/* On the connection of one that is there, not retained. False: none is. */
bool node_dialects_tell(struct node *node, const char *topic, const char *text);
void node_dialects_say_pin(struct node *node, const struct node_pin *pin);
void node_dialects_say_event(struct node *node, const struct node_pin *pin,
			     const char *type);
/* What was said of this pin is taken away. */
void node_dialects_say_left(struct node *node, const struct pin *pin);
void node_dialects_say_device(struct node *node,
			      const struct node_device *device);
void node_dialects_say_device_left(struct node *node,
				   const struct device *device);
void node_dialects_stop(struct node *node);
/* After node_dialects_stop(): all has been said. */
bool node_dialects_idle(const struct node *node);
void node_dialects_free(struct node *node);

/* node_homie.c: as node_dialects.c; nothing happens unless it is spoken. */

extern const struct node_dialect_ops node_homie_ops;
void node_homie_say_pin(struct node *node, const struct node_pin *pin);
void node_homie_say_event(struct node *node, const struct node_pin *pin,
			  const char *type);
void node_homie_say_left(struct node *node, const struct pin *pin);
void node_homie_say_device(struct node *node, const struct node_device *device);
void node_homie_say_device_left(struct node *node, const struct device *device);

/* node_tasmota.c: the same */

extern const struct node_dialect_ops node_tasmota_ops;
void node_tasmota_say_pin(struct node *node, const struct node_pin *pin);
void node_tasmota_say_event(struct node *node, const struct node_pin *pin,
			    const char *type);
void node_tasmota_say_device(struct node *node,
			     const struct node_device *device);

/* node_discovery.c */

struct discovery_things;

/* What there is; borrowed from the node. */
void node_things(const struct node *node, struct discovery_things *out);

/* These are spoken from now on: what others were told is taken away. Before the
 * pins change. */
void node_discovery_apply(struct node *node, const struct pin_dialects *to);
/* Tell Home Assistant what there is, and what has gone. */
void node_discovery_say(struct node *node);
/* True if it was a message for this part, which has dealt with it. */
bool node_discovery_heard(struct node *node,
			  const struct client_message *message);
void node_discovery_free(struct node *node);

/* node.c */

/* A client of the node has nothing more to say. */
void node_goodbye_said(struct node *node);
/* A client of the node's hub with this at the end of its name, and this will. As
 * client_new(). */
int node_client_new(struct node *node, const char *suffix,
		    const struct client_will *will,
		    const struct client_callbacks *callbacks, void *arg,
		    struct client **out);

#endif

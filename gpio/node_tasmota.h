/* A node that speaks as a device with Tasmota (tasmota.h): node_tasmota.c (when what
 * is said), node_tasmota_state.c (what), node_tasmota_command.c and
 * node_tasmota_lights.c (what is obeyed). */
#ifndef GPIO_NODE_TASMOTA_H
#define GPIO_NODE_TASMOTA_H

#include "gpio/node_internal.h"
#include "gpio/tasmota.h"
#include "gpio/tasmota_command.h"

/* STATE and SENSOR are said so often: Tasmota's own TelePeriod. */
#define NODE_TASMOTA_PERIOD_MS 300000u

/* Words of an answer that was not understood. */
#define TASMOTA_ANSWER_UNKNOWN "{\"Command\":\"Unknown\"}"
#define TASMOTA_ANSWER_ERROR "{\"Command\":\"Error\"}"

struct node_tasmota {
	struct node_dialect base;
	struct tasmota_numbers numbers;
	struct loop_timer period;
	uint64_t since; /* loop_now() when it began */
	unsigned int
		said; /* results, so that a command sees if there was one */
	bool any_fade; /* somebody has said whether to fade */
	bool fade;
	unsigned int speed; /* half seconds */
};

/* Of what the node has of a dialect. */
static inline struct node_tasmota *tasmota_of(struct node_dialect *dialect)
{
	return list_entry(dialect, struct node_tasmota, base);
}

/* node_tasmota.c */

/* On stat/.../<leaf>. */
void node_tasmota_stat(struct node_tasmota *t, const char *leaf,
		       const char *text);
/* The same of an object, which is taken; NULL: out of memory, which is logged. */
void node_tasmota_stat_json(struct node_tasmota *t, const char *leaf,
			    json_t *object);
/* What there is of them, on RESULT and POWER<n>. */
void node_tasmota_say_output(struct node_tasmota *t,
			     const struct node_pin *pin);
void node_tasmota_say_light(struct node_tasmota *t,
			    const struct node_device *device);
void node_tasmota_say_cover(struct node_tasmota *t,
			    const struct node_device *device);

/* node_tasmota_state.c: objects, NULL: out of memory. */

json_t *node_tasmota_state(const struct node_tasmota *t);
/* all: also what has no value just now, so that clients know of it. */
json_t *node_tasmota_sensors(const struct node_tasmota *t, bool all);
json_t *node_tasmota_light(const struct node_tasmota *t,
			   const struct node_device *device);
/* {"Shutter1":{...}}; of a cover without a number: empty. */
json_t *node_tasmota_cover(const struct node_tasmota *t,
			   const struct node_device *device);
/* The answer to "STATUS <n>"; *known false: there is no such. */
json_t *node_tasmota_status(const struct node_tasmota *t, unsigned int n,
			    bool *known);

/* What came, for .../error. */
struct tasmota_heard {
	struct node_tasmota *t;
	const struct client_message *message;
	bool in_backlog;
};

/* node_tasmota_command.c */

void node_tasmota_refuse(const struct tasmota_heard *heard, const char *reason);
/* Where the node has it; NULL: nowhere. */
struct node_device *node_tasmota_device(struct node *node,
					const struct device *device);

void node_tasmota_heard(struct node_dialect *dialect,
			const struct client_message *message);

/* node_tasmota_lights.c */

/* POWER<n>, its argument. */
void node_tasmota_switch_light(const struct tasmota_heard *heard,
			       struct node_device *device,
			       struct slice argument);
/* Dimmer, Color, HSBColor, White, Channel. */
void node_tasmota_light_command(const struct tasmota_heard *heard,
				const struct tasmota_command *command);
void node_tasmota_fade(const struct tasmota_heard *heard,
		       const struct tasmota_command *command);
void node_tasmota_speed(const struct tasmota_heard *heard,
			const struct tasmota_command *command);

#endif

/* Covers: their commands become orders to two outputs, and what the lines of those
 * are is where they stand. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "broker/base/log.h"
#include "gpio/cover_command.h"
#include "gpio/cover_memory.h"
#include "gpio/node_internal.h"

/* While it moves its position is said so often. */
#define SAY_MS 1000u

static struct node_pin *output_of(struct node *node, const char *name)
{
	return node_pins_find(node, slice_str(name));
}

/* ---- what is said and kept ---------------------------------------------- */

void node_cover_say(const struct node_device *device)
{
	struct node *node = device->node;
	uint64_t now = loop_now(node->loop);
	int position = cover_position(&device->cover, now);
	char topic[TOPICS_SIZE];
	char text[16] = "";

	if (position >= 0)
		(void)snprintf(text, sizeof(text), "%d", position);
	node_say_value(node, "cover", device->device.name, "/position", text);
	node_say(
		node,
		topics_pin(topic, node->name, "cover", device->device.name, ""),
		cover_text(&device->cover, now), true);
	node_dialects_say_device(node, device);
}

static void keep(struct node_device *device)
{
	struct node *node = device->node;
	int r = -ENOMEM;

	if (!node->devices.covers)
		node->devices.covers = json_object();
	if (!cover_memory_put(node->devices.covers, device->device.name,
			      &device->cover, loop_now(node->loop)))
		r = node->state_directory
			    ? cover_memory_save(node->state_directory,
						node->devices.covers)
			    : 0;
	if (r)
		log_error(device->device.name, COVERS_FILE " not written: %s",
			  strerrordesc_np(-r));
}

void node_covers_recall(struct node *node)
{
	int r = cover_memory_load(node->state_directory, &node->devices.covers);

	if (r && r != -ENOENT)
		log_error(node->state_directory,
			  COVERS_FILE " is not used, no position is known: %s",
			  r == -EINVAL ? "damaged" : strerrordesc_np(-r));
}

/* ---- what the lines do -------------------------------------------------- */

/* False: nobody knows. */
static bool motion_of(const struct node_device *device, enum cover_motion *out)
{
	const struct node_pin *up = output_of(device->node, device->device.up);
	const struct node_pin *down =
		output_of(device->node, device->device.down);
	bool goes_up, goes_down;

	if (!up || !up->request || !down || !down->request)
		return false;
	goes_up = node_pin_on(up);
	goes_down = node_pin_on(down);
	if (goes_up && goes_down)
		return false;
	*out = goes_up ? COVER_UP : goes_down ? COVER_DOWN : COVER_STILL;
	return true;
}

static void moved(struct node_device *device)
{
	struct node *node = device->node;
	enum cover_motion before = device->cover.motion;
	enum cover_motion motion = COVER_STILL;
	bool lost = !motion_of(device, &motion);

	if (lost == device->lost && (lost || motion == before))
		return;
	device->lost = lost;
	if (lost)
		cover_lost(&device->cover);
	else
		cover_moves(&device->cover, motion, loop_now(node->loop));
	node_cover_say(device);
	keep(device);
	/* Not from here: we may be in the middle of an order. */
	loop_timer_set(node->loop, &device->timer,
		       motion == COVER_STILL ? 0 : SAY_MS);
}

void node_covers_moved(struct node *node)
{
	for (size_t i = 0; i < DEVICES_MAX; i++) {
		struct node_device *device = &node->devices.device[i];

		if (device->used && device->device.kind == DEVICE_COVER)
			moved(device);
	}
}

void node_covers_failed(struct node *node, uint32_t token)
{
	for (size_t i = 0; i < DEVICES_MAX; i++) {
		struct node_device *device = &node->devices.device[i];

		if (device->used && device->device.kind == DEVICE_COVER &&
		    device->token == token)
			(void)cover_stop(&device->cover);
	}
}

/* ---- orders ------------------------------------------------------------- */

static void order_off(struct node_device *device, const char *name)
{
	struct node_pin *pin = output_of(device->node, name);

	if (pin && pin->request)
		node_order_locally(device->node, pin, LOGIC_OFF,
				   device->device.name);
}

/* The one that is asked last is answered: it does what was asked for. */
static struct node_pin *first_to_go(struct node_device *device,
				    const struct cover_order *order)
{
	bool up =
		order->motion == COVER_UP || (order->motion == COVER_STILL &&
					      device->cover.motion == COVER_UP);

	return output_of(device->node,
			 up ? device->device.up : device->device.down);
}

static struct topics_command command_of(const struct cover_order *order,
					json_t *id)
{
	return (struct topics_command){
		.logic = {
			.verb = order->motion == COVER_STILL ? LOGIC_OFF
							     : LOGIC_ON,
			.on_time_ms = order->ms,
		},
		.id = id,
	};
}

/* topic NULL: nobody asked. */
static void give(struct node_device *device, const struct cover_order *order,
		 const struct slice *topic, json_t *id)
{
	struct node *node = device->node;
	struct node_pin *pin = first_to_go(device, order);
	struct topics_command command = command_of(order, id);

	if (order->motion == COVER_STILL) {
		const char *first = pin->pin.name;

		order_off(device, strcmp(first, device->device.up) == 0
					  ? device->device.down
					  : device->device.up);
	}
	device->token = node->tokens + 1;
	if (topic)
		node_order(node, pin, &command, *topic);
	else
		node_order_by(node, pin, &command.logic, device->device.name);
	/* Refused before it became an order. */
	if (node->tokens != device->token)
		(void)cover_stop(&device->cover);
}

static void on_timer(struct loop_timer *timer)
{
	struct node_device *device =
		list_entry(timer, struct node_device, timer);
	struct node *node = device->node;
	struct cover_order order;

	if (device->cover.motion != COVER_STILL) {
		node_cover_say(device);
		loop_timer_set(node->loop, timer, SAY_MS);
	} else if (!node->stopping && !device->lost &&
		   cover_go_on(&device->cover, loop_now(node->loop), &order)) {
		give(device, &order, NULL, NULL);
	}
}

static struct node_device *cover_named(struct node *node, struct slice name)
{
	for (size_t i = 0; i < DEVICES_MAX; i++) {
		struct node_device *device = &node->devices.device[i];

		if (device->used && device->device.kind == DEVICE_COVER &&
		    slice_equal(slice_str(device->device.name), name))
			return device;
	}
	return NULL;
}

static const char *cannot(struct node *node, const struct node_device *device)
{
	if (!device)
		return "there is no such cover";
	if (node->stopping)
		return "the node is stopping";
	if (device->lost)
		return "one of its outputs has no line";
	return NULL;
}

static void obey(struct node_device *device,
		 const struct cover_command *command, struct slice topic)
{
	uint64_t now = loop_now(device->node->loop);
	struct cover_order order =
		command->stop
			? cover_stop(&device->cover)
			: cover_go(&device->cover, command->position, now);

	give(device, &order, &topic, command->id);
}

void node_cover_command(struct node *node, const struct client_message *message,
			struct slice name)
{
	struct node_device *device = cover_named(node, name);
	struct cover_command command = { 0 };
	const char *reason = NULL;

	if (!node_command_counts(node, message))
		return;
	if (!cover_command_parse(message->payload, &command, &reason))
		reason = cannot(node, device);
	if (reason)
		node_refuse(node, message, reason, command.id);
	else
		obey(device, &command, message->topic);
	cover_command_free(&command);
}

void node_cover_order(struct node_device *device, bool stop, double position,
		      const char *who)
{
	struct node *node = device->node;
	const struct cover_command command = {
		.stop = stop,
		.position = position,
	};
	const char *reason = cannot(node, device);
	char topic[TOPICS_SIZE];

	(void)topics_pin(topic, node->name, "cover", device->device.name,
			 "/set");
	if (!reason) {
		obey(device, &command, slice_str(topic));
		return;
	}
	log_warn(device->device.name, "refused to %s: %s", who, reason);
	node_say_result(node, slice_str(topic), reason, false, NULL);
}

/* ---- beginning and ending ----------------------------------------------- */

void node_cover_begin(struct node_device *device)
{
	const struct device *d = &device->device;
	const struct cover_rules rules = {
		.up_ms = d->up_ms,
		.down_ms = d->down_ms,
		.end_ms = d->end_ms,
	};
	double low, high;

	device->timer.fn = on_timer;
	cover_memory_get(device->node->devices.covers, d->name, &low, &high);
	cover_init(&device->cover, &rules, low, high);
	moved(device);
	node_cover_say(device);
}

void node_cover_end(struct node_device *device)
{
	struct node *node = device->node;
	char topic[TOPICS_SIZE];

	if (device->cover.going) {
		(void)cover_stop(&device->cover);
		order_off(device, device->device.up);
		order_off(device, device->device.down);
	}
	node_take_away(node, topics_pin(topic, node->name, "cover",
					device->device.name, "/position"));
	node_take_away(node, topics_pin(topic, node->name, "cover",
					device->device.name, ""));
	node_dialects_say_device_left(node, &device->device);
}

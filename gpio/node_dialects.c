/* What all dialects with a connection of their own are told. */
#include "gpio/node_internal.h"

void node_dialects_apply(struct node *node)
{
	node_dialect_apply(node, &node->homie, &node_homie_ops);
	node_dialect_apply(node, &node->tasmota, &node_tasmota_ops);
}

void node_dialects_say(struct node *node)
{
	node_dialect_say(node->homie);
	node_dialect_say(node->tasmota);
}

bool node_dialects_tell(struct node *node, const char *topic, const char *text)
{
	struct node_dialect *const all[] = { node->homie, node->tasmota };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (!node_dialect_there(all[i]))
			continue;
		node_dialect_publish(all[i], topic, text, false);
		return true;
	}
	return false;
}

void node_dialects_say_pin(struct node *node, const struct node_pin *pin)
{
	node_homie_say_pin(node, pin);
	node_tasmota_say_pin(node, pin);
}

void node_dialects_say_event(struct node *node, const struct node_pin *pin,
			     const char *type)
{
	node_homie_say_event(node, pin, type);
	node_tasmota_say_event(node, pin, type);
}

void node_dialects_say_left(struct node *node, const struct pin *pin)
{
	node_homie_say_left(node, pin);
}

void node_dialects_say_device(struct node *node,
			      const struct node_device *device)
{
	node_homie_say_device(node, device);
	node_tasmota_say_device(node, device);
}

void node_dialects_say_device_left(struct node *node,
				   const struct device *device)
{
	node_homie_say_device_left(node, device);
}

void node_dialects_stop(struct node *node)
{
	node_dialect_stop(node->homie);
	node_dialect_stop(node->tasmota);
}

bool node_dialects_idle(const struct node *node)
{
	return node_dialect_idle(node->homie) &&
	       node_dialect_idle(node->tasmota);
}

void node_dialects_free(struct node *node)
{
	node_dialect_free(node->homie);
	node_dialect_free(node->tasmota);
}

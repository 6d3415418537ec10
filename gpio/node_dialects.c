/* What all dialects with a connection of their own are told. */
#include "gpio/node_internal.h"

void node_dialects_apply(struct node *node)
{
	node_dialect_apply(node, &node->homie, &node_homie_ops);
}

void node_dialects_say(struct node *node)
{
	node_dialect_say(node->homie);
}

void node_dialects_say_pin(struct node *node, const struct node_pin *pin)
{
	node_homie_say_pin(node, pin);
}

void node_dialects_say_event(struct node *node, const struct node_pin *pin,
			     const char *type)
{
	node_homie_say_event(node, pin, type);
}

void node_dialects_say_left(struct node *node, const struct pin *pin)
{
	node_homie_say_left(node, pin);
}

void node_dialects_stop(struct node *node)
{
	node_dialect_stop(node->homie);
}

bool node_dialects_idle(const struct node *node)
{
	return node_dialect_idle(node->homie);
}

void node_dialects_free(struct node *node)
{
	node_dialect_free(node->homie);
}

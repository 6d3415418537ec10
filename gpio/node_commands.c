#include "gpio/node_internal.h"

bool node_command_is_new(struct node *node,
			 const struct client_message *message)
{
	if (message->retain)
		node_say_error(node, message->topic, message->payload,
			       "a retained command is old and not obeyed");
	return !message->retain;
}

bool node_command_counts(struct node *node,
			 const struct client_message *message)
{
	return message->payload.len > 0 && node_command_is_new(node, message);
}

void node_refuse(struct node *node, const struct client_message *message,
		 const char *reason, json_t *id)
{
	node_say_error(node, message->topic, message->payload, reason);
	node_say_result(node, message->topic, reason, false, id);
}

/* What is retained and has no place any more: taken away, sooner or later. */
#include "broker/base/log.h"
#include "gpio/node_internal.h"

void node_take_away(struct node *node, const char *topic)
{
	if (node_say(node, topic, "", true))
		return;
	if (!node->gone)
		node->gone = json_object();
	if (json_object_size(node->gone) >= NODE_GONE_MAX ||
	    json_object_set_new(node->gone, topic, json_true()))
		log_error(topic, "stays retained: nobody has room to remember");
}

void node_gone_say(struct node *node)
{
	const char *topic;
	json_t *value;
	void *next;

	json_object_foreach_safe(node->gone, next, topic, value)
	{
		if (!node_say(node, topic, "", true))
			return;
		(void)json_object_del(node->gone, topic);
	}
}

void node_gone_free(struct node *node)
{
	json_decref(node->gone);
	node->gone = NULL;
}

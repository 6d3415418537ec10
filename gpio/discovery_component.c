/* What all components of Home Assistant's discovery have. */
#include <stdio.h>

#include "gpio/discovery_internal.h"
#include "gpio/topics.h"

void discovery_put_text(struct discovery *discovery, json_t *to,
			const char *key, const char *text)
{
	discovery->bad |= json_object_set_new(to, key, json_string(text));
}

void discovery_put_topic(struct discovery *discovery, json_t *to,
			 const char *key, const char *kind, const char *name,
			 const char *suffix)
{
	char topic[TOPICS_SIZE];

	discovery_put_text(
		discovery, to, key,
		topics_pin(topic, discovery->box->node, kind, name, suffix));
}

json_t *discovery_add(struct discovery *discovery, const char *platform,
		      const char *id, const char *suffix)
{
	char name[DISCOVERY_NAME_SIZE + 64];
	json_t *one = json_object();

	(void)snprintf(name, sizeof(name), "%s_%s%s%s", platform, id,
		       suffix[0] ? "_" : "", suffix);
	discovery_put_text(discovery, one, "p", platform);
	discovery->bad |= json_object_set_new(discovery->components, name, one);
	return discovery->bad ? NULL : one;
}

json_t *discovery_add_entity(struct discovery *discovery, const char *platform,
			     const char *id, const char *suffix,
			     const char *name)
{
	char node[DIALECT_ID_SIZE];
	char unique[DIALECT_ID_SIZE + DISCOVERY_NAME_SIZE + 64];
	json_t *one = discovery_add(discovery, platform, id, suffix);

	(void)snprintf(unique, sizeof(unique), "hearth_%s_%s%s%s",
		       dialect_id(node, discovery->box->node), id,
		       suffix[0] ? "_" : "", suffix);
	discovery_put_text(discovery, one, "uniq_id", unique);
	discovery_put_text(discovery, one, "name", name);
	return one;
}

static json_t *available_by(struct discovery *discovery, const char *topic,
			    const char *template)
{
	json_t *one = json_object();

	discovery_put_text(discovery, one, "t", topic);
	if (template)
		discovery_put_text(discovery, one, "val_tpl", template);
	return one;
}

void discovery_put_available(struct discovery *discovery, json_t *to,
			     const char *topic, const char *template)
{
	char box[TOPICS_SIZE];
	json_t *list = json_array();
	int bad;

	(void)topics_node(box, discovery->box->node, "status");
	bad = json_array_append_new(list, available_by(discovery, box, NULL));
	bad |= json_array_append_new(list,
				     available_by(discovery, topic, template));
	bad |= json_object_set_new(to, "avty", list);
	discovery->bad |= bad;
	discovery_put_text(discovery, to, "avty_mode", "all");
}

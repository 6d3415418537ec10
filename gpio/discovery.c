#include "gpio/discovery.h"

#include <stdio.h>
#include <string.h>

#include "broker/base/json_text.h"
#include "gpio/discovery_internal.h"

const char *discovery_topic(char out[DISCOVERY_TOPIC_SIZE], const char *prefix,
			    const char *node)
{
	char id[DIALECT_ID_SIZE];

	(void)snprintf(out, DISCOVERY_TOPIC_SIZE, "%s/device/hearth_%s/config",
		       prefix, dialect_id(id, node));
	return out;
}

const char *discovery_birth(char out[DISCOVERY_TOPIC_SIZE], const char *prefix)
{
	(void)snprintf(out, DISCOVERY_TOPIC_SIZE, "%s/status", prefix);
	return out;
}

json_t *discovery_components(const struct discovery_box *box,
			     const struct discovery_things *things)
{
	struct discovery discovery = {
		.box = box,
		.components = json_object(),
	};

	if (!discovery.components)
		return NULL;
	for (size_t i = 0; i < things->pins; i++)
		discovery_put_pin(&discovery, things->pin[i]);
	for (size_t i = 0; i < things->devices; i++)
		discovery_put_device(&discovery, things->device[i]);
	if (!discovery.bad)
		return discovery.components;
	json_decref(discovery.components);
	return NULL;
}

static json_t *device(const struct discovery_box *box)
{
	char id[DIALECT_ID_SIZE];
	char text[DIALECT_ID_SIZE + 8];
	json_t *object = json_object();
	json_t *ids = json_array();
	int bad;

	(void)snprintf(text, sizeof(text), "hearth_%s",
		       dialect_id(id, box->node));
	bad = json_array_append_new(ids, json_string(text));
	bad |= json_object_set_new(object, "ids", ids);
	bad |= json_object_set_new(object, "name", json_string(box->node));
	bad |= json_object_set_new(object, "mf", json_string("hearth"));
	if (box->model)
		bad |= json_object_set_new(object, "mdl",
					   json_string(box->model));
	bad |= json_object_set_new(object, "sw", json_string(HEARTH_VERSION));
	if (bad) {
		json_decref(object);
		return NULL;
	}
	return object;
}

static json_t *origin(void)
{
	json_t *object = json_object();
	int bad = json_object_set_new(object, "name", json_string("hearth"));

	bad |= json_object_set_new(object, "sw", json_string(HEARTH_VERSION));
	if (bad) {
		json_decref(object);
		return NULL;
	}
	return object;
}

char *discovery_document(const struct discovery_box *box, json_t *components,
			 json_t *gone)
{
	json_t *document = json_object();
	json_t *all = json_object();
	char *text = NULL;
	const char *name;
	json_t *one;
	int bad = !all;

	json_object_foreach(components, name, one)
	{
		bad |= json_object_set(all, name, one);
	}
	json_object_foreach(gone, name, one)
	{
		bad |= json_object_set(all, name, one);
	}
	bad |= json_object_set_new(document, "dev", device(box));
	bad |= json_object_set_new(document, "o", origin());
	bad |= json_object_set_new(document, "qos", json_integer(1));
	bad |= json_object_set_new(document, "cmps", all);
	if (!bad)
		text = json_text(document, JSON_COMPACT);
	json_decref(document);
	return text;
}

static json_t *platform_only(const char *platform)
{
	json_t *object = json_object();

	if (json_object_set_new(object, "p", json_string(platform))) {
		json_decref(object);
		return NULL;
	}
	return object;
}

json_t *discovery_gone(json_t *before, const json_t *components)
{
	json_t *gone = json_object();
	const char *name;
	json_t *platform;
	int bad = !gone;

	json_object_foreach(before, name, platform)
	{
		if (!json_object_get(components, name))
			bad |= json_object_set_new(
				gone, name,
				platform_only(json_string_value(platform)));
	}
	if (bad) {
		json_decref(gone);
		return NULL;
	}
	return gone;
}

/* As it stands in one of our documents, or a stranger's. */
static json_t *platform_of(const json_t *component)
{
	json_t *platform = json_object_get(component, "p");

	return json_is_string(platform) ? platform : NULL;
}

static int add_names(json_t *components, json_t *names)
{
	const char *name;
	json_t *one;
	int bad = 0;

	json_object_foreach(components, name, one)
	{
		if (platform_of(one))
			bad |= json_object_set(names, name, platform_of(one));
	}
	return bad;
}

json_t *discovery_names(json_t *components)
{
	json_t *names = json_object();

	if (!names || add_names(components, names)) {
		json_decref(names);
		return NULL;
	}
	return names;
}

int discovery_read(struct slice document, json_t *names)
{
	json_t *object;
	int bad;

	if (document.len > DISCOVERY_MAX)
		return 0;
	object = json_loadb((const char *)document.data, document.len, 0, NULL);
	bad = add_names(json_object_get(object, "cmps"), names);
	json_decref(object);
	return bad;
}

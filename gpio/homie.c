#include "gpio/homie.h"

#include <stdio.h>
#include <string.h>

#include "broker/base/json_text.h"

const char *homie_topic(char out[HOMIE_TOPIC_SIZE], const char *node,
			const char *leaf)
{
	char id[DIALECT_ID_SIZE];

	(void)snprintf(out, HOMIE_TOPIC_SIZE, "homie/5/%s/%s",
		       dialect_homie_id(id, node), leaf);
	return out;
}

static void value_topic(char out[HOMIE_TOPIC_SIZE], const char *node,
			const char *name, enum homie_property property,
			const char *suffix)
{
	char id[DIALECT_ID_SIZE];
	char of_name[DIALECT_ID_SIZE];

	(void)snprintf(out, HOMIE_TOPIC_SIZE, "homie/5/%s/%s/%s%s",
		       dialect_homie_id(id, node),
		       dialect_homie_id(of_name, name),
		       homie_property_name(property), suffix);
}

const char *homie_value_topic(char out[HOMIE_TOPIC_SIZE], const char *node,
			      const char *name, enum homie_property property)
{
	value_topic(out, node, name, property, "");
	return out;
}

const char *homie_target_topic(char out[HOMIE_TOPIC_SIZE], const char *node,
			       const char *name, enum homie_property property)
{
	value_topic(out, node, name, property, "/$target");
	return out;
}

/* ---- the description ---------------------------------------------------- */

static int put_text(json_t *to, const char *key, const char *text)
{
	return json_object_set_new(to, key, json_string(text));
}

/* Not 0: out of memory. */
static int put_thing(json_t *nodes, const struct homie_thing *thing,
		     const char *name, const char *label)
{
	enum homie_property has[HOMIE_PROPERTIES_MAX];
	size_t count = homie_properties(thing, has);
	char id[DIALECT_ID_SIZE];
	json_t *object = json_object();
	json_t *properties = json_object();
	int bad = put_text(object, "name", label[0] ? label : name);

	for (size_t i = 0; i < count; i++)
		bad |= json_object_set_new(properties,
					   homie_property_name(has[i]),
					   homie_property(thing, has[i]));
	bad |= json_object_set_new(object, "properties", properties);
	bad |= json_object_set_new(nodes, dialect_homie_id(id, name), object);
	return bad;
}

static int put_things(json_t *nodes, const struct discovery_things *things)
{
	int bad = 0;

	for (size_t i = 0; i < things->pins; i++) {
		const struct homie_thing thing = { .pin = things->pin[i] };

		bad |= put_thing(nodes, &thing, thing.pin->name,
				 thing.pin->label);
	}
	for (size_t i = 0; i < things->devices; i++) {
		const struct homie_thing thing = { .device =
							   things->device[i] };

		bad |= put_thing(nodes, &thing, thing.device->name,
				 thing.device->label);
	}
	return bad;
}

char *homie_description(const char *node, const struct discovery_things *things,
			json_int_t version)
{
	json_t *document = json_object();
	json_t *nodes = json_object();
	char *text = NULL;
	int bad = put_text(document, "homie", "5.0");

	bad |= json_object_set_new(document, "version", json_integer(version));
	bad |= put_text(document, "name", node);
	bad |= put_things(nodes, things);
	bad |= json_object_set_new(document, "nodes", nodes);
	if (!bad)
		text = json_text(document, JSON_COMPACT);
	json_decref(document);
	return text;
}

/* ---- what comes --------------------------------------------------------- */

bool homie_is(const char *name, struct slice id)
{
	char own[DIALECT_ID_SIZE];

	return slice_equal(slice_str(dialect_homie_id(own, name)), id);
}

/* Up to the next '/', which is taken too. */
static struct slice take_level(struct slice *rest)
{
	const uint8_t *end = memchr(rest->data, '/', rest->len);
	struct slice level = *rest;

	if (end)
		level.len = (size_t)(end - rest->data);
	rest->data += end ? level.len + 1 : level.len;
	rest->len -= end ? level.len + 1 : level.len;
	return level;
}

bool homie_parse(const char *node, struct slice topic, struct slice *name,
		 struct slice *property, bool *set)
{
	char prefix[HOMIE_TOPIC_SIZE];
	size_t len = strlen(homie_topic(prefix, node, ""));
	struct slice rest;

	if (topic.len <= len || memcmp(topic.data, prefix, len) != 0)
		return false;
	rest = slice_of(topic.data + len, topic.len - len);
	*name = take_level(&rest);
	*property = take_level(&rest);
	*set = slice_equal(rest, slice_str("set"));
	return name->len > 0 && name->data[0] != '$' && property->len > 0 &&
	       (*set || rest.len == 0 ||
		slice_equal(rest, slice_str("$target")));
}

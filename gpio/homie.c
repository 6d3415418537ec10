#include "gpio/homie.h"

#include <stdio.h>
#include <string.h>

#include "broker/base/json_text.h"
#include "gpio/clicks.h"

static const char *const names[] = {
	[HOMIE_STATE] = "state",
	[HOMIE_EVENT] = "event",
	[HOMIE_COUNT] = "count",
	[HOMIE_VALUE] = "value",
};

const char *homie_property_name(enum homie_property property)
{
	return names[property];
}

const char *homie_topic(char out[HOMIE_TOPIC_SIZE], const char *node,
			const char *leaf)
{
	char id[DIALECT_ID_SIZE];

	(void)snprintf(out, HOMIE_TOPIC_SIZE, "homie/5/%s/%s",
		       dialect_homie_id(id, node), leaf);
	return out;
}

const char *homie_value_topic(char out[HOMIE_TOPIC_SIZE], const char *node,
			      const struct pin *pin,
			      enum homie_property property)
{
	char id[DIALECT_ID_SIZE];
	char name[DIALECT_ID_SIZE];

	(void)snprintf(out, HOMIE_TOPIC_SIZE, "homie/5/%s/%s/%s",
		       dialect_homie_id(id, node),
		       dialect_homie_id(name, pin->name), names[property]);
	return out;
}

size_t homie_properties(const struct pin *pin,
			enum homie_property out[HOMIE_PROPERTIES_MAX])
{
	size_t n = 0;

	if (pin->direction == LINE_INPUT && pin->kind == PIN_COUNTER) {
		out[n++] = HOMIE_COUNT;
		if (pin->per_unit > 0)
			out[n++] = HOMIE_VALUE;
		return n;
	}
	out[n++] = HOMIE_STATE;
	if (pin->direction == LINE_INPUT && pin->kind == PIN_BUTTON)
		out[n++] = HOMIE_EVENT;
	return n;
}

/* ---- the description ---------------------------------------------------- */

/* Like json_object_set_new(), with the attribute missing when there is no text. */
static int put(json_t *to, const char *key, const char *text)
{
	return text ? json_object_set_new(to, key, json_string(text)) : 0;
}

static json_t *or_nothing(json_t *object, int bad)
{
	if (!bad)
		return object;
	json_decref(object);
	return NULL;
}

static json_t *state(const struct pin *pin)
{
	json_t *object = json_object();
	int bad = put(object, "datatype", "boolean");

	if (pin->direction == LINE_OUTPUT)
		bad |= json_object_set_new(object, "settable", json_true());
	return or_nothing(object, bad);
}

static json_t *event(void)
{
	json_t *object = json_object();
	int bad = put(object, "datatype", "enum");

	bad |= put(object, "format",
		   "press,release,single,double,triple,long,hold");
	bad |= json_object_set_new(object, "retained", json_false());
	return or_nothing(object, bad);
}

static json_t *number(const struct pin *pin, bool whole)
{
	json_t *object = json_object();
	int bad = put(object, "datatype", whole ? "integer" : "float");

	if (!whole && pin->unit[0])
		bad |= put(object, "unit", pin->unit);
	return or_nothing(object, bad);
}

static json_t *property(const struct pin *pin, enum homie_property which)
{
	switch (which) {
	case HOMIE_STATE:
		return state(pin);
	case HOMIE_EVENT:
		return event();
	case HOMIE_COUNT:
		return number(pin, true);
	case HOMIE_VALUE:
		return number(pin, false);
	}
	return NULL;
}

static json_t *node_of(const struct pin *pin)
{
	enum homie_property has[HOMIE_PROPERTIES_MAX];
	size_t count = homie_properties(pin, has);
	json_t *object = json_object();
	json_t *properties = json_object();
	int bad = put(object, "name", pin->label[0] ? pin->label : pin->name);

	for (size_t i = 0; i < count; i++)
		bad |= json_object_set_new(properties, names[has[i]],
					   property(pin, has[i]));
	bad |= json_object_set_new(object, "properties", properties);
	return or_nothing(object, bad);
}

char *homie_description(const char *node, const struct pin *const *pins,
			size_t count, json_int_t version)
{
	json_t *document = json_object();
	json_t *nodes = json_object();
	char id[DIALECT_ID_SIZE];
	char *text = NULL;
	int bad = put(document, "homie", "5.0");

	bad |= json_object_set_new(document, "version", json_integer(version));
	bad |= put(document, "name", node);
	for (size_t i = 0; i < count; i++)
		bad |= json_object_set_new(nodes,
					   dialect_homie_id(id, pins[i]->name),
					   node_of(pins[i]));
	bad |= json_object_set_new(document, "nodes", nodes);
	if (!bad)
		text = json_text(document, JSON_COMPACT);
	json_decref(document);
	return text;
}

/* ---- what comes --------------------------------------------------------- */

bool homie_is(const struct pin *pin, struct slice id)
{
	char own[DIALECT_ID_SIZE];

	return slice_equal(slice_str(dialect_homie_id(own, pin->name)), id);
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

bool homie_parse(const char *node, struct slice topic, struct slice *pin,
		 struct slice *property, bool *set)
{
	char prefix[HOMIE_TOPIC_SIZE];
	size_t len = strlen(homie_topic(prefix, node, ""));
	struct slice rest;

	if (topic.len <= len || memcmp(topic.data, prefix, len) != 0)
		return false;
	rest = slice_of(topic.data + len, topic.len - len);
	*pin = take_level(&rest);
	*property = take_level(&rest);
	*set = slice_equal(rest, slice_str("set"));
	return pin->len > 0 && pin->data[0] != '$' && property->len > 0 &&
	       (*set || rest.len == 0);
}

#include "tests/gpio/ha_schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static json_t *schema;

struct check {
	char *mistake;
	bool wrong;
	json_t *ids; /* unique ones so far */
};

__attribute__((format(printf, 2, 3))) static void
complain(struct check *c, const char *format, ...)
{
	va_list args;

	if (c->wrong)
		return;
	c->wrong = true;
	va_start(args, format);
	(void)vsnprintf(c->mistake, HA_MISTAKE_SIZE, format, args);
	va_end(args);
}

void ha_schema_open(void)
{
	json_error_t why;

	schema = json_load_file(HOMEASSISTANT_JSON, JSON_REJECT_DUPLICATES,
				&why);
	if (!schema)
		fail_msg("%s:%d: %s", HOMEASSISTANT_JSON, why.line, why.text);
}

void ha_schema_close(void)
{
	json_decref(schema);
}

static json_t *recorded(const char *what)
{
	json_t *found = json_object_get(schema, what);

	assert_non_null(found);
	return found;
}

static bool listed(json_t *list, json_t *text)
{
	size_t i;
	json_t *one;

	json_array_foreach(list, i, one)
	{
		if (json_equal(one, text))
			return true;
	}
	return false;
}

/* ---- types -------------------------------------------------------------- */

static bool is_text(json_t *value)
{
	return json_is_string(value) && json_string_length(value) > 0;
}

static bool is_topic(json_t *value)
{
	return is_text(value) && !strpbrk(json_string_value(value), "+#");
}

static bool is_url(json_t *value)
{
	return is_text(value) && (strncmp(json_string_value(value), "http://",
					  strlen("http://")) == 0 ||
				  strncmp(json_string_value(value), "https://",
					  strlen("https://")) == 0);
}

static bool is_qos(json_t *value)
{
	return json_is_integer(value) && json_integer_value(value) >= 0 &&
	       json_integer_value(value) <= 2;
}

static bool is_list(json_t *value)
{
	return json_is_array(value) && json_array_size(value) > 0;
}

static bool is_bool(json_t *value)
{
	return json_is_boolean(value);
}

static bool is_number(json_t *value)
{
	return json_is_number(value);
}

static bool is_object(json_t *value)
{
	return json_is_object(value);
}

static bool has_type(json_t *value, const char *type)
{
	static const struct {
		const char *type;
		bool (*is)(json_t *value);
	} types[] = {
		{ "text", is_text },	 { "topic", is_topic },
		{ "filter", is_text },	 { "url", is_url },
		{ "qos", is_qos },	 { "list", is_list },
		{ "bool", is_bool },	 { "number", is_number },
		{ "object", is_object },
	};
	size_t len = strcspn(type, "!");

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strlen(types[i].type) == len &&
		    memcmp(types[i].type, type, len) == 0)
			return types[i].is(value);
	fail_msg("%s is no type", type);
	return false;
}

/* ---- objects ------------------------------------------------------------ */

/* The same with whole words. */
static json_t *expand(struct check *c, const char *where, json_t *object,
		      const char *abbreviations)
{
	json_t *words = recorded(abbreviations);
	json_t *whole = json_object();
	const char *key;
	json_t *value;

	json_object_foreach(object, key, value)
	{
		const char *word =
			json_string_value(json_object_get(words, key));

		if (!word)
			word = key;
		if (json_object_get(whole, word))
			complain(c, "%s: %s twice", where, word);
		json_object_set(whole, word, value);
	}
	return whole;
}

/* Members of one and the other kind are allowed; other may be NULL. */
static void check_members(struct check *c, const char *where, json_t *object,
			  json_t *one, json_t *other)
{
	json_t *kinds[] = { one, other };
	const char *key;
	json_t *value;

	json_object_foreach(object, key, value)
	{
		json_t *type = json_object_get(one, key);

		if (!type)
			type = json_object_get(other, key);
		if (!type)
			complain(c, "%s: %s is not known", where, key);
		else if (!has_type(value, json_string_value(type)))
			complain(c, "%s: %s is no %s", where, key,
				 json_string_value(type));
	}
	for (int i = 0; i < 2; i++) {
		json_object_foreach(kinds[i], key, value)
		{
			if (strchr(json_string_value(value), '!') &&
			    !json_object_get(object, key))
				complain(c, "%s: %s is missing", where, key);
		}
	}
}

static void check_listed(struct check *c, const char *where, json_t *object,
			 const char *key, json_t *list)
{
	json_t *value = json_object_get(object, key);

	if (value && !listed(list, value))
		complain(c, "%s: %s cannot be %s", where, key,
			 json_string_value(value));
}

static void check_availability(struct check *c, const char *where,
			       json_t *entity)
{
	size_t i;
	json_t *one;

	check_listed(c, where, entity, "availability_mode",
		     recorded("availability_mode"));
	json_array_foreach(json_object_get(entity, "availability"), i, one)
	{
		json_t *whole = expand(c, where, one, "abbreviations");

		check_members(c, where, whole, recorded("availability"), NULL);
		json_decref(whole);
	}
}

static void check_sensor(struct check *c, const char *where, json_t *entity)
{
	json_t *class = json_object_get(entity, "device_class");
	json_t *about = json_object_get(recorded("sensor_classes"),
					json_string_value(class));

	check_listed(c, where, entity, "state_class",
		     recorded("state_classes"));
	if (!class)
		return;
	if (!about) {
		complain(c, "%s: no such class", where);
		return;
	}
	if (!listed(json_object_get(about, "units"),
		    json_object_get(entity, "unit_of_measurement")))
		complain(c, "%s: not a unit of its class", where);
	check_listed(c, where, entity, "state_class",
		     json_object_get(about, "states"));
}

static void check_entity(struct check *c, const char *where,
			 const char *platform, json_t *entity)
{
	json_t *kind = json_object_get(recorded("platforms"), platform);
	const char *id =
		json_string_value(json_object_get(entity, "unique_id"));

	if (!kind) {
		complain(c, "%s: there is no platform %s", where, platform);
		return;
	}
	check_members(c, where, entity, recorded("entity"), kind);
	check_availability(c, where, entity);
	check_listed(c, where, entity, "entity_category",
		     recorded("entity_category"));
	if (strcmp(platform, "sensor") == 0)
		check_sensor(c, where, entity);
	else
		check_listed(
			c, where, entity, "device_class",
			json_object_get(recorded("device_classes"), platform));
	if (strcmp(platform, "light") == 0 && id &&
	    strcmp(json_string_value(json_object_get(entity, "schema")),
		   "json") != 0)
		complain(c, "%s: another schema", where);
}

/* Of one platform an identifier is there once. */
static void check_unique(struct check *c, const char *where,
			 const char *platform, json_t *entity)
{
	const char *id =
		json_string_value(json_object_get(entity, "unique_id"));
	char key[512];

	if (!id)
		return;
	(void)snprintf(key, sizeof(key), "%s %s", platform, id);
	if (json_object_get(c->ids, key))
		complain(c, "%s: %s is another's", where, id);
	json_object_set_new(c->ids, key, json_true());
}

static void check_component(struct check *c, const char *name, json_t *object)
{
	json_t *whole = expand(c, name, object, "abbreviations");
	const char *platform =
		json_string_value(json_object_get(whole, "platform"));

	if (!platform)
		complain(c, "%s: platform is missing", name);
	else if (json_object_size(whole) == 1)
		; /* Takes it away. */
	else if (strcmp(platform, "device_automation") == 0)
		check_members(c, name, whole, recorded("device_automation"),
			      NULL);
	else
		check_entity(c, name, platform, whole);
	if (platform)
		check_unique(c, name, platform, whole);
	if (strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			 "0123456789_-") != strlen(name))
		complain(c, "%s: cannot be an object's id", name);
	json_decref(whole);
}

static void check_about(struct check *c, json_t *root)
{
	json_t *device = expand(c, "device", json_object_get(root, "device"),
				"device_abbreviations");
	json_t *origin = expand(c, "origin", json_object_get(root, "origin"),
				"origin_abbreviations");

	check_members(c, "device", device, recorded("device"), NULL);
	check_members(c, "origin", origin, recorded("origin"), NULL);
	if (!json_object_get(device, "identifiers") &&
	    !json_object_get(device, "connections"))
		complain(c, "device: nothing tells it from others");
	json_decref(device);
	json_decref(origin);
}

bool ha_schema_takes(json_t *document, char mistake[HA_MISTAKE_SIZE])
{
	struct check c = { .mistake = mistake, .ids = json_object() };
	json_t *root = expand(&c, "document", document, "abbreviations");
	const char *name;
	json_t *one;

	mistake[0] = '\0';
	check_members(&c, "document", root, recorded("root"), NULL);
	check_about(&c, root);
	json_object_foreach(json_object_get(root, "components"), name, one)
	{
		check_component(&c, name, one);
	}
	json_decref(root);
	json_decref(c.ids);
	return !c.wrong;
}

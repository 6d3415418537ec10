#include "gpio/pin_dialects.h"

#include <stdio.h>
#include <string.h>

#include "gpio/pins.h"

void pin_dialects_set(struct pin_dialects *out, const struct dialects *from)
{
	*out = (struct pin_dialects){ .homie = from->homie,
				      .tasmota = from->tasmota };
	if (from->to_homeassistant && from->homeassistant &&
	    strlen(from->homeassistant) <= DIALECT_PREFIX_MAX)
		(void)snprintf(out->homeassistant, sizeof(out->homeassistant),
			       "%s", from->homeassistant);
}

static bool prefix_valid(const char *prefix, size_t len)
{
	if (len < 1 || len > DIALECT_PREFIX_MAX || strlen(prefix) != len)
		return false;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)prefix[i] < 0x20 || prefix[i] == 0x7f ||
		    strchr("/+#$", prefix[i]))
			return false;
	return true;
}

static bool take_flag(json_t *value, bool *out)
{
	*out = json_is_true(value);
	return json_is_boolean(value);
}

static void take_member(const char *key, json_t *value,
			struct pin_dialects *out, struct pin_errors *errors)
{
	const char *prefix = json_string_value(value);

	if (strcmp(key, "homeassistant") == 0) {
		if (prefix && prefix_valid(prefix, json_string_length(value)))
			memcpy(out->homeassistant, prefix, strlen(prefix) + 1);
		else
			pin_errors_add(errors, "", key,
				       "must be one level of a topic, of 1 to "
				       "%u bytes",
				       DIALECT_PREFIX_MAX);
	} else if (strcmp(key, "homie") == 0) {
		if (!take_flag(value, &out->homie))
			pin_errors_add(errors, "", key, "must be a boolean");
	} else if (strcmp(key, "tasmota") == 0) {
		if (!take_flag(value, &out->tasmota))
			pin_errors_add(errors, "", key, "must be a boolean");
	} else {
		pin_errors_add(errors, "", "dialects", "%.32s is not known",
			       key);
	}
}

void pin_dialects_take(json_t *document, struct pin_dialects *out,
		       struct pin_errors *errors)
{
	json_t *object = json_object_get(document, "dialects");
	const char *key;
	json_t *value;

	*out = (struct pin_dialects){ 0 };
	if (!object)
		return;
	if (!json_is_object(object)) {
		pin_errors_add(errors, "", "dialects", "must be an object");
		return;
	}
	json_object_foreach(object, key, value)
	{
		take_member(key, value, out, errors);
	}
}

int pin_dialects_put(const struct pin_dialects *dialects, json_t *document)
{
	json_t *object;
	int bad = 0;

	if (!dialects->homeassistant[0] && !dialects->homie &&
	    !dialects->tasmota)
		return 0;
	object = json_object();
	if (dialects->homeassistant[0])
		bad |= json_object_set_new(
			object, "homeassistant",
			json_string(dialects->homeassistant));
	if (dialects->homie)
		bad |= json_object_set_new(object, "homie", json_true());
	if (dialects->tasmota)
		bad |= json_object_set_new(object, "tasmota", json_true());
	/* It is taken in any case. */
	return json_object_set_new(document, "dialects", object) | bad;
}

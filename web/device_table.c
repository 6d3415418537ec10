#include "web/device_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "broker/base/json_text.h"
#include "broker/base/log.h"
#include "db/nodes.h"
#include "db/settings.h"
#include "web/context.h"

/* In the document of gpio/pins.h. */
#define KEY "devices"

static bool read_device(json_t *object, struct device *out)
{
	const char *name = json_string_value(json_object_get(object, "name"));
	struct pin_errors errors = { 0 };
	int r = device_parse(object, "device", out, &errors);

	if (r)
		log_error(name ? name : "device",
			  "this device is left out: %s %s",
			  errors.error[0].field, errors.error[0].message);
	return !r;
}

int device_table_load(struct web_context *web, const char *node,
		      struct pins *pins)
{
	char key[DB_NODE_DEVICES_SIZE];
	char *text;
	json_t *list;
	json_t *object;
	size_t i;
	int r = db_settings_get(web->config, db_node_devices(key, node), &text);

	pins->devices = 0;
	if (r)
		return r == -ENOENT ? 0 : r;
	list = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	free(text);
	if (!json_is_array(list))
		log_error("devices", "are left out: this is no list");
	json_array_foreach(list, i, object)
	{
		if (pins->devices == DEVICES_MAX)
			break;
		pins->devices +=
			read_device(object, &pins->device[pins->devices]);
	}
	json_decref(list);
	return 0;
}

/* pins->devices if there is none. */
static size_t find(const struct pins *pins, const char *name)
{
	const struct device *device = devices_find(pins, name);

	return device ? (size_t)(device - pins->device) : pins->devices;
}

bool device_table_put(struct pins *pins, const struct device *device)
{
	size_t i = find(pins, device->name);

	if (i == DEVICES_MAX)
		return false;
	pins->device[i] = *device;
	if (i == pins->devices)
		pins->devices++;
	return true;
}

bool device_table_remove(struct pins *pins, const char *name)
{
	size_t i = find(pins, name);

	if (i == pins->devices)
		return false;
	pins->devices--;
	memmove(&pins->device[i], &pins->device[i + 1],
		(pins->devices - i) * sizeof(pins->device[0]));
	return true;
}

int device_table_store(struct web_context *web, const char *node,
		       const struct pins *pins)
{
	char key[DB_NODE_DEVICES_SIZE];
	json_t *document = json_object();
	char *text = NULL;
	int r = -ENOMEM;

	if (!devices_put(pins, document) &&
	    (pins->devices > 0 ||
	     !json_object_set_new(document, KEY, json_array())))
		text = json_text(json_object_get(document, KEY), JSON_COMPACT);
	if (text)
		r = db_settings_set(web->config, db_node_devices(key, node),
				    text);
	free(text);
	json_decref(document);
	return r;
}

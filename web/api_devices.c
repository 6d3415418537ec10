/* What the node has besides pins: /devices. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "web/api.h"
#include "web/audit.h"
#include "web/device_table.h"
#include "web/form.h"
#include "web/gpio_link.h"
#include "web/pin_forms.h"
#include "web/reply.h"

/* As REST has it: everything, and what its values are in. */
static json_t *device_json(const struct device *device)
{
	json_t *object = device_to_json(device, true);

	if (object && json_object_set_new(object, "measured_in",
					  json_string(device_unit(device)))) {
		json_decref(object);
		return NULL;
	}
	return object;
}

void api_devices(struct request *request)
{
	struct pins *pins = pin_forms_load(request, "Listing the devices");
	json_t *sources;
	json_t *list;
	int bad = 0;

	if (!pins)
		return;
	sources = json_object_get(gpio_link_report(request->gpio), "sources");
	list = json_array();
	for (size_t i = 0; i < pins->devices; i++)
		bad |= json_array_append_new(list,
					     device_json(&pins->device[i]));
	free(pins);
	if (bad) {
		json_decref(list);
		list = NULL;
	}
	reply_json(request, 200,
		   json_pack("{s:o,s:o}", "devices", list, "sources",
			     json_is_array(sources) ? json_incref(sources)
						    : json_array()));
}

/* What is set already. Of a device that changes its kind, what all have. */
static json_t *before(const struct device *device, const json_t *change)
{
	static const char *const shared[] = { "label", "room", NULL };
	const char *kind = json_string_value(json_object_get(change, "kind"));

	if (!device)
		return json_object();
	return pin_forms_keep(
		device_to_json(device, true),
		kind && strcmp(kind, device_kind_text(device->kind)) != 0,
		shared);
}

/* What was not sent keeps its value. */
static void read_form(struct form *form, const char *name,
		      const struct device *old, struct device *out)
{
	json_t *object =
		pin_forms_merge(form, before(old, form->request->json), name);
	struct pin_errors errors = { 0 };

	json_object_del(object, "measured_in");
	(void)device_parse(object, name, out, &errors);
	pin_forms_judged(form, &errors);
	json_decref(object);
}

static void store(struct request *request, const struct pins *pins,
		  const struct device *device, bool is_new)
{
	int r = device_table_store(request->web, gpio_link_key(request->gpio),
				   pins);

	if (r == -EINVAL) {
		reply_problem(request, 409, "too-many-devices",
			      "More than that cannot be kept.");
		return;
	}
	if (r) {
		reply_error(request, r, "Storing the device");
		return;
	}
	audit(request, "device %s%s set up", gpio_link_prefix(request->gpio),
	      device->name);
	gpio_link_configure(request->gpio);
	reply_json(request, is_new ? 201 : 200, device_json(device));
}

void api_device_put(struct request *request)
{
	const char *name = request->segments[3];
	struct device device = { 0 };
	const struct device *old;
	struct pins *pins;
	struct form form;
	bool room = true;
	bool good = true;

	pins = pin_forms_begin(request, &form, "Reading the devices");
	if (!pins)
		return;
	old = devices_find(pins, name);
	if (json_array_size(form.errors) == 0)
		read_form(&form, name, old, &device);
	if (json_array_size(form.errors) == 0) {
		room = device_table_put(pins, &device);
		good = !room || pin_forms_agree(request, &form, pins, name);
	}
	if (good && form_end(&form)) {
		if (room)
			store(request, pins, &device, !old);
		else
			reply_problem(request, 409, "too-many-devices",
				      "There are %u devices; no more fit.",
				      DEVICES_MAX);
	}
	free(pins);
}

void api_device_delete(struct request *request)
{
	const char *name = request->segments[3];
	struct pins *pins = pin_forms_load(request, "Deleting the device");
	int r;

	if (!pins)
		return;
	if (!device_table_remove(pins, name)) {
		free(pins);
		reply_problem(request, 404, "no-such-device",
			      "There is no device of that name.");
		return;
	}
	r = device_table_store(request->web, gpio_link_key(request->gpio),
			       pins);
	free(pins);
	if (r) {
		reply_error(request, r, "Deleting the device");
		return;
	}
	audit(request, "device %s%s deleted", gpio_link_prefix(request->gpio),
	      name);
	gpio_link_configure(request->gpio);
	reply_empty(request, 204);
}

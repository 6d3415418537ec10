/* The board's lines and what they are for: /pins. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "db/pins.h"
#include "web/api.h"
#include "web/audit.h"
#include "web/form.h"
#include "web/gpio_link.h"
#include "web/pin_forms.h"
#include "web/pin_line.h"
#include "web/pin_table.h"
#include "web/reply.h"

/* As REST has it: everything, with its place on the header. */
static json_t *pin_json(const struct gpio_link *gpio, const struct pin *pin)
{
	json_t *object = pin_to_json(pin, true);
	json_t *number = NULL;

	if (!pin->chip[0]) {
		number = json_object_get(pin_line_find(gpio, "", pin->line),
					 "pin");
		json_object_set_new(object, "chip", json_null());
	}
	if (json_object_set_new(object, "pin",
				json_is_integer(number) ? json_incref(number)
							: json_null())) {
		json_decref(object);
		return NULL;
	}
	return object;
}

/* A list out of the report, or an empty one. */
static json_t *reported(const struct gpio_link *gpio, const char *name)
{
	json_t *list = json_object_get(gpio_link_report(gpio), name);

	return json_is_array(list) ? json_incref(list) : json_array();
}

void api_pins(struct request *request)
{
	struct pins *pins = pin_forms_load(request, "Listing the pins");
	const struct gpio_link *gpio = request->gpio;
	json_t *list;

	if (!pins)
		return;
	list = json_array();
	for (size_t i = 0; list && i < pins->count; i++) {
		if (json_array_append_new(list,
					  pin_json(gpio, &pins->pin[i]))) {
			json_decref(list);
			list = NULL;
		}
	}
	free(pins);
	reply_json(request, 200,
		   json_pack("{s:s?,s:O?,s:b,s:o,s:o,s:o,s:o}", "backend",
			     gpio_link_backend(gpio), "board",
			     json_object_get(gpio_link_report(gpio), "board"),
			     "pending", (int)gpio_link_pending(gpio), "pins",
			     list, "lines", reported(gpio, "lines"), "chips",
			     reported(gpio, "chips"), "errors",
			     reported(gpio, "errors")));
}

/* What is set already. Of a pin that changes its direction, what is the same for
 * both. */
static json_t *before(const struct pin *pin, const json_t *change)
{
	static const char *const shared[] = { "line", "chip", "label", "room",
					      NULL };
	const char *dir = json_string_value(json_object_get(change, "dir"));

	if (!pin)
		return json_object();
	return pin_forms_keep(pin_to_json(pin, true),
			      dir && (strcmp(dir, "in") == 0) !=
					      (pin->direction == LINE_INPUT),
			      shared);
}

/* What was not sent keeps its value. */
static void read_form(struct form *form, const char *name,
		      const struct pin *old, struct pin *out)
{
	json_t *object =
		pin_forms_merge(form, before(old, form->request->json), name);
	struct pin_errors errors = { 0 };

	if (!pin_line_resolve(form->request->gpio, object))
		form->failed = true;
	json_object_del(object, "pin");
	json_object_del(object, "confirm");
	if (!pin_parse(object, name, out, &errors))
		pin_line_check(form->request->gpio, form->request->json, out,
			       &errors);
	pin_forms_judged(form, &errors);
	json_decref(object);
}

static void store(struct request *request, const struct pin *pin)
{
	char holder[PIN_NAME_MAX + 1];
	int r;

	r = pin_table_store(request->web, gpio_link_key(request->gpio), pin,
			    holder);
	switch (r) {
	case 0:
	case 1:
		audit(request, "pin %s%s set up",
		      gpio_link_prefix(request->gpio), pin->name);
		gpio_link_configure(request->gpio);
		reply_json(request, r ? 201 : 200,
			   pin_json(request->gpio, pin));
		break;
	case -EADDRINUSE:
		reply_problem(request, 409, "line-taken",
			      "Line %u is the pin %s.", pin->line, holder);
		break;
	case -ENFILE:
		reply_problem(request, 409, "too-many-pins",
			      "There are %u pins; no more fit.", PINS_MAX);
		break;
	default:
		reply_error(request, r, "Storing the pin");
		break;
	}
}

/* Is it on this line already? */
static bool is_settled(const struct pin *old, const struct pin *pin)
{
	return old && old->line == pin->line &&
	       strcmp(old->chip, pin->chip) == 0;
}

void api_pin_put(struct request *request)
{
	const char *name = request->segments[3];
	struct pin pin = { 0 };
	struct pins *pins;
	struct form form;
	bool settled = false;
	bool good = true;

	pins = pin_forms_begin(request, &form, "Reading the pins");
	if (!pins)
		return;
	if (json_array_size(form.errors) == 0)
		read_form(&form, name, pins_find(pins, name), &pin);
	settled = is_settled(pins_find(pins, name), &pin);
	/* Too many: store() says so. */
	if (json_array_size(form.errors) == 0 && pin_table_put(pins, &pin))
		good = pin_forms_agree(request, &form, pins, name);
	if (good && form_end(&form) &&
	    pin_line_granted(request, request->gpio, &pin, settled))
		store(request, &pin);
	free(pins);
}

/* False: there is no such pin, or others need it; that is answered. */
static bool may_go(struct request *request, const char *name)
{
	struct pins *pins = pin_forms_load(request, "Reading the pins");
	bool good = true;

	if (!pins)
		return false;
	if (pin_table_remove(pins, name))
		good = pin_forms_agree(request, NULL, pins, name);
	free(pins);
	return good;
}

void api_pin_delete(struct request *request)
{
	const char *name = request->segments[3];
	int r;

	if (!may_go(request, name))
		return;
	r = db_pins_remove(request->web->config, gpio_link_key(request->gpio),
			   name);
	if (r == -ENOENT) {
		reply_problem(request, 404, "no-such-pin",
			      "There is no pin of that name.");
		return;
	}
	if (r) {
		reply_error(request, r, "Deleting the pin");
		return;
	}
	audit(request, "pin %s%s deleted", gpio_link_prefix(request->gpio),
	      name);
	gpio_link_configure(request->gpio);
	reply_empty(request, 204);
}

#include "web/pin_forms.h"

#include <stdlib.h>
#include <string.h>

#include "web/form.h"
#include "web/gpio_link.h"
#include "web/nodes.h"
#include "web/pin_table.h"
#include "web/reply.h"

struct pins *pin_forms_load(struct request *request, const char *what)
{
	const struct gpio_link *gpio = nodes_of(request);
	struct pins *pins = NULL;
	int r;

	if (!gpio)
		return NULL;
	r = pin_table_load(request->web, gpio_link_key(gpio), &pins);
	if (r)
		reply_error(request, r, what);
	return r ? NULL : pins;
}

/* In a path, and in a topic that people type. */
static bool name_valid(const char *name)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-");

	return len > 0 && len <= PIN_NAME_MAX && !name[len];
}

struct pins *pin_forms_begin(struct request *request, struct form *form,
			     const char *what)
{
	struct pins *pins = pin_forms_load(request, what);

	if (!pins)
		return NULL;
	if (!form_begin(form, request)) {
		free(pins);
		return NULL;
	}
	if (!name_valid(request->segments[3]))
		form_error(form, "name",
			   "must be 1 to 32 of a-z, 0-9, - and _");
	return pins;
}

json_t *pin_forms_keep(json_t *all, bool becomes_other,
		       const char *const *shared)
{
	json_t *kept;

	if (!becomes_other || !all)
		return all;
	kept = json_object();
	for (; *shared; shared++)
		json_object_set(kept, *shared, json_object_get(all, *shared));
	json_decref(all);
	return kept;
}

json_t *pin_forms_merge(struct form *form, json_t *kept, const char *name)
{
	if (json_object_update(kept, form->request->json) ||
	    json_object_set_new(kept, "name", json_string(name)))
		form->failed = true;
	return kept;
}

void pin_forms_judged(struct form *form, const struct pin_errors *errors)
{
	for (size_t i = 0; i < errors->count; i++)
		form_error(form, errors->error[i].field,
			   errors->error[i].message);
	json_object_clear(form->rest);
}

bool pin_forms_agree(struct request *request, struct form *form,
		     struct pins *pins, const char *name)
{
	struct pin_errors errors = { 0 };

	pin_table_drop_lone(pins);
	(void)pins_agree(pins, &errors);
	for (size_t i = 0; i < errors.count; i++) {
		const struct pin_error *e = &errors.error[i];

		if (strcmp(e->field, "line") == 0)
			continue;
		if (form && strcmp(e->pin, name) == 0) {
			form_error(form, e->field, e->message);
			continue;
		}
		if (form)
			json_decref(form->errors);
		if (form)
			json_decref(form->rest);
		reply_problem(request, 409, "pin-needed", "%s needs it: %s.",
			      e->pin, e->message);
		return false;
	}
	return true;
}

/* What happens to the simulated board from outside: /sim. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "web/api.h"
#include "web/form.h"
#include "web/gpio_link.h"
#include "web/nodes.h"
#include "web/pin_line.h"
#include "web/reply.h"

/* Longest press of a simulated button. */
#define PRESS_MAX_MS 60000

/* As the board knows them; the first is null there. */
static const char *const scenarios[] = { "none", "door", "noisy_button",
					 "flow_meter", NULL };
static const char *const faults[] = { "none",	     "busy",   "io_error",
				      "lost_events", "bounce", NULL };

static bool is_simulated(struct request *request)
{
	const char *backend = gpio_link_backend(request->gpio);

	if (backend && strcmp(backend, "sim") == 0)
		return true;
	reply_problem(request, 409, "not-simulated",
		      "Only a simulated board's inputs can be set.");
	return false;
}

static json_t *word(struct form *form, const char *name,
		    const char *const *words)
{
	int choice = form_choice(form, name, words, -1);

	return choice > 0 ? json_string(words[choice]) : json_null();
}

/* What is asked for, as the board hears it; name is what it is called there. */
static json_t *read_form(struct form *form, const char **name)
{
	*name = "press_ms";
	if (form_has(form, *name))
		return json_integer(form_number(form, *name, FORM_REQUIRED, 1,
						PRESS_MAX_MS));
	*name = "scenario";
	if (form_has(form, *name))
		return word(form, *name, scenarios);
	*name = "fault";
	if (form_has(form, *name))
		return word(form, *name, faults);
	*name = "level";
	return json_integer(form_number(form, *name, FORM_REQUIRED, 0, 1));
}

/* Returns 0 or a negative errno. value is taken. */
static int tell(struct request *request, const char *chip, unsigned long line,
		const char *name, json_t *value)
{
	json_t *command =
		json_pack("{s:I,s:o}", "line", (json_int_t)line, name, value);

	if (command && chip[0] &&
	    json_object_set_new(command, "chip", json_string(chip))) {
		json_decref(command);
		return -ENOMEM;
	}
	return gpio_link_simulate(request->gpio, command);
}

/* The chip that the form names, or "", the header's. */
static const char *read_chip(struct form *form)
{
	const char *chip =
		form_text(form, "chip", FORM_OPTIONAL, LINES_NAME_SIZE - 1);

	if (chip && chip[0] && form_has(form, "scenario"))
		form_error(form, "scenario",
			   "plays at the header's lines only");
	return chip ? chip : "";
}

void api_sim_line(struct request *request)
{
	char *end;
	unsigned long line = strtoul(request->segments[4], &end, 10);
	struct form form;
	const char *chip;
	const char *name;
	json_t *value;
	int r;

	if (!nodes_of(request) || !is_simulated(request))
		return;
	if (!form_begin(&form, request))
		return;
	chip = read_chip(&form);
	value = read_form(&form, &name);
	if (!form_end(&form)) {
		json_decref(value);
		return;
	}
	if (*end || !pin_line_find(request->gpio, chip, (uint32_t)line)) {
		json_decref(value);
		reply_problem(request, 404, "no-such-line",
			      "The board has no such line.");
		return;
	}
	r = tell(request, chip, line, name, value);
	if (r)
		reply_error(request, r, "Telling the board");
	else
		reply_empty(request, 204);
}

/* The board's lines and what they are for: /pins, /sim. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "web/api.h"
#include "web/audit.h"
#include "web/form.h"
#include "web/gpio_link.h"
#include "web/reply.h"

/* Who holds a line that hearth-gpiod has taken: "hearth:" and the pin. */
#define OUR_CONSUMER "hearth:"

/* Longest press of a simulated button. */
#define PRESS_MAX_MS 60000

static const char *const dirs[] = { "in", "out", NULL };
static const char *const biases[] = { "none", "up", "down", "as_is", NULL };
static const char *const safes[] = { "off", "on", "hold", NULL };
static const char *const boots[] = { "as_read", "off", "on", "restore", NULL };
static const char *const kinds[] = { "relay",	"light",  "switch", "button",
				     "contact", "motion", NULL };

/* What the node says about a line of the board's header, or NULL. */
static const json_t *find_line(const struct gpio_link *gpio, uint32_t number)
{
	const json_t *lines;
	json_t *line;
	size_t i;

	lines = json_object_get(gpio_link_report(gpio), "lines");
	json_array_foreach(
		lines, i,
		line) if (json_integer_value(json_object_get(line, "line")) ==
			  (json_int_t)number) return line;
	return NULL;
}

static json_t *pin_json(const struct gpio_link *gpio, const struct db_pin *pin)
{
	const json_t *line = NULL;

	if (!pin->chip[0])
		line = find_line(gpio, pin->line);
	return gpio_link_pin(pin,
			     json_integer_value(json_object_get(line, "pin")));
}

/* A list out of the report, or an empty one. */
static json_t *reported(const struct gpio_link *gpio, const char *name)
{
	json_t *list = json_object_get(gpio_link_report(gpio), name);

	return json_is_array(list) ? json_incref(list) : json_array();
}

void api_pins(struct request *request)
{
	const struct gpio_link *gpio = request->web->gpio;
	json_t *list = json_array();
	struct db_pin *pins;
	size_t count;
	int r;

	r = db_pins_list(request->web->config, &pins, &count);
	if (r) {
		json_decref(list);
		reply_error(request, r, "Listing the pins");
		return;
	}
	for (size_t i = 0; list && i < count; i++) {
		if (json_array_append_new(list, pin_json(gpio, &pins[i]))) {
			json_decref(list);
			list = NULL;
		}
	}
	free(pins);
	reply_json(request, 200,
		   json_pack("{s:s?,s:b,s:o,s:o,s:o}", "backend",
			     gpio_link_backend(gpio), "pending",
			     (int)gpio_link_pending(gpio), "pins", list,
			     "lines", reported(gpio, "lines"), "errors",
			     reported(gpio, "errors")));
}

static void set_text(char *out, size_t size, const char *text)
{
	if (text)
		snprintf(out, size, "%s", text);
}

static void read_rules(struct form *form, struct db_pin_rules *rules)
{
	rules->boot = (enum db_pin_boot)form_choice(form, "boot", boots,
						    (int)rules->boot);
	set_text(rules->interlock, sizeof(rules->interlock),
		 form_text(form, "interlock", FORM_OPTIONAL,
			   DB_PIN_INTERLOCK_MAX));
	rules->locked = form_bool(form, "locked", rules->locked);
	for (size_t i = 0; i < DB_PIN_LIMITS; i++) {
		const char *name = db_pin_limit_names[i];

		if (form_has(form, name))
			rules->limit[i] =
				(uint32_t)form_number(form, name, FORM_OPTIONAL,
						      0, db_pin_limit_max[i]);
	}
}

/* A line reads 1..; what was not sent keeps its value. */
static void read_form(struct form *form, struct db_pin *pin, bool is_new)
{
	bool given = form_has(form, "line");

	form_ignore(form, "name");
	form_ignore(form, "pin");
	pin->dir = (enum db_pin_dir)form_choice(form, "dir", dirs,
						is_new ? -1 : (int)pin->dir);
	if (is_new) {
		pin->bias = pin->dir == DB_PIN_IN ? DB_PIN_UP : DB_PIN_AS_IS;
		pin->kind =
			pin->dir == DB_PIN_IN ? DB_PIN_SWITCH : DB_PIN_RELAY;
	}
	if (is_new || given)
		pin->line = (uint32_t)form_number(form, "line", FORM_REQUIRED,
						  0, DB_PIN_LINE_MAX);
	if (json_object_get(form->request->json, "chip"))
		pin->chip[0] = '\0';
	set_text(pin->chip, sizeof(pin->chip),
		 form_text(form, "chip", FORM_OPTIONAL, DB_PIN_CHIP_MAX));
	pin->bias = (enum db_pin_bias)form_choice(form, "bias", biases,
						  (int)pin->bias);
	pin->active_low = form_bool(form, "active_low", pin->active_low);
	if (form_has(form, "debounce_ms"))
		pin->debounce_ms = (uint32_t)form_number(form, "debounce_ms",
							 FORM_OPTIONAL, 0,
							 DB_PIN_DEBOUNCE_MAX);
	pin->safe = (enum db_pin_safe)form_choice(form, "safe", safes,
						  (int)pin->safe);
	pin->kind = (enum db_pin_kind)form_choice(form, "kind", kinds,
						  (int)pin->kind);
	set_text(pin->label, sizeof(pin->label),
		 form_text(form, "label", FORM_OPTIONAL, DB_PIN_TEXT_MAX));
	set_text(pin->room, sizeof(pin->room),
		 form_text(form, "room", FORM_OPTIONAL, DB_PIN_TEXT_MAX));
	read_rules(form, &pin->rules);
}

/* Is the line held by some other driver or program? Then it is told who. */
static bool held_elsewhere(struct request *request, const struct db_pin *pin)
{
	const char *holder;
	const json_t *line;

	if (pin->chip[0])
		return false;
	line = find_line(request->web->gpio, pin->line);
	if (!json_is_true(json_object_get(line, "used")) ||
	    json_is_string(json_object_get(line, "configured")))
		return false;
	holder = json_string_value(json_object_get(line, "consumer"));
	if (holder && strncmp(holder, OUR_CONSUMER, strlen(OUR_CONSUMER)) == 0)
		return false;
	reply_problem(request, 409, "line-taken", "Line %u is used by %s.",
		      pin->line, holder && *holder ? holder : "the kernel");
	return true;
}

static void store(struct request *request, const struct db_pin *pin)
{
	char holder[DB_PIN_NAME_MAX + 1];
	int r;

	r = db_pins_put(request->web->config, pin, holder);
	switch (r) {
	case 0:
	case 1:
		audit(request, "pin %s set up", pin->name);
		gpio_link_configure(request->web->gpio);
		reply_json(request, r ? 201 : 200,
			   pin_json(request->web->gpio, pin));
		break;
	case -EADDRINUSE:
		reply_problem(request, 409, "line-taken",
			      "Line %u is the pin %s.", pin->line, holder);
		break;
	case -ENFILE:
		reply_problem(request, 409, "too-many-pins",
			      "There are %d pins; no more fit.", DB_PINS_MAX);
		break;
	default:
		reply_error(request, r, "Storing the pin");
		break;
	}
}

void api_pin_put(struct request *request)
{
	const char *name = request->segments[3];
	const char *field, *message;
	struct db_pin pin = { 0 };
	struct form form;
	bool is_new;
	int r = -ENOENT;

	if (db_pin_name_valid(name))
		r = db_pins_get(request->web->config, name, &pin);
	if (r && r != -ENOENT) {
		reply_error(request, r, "Reading the pin");
		return;
	}
	is_new = r == -ENOENT;
	if (!form_begin(&form, request))
		return;
	if (db_pin_name_valid(name))
		snprintf(pin.name, sizeof(pin.name), "%s", name);
	else
		form_error(&form, "name",
			   "must be 1 to 32 of a-z, 0-9, - and _");
	read_form(&form, &pin, is_new);
	if (json_array_size(form.errors) == 0 &&
	    db_pin_check(&pin, &field, &message))
		form_error(&form, field, message);
	if (form_end(&form) && !held_elsewhere(request, &pin))
		store(request, &pin);
}

void api_pin_delete(struct request *request)
{
	const char *name = request->segments[3];
	int r;

	r = db_pins_remove(request->web->config, name);
	if (r == -ENOENT) {
		reply_problem(request, 404, "no-such-pin",
			      "There is no pin of that name.");
		return;
	}
	if (r) {
		reply_error(request, r, "Deleting the pin");
		return;
	}
	audit(request, "pin %s deleted", name);
	gpio_link_configure(request->web->gpio);
	reply_empty(request, 204);
}

/* ---- the simulated board ------------------------------------------------ */

static bool is_simulated(struct request *request)
{
	const char *backend = gpio_link_backend(request->web->gpio);

	if (backend && strcmp(backend, "sim") == 0)
		return true;
	reply_problem(request, 409, "not-simulated",
		      "Only a simulated board's inputs can be set.");
	return false;
}

void api_sim_line(struct request *request)
{
	char *end;
	unsigned long line = strtoul(request->segments[4], &end, 10);
	struct form form;
	int64_t value;
	bool press;
	int r;

	if (!is_simulated(request))
		return;
	if (*end || !find_line(request->web->gpio, (uint32_t)line)) {
		reply_problem(request, 404, "no-such-line",
			      "The board has no such line.");
		return;
	}
	if (!form_begin(&form, request))
		return;
	press = form_has(&form, "press_ms");
	if (press)
		value = form_number(&form, "press_ms", FORM_REQUIRED, 1,
				    PRESS_MAX_MS);
	else
		value = form_number(&form, "level", FORM_REQUIRED, 0, 1);
	if (!form_end(&form))
		return;
	r = gpio_link_simulate(request->web->gpio,
			       json_pack("{s:I,s:I}", "line", (json_int_t)line,
					 press ? "press_ms" : "level",
					 (json_int_t)value));
	if (r)
		reply_error(request, r, "Telling the board");
	else
		reply_empty(request, 204);
}

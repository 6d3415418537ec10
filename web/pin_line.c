#include "web/pin_line.h"

#include <stdlib.h>
#include <string.h>

#include "web/context.h"
#include "web/gpio_link.h"
#include "web/reply.h"

/* Who holds a line that hearth-gpiod has taken: "hearth:" and the pin. */
#define OUR_CONSUMER "hearth:"

static const json_t *find_in(const json_t *lines, uint32_t number)
{
	for (size_t i = 0; i < json_array_size(lines); i++) {
		const json_t *line = json_array_get(lines, i);

		if (json_integer_value(json_object_get(line, "line")) ==
		    (json_int_t)number)
			return line;
	}
	return NULL;
}

static bool is_text(const json_t *value, const char *text)
{
	const char *is = json_string_value(value);

	return is && strcmp(is, text) == 0;
}

const json_t *pin_line_find(const struct gpio_link *gpio, const char *label,
			    uint32_t number)
{
	const json_t *report = gpio_link_report(gpio);
	const json_t *chips = json_object_get(report, "chips");

	if (!label[0] || is_text(json_object_get(report, "chip"), label))
		return find_in(json_object_get(report, "lines"), number);
	for (size_t i = 0; i < json_array_size(chips); i++) {
		const json_t *chip = json_array_get(chips, i);

		if (is_text(json_object_get(chip, "label"), label))
			return find_in(json_object_get(chip, "lines"), number);
	}
	return NULL;
}

/* ---- lines by other names ------------------------------------------------ */

static bool set_line(json_t *object, json_t *chip, const json_t *line)
{
	json_t *number = json_object_get(line, "line");

	return !json_object_set_new(object, "line",
				    json_integer(json_integer_value(number))) &&
	       !json_object_set_new(object, "chip", chip);
}

static const json_t *find_name(const json_t *lines, const char *name)
{
	for (size_t i = 0; i < json_array_size(lines); i++) {
		const json_t *line = json_array_get(lines, i);

		if (is_text(json_object_get(line, "name"), name))
			return line;
	}
	return NULL;
}

static bool by_name(const json_t *report, json_t *object, const char *name)
{
	const json_t *chips = json_object_get(report, "chips");
	const json_t *line = find_name(json_object_get(report, "lines"), name);

	if (line)
		return set_line(object, json_null(), line);
	for (size_t i = 0; i < json_array_size(chips); i++) {
		const json_t *chip = json_array_get(chips, i);

		line = find_name(json_object_get(chip, "lines"), name);
		if (line)
			return set_line(
				object,
				json_incref(json_object_get(chip, "label")),
				line);
	}
	return true;
}

/* "label:offset"; false: out of memory, *found: it was one. */
static bool by_offset(const struct gpio_link *gpio, json_t *object,
		      const char *text, bool *found)
{
	const char *colon = strrchr(text, ':');
	char label[LINES_NAME_SIZE] = "";
	const json_t *line;
	unsigned long number;
	char *end;

	*found = false;
	if (!colon || colon == text ||
	    (size_t)(colon - text) >= sizeof(label) || colon[1] < '0' ||
	    colon[1] > '9')
		return true;
	memcpy(label, text, (size_t)(colon - text));
	number = strtoul(colon + 1, &end, 10);
	if (*end || number > PIN_LINE_MAX)
		return true;
	line = pin_line_find(gpio, label, (uint32_t)number);
	if (!line)
		return true;
	*found = true;
	if (is_text(json_object_get(gpio_link_report(gpio), "chip"), label))
		return set_line(object, json_null(), line);
	return set_line(object, json_string(label), line);
}

bool pin_line_resolve(const struct gpio_link *gpio, json_t *object)
{
	json_t *said = json_incref(json_object_get(object, "line"));
	const char *text = json_string_value(said);
	bool found = false;
	bool good = true;

	if (text && text[0])
		good = by_offset(gpio, object, text, &found);
	if (text && text[0] && good && !found)
		good = by_name(gpio_link_report(gpio), object, text);
	json_decref(said);
	return good;
}

/* ---- may it be? ---------------------------------------------------------- */

void pin_line_check(const struct gpio_link *gpio, json_t *request,
		    const struct pin *pin, struct pin_errors *errors)
{
	const json_t *said = json_object_get(request, "pin");
	const json_t *is;

	if (!said || json_is_null(said) || pin->chip[0])
		return;
	is = json_object_get(pin_line_find(gpio, "", pin->line), "pin");
	if (!json_is_integer(said))
		pin_errors_add(errors, pin->name, "pin",
			       "must be a number of the header");
	else if (json_is_integer(is) && !json_equal(said, is))
		pin_errors_add(errors, pin->name, "pin",
			       "line %u is at header pin %d, not %d", pin->line,
			       (int)json_integer_value(is),
			       (int)json_integer_value(said));
}

/* Held by some other driver or program? */
static bool is_foreign(const json_t *line, const char **holder)
{
	*holder = json_string_value(json_object_get(line, "consumer"));
	return json_is_true(json_object_get(line, "used")) &&
	       !json_is_string(json_object_get(line, "configured")) &&
	       !(*holder &&
		 strncmp(*holder, OUR_CONSUMER, strlen(OUR_CONSUMER)) == 0);
}

/* By the device tree, where the board could read that. */
static const char *state_of(const json_t *line)
{
	const json_t *on = json_object_get(line, "switched_on");

	if (json_is_true(on))
		return "; it is switched on";
	return json_is_false(on) ? "; it is not switched on" : "";
}

bool pin_line_granted(struct request *request, const struct gpio_link *gpio,
		      const struct pin *pin, bool settled)
{
	const char *holder;
	const json_t *line;

	line = pin_line_find(gpio, pin->chip, pin->line);
	if (is_foreign(line, &holder)) {
		reply_problem(request, 409, "line-taken",
			      "Line %u is used by %s.", pin->line,
			      holder && *holder ? holder : "the kernel");
		return false;
	}
	if (settled || !json_is_string(json_object_get(line, "risk")) ||
	    json_is_true(json_object_get(request->json, "confirm")))
		return true;
	reply_problem(request, 409, "risky-line",
		      "Line %u: %s%s. With \"confirm\": true it is taken all "
		      "the same.",
		      pin->line,
		      json_string_value(json_object_get(line, "warning")),
		      state_of(line));
	return false;
}

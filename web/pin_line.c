#include "web/pin_line.h"

#include <string.h>

#include "web/context.h"
#include "web/gpio_link.h"
#include "web/reply.h"

/* Who holds a line that hearth-gpiod has taken: "hearth:" and the pin. */
#define OUR_CONSUMER "hearth:"

const json_t *pin_line_find(const struct gpio_link *gpio, uint32_t number)
{
	const json_t *lines = json_object_get(gpio_link_report(gpio), "lines");

	for (size_t i = 0; i < json_array_size(lines); i++) {
		const json_t *line = json_array_get(lines, i);

		if (json_integer_value(json_object_get(line, "line")) ==
		    (json_int_t)number)
			return line;
	}
	return NULL;
}

void pin_line_check(const struct gpio_link *gpio, json_t *request,
		    const struct pin *pin, struct pin_errors *errors)
{
	const json_t *said = json_object_get(request, "pin");
	const json_t *is;

	if (!said || json_is_null(said) || pin->chip[0])
		return;
	is = json_object_get(pin_line_find(gpio, pin->line), "pin");
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

bool pin_line_granted(struct request *request, const struct pin *pin,
		      bool settled)
{
	const char *holder;
	const json_t *line;

	/* Of other chips nothing is known. */
	if (pin->chip[0])
		return true;
	line = pin_line_find(request->web->gpio, pin->line);
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
		      "Line %u: %s. With \"confirm\": true it is taken all the "
		      "same.",
		      pin->line,
		      json_string_value(json_object_get(line, "warning")));
	return false;
}
